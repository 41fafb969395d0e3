"""Moments at which a played server says something odd to `send`, `get` or `list`, and what comes of it."""

import contextlib
import os
import socket
from concurrent.futures import ThreadPoolExecutor

from abuse import NO_CONTROLS
from extremes import USUAL, usual
from fake_server import FakeServer
from frames import ACCEPT, CANCEL, CHUNK, CONFIRM, ENTRY, FINISH, GET, HELLO, LIST, OFFER, PREAMBLE, RECEIPT
from frames import REFUSE, SHARE, chunk
from support import ONCE, Case, run

CONTENT = b"12345"
#: More than any of these clients needs, and less than what is announced to them.
MOST_MEMORY = 3 << 30


def greeted(connection):
    """The client has said HELLO, and waits for WELCOME."""
    connection.expect_preamble()
    connection.expect(HELLO)
    connection.send(PREAMBLE)


def welcomed(connection):
    connection.welcome(capabilities=SHARE)


def offered(connection):
    welcomed(connection)
    connection.expect(OFFER)


def all_sent(connection):
    """The client has said all that it has to say of a small file."""
    offered(connection)
    connection.expect(CHUNK)
    connection.expect(FINISH)


def accepted(connection):
    all_sent(connection)
    connection.send(usual(ACCEPT))


def confirmed(connection):
    accepted(connection)
    connection.send(usual(CONFIRM))


def received(connection):
    """The client has its receipt: what comes now makes nothing undone."""
    confirmed(connection)
    connection.send(usual(RECEIPT))


def refused(connection):
    all_sent(connection)
    connection.send(usual(REFUSE))
    connection.expect(CANCEL)


def asked(connection):
    welcomed(connection)
    connection.expect(GET)


def offering(connection):
    asked(connection)
    connection.send(usual(OFFER))
    connection.expect(ACCEPT)


def in_chunk(connection):
    """The first three bytes of a chunk of five are there, but neither the rest nor the digest."""
    offering(connection)
    connection.send(chunk(1, 0, CONTENT, USUAL[FINISH]["digest"])[:-34])


def given(connection):
    offering(connection)
    connection.send(chunk(1, 0, CONTENT, USUAL[FINISH]["digest"]))
    connection.expect(CONFIRM)


def got(connection):
    """The client has published its file, and said so."""
    given(connection)
    connection.send(usual(FINISH))
    connection.expect(RECEIPT)


def folder_asked(connection):
    asked(connection)
    connection.send(usual(CANCEL, code=41))
    connection.expect(LIST)


def entered(connection):
    folder_asked(connection)
    connection.send(usual(ENTRY))


def listing(connection):
    welcomed(connection)
    connection.expect(LIST)


def play(moment, sent):
    """A script: up to the moment, then this, and nothing more."""

    def script(connection):
        moment(connection)
        connection.send(sent)
        with contextlib.suppress(OSError):  # It has left already.
            connection.socket.shutdown(socket.SHUT_WR)
        connection.drain()

    return script


class MomentCase(Case):
    """Each client has a folder of its own with `f`: what `send` sends, and what `get` is not to change."""

    def client(self, number, command, script):
        """What the command makes of one connection; the names that are there then, and the content of `f`."""
        place = self.folder / f"{number}"
        place.mkdir()
        (place / "f").write_bytes(CONTENT if command == "send" else b"old")
        with FakeServer(script) as server:
            arguments = {"send": ["f", server.address], "get": [f"{server.address}/f"], "list": [server.address]}
            once = () if command == "list" else ONCE
            options = {"cwd": place, "env": {**os.environ, "SWIFT_BACKTRACE": "enable=no"}}
            wrapper = ("prlimit", f"--as={MOST_MEMORY}")
            result = run(command, *once, "--timeout", "5", *arguments[command], wrapper=wrapper, **options)
        names = [name for name in os.listdir(place) if not name.startswith(".fxfer-")]
        return result, (names, (place / "f").read_bytes())

    def assert_each(self, cases):
        """Each of the cases: command, title, moment, what is sent, the statuses that may come.

        There is one line of error or more, none that acts on a terminal, and no claim; no other file is there, and `f`
        is as it was. Where the status is 0, which a case may say, it may be the new one.
        """
        with ThreadPoolExecutor(4) as pool:
            futures = []
            for number, (command, title, moment, sent, statuses) in enumerate(cases):
                future = pool.submit(self.client, number, command, play(moment, sent))
                futures.append((command, title, statuses, future))
            for command, title, statuses, future in futures:
                with self.subTest(f"{command}, {title}"):
                    result, (names, content) = future.result()
                    self.assertIn(result.returncode, statuses, result)
                    self.assertEqual(names, ["f"])
                    if result.returncode == 0:
                        self.assertEqual((result.stderr, content), ("", b"old" if command == "list" else CONTENT))
                        continue
                    self.assertRegex(result.stderr, rf"\A(fxfer: {NO_CONTROLS}\n)+\Z")
                    self.assertEqual(content, CONTENT if command == "send" else b"old")
                    if command != "list":
                        self.assertEqual(result.stdout, "")
        self.assertGreater(len(futures), 60)
