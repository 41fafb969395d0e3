"""How `fxfer serve --legacy FILE` ends: after one client with --legacy-once, and by signals."""

import contextlib
import os
import pathlib
import signal
import socket
import unittest

from gate import Gate
from legacy import LARGE, LegacyCase, connect, download, read_exactly, read_to_end, request, reset
from support import PATIENCE, run, sha256
from textbook import REQUEST, THANKS
from waiting import eventually

MIB = 1 << 20


def listens(port):
    """Whether somebody on this machine listens on that port, found out without connecting."""
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()
    return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in lines)


class OnceTest(LegacyCase):
    def test_ends_after_one(self):
        """The server ends with status 0 when it has served one client, as the textbook's does."""
        for content in (b"", b"content\n", os.urandom(5 * MIB)):
            with self.subTest(size=len(content)):
                server = self.serve_file(content, "--legacy-once")
                self.assert_downloads(server, content)
                self.assertEqual(server.wait(), 0)
                self.assertEqual(server.log.count("unverified"), 1)

    def test_native_clients_do_not_count(self):
        """Uploads go on until that one client comes."""
        server = self.serve_file(b"content\n", "--legacy-once")
        self.assert_serves(server)
        self.assert_serves(server)
        self.assert_downloads(server, b"content\n")
        self.assertEqual(server.wait(), 0)

    def test_others_do_not_count(self):
        """Who says something else, or breaks off, was not served."""
        server = self.serve_large_file("--legacy-once")
        with connect(server.port) as client:
            client.sendall(b"Hello")
            self.assertNotIn(THANKS, read_to_end(client))
        for end in (reset, socket.socket.close):
            client = request(server.port)
            read_exactly(client, MIB)
            end(client)
        connect(server.port).close()
        self.assert_serves(server)
        self.assertEqual(len(download(server.port)), LARGE + len(THANKS))
        self.assertEqual(server.wait(), 0)

    def test_late_reader(self):
        """A client that reads only when the server has ended gets everything, whatever else it has said."""
        content = os.urandom(100_000)
        for more in (b"", os.urandom(MIB)):
            with self.subTest(more=len(more)):
                server = self.serve_file(content, "--legacy-once")
                client = request(server.port)
                client.sendall(more)
                self.assertEqual(server.wait(), 0)
                self.assertEqual(read_to_end(client), content + THANKS)

    def test_upload_in_flight(self):
        """An upload in flight at that moment is finished."""
        server = self.serve_file(b"content\n", "--legacy-once")
        with Gate(server.port, 2 * MIB) as gate:
            upload = self.sending(self.file("f", os.urandom(5 * MIB)), gate.address)
            gate.wait_until_held()
            self.assert_downloads(server, b"content\n")
            gate.open()
            self.assertEqual(upload.wait(), (0, ""))
        self.assertEqual(server.wait(), 0)
        self.assert_nothing_stored(server, {b"f": sha256(self.folder / "f")})

    def test_second_client(self):
        """A second client that is being served at that moment gets all, too."""
        server = self.serve_large_file("--legacy-once", "--grace", str(PATIENCE))
        second = request(server.port)
        read_exactly(second, MIB)
        self.assertEqual(len(download(server.port)), LARGE + len(THANKS))
        self.assertEqual(len(read_to_end(second)), LARGE - MIB + len(THANKS))
        self.assertEqual(server.wait(), 0)
        self.assertEqual(server.log.count("unverified"), 2)

    def test_needs_a_file(self):
        """--legacy-once without --legacy is a usage error."""
        result = run("serve", "--dir", str(self.folder / "out"), "--legacy-once")
        self.assertEqual((result.returncode, result.stdout), (64, ""))
        self.assertFalse((self.folder / "out").exists())


class SignalTest(LegacyCase):
    def test_idle(self):
        """SIGTERM and SIGINT end a server that waits for clients with status 0."""
        for options in ([], ["--legacy-once"]):
            for number in (signal.SIGTERM, signal.SIGINT):
                with self.subTest(number.name, options=options):
                    server = self.serve_file(b"content\n", *options)
                    self.assert_serves(server)
                    server.process.send_signal(number)
                    self.assertEqual(server.wait(), 0)

    def start_download(self, *options):
        """A server, and a client that has read the first MiB."""
        server = self.serve_large_file(*options)
        client = request(server.port)
        read_exactly(client, MIB)
        return server, client

    def test_within_the_grace(self):
        """A download in flight is finished within the grace."""
        server, client = self.start_download("--grace", str(PATIENCE))
        server.process.terminate()
        eventually(lambda: not listens(server.port), "the server closes its port")
        found = read_to_end(client)
        self.assertEqual(len(found), LARGE - MIB + len(THANKS))
        self.assertTrue(found.endswith(THANKS))
        self.assertEqual(server.wait(), 0)

    def test_connections_meanwhile(self):
        """Clients that connect just while the server is told to end do no harm to a download in flight."""
        for number in range(10):
            with self.subTest(number):
                server, client = self.start_download("--grace", str(PATIENCE))
                server.process.terminate()
                with contextlib.suppress(ConnectionError):
                    while True:
                        connect(server.port).close()
                self.assertEqual(len(read_to_end(client)), LARGE - MIB + len(THANKS))
                self.assertEqual(server.wait(), 0)

    def test_beyond_the_grace(self):
        """A download that takes longer than the grace is cut without thanks, and the status is 0."""
        server, client = self.start_download("--grace", "0")
        server.process.terminate()
        self.assertEqual(server.wait(), 0)
        try:
            found = read_to_end(client)
        except ConnectionResetError:
            found = b""
        self.assertFalse(found.endswith(THANKS))
        self.assertNotIn("unverified", server.log)

    def test_undecided(self):
        """A client that has said half of the first words does not hold the end for the grace."""
        server = self.serve_file(b"content\n", "--grace", "1000")
        with connect(server.port) as client:
            client.sendall(REQUEST[:7])
            self.assert_serves(server)
            server.process.terminate()
            self.assertEqual(server.wait(), 0)


if __name__ == "__main__":
    unittest.main()
