"""How `fxfer serve` ends, by signals and by crashes of either end: what was promised holds, the rest is gone."""

import contextlib
import os
import signal
import socket
import unittest

from gate import Gate
from sending import SendCase
from support import ONCE, PATIENCE, sha256
from waiting import eventually

MIB = 1 << 20
GIB = 1 << 30
KEEPING_NOTHING = ("--keep-partials", "0")


class SignalTest(SendCase):
    def assert_listens_no_more(self, server):
        """Waits until the server takes no connections; that is the first thing it does when told to end."""

        def refused():
            try:
                socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE).close()
                return False
            except ConnectionRefusedError:
                return True

        eventually(refused, "the server closes its port")

    def held_upload(self, gate):
        """An upload of 5 MiB of which the gate holds the second half."""
        client = self.sending(*ONCE, self.file("f", os.urandom(5 * MIB)), gate.address)
        gate.wait_until_held()
        return client

    def test_idle(self):
        """SIGTERM and SIGINT end an idle server with status 0 at once, and with nothing on stderr."""
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                server = self.serve("--grace", "1000")
                self.assert_serves(server)
                server.process.send_signal(number)
                self.assertEqual(server.wait(), 0)
                self.assertNotIn("warning", server.log)
                self.assertNotIn("error", server.log)

    def test_at_once(self):
        """SIGTERM right behind the first line ends it with status 0, too."""
        for _ in range(10):
            server = self.serve()
            server.process.terminate()
            self.assertEqual(server.wait(), 0)

    def test_connections_during_the_end(self):
        """Clients that connect just while the server is told to end do it no harm: its status is 0."""
        for number in range(20):
            with self.subTest(number), contextlib.ExitStack() as connections:
                server = self.serve()
                with contextlib.suppress(ConnectionError):
                    for attempt in range(100_000):
                        if attempt == 20:
                            server.process.terminate()
                        connections.enter_context(socket.create_connection(("127.0.0.1", server.port)))
                connections.close()
                self.assertEqual(server.wait(), 0)

    def test_silent_connection(self):
        """A connection that never said anything does not hold the end for the grace."""
        server = self.serve("--grace", "1000")
        with socket.create_connection(("127.0.0.1", server.port)):
            self.assert_serves(server)
            server.process.terminate()
            self.assertEqual(server.wait(), 0)

    def test_upload_within_the_grace(self):
        """An upload in flight at SIGTERM or SIGINT is finished, and its receipt is true."""
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                server = self.serve("--grace", str(PATIENCE), directory=self.folder / number.name)
                with Gate(server.port, 2 * MIB) as gate:
                    client = self.held_upload(gate)
                    server.process.send_signal(number)
                    self.assert_listens_no_more(server)
                    gate.open()
                    self.assertEqual(client.wait(), (0, ""))
                self.assertEqual(server.wait(), 0)
                self.assert_nothing_stored(server, {b"f": sha256(self.folder / "f")})

    def test_later_files_within_the_grace(self):
        """Of several files, the one in flight at SIGTERM is stored; the next is refused (75) with the reason."""
        server = self.serve("--grace", str(PATIENCE))
        with Gate(server.port, 2 * MIB) as gate:
            client = self.sending(*ONCE, self.file("f", os.urandom(5 * MIB)), self.file("g"), gate.address)
            gate.wait_until_held()
            server.process.terminate()
            self.assert_listens_no_more(server)
            gate.open()
            status, errors = client.wait()
        self.assertEqual(status, 75)
        self.assertIn("shutting down", errors)
        self.assertEqual([event["name"] for event in client.events if event["event"] == "receipt"], ["f"])
        self.assertEqual(server.wait(), 0)
        self.assert_nothing_stored(server, {b"f": sha256(self.folder / "f")})

    def test_upload_beyond_the_grace(self):
        """An upload that stalls for longer than the grace is told so (75); nothing of it stays, and the status is 0."""
        server = self.serve("--grace", "1", *KEEPING_NOTHING)
        with Gate(server.port, 2 * MIB) as gate:
            client = self.held_upload(gate)
            server.process.terminate()
            status, errors = client.wait()
        self.assertEqual((status, client.events[-1]["code"]), (75, "shutting-down"))
        self.assertRegex(errors, r"\Afxfer: [^\n]*shutting down[^\n]*\n\Z")
        self.assertEqual(server.wait(), 0)
        self.assert_nothing_stored(server)

    def test_no_grace_in_full_flow(self):
        """A client that is sending at full speed when the grace is over hears the reason, not a broken connection."""
        server = self.serve("--grace", "0", *KEEPING_NOTHING)
        client = self.sending(*ONCE, self.sparse("f", 16 * GIB), server.address)
        client.wait_for("progress")
        server.process.terminate()
        status, errors = client.wait()
        self.assertEqual((status, client.events[-1]["code"]), (75, "shutting-down"), errors)
        self.assertEqual(server.wait(), 0)
        self.assert_nothing_stored(server)

    def test_client_that_does_not_read(self):
        """A client that is stopped and reads nothing cannot keep the server from ending after the grace."""
        server = self.serve("--grace", "0", *KEEPING_NOTHING)
        client = self.sending(*ONCE, self.sparse("f", 16 * GIB), server.address)
        client.wait_for("progress")
        client.process.send_signal(signal.SIGSTOP)
        server.process.terminate()
        self.assertEqual(server.wait(), 0)
        client.process.send_signal(signal.SIGCONT)
        self.assertEqual(client.wait()[0], 75)
        self.assert_nothing_stored(server)

    def test_second_signal(self):
        """A second signal ends the server at once; nothing half is published, and the client is told to try again."""
        term, interrupt = signal.SIGTERM, signal.SIGINT
        for first, second in ((term, term), (interrupt, interrupt), (term, interrupt)):
            with self.subTest(f"{first.name}, {second.name}"):
                server = self.serve("--grace", "1000", directory=self.folder / f"{first}{second}")
                with Gate(server.port, 2 * MIB) as gate:
                    client = self.held_upload(gate)
                    server.process.send_signal(first)
                    self.assert_listens_no_more(server)
                    server.process.send_signal(second)
                    self.assertEqual(server.wait(), 128 + second)
                    self.assertEqual(client.wait()[0], 75)
                self.assertEqual(server.published(), {})


