"""Connections, files and frames are limited, and who comes to a limit reads which."""

import hashlib
import os
import resource
import unittest

import wire
from abuse import ReadServer
from frames import ACCEPT, ALIVE, CHUNK, PREAMBLE, encode, hello, offer
from limits import *
from scripts import RETRY
from sending import SendCase
from support import ONCE, Case, run
from waiting import eventually

MIB = 1 << 20


class AllTest(LimitCase):
    options = ("--max-connections", "2")
    message = "the server has too many connections"

    def test_the_reason_is_read(self):
        """A client that is turned away reads why, although it sent 1 MiB first and reads only when all is over."""
        held = [self.greeted(), self.greeted()]
        connection = self.connect()
        connection.send(PREAMBLE, hello(), bytes(MIB))
        open_before = self.descriptors + len(held)
        eventually(lambda: self.server.descriptors() <= open_before, "the server has closed")
        self.assert_turned_away(connection, self.message)
        for connection in held:
            self.goodbye(connection)
        self.assert_harmless()

    def test_silent_newcomer(self):
        """One that is turned away and says nothing is dropped."""
        held = [self.greeted(), self.greeted()]
        self.assert_closed(self.connect())
        for connection in held:
            self.goodbye(connection)
        self.assert_harmless()

    def test_others_make_room(self):
        """One that has not greeted makes room; where it has said its first words, it is told why."""
        talking = self.connect()
        talking.send(PREAMBLE, hello()[:20])
        self.assert_both_serve()
        self.assert_turned_away(talking, self.message)
        self.assert_harmless()
        silent = self.connect()
        silent.send(PREAMBLE[:3])
        self.assert_both_serve()
        self.assert_closed(silent)
        self.assert_harmless()

    def test_words_that_come_late(self):
        """One that has made room before it said its first words is told why when it says them."""
        late = self.connect()
        held = [self.greeted(), self.greeted()]
        late.send(PREAMBLE, hello())
        self.assert_turned_away(late, self.message)
        for connection in held:
            self.goodbye(connection)
        self.assert_harmless()

    def assert_both_serve(self):
        """Two clients get places, whoever has been there before."""
        for connection in [self.greeted(), self.greeted()]:
            self.assert_goes_on(connection)

    def test_late_words(self):
        """Of two that have said nothing one makes room; when both greet then, that one is told why."""
        silent = [self.connect(), self.connect()]
        served = [self.greeted()]
        for connection in silent:
            connection.send(PREAMBLE, hello())
            connection.expect_preamble()
            try:
                connection.receive()
                served.append(connection)
            except wire.PeerError as error:
                self.assertEqual(error.code, BUSY)
                self.assertIn(self.message, error.message)
                self.assert_closed(connection)
        self.assertEqual(len(served), 2)
        for connection in served:
            self.goodbye(connection)
        self.assert_harmless()

    def test_send(self):
        """`send` ends with 75 and the reason; with tries left it waits until there is room."""
        held = [self.greeted(), self.greeted()]
        source = self.file("f", os.urandom(1000))
        result = run("send", *ONCE, str(source), self.server.address)
        self.assertEqual((result.returncode, result.stdout), (RETRY, ""))
        self.assertRegex(result.stderr, rf"\Afxfer: [^\n]*{self.message}[^\n]*\n\Z")
        self.assertEqual(self.server.published(), self.stored)
        client = SendCase.sending(self, "--quiet", source, self.server.address)
        client.wait_for("retry")
        for connection in held:
            self.goodbye(connection)
        self.assertEqual(client.wait(), (0, ""))
        (self.server.directory / "f").unlink()
        self.beside = self.listing()
        self.assert_harmless()


class AddressTest(LimitCase):
    options = ("--max-connections-per-address", "2")

    def test_one_address_does_not_take_the_places_of_another(self):
        held = [self.greeted(), self.greeted()]
        refused = self.connect()
        refused.send(PREAMBLE, hello())
        self.assert_turned_away(refused, "too many connections from your address")
        other = self.connect_from("127.0.0.2").greet()
        self.assert_goes_on(other)
        for connection in held:
            self.goodbye(connection)
        self.assert_harmless()

    def test_the_oldest_of_the_address_makes_room(self):
        elsewhere = self.connect_from("127.0.0.2")
        silent = self.connect()
        held = [self.greeted(), self.greeted()]
        self.assert_closed(silent)
        elsewhere.greet()
        for connection in (*held, elsewhere):
            self.assert_goes_on(connection)
        self.assert_harmless()


class FloodTest(LimitCase):
    options = ("--max-connections", "20")

    def test_more_than_may_linger(self):
        """Hundreds of clients that are turned away take few descriptors, and the others go on."""
        held = [self.greeted() for _ in range(20)]
        for _ in range(300):
            self.connect().send(PREAMBLE, hello())
            # Two linger; some were accepted and not looked at yet, or are not closed yet: more of them on a busy machine,
            # but never as many as have come.
            self.assertLessEqual(self.server.descriptors(), self.descriptors + 20 + 2 + 100)
        for connection in held:
            self.assert_goes_on(connection)
        for connection in self.connections:
            connection.socket.close()
        self.assert_harmless()


