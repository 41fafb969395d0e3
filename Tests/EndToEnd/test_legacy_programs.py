"""`fxfer legacy serve` and `legacy connect` as either end of the textbook's pairs, against our Python programs."""

import contextlib
import os
import signal
import socket
import unittest

from legacy import LARGE, LegacyCase, connect, read_to_end, request
from support import run, sha256
from textbook import ECHO_GREETING, GREETING, REQUEST, THANKS

#: Server and client. The last is the proof that a conversation is the textbook's.
ENDS = [("fxfer", "python"), ("python", "fxfer"), ("fxfer", "fxfer"), ("python", "python")]


class ConversationTest(LegacyCase):
    def each(self):
        """A subtest for each server and client."""
        for server, client in ENDS:
            with self.subTest(server=server, client=client):
                yield server, client

    def test_greeting(self):
        """The client prints the greeting; the server prints its host's name and the client's address, and ends."""
        for server_kind, client_kind in self.each():
            server = self.start_server(server_kind, "greeting")
            client = self.start_client(client_kind, "greeting", server.port)
            self.assertEqual(client.end(), (0, [b"data is  " + GREETING], ""))
            status, lines, errors = server.end()
            self.assertEqual((status, errors), (0, ""))
            self.assertIn(socket.gethostname(), lines[0].decode())
            self.assertIn(b"127.0.0.1", lines[-1])

    def test_file(self):
        """The client writes the server's file and the thanks to pjrecfile; both end."""
        content = "eins\nzwei\n\x00ü".encode() + os.urandom(5000)
        for number, (server_kind, client_kind) in enumerate(self.each()):
            path = self.file(f"{number}/served/pjfile1.txt", content)
            place = self.folder / f"{number}/place"
            place.mkdir()
            server = self.start_server(server_kind, "file", cwd=path.parent)
            client = self.start_client(client_kind, "file", server.port, cwd=place)
            status, lines, errors = client.end()
            self.assertEqual((status, errors), (0, ""))
            self.assertEqual((place / "pjrecfile").read_bytes(), content + THANKS)
            self.assertEqual(os.listdir(place), ["pjrecfile"])
            if client_kind == "fxfer":
                self.assertEqual(lines, [f"unverified  {sha256(place / 'pjrecfile')}  pjrecfile".encode()])
            status, lines, errors = server.end()
            self.assertEqual((status, lines[0], errors), (0, REQUEST, ""))
            if server_kind == "fxfer":
                self.assertIn(b"unverified", lines[1])
                self.assertIn(sha256(path).encode(), lines[1])

    def test_echo(self):
        """The client prints its pid, the greeting, and each answer, up to that to `windup`; the server goes on."""
        for server_kind, client_kind in self.each():
            server = self.start_server(server_kind, "echo")
            self.assertEqual(server.line(), b"Server My pid is %d" % server.pid)
            for number in (1, 2):
                client = self.start_client(client_kind, "echo", server.port)
                self.assertEqual(client.line(), b"My pid is %d" % client.pid)
                self.assertEqual(client.line(), ECHO_GREETING)
                self.assertRegex(server.line(), rb"\AConnected to: 127\.0\.0\.1:\d+\Z")
                self.assertEqual(server.line(), b"Thread Number: %d" % number)
                for line in (b"hello", "grüße".encode(), b"windup or not", b"windup"):
                    client.say(line)
                    self.assertEqual(client.line(), b"Server replies: " + line)
                self.assertEqual(client.end(), (0, [], ""))
            self.assertIsNone(server.process.poll())

    def test_chat(self):
        """They speak strictly in turn; who has sent `windup` goes after the answer."""
        for server_kind, client_kind in self.each():
            server = self.start_server(server_kind, "chat")
            client = self.start_client(client_kind, "chat", server.port)
            for said, answered in ((b"hello", b"hi"), ("wie geht's?".encode(), "schön".encode()), (b"windup", b"bye")):
                client.say(said)
                self.assertEqual(server.line(), b">>  " + said)
                server.say(answered)
                self.assertEqual(client.line(), b">>  " + answered)
            self.assertEqual(client.end(), (0, [], ""))
            self.assertEqual(server.end(), (0, [], ""))

    def test_chat_that_the_server_ends(self):
        """A server that has sent `windup` ends."""
        for server_kind, client_kind in self.each():
            server = self.start_server(server_kind, "chat")
            client = self.start_client(client_kind, "chat", server.port)
            client.say(b"hello")
            self.assertEqual(server.line(), b">>  hello")
            server.say(b"windup")
            self.assertEqual(client.line(), b">>  windup")
            self.assertEqual(client.end(), (0, [], ""))
            self.assertEqual(server.end(), (0, [], ""))