class CrashTest(SendCase):
    def test_client_killed(self):
        """A client that is killed in the middle leaves nothing where nothing is to be kept."""
        server = self.serve(*KEEPING_NOTHING)
        descriptors = server.descriptors()
        self.assert_serves(server)
        for number in range(5):
            client = self.sending(*ONCE, self.sparse("f", 16 * GIB), server.address)
            client.wait_for("progress")
            client.kill()
            self.assert_nothing_stored(server)
        self.assert_serves(server)
        eventually(lambda: server.descriptors() <= descriptors, "the server closes what it had open")
        self.assertEqual(self.stop(server).count("name=f outcome=connection-lost"), 5)

    def test_client_interrupted(self):
        """Control-C ends a client at once and by that signal, and nothing of the file stays."""
        server = self.serve(*KEEPING_NOTHING)
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                client = self.sending(*ONCE, self.sparse("f", 16 * GIB), server.address)
                client.wait_for("progress")
                client.process.send_signal(number)
                self.assertIn(client.wait()[0], (-number, 128 + number))
                self.assert_nothing_stored(server)
        self.assert_serves(server)

    def test_server_killed(self):
        """A server is killed in the middle: the client ends with 75; the next server sweeps what is left if told so."""
        for number in range(3):
            server = self.serve()
            client = self.sending(*ONCE, self.sparse("f", 16 * GIB), server.address)
            client.wait_for("progress")
            server.process.kill()
            server.wait()
            status, errors = client.wait()
            self.assertEqual((status, client.events[-1]["code"]), (75, "connection-lost"))
            self.assertRegex(errors, r"\Afxfer: [^\n]*try again[^\n]*\n\Z")
            self.assertEqual(server.published(), {})
            self.assertEqual(len(server.partials()), 1)
            after = self.serve(*KEEPING_NOTHING)
            self.assert_nothing_stored(after)
            self.assert_serves(after)
            self.stop(after)

    def test_two_servers_on_one_directory(self):
        """A second server on the same directory does not sweep what the first one is receiving."""
        first = self.serve()
        source = self.file("f", os.urandom(5 * MIB))
        with Gate(first.port, 2 * MIB) as gate:
            client = self.sending(source, gate.address)
            gate.wait_until_held()
            second = self.serve()
            self.assert_serves(second)
            self.assertEqual(len(first.partials()), 1)
            gate.open()
            self.assertEqual(client.wait(), (0, ""))
        self.assert_nothing_stored(first, {b"f": sha256(source)})


if __name__ == "__main__":
    unittest.main()