class FrameTest(LimitCase):
    options = ("--max-frame-size", "8K", "--max-files", "3")

    def test_long_frame(self):
        """A frame over the limit is an error by its header alone; the longest path fits."""
        connection = self.greeted()
        connection.send(offer(1, b"/".join([b"x" * 255] * 16)[:4095], size=0))
        connection.expect(ACCEPT)
        connection.send(wire.frame(0xFE, bytes(8192)), wire.frame(0xFE, bytes(8193))[:12])
        self.assertEqual(self.assert_ends_with(connection, LIMIT), [])
        self.assert_harmless()

    def test_files(self):
        """WELCOME says how many files may be open; one more is an error."""
        connection = self.greeted()
        self.assertEqual(connection.terms.files, 3)
        connection.send(*[offer(id, b"%d" % id, size=5) for id in range(1, 5)])
        frames = self.assert_ends_with(connection, LIMIT)
        self.assertEqual({frame.kind for frame in frames}, {ACCEPT})
        self.assert_harmless()


class LateReaderTest(LimitCase):
    """Whatever ends a connection, a client that has sent 1 MiB behind it and reads when all is over reads the reason."""

    options = ("--handshake-timeout", "1", "--idle-timeout", "2", "--max-frame-size", "8K", "--max-files", "1")
    wrong = hello()[:-1] + bytes([hello()[-1] ^ 1])
    empty = hashlib.sha256().digest()

    def assert_read_late(self, connection, code, *parts):
        """The client says `parts` and reads nothing until the server has closed."""
        connection.send(*parts)
        eventually(lambda: self.server.descriptors() <= self.descriptors, "the server has closed")
        self.assert_ends_with(connection, code)
        self.assert_harmless()

    def test_before_the_greeting_is_over(self):
        for title, code, part in (
            ("a frame that is no HELLO", 1, encode(ALIVE)),
            ("a version of the future", 2, hello(lowest=7, highest=9)),
            ("a damaged HELLO", 4, self.wrong),
            ("a frame that is too long", LIMIT, wire.frame(0xFE, bytes(8193))),
        ):
            with self.subTest(title):
                connection = self.connect()
                connection.send(PREAMBLE, part, bytes(MIB))
                connection.expect_preamble()
                self.assert_read_late(connection, code)

    def test_greeted(self):
        two = offer(1, b"a", size=1, waits=True) + offer(2, b"b", size=1, waits=True)
        for title, code, part in (
            ("a frame out of order", 1, encode(wire.FINISH, id=7, size=0, digest=self.empty)),
            ("a frame that is too long", LIMIT, wire.frame(0xFE, bytes(8193))),
            ("too many files", LIMIT, two),
            ("a damaged frame", 4, self.wrong),
        ):
            with self.subTest(title):
                self.assert_read_late(self.greeted(), code, part, bytes(MIB))

    def test_too_slow(self):
        """A chunk of which most has come, but not the rest."""
        connection = self.greeted()
        connection.send(offer(1, b"slow", size=1 << 22, waits=True))
        connection.expect(ACCEPT)
        # 100 bytes a second less than the least pace, over the 2 seconds of the grace, and nothing else.
        self.assert_read_late(connection, TIMED_OUT, encode(CHUNK, id=1, offset=0, length=MIB), bytes(1800))

    def test_refused_file(self):
        """A file that is refused while its chunks come: REFUSE is read, and the connection goes on."""
        connection = self.greeted()
        connection.send(offer(1, b"../f", size=MIB))
        connection.send(wire.chunk(1, 0, bytes(MIB), hashlib.sha256(bytes(MIB)).digest()))
        self.assert_refuses(connection, 1, 32)
        self.assert_goes_on(connection)
        self.assert_harmless()


class FewDescriptorsTest(SendCase):
    def test_files_in_flight(self):
        """With 96 descriptors few files are open at once, and hundreds arrive without one that could not be opened."""

        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96))

        server = ReadServer(self.folder / "out", preexec_fn=limit)
        self.addCleanup(server.__exit__)
        with wire.connect(server.port) as connection:
            self.assertEqual(connection.greet().terms.files, 1)
        tree = self.folder / "tree"
        for number in range(200):
            size = (100, 50_000, 2 * MIB)[number % 50 % 3 if number < 30 else 0]
            self.file(f"tree/{number % 7}/{number % 3}/f{number}", os.urandom(size))
        clients = [self.sending("--quiet", *ONCE, tree, f"{server.address}/{name}/") for name in "abcd"]
        for client in clients:
            self.assertEqual(client.wait(), (0, ""))
        self.assertEqual(len(server.published()), 4 * 200)
        server.__exit__()
        self.assertNotIn("too many open files", server.log.lower())
        self.assertNotIn("outcome=busy", server.log)


class ArgumentTest(Case):
    def test_wrong_values(self):
        """A limit that makes no sense is a usage error (64), and no server starts."""
        for option, *values in (
            ("--handshake-timeout", "0", "-1", "soon", ""),
            ("--idle-timeout", "0", "1x"),
            ("--min-rate", "-1", "fast"),
            ("--max-connections", "0", "-1", "many", "99999999999999999999"),
            ("--max-connections-per-address", "0", "x"),
            ("--max-file-size", "-1", "big", "99999999P"),
            ("--max-total-size", "-1", "big"),
            ("--min-free-space", "-1", "all"),
            ("--max-files", "0", "65536"),
            ("--max-frame-size", "8191", "65537", "0"),
        ):
            for value in values:
                with self.subTest(option, value=value):
                    result = run("serve", "--dir", str(self.folder / "out"), f"{option}={value}")
                    self.assertEqual((result.returncode, result.stdout), (64, ""))
                    self.assertIn(option, result.stderr)
                    self.assertFalse((self.folder / "out").exists())


if __name__ == "__main__":
    unittest.main()
