"""The way back: GET and LIST, a server that plays them, and what tests of `fxfer get` and `list` share."""

import hashlib
import os
import re
from types import SimpleNamespace

import frames
from abuse import NO_CONTROLS
from fake_server import FakeServer
from frames import ENTRY, FINISH, GET, LIST, LISTED, PREAMBLE, WELCOME, chunk, encode, offer
from support import Case, run
from trees import snapshot

MIB = 1 << 20
SHARE = 1


def entry(name, folder=False, size=3, id=1, permissions=0o644, seconds=0):
    values = {"id": id, "entry": int(folder), "permissions": permissions, "size": size, "seconds": seconds}
    return encode(ENTRY, **values, nanoseconds=0, name=name)


def listed(id=1, code=0, message=b""):
    return encode(LISTED, id=id, code=code, message=message)


def finish(content, id=1, size=None, digest=None):
    digest = digest or hashlib.sha256(content).digest()
    return encode(FINISH, id=id, size=len(content) if size is None else size, digest=digest)


def one_chunk(content, id=1, offset=0, running=None):
    return chunk(id, offset, content, running or hashlib.sha256(content).digest())


def offered(content, path=b"f", id=1, size=None):
    return offer(id, path, size=len(content) if size is None else size, modified=10**18, permissions=0o644)


def whole(content, path=b"f", id=1):
    """A small file as a good server gives it."""
    return [offered(content, path, id), one_chunk(content, id), finish(content, id)]


def welcome(connection, capabilities=SHARE):
    """The server's half of the greeting, of one that shares."""
    connection.expect_preamble()
    wishes = connection.expect(frames.HELLO)
    connection.terms = SimpleNamespace(version=1, files=16, largest_chunk=wishes.largest_chunk)
    terms = {"capabilities": capabilities, "nonce": os.urandom(32)}
    connection.send(PREAMBLE, encode(WELCOME, **vars(connection.terms), **terms))


def answering(*parts, to=GET):
    """Answers the first request with these bytes and then listens."""

    def play(connection):
        welcome(connection)
        connection.expect(to)
        connection.send(*parts)
        connection.drain()

    return play


class ShareCase(Case):
    """Tests get into `self.place`, from a server that shares `self.folder/out`, or from one that is played."""

    def setUp(self):
        super().setUp()
        self.place = self.folder / "place"
        self.place.mkdir()

    def get(self, *arguments, **options):
        if options.get("text", True):
            options.setdefault("errors", "surrogateescape")
        return run("get", *map(os.fsencode, arguments), cwd=self.place, **options)

    def get_from(self, script, *options, name="f"):
        """Gets `name` from a server that plays `script`."""
        with FakeServer(script) as server:
            return self.get(*options, f"{server.address}/{name}", "--timeout", "5", "--retries", "0")

    def assert_got(self, result, *names):
        """Success in silence; a line for each name."""
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(sorted(line.split("  ", 1)[1] for line in result.stdout.splitlines()), sorted(names))

    def assert_fails(self, result, *statuses, naming=()):
        """One line of error that does nothing to a terminal, nothing on stdout, one of the statuses."""
        self.assertIn(result.returncode, statuses, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr, rf"\Afxfer: {NO_CONTROLS}\n\Z")
        for text in naming:
            self.assertIn(text, result.stderr)

    def state(self):
        """What would show that anything changed in the receiving folder, or around it. Parts are left out."""
        found = {path: (value[0], value[2]) for path, value in snapshot(self.folder).items()}
        return {path: value for path, value in found.items() if not re.search(rb"\.(part|journal)$|^out|^source", path)}

    def parts(self):
        return [path for path in snapshot(self.place) if b".fxfer-" in path]
