"""`fxfer legacy serve chat` and `connect chat`: two people in turn, who hear nobody else; and what a terminal shows."""

import contextlib
import os
import pty
import select
import signal
import socket
import subprocess
import termios
import unittest

from legacy import LegacyCase, ScriptedServer, connect, reset
from support import FXFER, PATIENCE
from textbook import ECHO_GREETING, ECHO_PREFIX, WINDUP


class ChatTest(LegacyCase):
    def start_pair(self, server="fxfer", client="fxfer"):
        server = self.start_server(server, "chat")
        return server, self.start_client(client, "chat", server.port)

    def say(self, speaker, listener, line):
        """One says a line and the other hears it, and nothing else."""
        speaker.say(line)
        self.assertEqual(listener.line(), b">>  " + line)

    def test_two_pairs(self):
        """Two pairs on different ports run at the same time and never hear each other."""
        pairs = [self.start_pair("fxfer", "python"), self.start_pair("python", "fxfer"), self.start_pair()]
        for turn in range(20):
            for number, (_, client) in enumerate(pairs):
                client.say(b"client %d, turn %d" % (number, turn))
            for number, (server, _) in enumerate(pairs):
                self.assertEqual(server.line(), b">>  client %d, turn %d" % (number, turn))
                server.say(b"server %d, turn %d" % (number, turn))
            for number, (_, client) in enumerate(pairs):
                self.assertEqual(client.line(), b">>  server %d, turn %d" % (number, turn))
        for server, client in pairs:
            self.say(client, server, WINDUP)
            self.say(server, client, WINDUP)
            self.assertEqual((client.end(), server.end()), ((0, [], ""), (0, [], "")))

    def test_third_person(self):
        """Who connects to a chat that goes on hears nothing of it and is not heard."""
        server, client = self.start_pair()
        self.say(client, server, b"hello")
        with connect(server.port) as other:
            other.sendall(b"me, too")
            for number in range(5):
                self.say(server, client, b"answer %d" % number)
                self.say(client, server, b"question %d" % number)
            self.assertEqual(select.select([other], [], [], 0)[0], [])

    def test_any_bytes(self):
        """Lines pass byte for byte; what is not printable text is shown escaped."""
        said = [b"\xff\xfe", b"\x1b[31m", "\u202etxt".encode(), b"a\\b", b" spaces ", b"tab\there"]
        shown = [rb"\xff\xfe", rb"\x1b[31m", rb"\xe2\x80\xaetxt", rb"a\\b", b" spaces ", rb"tab\x09here"]
        server, client = self.start_pair()
        for line, text in zip(said, shown):
            client.say(line)
            self.assertEqual(server.line(), b">>  " + text)
            server.say(line)
            self.assertEqual(client.line(), b">>  " + text)

        server = self.start_server("fxfer", "chat")
        with connect(server.port) as stream:
            for line in said:
                stream.sendall(line)
                server.line()
                server.say(line)
                self.assertEqual(stream.recv(2048), line)

    def test_long_lines(self):
        """A message of more than 2,048 bytes is read in pieces, as the original would."""
        server = self.start_server("fxfer", "chat")
        with connect(server.port) as stream:
            stream.sendall(b"a" * 2048 + b"b" * 10)
            self.assertEqual(server.line(), b">>  " + b"a" * 2048)
            server.say(b"c" * 5000)
            self.assertEqual(server.line(), b">>  " + b"b" * 10)
            self.assertEqual(stream.recv(5000, socket.MSG_WAITALL), b"c" * 5000)

    def test_empty_lines(self):
        """An empty line sends nothing; the next one is sent."""
        server, client = self.start_pair()
        for line in (b"", b"", b"hello"):
            client.say(line)
        self.assertEqual(server.line(), b">>  hello")

    def test_end_of_input(self):
        """The end of the input is a farewell."""
        server, client = self.start_pair()
        client.process.stdin.close()
        self.assertEqual(server.line(), b">>  windup")
        server.process.stdin.close()
        self.assertEqual(client.line(), b">>  windup")
        self.assertEqual((client.end()[0], server.end()[0]), (0, 0))

    def test_client_gone(self):
        """A client that closes or resets before a farewell is said: status 75."""
        server = self.start_server("fxfer", "chat")
        connect(server.port).close()
        self.assert_gone(server)
        for end in (socket.socket.close, reset):
            with self.subTest(end.__name__):
                server = self.start_server("fxfer", "chat")
                stream = connect(server.port)
                stream.sendall(b"hello")
                self.assertEqual(server.line(), b">>  hello")
                end(stream)
                server.say(b"hello?")
                self.assert_gone(server)

    def test_server_gone(self):
        """A server that closes, resets or falls silent before a farewell is said: status 75."""

        def answer_and_close(stream):
            stream.sendall(b"hi")
            stream.recv(2048)

        for name, script in (
            ("close", []),
            ("later", answer_and_close),
            ("reset", reset),
            ("silence", lambda stream: stream.recv(1)),
        ):
            with self.subTest(name), ScriptedServer(script) as server:
                client = self.start(FXFER, "legacy", "connect", "chat", server.address, "--timeout", "1")
                client.say(b"hello")
                if name == "later":
                    self.assertEqual(client.line(), b">>  hi")
                    client.say(b"are you there?")
                self.assert_gone(client)

    def assert_gone(self, program):
        status, lines, errors = program.end()
        self.assertEqual((status, lines), (75, []))
        self.assertRegex(errors, r"\Afxfer: [^\n]+\n\Z")
        self.assertIn("127.0.0.1:", errors)

    def test_killed_partner(self):
        """A partner whose program is killed is gone, too."""
        server, client = self.start_pair()
        self.say(client, server, b"hello")
        server.process.send_signal(signal.SIGKILL)
        self.assert_gone(client)

    def test_signals(self):
        """SIGTERM and SIGINT end a client that waits for its user, or for the answer; the status says which."""
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                server, client = self.start_pair()
                self.say(client, server, b"hello")
                self.assertEqual(client.interrupt(number), 128 + number)
                server, client = self.start_pair()
                self.say(client, server, b"hello")
                self.say(server, client, b"hi")
                self.assertEqual(client.interrupt(number), 128 + number)


