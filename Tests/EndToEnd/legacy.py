"""What tests of legacy mode share: raw sockets, servers that play a script, and programs that run beside the test."""

import contextlib
import os
import pathlib
import queue
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading

from sending import SendCase
from support import FXFER, PATIENCE
from textbook import REQUEST, THANKS

#: How fxfer's own clients begin.
NATIVE_PREAMBLE = b"\xf8FXF\r\n\x1a\n"
#: A size that is more than the socket's buffers on both sides take in.
LARGE = 64 << 20
TEXTBOOK = str(pathlib.Path(__file__).with_name("textbook.py"))


def connect(port, receive_buffer=None):
    """A raw connection with the test's deadline; a small receive buffer makes a slow reader."""
    stream = socket.socket()
    if receive_buffer:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    stream.settimeout(PATIENCE)
    try:
        stream.connect(("127.0.0.1", port))
    except OSError:
        stream.close()
        raise
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def request(port, **options):
    """A connection on which the textbook's file client has said what it says."""
    stream = connect(port, **options)
    stream.sendall(REQUEST)
    return stream


def read_to_end(stream):
    """All that comes until the end of the stream, which is closed then."""
    found = bytearray()
    with stream:
        while piece := stream.recv(1 << 20):
            found += piece
    return bytes(found)


def download(port):
    """What the textbook's file client gets."""
    return read_to_end(request(port))


def read_exactly(stream, count):
    found = bytearray()
    while len(found) < count:
        piece = stream.recv(count - len(found))
        if not piece:
            raise EOFError(f"the stream ended {count - len(found)} bytes early")
        found += piece
    return bytes(found)


def reset(stream):
    """Closes a connection so that the peer gets a TCP reset."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


def peak_memory(pid):
    """The most memory that a running program has had, in bytes."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


class ScriptedServer:
    """A server that plays `script` with one client, in a thread; what the client said is in `heard`.

    `script` is what is sent, piece by piece, or a function that is called with the connection.
    """

    def __init__(self, script, reads_request=True):
        self.heard = None
        self._script = script
        self._reads_request = reads_request
        self._failure = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.address = "127.0.0.1:{}".format(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        # A client that never came is not waited for.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._listener.close()
        if self._failure:
            raise self._failure

    def _run(self):
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        try:
            # A client that breaks off is no failure of the script.
            with client, contextlib.suppress(ConnectionError):
                client.settimeout(PATIENCE)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._reads_request:
                    self.heard = client.recv(1024)
                self._play(client)
        except Exception as failure:
            self._failure = failure

    def _play(self, client):
        if callable(self._script):
            self._script(client)
        else:
            for piece in self._script:
                client.sendall(piece)


class Program:
    """A running program: its standard output is read line by line, as bytes, all the time."""

    def __init__(self, *arguments, **popen):
        self._errors = tempfile.TemporaryFile()
        popen.setdefault("stdin", subprocess.PIPE)
        self.process = subprocess.Popen(
            list(map(os.fsencode, arguments)), stdout=subprocess.PIPE, stderr=self._errors, **popen
        )
        self.pid = self.process.pid
        self.port = None
        self._lines = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        with self.process.stdout as output:
            for line in output:
                self._lines.put(line.removesuffix(b"\n"))
        self._lines.put(None)

    def line(self):
        """The next line of its output, without its end; None at the end."""
        try:
            line = self._lines.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"no line in {PATIENCE} s from {self.process.args}") from None
        if line is None:
            self._lines.put(None)
        return line

    def say(self, line):
        """Gives it a line of standard input."""
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def end(self):
        """Ends its input and waits for its end: answers status, the lines that were not read, and standard error."""
        if self.process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        lines = []
        while (line := self.line()) is not None:
            lines.append(line)
        status = self.process.wait(timeout=PATIENCE)
        self._thread.join(PATIENCE)
        self._errors.seek(0)
        with self._errors:
            return status, lines, self._errors.read().decode()

    def interrupt(self, number):
        """Sends it a signal and waits for its end, without ending its input."""
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE)

    def kill(self):
        """Ends it at the end of the test at the latest."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=PATIENCE)
        if self.process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        self._thread.join(PATIENCE)
        self._errors.close()


class LegacyCase(SendCase):
    """What tests of legacy mode share."""

    def serve_file(self, content, *options):
        """`fxfer serve` with a legacy file of that content, whose path is `self.path`."""
        self.path = self.file("pjfile1.txt", content)
        return self.serve("--legacy", str(self.path), *options)

    def serve_large_file(self, *options):
        """The same with `LARGE` zeros."""
        self.path = self.sparse("pjfile1.txt", LARGE)
        return self.serve("--legacy", str(self.path), *options)

    def assert_downloads(self, server, content):
        """The server sends exactly `content`, the thanks, and the end."""
        self.assertEqual(download(server.port), content + THANKS)

    def start(self, *arguments, **popen):
        """A program beside the test that ends with it at the latest."""
        program = Program(*arguments, **popen)
        self.addCleanup(program.kill)
        return program

    def start_server(self, kind, pair, *options, **popen):
        """The server of a textbook pair on a free port: `kind` is fxfer, or python for our own programs."""
        if kind == "fxfer":
            server = self.start(FXFER, "legacy", "serve", pair, *options, "--listen", "127.0.0.1:0", **popen)
        else:
            server = self.start(sys.executable, TEXTBOOK, f"{pair}-server", "127.0.0.1", "0", **popen)
        first = (server.line() or b"").decode()
        found = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+) \(pid (\d+)\)", first)
        if not found:
            raise AssertionError(f"no server: {first!r} {server.end()}")
        self.assertEqual(int(found[2]), server.pid)
        server.port = int(found[1])
        return server

    def start_client(self, kind, pair, port, *options, **popen):
        """The client of a textbook pair."""
        if kind == "fxfer":
            return self.start(FXFER, "legacy", "connect", pair, f"127.0.0.1:{port}", *options, **popen)
        return self.start(sys.executable, TEXTBOOK, f"{pair}-client", "127.0.0.1", str(port), **popen)
