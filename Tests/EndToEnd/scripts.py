"""Scripts for `FakeServer`, and what must hold of `fxfer send` whatever a server does."""

import hashlib

from abuse import NO_CONTROLS
from fake_server import FakeServer
from frames import ACCEPT, CHUNK, CONFIRM, OFFER, RECEIPT, REWIND, encode
from support import ONCE, Case, run

MIB = 1 << 20
SMALL = b"a small file\n" * 10
BIG = bytes(range(256)) * (5 * MIB // 256)
DATA, UNAVAILABLE, EXISTS, IO, RETRY, PROTOCOL, PERMISSION = 65, 69, 73, 74, 75, 76, 77


def digest(content):
    return hashlib.sha256(content).digest()


def accept(offset=0, prefix=b"", id=1, running=None):
    return encode(ACCEPT, id=id, offset=offset, digest=running or digest(prefix))


def receipt(content, id=1, outcome=0, size=None, running=None, path=b"source"):
    size = len(content) if size is None else size
    return encode(RECEIPT, id=id, outcome=outcome, size=size, digest=running or digest(content), path=path)


def confirm(offset, id=1):
    return encode(CONFIRM, id=id, offset=offset)


def rewind(offset, id=1):
    return encode(REWIND, id=id, offset=offset)


def offered(connection):
    """Greets the client; answers its OFFER."""
    connection.welcome()
    return connection.expect(OFFER)


def take_all(connection, answer=confirm, first=None):
    """Takes the client's chunks up to FINISH, each answered."""
    connection.send(first or accept())
    while (found := connection.receive()).kind == CHUNK:
        connection.send(answer(found.offset + found.length))
    return found


class HostileServerCase(Case):
    def send(self, content, script, *options):
        """What `fxfer send` makes of one connection to a server that plays `script`."""
        source = self.file("source", content)
        with FakeServer(script) as server:
            result = run("send", *ONCE, *options, str(source), server.address)
        self.assertEqual(source.read_bytes(), content)
        return result

    def assert_fails(self, result, *statuses):
        """One line of error, no claim on stdout, the right status."""
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr, rf"\Afxfer: {NO_CONTROLS}\n\Z")
        self.assertIn(result.returncode, statuses, result.stderr)

    def assert_each_fails(self, content, cases, *statuses, options=("--timeout", "5")):
        for title, play in cases.items():
            with self.subTest(title):
                self.assert_fails(self.send(content, play, *options), *statuses)


def after_offer(*parts):
    """Answers OFFER with these bytes and then listens to whatever the client says."""

    def play(connection):
        offered(connection)
        connection.send(*parts)
        connection.drain()

    return play


def after_finish(*parts, first=None):
    """Takes the whole file rightly and answers FINISH with these bytes."""

    def play(connection):
        offered(connection)
        take_all(connection, first=first)
        connection.send(*parts)
        connection.drain()

    return play


def instead_of_greeting(*parts):
    def play(connection):
        connection.send(*parts)
        connection.drain()

    return play
