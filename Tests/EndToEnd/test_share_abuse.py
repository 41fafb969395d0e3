"""Clients that ask and then behave badly do not hold up a server that shares."""

import os
import signal
import subprocess

import wire
from frames import BYE, FINISH, HELLO, OFFER, PREAMBLE, WELCOME, encode
from sharing import GET, LIST, LISTED, MIB, SHARE, ShareCase, listed
from scripts import accept, receipt
from support import FXFER, PATIENCE
from trees import plant
from waiting import eventually


class AbuseCase(ShareCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve("--share", "--grace", "1")
        # A server that does not end is a failure of its own test only.
        self.addCleanup(self.server.process.kill)
        plant(self.server.directory, {"f": os.urandom(50 * MIB), "small": b"small"})

    def connect(self, timeout=PATIENCE):
        """A client that has greeted."""
        connection = wire.connect(self.server.port, timeout=timeout)
        self.addCleanup(connection.socket.close)
        wishes = {"largest_chunk": MIB, "capabilities": SHARE, "nonce": bytes(32)}
        connection.send(PREAMBLE, encode(HELLO, lowest=1, highest=1, **wishes))
        connection.expect_preamble()
        connection.terms = connection.expect(WELCOME)
        self.assertEqual(connection.terms.capabilities, SHARE)
        return connection

    def asked(self, name=b"f", timeout=PATIENCE):
        """A client that was offered the file."""
        connection = self.connect(timeout)
        connection.send(encode(GET, id=1, path=name))
        connection.expect(OFFER)
        return connection


class EndTest(AbuseCase):
    def test_the_end_of_the_clients_stream_is_the_end_of_the_connection(self):
        """In the middle of a download, as in that of an upload: at once, not at a time-out."""
        for title, parts in {"after OFFER": [], "after ACCEPT": [accept()]}.items():
            with self.subTest(title):
                connection = self.asked(timeout=10)
                connection.send(*parts)
                connection.socket.shutdown(wire.socket.SHUT_WR)
                connection.drain()
                self.assert_serves(self.server)

    def test_clients_that_leave_leave_nothing_behind(self):
        """Neither descriptors nor something that the end of the server waits for."""
        before = self.server.descriptors()
        for end in ({}, {"parts": [encode(BYE)]}, {"parts": [accept()]}):
            for _ in range(10):
                connection = self.asked()
                connection.send(*end.get("parts", []))
                connection.socket.close()
        self.get(f"{self.server.address}/small")
        eventually(lambda: self.server.descriptors() <= before, "the descriptors are closed")
        self.server.process.send_signal(signal.SIGTERM)
        self.server.process.wait(10)

    def test_a_download_in_flight_does_not_outlive_the_grace(self):
        """SIGTERM: whatever a client does not say, the server ends when the grace of a second is over."""
        for title, parts in {"before ACCEPT": [], "without CONFIRM": [accept()]}.items():
            with self.subTest(title):
                server = self.server = self.serve("--share", "--grace", "1")
                self.addCleanup(server.process.kill)
                connection = self.asked()
                connection.send(*parts)
                server.process.send_signal(signal.SIGTERM)
                try:
                    server.process.wait(10)
                except subprocess.TimeoutExpired:
                    server.process.kill()
                    self.fail("the server still runs, 10 s after SIGTERM with a grace of 1 s")

    def test_a_client_that_stops_does_not_outlive_the_grace(self):
        """A real one, which is stopped and never reads on."""
        client = subprocess.Popen([FXFER, "get", "--json", f"{self.server.address}/f"], cwd=self.place,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
        client.stdout.readline()
        client.send_signal(signal.SIGSTOP)
        with client:
            try:
                self.server.process.send_signal(signal.SIGTERM)
                self.server.process.wait(10)
            except subprocess.TimeoutExpired:
                self.server.process.kill()
                self.fail("the server still runs, 10 s after SIGTERM with a grace of 1 s")
            finally:
                client.kill()


class NonsenseTest(AbuseCase):
    def assert_ended(self, connection):
        """The server says what is wrong and closes."""
        with self.assertRaises((wire.PeerError, EOFError)):
            while connection.receive():
                pass
        connection.drain()
        self.assert_serves(self.server)

    def test_frames_that_make_no_sense(self):
        cases = {
            "a receipt before the end": receipt(b"", path=b"f"),
            "ACCEPT behind the end": accept(60 * MIB),
            "a listing": listed(),
        }
        for title, part in cases.items():
            with self.subTest(title):
                connection = self.asked()
                connection.send(part)
                self.assert_ended(connection)

    def test_numbers_that_do_not_grow(self):
        for id in (0, 1, 5):
            with self.subTest(id=id):
                connection = self.connect()
                connection.send(encode(GET, id=5, path=b"small"))
                while connection.receive().kind != FINISH:
                    pass
                connection.send(encode(GET, id=id, path=b"small"))
                try:
                    self.assertEqual(connection.receive().kind, wire.CANCEL)
                except wire.PeerError:
                    pass
                self.assert_serves(self.server)

    def test_names_that_are_none(self):
        """Are denied one by one; the connection goes on."""
        names = [b"", b"..", b"../outside", b"/etc/passwd", b".fxfer", b".fxfer/partials", b"a//b"]
        names += [b"small\0", b"x" * 5000]
        connection = self.connect()
        for id, name in enumerate(names, 1):
            with self.subTest(name[:20]):
                connection.send(encode(GET, id=id, path=name))
                denied = connection.receive()
                self.assertEqual((denied.kind, denied.id), (wire.CANCEL, id))
                if name:
                    connection.send(encode(LIST, id=id, path=name))
                    answer = connection.receive()
                    self.assertEqual((answer.kind, answer.id), (LISTED, id))
                    self.assertNotEqual(answer.code, 0)
        connection.send(encode(GET, id=100, path=b"small"))
        self.assertEqual(connection.expect(OFFER).path, b"small")

    def test_more_requests_than_allowed(self):
        connection = self.connect()
        count = connection.terms.files
        connection.send(*(encode(GET, id=id, path=b"f") for id in range(1, 4 * count)))
        self.assert_ended(connection)

    def test_a_reader_that_does_not_read(self):
        """Ten clients that accept and never read: memory stays bounded, and a good one is served."""
        for _ in range(10):
            self.asked().send(accept())
        result = self.get(f"{self.server.address}/f")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertLessEqual(self.server.peak_memory(), 128 * MIB)


class UnsharedTest(ShareCase):
    def test_a_server_that_does_not_share(self):
        """A client that asks all the same, without the capability, gets neither a listing nor a file."""
        server = self.serve()
        plant(server.directory, {"f": b"not for clients", "folder/g": b""})
        with wire.connect(server.port, timeout=PATIENCE).greet(capabilities=SHARE) as connection:
            self.assertEqual(connection.terms.capabilities, 0)
            for path in (b"", b"folder"):
                connection.send(encode(LIST, id=1, path=path))
                answer = connection.receive()
                self.assertEqual((answer.kind, answer.code), (LISTED, 5), path)
            connection.send(encode(GET, id=1, path=b"f"))
            answer = connection.receive()
            self.assertEqual((answer.kind, answer.code), (wire.CANCEL, 5))