class ServerTest(LegacyCase):
    def served(self, server, pair):
        """A client that is in the middle of being served: with the file, by echo, or waiting for a chat's answer."""
        client = request(server.port)
        if pair == "chat":
            self.assertEqual(server.line(), b">>  " + REQUEST)
        else:
            client.recv(1)
        return client

    def test_one_write_each(self):
        """Each fixed text comes whole, without an end of line, in one read."""
        server = self.start_server("fxfer", "greeting")
        with connect(server.port) as client:
            self.assertEqual((client.recv(1024), client.recv(1024)), (GREETING, b""))
        self.assertEqual(server.end()[0], 0)
        with connect(self.start_server("fxfer", "echo").port) as client:
            self.assertEqual(client.recv(1024), ECHO_GREETING)

    def test_signals(self):
        """SIGTERM and SIGINT end each server with status 0: without a client, and with one."""
        self.sparse("pjfile1.txt", LARGE)
        for pair in ("greeting", "file", "echo", "chat"):
            for number in (signal.SIGTERM, signal.SIGINT):
                with self.subTest(pair, signal=number.name):
                    self.assertEqual(self.start_server("fxfer", pair, cwd=self.folder).interrupt(number), 0)
                if pair == "greeting":
                    continue
                with self.subTest(pair, signal=number.name, client=True):
                    server = self.start_server("fxfer", pair, cwd=self.folder)
                    with self.served(server, pair):
                        self.assertEqual(server.interrupt(number), 0)
                    self.assertEqual(server.end()[2], "")

    def test_clients_that_wait(self):
        """Clients that wait for their turn when a server ends after one are sent away, and its status is 0."""
        self.sparse("pjfile1.txt", LARGE)
        for pair in ("file", "chat"):
            with self.subTest(pair):
                server = self.start_server("fxfer", pair, cwd=self.folder)
                client = self.served(server, pair)
                waiting = [connect(server.port) for _ in range(5)]
                if pair == "chat":
                    server.say(b"windup")
                read_to_end(client)
                status, _, errors = server.end()
                for each in waiting:
                    each.close()
                self.assertEqual((status, errors[:80]), (0, ""))

    def test_connections_meanwhile(self):
        """Clients that come and go just while an echo server is ended do it no harm."""
        for number in range(10):
            with self.subTest(number):
                server = self.start_server("fxfer", "echo")
                connect(server.port).close()
                server.process.terminate()
                with contextlib.suppress(ConnectionError):
                    while True:
                        connect(server.port).close()
                status, _, errors = server.end()
                self.assertEqual((status, errors[:80]), (0, ""))

    def test_file_is_missing(self):
        """A file that is not there, or none, is status 66 before anybody can connect."""
        for name in ("pjfile1.txt", "missing", "."):
            with self.subTest(name):
                result = run("legacy", "serve", "file", name, "--listen", "127.0.0.1:0", cwd=self.folder)
                self.assertEqual((result.returncode, result.stdout), (66, ""))
                self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")

    def test_file_wrong_words(self):
        """A client that says something else, nothing, or breaks off, gets no file; the next one does."""
        self.file("pjfile1.txt", b"secret\n")
        server = self.start_server("fxfer", "file", cwd=self.folder)
        with connect(server.port) as client:
            client.sendall(b"hello")
            answer = read_to_end(client)
            self.assertIn(b"fxfer", answer)
            self.assertNotIn(b"secret", answer)
        connect(server.port).close()
        self.assertEqual(read_to_end(request(server.port)), b"secret\n" + THANKS)
        self.assertEqual(server.end()[0], 0)

    def test_file_never_reads(self):
        """A client that never reads is sent away after --timeout; the next one is served."""
        self.sparse("pjfile1.txt", LARGE)
        server = self.start_server("fxfer", "file", "--timeout", "1", cwd=self.folder)
        with request(server.port):
            self.assertEqual(server.line(), REQUEST)
            self.assertEqual(len(read_to_end(request(server.port))), LARGE + len(THANKS))
        self.assertEqual(server.end()[0], 0)


class ArgumentTest(LegacyCase):
    def test_nobody_listens(self):
        """Each client is status 69 where nobody listens, and pjrecfile is not touched."""
        old = self.file("pjrecfile", b"old")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        for pair in ("greeting", "file", "echo", "chat"):
            with self.subTest(pair):
                client = self.start_client("fxfer", pair, port, cwd=self.folder)
                status, lines, errors = client.end()
                self.assertEqual((status, lines), (69, []))
                self.assertRegex(errors, r"\Afxfer: [^\n]+\n\Z")
        self.assertEqual((old.read_bytes(), os.listdir(self.folder)), (b"old", ["pjrecfile"]))

    def test_port_is_taken(self):
        """A server whose port is taken is status 69, and names it."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = "127.0.0.1:{}".format(listener.getsockname()[1])
            result = run("legacy", "serve", "echo", "--listen", address)
        self.assertEqual((result.returncode, result.stdout), (69, ""))
        self.assertIn(address, result.stderr)

    def test_textbook_ports(self):
        """Without a port, the clients take the textbook's."""
        for pair, port in (("greeting", 12357), ("file", 3000), ("echo", 1234), ("chat", 1000)):
            with self.subTest(pair):
                # A name that does not exist: another program may listen on the port itself.
                result = run("legacy", "connect", pair, "nowhere.invalid", cwd=self.folder)
                self.assertEqual(result.returncode, 69)
                self.assertIn(f"nowhere.invalid:{port}:", result.stderr)

    def test_unknown_pair(self):
        """Another pair than the four is a usage error."""
        for arguments in (["serve", "talk"], ["connect", "talk", "127.0.0.1"], ["serve"], ["connect", "echo"], ["talk"]):
            with self.subTest(arguments):
                self.assertEqual(run("legacy", *arguments).returncode, 64)


if __name__ == "__main__":
    unittest.main()
