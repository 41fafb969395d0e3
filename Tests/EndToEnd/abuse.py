"""What the tests with hostile clients share: an abuse happens inside `self.abuse(...)`, and nothing may come of it."""

import contextlib
import re
import socket
import struct
import threading

import wire
from support import PATIENCE, Case, Server
from waiting import eventually

#: Text without controls, C1 controls, line ends and what changes the direction of writing.
NO_CONTROLS = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d{4})"
LOG_LINE = re.compile(rf"{TIME} (?:debug|info|notice|warning|error) fxfer: {NO_CONTROLS}\n")


def reset(stream):
    """Closes a socket with RST."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


def answers(connection):
    """What the server says until it ends the connection: its frames, and the ERROR that it ended with or None."""
    frames = []
    try:
        while True:
            frames.append(connection.receive())
    except wire.PeerError as error:
        connection.drain()
        return frames, error
    except (EOFError, ConnectionError):
        return frames, None


class ReadServer(Server):
    """A server whose log is read all the time: it would wait for its reader once a pipe is full."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.reader = threading.Thread(target=self.read_log)
        self.reader.start()

    def read_log(self):
        self.log = self.process.stderr.read()

    def wait(self):
        status = self.process.wait(PATIENCE)
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return status


class AbuseCase(Case):
    """A server with one file in its directory, and clients that behave badly."""

    options = ()

    def setUp(self):
        super().setUp()
        self.file("out/old", b"old content\n")
        self.file("outside", b"not for clients\n")
        self.server = ReadServer(self.folder / "out", *self.options)
        self.addCleanup(self.server.__exit__)
        self.descriptors = self.server.descriptors()
        self.assert_serves(self.server)
        self.stored = self.server.published()
        eventually(lambda: self.server.descriptors() <= self.descriptors, "the good client is gone")
        self.beside = self.listing()
        self.connections = []

    def tearDown(self):
        """A log has one line an event, whatever the clients were called or said."""
        for connection in self.connections:
            connection.socket.close()
        self.server.__exit__()
        for line in self.server.log.splitlines(keepends=True):
            self.assertIsNotNone(LOG_LINE.fullmatch(line), f"an odd line in the log: {line!r}")

    def listing(self):
        """What lies in the test's folder beside the server's directory and what `assert_serves` has sent."""
        return sorted(entry.name for entry in self.folder.iterdir() if not entry.name.startswith("still-serves-"))

    def connect(self):
        connection = wire.connect(self.server.port, timeout=PATIENCE)
        self.connections.append(connection)
        return connection

    def greeted(self, largest_chunk=wire.DEFAULT_CHUNK):
        return self.connect().greet(largest_chunk)

    @contextlib.contextmanager
    def abuse(self, title):
        """A subtest; in the end nothing was stored or lost, and the server serves."""
        with self.subTest(title):
            yield
            self.assert_harmless()

    def assert_harmless(self, stored=None):
        self.assert_serves(self.server)
        eventually(lambda: self.server.partials() == [], "nothing is staged any more")
        self.assert_nothing_stored(self.server, self.stored if stored is None else stored)
        self.assertEqual((self.folder / "out/old").read_bytes(), b"old content\n")
        self.assertEqual((self.folder / "outside").read_bytes(), b"not for clients\n")
        self.assertEqual(self.listing(), self.beside)
        still_open = sum(connection.socket.fileno() >= 0 for connection in self.connections)
        expected = self.descriptors + still_open
        eventually(lambda: self.server.descriptors() <= expected, "the descriptors are back")

    def assert_ends_with(self, connection, code):
        """The server ends the connection with this ERROR, and in order: nothing is reset before it can be read."""
        frames, error = answers(connection)
        self.assertIsNotNone(error, f"closed without ERROR after {frames}")
        self.assertEqual(error.code, code, error)
        self.assertRegex(error.message, rf"\A{NO_CONTROLS}\Z")
        connection.socket.close()
        return frames

    def assert_refuses(self, connection, id, code):
        """The server refuses the file, the client cancels, the connection goes on. Answers the message."""
        refusal = connection.receive()
        while refusal.kind in (wire.ACCEPT, wire.CONFIRM):
            refusal = connection.receive()
        self.assertEqual((refusal.kind, refusal.id, refusal.code), (wire.REFUSE, id, code), refusal)
        self.assertRegex(refusal.message.decode(), rf"\A{NO_CONTROLS}\Z")
        connection.send(wire.encode(wire.CANCEL, id=id, code=code, message=b""))
        connection.last_id = id
        return refusal.message.decode()

    def assert_goes_on(self, connection):
        """The connection still takes a file."""
        name = b"still-open"
        connection.send(wire.offer(connection.next_id(), name, size=0))
        self.assertEqual(connection.expect(wire.ACCEPT).offset, 0)
        empty = wire.hashlib.sha256().digest()
        connection.send(wire.encode(wire.FINISH, id=connection.last_id, size=0, digest=empty))
        connection.expect(wire.RECEIPT)
        (self.server.directory / "still-open").unlink()
        connection.send(wire.encode(wire.BYE))
        connection.socket.close()
