"""`fxfer legacy serve echo` and `connect echo`: any number of clients at once, and whatever bytes they send."""

import contextlib
import os
import pathlib
import resource
import select
import signal
import socket
import unittest

from legacy import LegacyCase, ScriptedServer, connect, peak_memory, read_exactly, read_to_end, reset
from support import FXFER
from textbook import ECHO_GREETING, ECHO_PREFIX
from waiting import eventually

MIB = 1 << 20
CLIENTS = 1000


class ServerTest(LegacyCase):
    def setUp(self):
        super().setUp()
        self.server = self.start_server("fxfer", "echo", preexec_fn=self.limit_files)

    @staticmethod
    def limit_files():
        """The server begins with the limit that Linux gives by default."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, hard), hard))

    def join(self):
        """A client that has been greeted."""
        client = connect(self.server.port)
        self.assertEqual(read_exactly(client, len(ECHO_GREETING)), ECHO_GREETING)
        return client

    def assert_echoes(self, client, message):
        client.sendall(message)
        self.assertEqual(read_exactly(client, len(ECHO_PREFIX + message)), ECHO_PREFIX + message)

    def assert_serves(self):
        with self.join() as client:
            self.assert_echoes(client, os.urandom(100))

    def test_any_bytes(self):
        """Each message comes back byte for byte behind the prefix, in one read, whatever it is."""
        with self.join() as client:
            for message in (b"hello", b"hello\n", b"\0", b"\xff\xfe", b"\xc3", b"\x1b[31m", b"windup", bytes(range(256))):
                with self.subTest(message):
                    client.sendall(message)
                    self.assertEqual(client.recv(4096), ECHO_PREFIX + message)

    def test_long_messages(self):
        """Over 2,048 bytes, a message is answered in pieces, as the original would."""
        message = os.urandom(5000)
        pieces = [message[:2048], message[2048:4096], message[4096:]]
        answer = b"".join(ECHO_PREFIX + piece for piece in pieces)
        with self.join() as client:
            self.assert_echoes(client, message[:2048])
            client.sendall(message)
            self.assertEqual(read_exactly(client, len(answer)), answer)

    def test_half_close(self):
        """A client that ends its own stream behind a message gets the answer and the end."""
        client = self.join()
        client.sendall(b"hello")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(read_to_end(client), ECHO_PREFIX + b"hello")

    def test_breaks_off(self):
        """Clients that close or reset at any time do no harm."""
        for end in (reset, socket.socket.close):
            end(connect(self.server.port))
            end(self.join())
            client = self.join()
            client.sendall(b"hello")
            end(client)
        self.assert_serves()

    def test_flood(self):
        """A client that sends on and on and never reads is not read either, others are served, memory is flat."""
        before = peak_memory(self.server.pid)
        client = self.join()
        client.setblocking(False)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while sent < 256 * MIB:
                select.select([], [client], [], 1)
                sent += client.send(bytes(MIB))
        self.assertLess(sent, 256 * MIB)
        self.assert_serves()
        self.assertLess(peak_memory(self.server.pid) - before, 32 * MIB)
        client.close()
        self.assert_serves()

    def test_a_thousand_clients(self):
        """A thousand clients are served at once, coming and going as they like."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        needed = CLIENTS + 200
        if hard != resource.RLIM_INFINITY and hard < needed:
            self.skipTest(f"this machine allows {hard} open files only")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(connect(self.server.port)) for _ in range(CLIENTS)]
            for client in clients:
                self.assertEqual(read_exactly(client, len(ECHO_GREETING)), ECHO_GREETING)
            self.assert_all_echo(clients)
            for client in clients[::2]:
                client.close()
            clients[::2] = [stack.enter_context(self.join()) for _ in clients[::2]]
            self.assert_all_echo(clients)
        self.assertEqual(self.server.interrupt(signal.SIGTERM), 0)
        status, lines, errors = self.server.end()
        self.assertEqual((status, errors), (0, ""))
        numbers = sorted(int(line.split(b": ")[1]) for line in lines if line.startswith(b"Thread Number: "))
        self.assertEqual(numbers, list(range(1, CLIENTS * 3 // 2 + 1)))
        self.assertEqual(len([line for line in lines if line.startswith(b"Connected to: 127.0.0.1:")]), len(numbers))

    def assert_all_echo(self, clients):
        """All have said something before the first one reads; each hears its own words."""
        for number, client in enumerate(clients):
            client.sendall(b"client %d" % number)
        for number, client in enumerate(clients):
            answer = ECHO_PREFIX + b"client %d" % number
            self.assertEqual(read_exactly(client, len(answer)), answer)

    def test_descriptors_run_out(self):
        """More clients than the server may have open do not end it; when they are gone, others are served."""
        resource.prlimit(self.server.pid, resource.RLIMIT_NOFILE, (64, 64))
        clients = [connect(self.server.port) for _ in range(100)]
        open_files = pathlib.Path(f"/proc/{self.server.pid}/fd")
        eventually(lambda: len(os.listdir(open_files)) == 64, "the server has no descriptor left")
        for client in clients:
            client.close()
        self.assert_serves()
        self.assertEqual(self.server.interrupt(signal.SIGTERM), 0)


class ClientTest(LegacyCase):
    def client_of(self, server):
        """A client of a scripted server that has shown its first two lines."""
        client = self.start(FXFER, "legacy", "connect", "echo", server.address)
        self.assertEqual((client.line(), client.line()), (b"My pid is %d" % client.pid, ECHO_GREETING))
        return client

    def test_any_bytes(self):
        """Lines go out byte for byte without their ends; answers that are not printable text are shown escaped."""
        heard = []

        def echo(stream):
            stream.sendall(ECHO_GREETING)
            while message := stream.recv(2048):
                heard.append(message)
                stream.sendall(ECHO_PREFIX + message)

        said = [b"\xff\xfe", b"\x1b[31m", b"\xc2\x9b31m", "\u202etxt".encode(), b"a\\b", b"  spaces  ", b"\r"]
        shown = [rb"\xff\xfe", rb"\x1b[31m", rb"\xc2\x9b31m", rb"\xe2\x80\xaetxt", rb"a\\b", b"  spaces  ", rb"\x0d"]
        with ScriptedServer(echo, reads_request=False) as server:
            client = self.client_of(server)
            for line, answer in zip(said, shown):
                client.say(line)
                self.assertEqual(client.line(), b"Server replies: " + answer)
            self.assertEqual(client.end(), (0, [], ""))
        self.assertEqual(heard, said)

    def test_empty_lines(self):
        """An empty line sends nothing, and no answer is waited for."""
        server = self.start_server("python", "echo")
        client = self.start_client("fxfer", "echo", server.port)
        for line in (b"", b"hello", b"", b"", b"windup"):
            client.say(line)
        status, lines, errors = client.end()
        self.assertEqual((status, errors), (0, ""))
        self.assertEqual(lines[1:], [ECHO_GREETING, b"Server replies: hello", b"Server replies: windup"])

    def test_last_line_without_end(self):
        """The last line of the input may lack its end."""
        server = self.start_server("fxfer", "echo")
        client = self.start_client("fxfer", "echo", server.port)
        client.process.stdin.write(b"one\ntwo")
        status, lines, errors = client.end()
        self.assertEqual((status, errors), (0, ""))
        self.assertEqual(lines[1:], [ECHO_GREETING, b"Server replies: one", b"Server replies: two"])

    def test_server_gone(self):
        """A server that closes, resets or falls silent is said: status 75."""

        def greet(stream):
            stream.sendall(ECHO_GREETING)
            stream.recv(2048)

        def greet_and_reset(stream):
            greet(stream)
            reset(stream)

        def greet_and_be_silent(stream):
            greet(stream)
            stream.recv(1)

        for script in ([], greet, greet_and_reset, greet_and_be_silent, lambda stream: stream.recv(1)):
            with self.subTest(script), ScriptedServer(script, reads_request=False) as server:
                client = self.start(FXFER, "legacy", "connect", "echo", server.address, "--timeout", "1")
                client.say(b"hello")
                status, _, errors = client.end()
                self.assertEqual(status, 75)
                self.assertRegex(errors, r"\Afxfer: [^\n]+\n\Z")

    def test_signals(self):
        """SIGTERM and SIGINT end a client that waits for its user or for its server; the status says which."""
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                with ScriptedServer([ECHO_GREETING], reads_request=False) as server:
                    self.assertEqual(self.client_of(server).interrupt(number), 128 + number)
                with ScriptedServer(lambda stream: stream.recv(1), reads_request=False) as server:
                    client = self.start(FXFER, "legacy", "connect", "echo", server.address)
                    client.line()
                    self.assertEqual(client.interrupt(number), 128 + number)


if __name__ == "__main__":
    unittest.main()
