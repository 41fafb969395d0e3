"""`fxfer serve --legacy FILE`: textbook clients get FILE raw and the thanks, on the port of native clients."""

import concurrent.futures
import os
import socket
import sys
import unittest

from legacy import (
    LARGE,
    NATIVE_PREAMBLE,
    TEXTBOOK,
    LegacyCase,
    connect,
    download,
    read_exactly,
    read_to_end,
    request,
    reset,
)
from support import sha256
from textbook import REQUEST, THANKS
from waiting import eventually

MIB = 1 << 20


class ContentTest(LegacyCase):
    def test_python_client(self):
        """The textbook's own client, as a program, writes exactly FILE and the thanks."""
        content = "Zwölf Boxkämpfer\njagen Viktor\n".encode()
        server = self.serve_file(content)
        client = self.start(sys.executable, TEXTBOOK, "file-client", "127.0.0.1", str(server.port), cwd=self.folder)
        status, lines, errors = client.end()
        self.assertEqual((status, errors), (0, ""))
        # It prints each piece with an end of line of its own.
        self.assertEqual(b"".join(lines), content.replace(b"\n", b"") + THANKS)
        self.assertEqual((self.folder / "pjrecfile").read_bytes(), content + THANKS)

    def test_exact_bytes(self):
        """Whatever FILE holds is sent as it is: thanks of its own, a native preamble, nothing, megabytes."""
        for content in (
            b"",
            b"\0",
            b"content\n",
            THANKS,
            b"a" + THANKS + b"b" + THANKS,
            THANKS[:-1],
            REQUEST,
            NATIVE_PREAMBLE,
            NATIVE_PREAMBLE + os.urandom(1000),
            os.urandom(262144),
            os.urandom(262145),
            os.urandom(5 * MIB + 1),
        ):
            with self.subTest(size=len(content), begin=content[:20]):
                server = self.serve_file(content)
                self.assert_downloads(server, content)
                self.assert_serves(server)

    def test_again_and_again(self):
        """The server serves client after client, and FILE as it is at that time."""
        server = self.serve_file(b"first")
        for content in (b"first", b"second, longer", b"", b"last"):
            self.path.write_bytes(content)
            self.assert_downloads(server, content)
            self.assert_downloads(server, content)

    def test_many_at_once(self):
        """Many clients at once get the file each, and leave nothing open."""
        content = os.urandom(3 * MIB)
        server = self.serve_file(content)
        before = server.descriptors()
        self.assert_downloads(server, content)
        self.assert_serves(server)
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            for found in pool.map(download, [server.port] * 200):
                self.assertTrue(found == content + THANKS, "a client got something else")
        eventually(lambda: server.descriptors() <= before, "the connections are closed")

    def test_log(self):
        """The log names the file, its size and SHA-256, and says that nobody has verified it."""
        server = self.serve_file(b"content\n")
        self.assert_downloads(server, b"content\n")
        (line,) = self.stop(server).splitlines()
        self.assertIn(" outcome=unverified", line)
        self.assertIn(" bytes=8", line)
        self.assertIn(f" sha256={sha256(self.path)}", line)
        self.assertIn(f" name={self.path}", line)
        self.assertRegex(line, r" peer=127\.0\.0\.1:\d+")
        self.assertNotIn("stored", line)


class ClientTest(LegacyCase):
    def test_half_close(self):
        """A client that ends its own stream right after its first words gets the file and the last line."""
        content = os.urandom(2 * MIB)
        server = self.serve_file(content)
        client = request(server.port)
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(read_to_end(client), content + THANKS)

    def test_byte_by_byte(self):
        """A client whose first words come one byte at a time is understood."""
        server = self.serve_file(b"content\n")
        client = connect(server.port)
        for byte in REQUEST:
            client.sendall(bytes([byte]))
        self.assertEqual(read_to_end(client), b"content\n" + THANKS)

    def test_goes_on_talking(self):
        """What a client says after its first words is thrown away, be it a native preamble."""
        server = self.serve_file(b"content\n")
        for more in (b"\n", b" and hello", NATIVE_PREAMBLE, os.urandom(MIB)):
            with self.subTest(more[:20]):
                client = request(server.port)
                client.sendall(more)
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(read_to_end(client), b"content\n" + THANKS)
        self.assert_nothing_stored(server)

    def test_says_something_else(self):
        """A client that says anything else gets an answer and the end, and nothing of FILE."""
        server = self.serve_file(b"secret content\n")
        for words in (b"Hello", b"client connected", b"Client connecteX", b"\n" + REQUEST, b"GET / HTTP/1.1\r\n\r\n"):
            with self.subTest(words):
                client = connect(server.port)
                client.sendall(words)
                answer = read_to_end(client)
                self.assertIn(b"fxfer", answer)
                self.assertNotIn(b"secret", answer)
                self.assertNotIn(THANKS, answer)
        self.assert_downloads(server, b"secret content\n")

    def test_says_half(self):
        """A client that ends in the middle of the first words gets nothing."""
        server = self.serve_file(b"content\n")
        for words in (b"", REQUEST[:1], REQUEST[:-1]):
            with self.subTest(words):
                client = connect(server.port)
                client.sendall(words)
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(read_to_end(client), b"")
        self.assert_downloads(server, b"content\n")

    def test_breaks_off(self):
        """A client that closes or resets at any time does no harm, and its connection is gone."""
        server = self.serve_large_file()
        before = server.descriptors()
        self.assert_serves(server)
        for end in (reset, socket.socket.close):
            for count in (0, 1, MIB):
                with self.subTest(end=end.__name__, after=count):
                    client = request(server.port)
                    read_exactly(client, count)
                    end(client)
                    end(connect(server.port))
        eventually(lambda: server.descriptors() <= before, "the connections are closed")
        self.assertEqual(len(download(server.port)), LARGE + len(THANKS))
        self.assert_serves(server)
        self.assertEqual(self.stop(server).count("unverified"), 1)

    def test_never_reads(self):
        """Clients that never read do not keep others waiting."""
        server = self.serve_large_file()
        clients = [request(server.port) for _ in range(20)]
        self.assertEqual(len(download(server.port)), LARGE + len(THANKS))
        self.assert_serves(server)
        for client in clients:
            client.close()
        self.assert_serves(server)


if __name__ == "__main__":
    unittest.main()