class Terminal:
    """A program on a terminal of its own, which does not show what is typed."""

    def __init__(self, *arguments):
        self.master, slave = pty.openpty()
        attributes = termios.tcgetattr(slave)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        self.process = subprocess.Popen([FXFER, "legacy", *arguments], stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=PATIENCE)
        os.close(self.master)

    def read_until(self, end):
        """What it shows up to `end`, which is the last that it shows for now."""
        shown = ""
        while not shown.endswith(end):
            if not select.select([self.master], [], [], PATIENCE)[0]:
                raise AssertionError(f"only {shown!r} was shown")
            shown += os.read(self.master, 4096).decode()
        return shown.replace("\r\n", "\n")

    def read_to_end(self):
        shown = b""
        with contextlib.suppress(OSError):
            while data := os.read(self.master, 4096):
                shown += data
        return shown.decode().replace("\r\n", "\n"), self.process.wait(timeout=PATIENCE)

    def type(self, line):
        os.write(self.master, line + b"\n")


class TerminalTest(LegacyCase):
    def test_echo(self):
        """On a terminal, echo asks `Enter message: ` each time."""
        server = self.start_server("python", "echo")
        with Terminal("connect", "echo", f"127.0.0.1:{server.port}") as terminal:
            begin = f"My pid is {terminal.process.pid}\n{ECHO_GREETING.decode()}\nEnter message: "
            self.assertEqual(terminal.read_until("Enter message: "), begin)
            terminal.type(b"hello")
            prefix = ECHO_PREFIX.decode()
            self.assertEqual(terminal.read_until("Enter message: "), f"{prefix}hello\nEnter message: ")
            terminal.type(WINDUP)
            self.assertEqual(terminal.read_to_end(), (f"{prefix}windup\n", 0))

    def test_chat(self):
        """On a terminal, either end of a chat asks `>> ` when it is its turn."""
        server = self.start_server("python", "chat")
        with Terminal("connect", "chat", f"127.0.0.1:{server.port}") as terminal:
            self.assertEqual(terminal.read_until(">> "), ">> ")
            terminal.type(b"hello")
            self.assertEqual(server.line(), b">>  hello")
            server.say(b"hi")
            self.assertEqual(terminal.read_until("\n>> "), ">>  hi\n>> ")
            terminal.type(WINDUP)
            server.say(b"bye")
            self.assertEqual(terminal.read_to_end(), (">>  bye\n", 0))

    def test_control_d(self):
        """The end of a terminal's input (Ctrl-D) ends echo with status 0."""
        server = self.start_server("python", "echo")
        with Terminal("connect", "echo", f"127.0.0.1:{server.port}") as terminal:
            terminal.read_until("Enter message: ")
            os.write(terminal.master, b"\x04")
            self.assertEqual(terminal.read_to_end()[1], 0)


if __name__ == "__main__":
    unittest.main()
