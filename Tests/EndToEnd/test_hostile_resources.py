"""A client that wants the server's memory, its descriptors or its patience does not get them."""

import hashlib
import os
import signal
import socket

import wire
from abuse import AbuseCase, reset
from frames import ACCEPT, CHUNK, CONFIRM, FINISH, OFFER, RECEIPT, encode, frame, offer

MIB = 1 << 20


class MemoryTest(AbuseCase):
    def setUp(self):
        super().setUp()
        self.peak = self.server.peak_memory()

    def greeted_connections(self):
        """A hundred; what they cost by themselves is not counted."""
        connections = [self.greeted(16 * MIB) for _ in range(100)]
        self.peak = self.server.peak_memory()
        return connections

    def assert_memory_flat(self, allowance):
        self.assertLess(self.server.peak_memory() - self.peak, allowance)

    def test_what_is_announced_is_not_allocated(self):
        """A hundred connections that announce chunks of 16 MiB and send one byte of each."""
        connections = self.greeted_connections()
        for connection in connections:
            connection.send(offer(1, b"huge", size=None))
            connection.expect(ACCEPT)
            connection.send(encode(CHUNK, id=1, offset=0, length=16 * MIB), b"x")
        self.assert_serves(self.server)
        self.assert_memory_flat(24 * MIB)
        for connection in connections:
            reset(connection.socket)
        self.assert_harmless()

    def test_bodies_and_preambles_that_never_end_are_not_kept(self):
        """A hundred connections that send all but the last byte of the largest body."""
        connections = self.greeted_connections()
        for connection in connections:
            connection.send(frame(OFFER, bytes(65536))[:-5])
        self.assert_serves(self.server)
        self.assert_memory_flat(24 * MIB)
        for connection in connections:
            connection.socket.close()
        self.assert_harmless()

    def test_what_many_have_on_the_way_is_bounded_together(self):
        """A hundred chunks of 1 MiB that are there all at once, as far as the system takes them.

        All together may hold 8 MiB, each a read of 64 KiB beyond that, and the room of another that came back half full:
        21 MiB. Were each bounded by itself, it would be about 70.
        """
        connections = self.greeted_connections()
        content = b"x" * MIB
        digest = hashlib.sha256(content).digest()
        for number, connection in enumerate(connections):
            connection.send(offer(1, b"many/%d" % number, size=MIB))
            connection.expect(ACCEPT)
        parts = []
        os.kill(self.server.pid, signal.SIGSTOP)
        try:
            for connection in connections:
                rest = memoryview(wire.chunk(1, 0, content, digest) + encode(FINISH, id=1, size=MIB, digest=digest))
                connection.socket.setblocking(False)
                try:
                    while rest:
                        rest = rest[connection.socket.send(rest) :]
                except BlockingIOError:
                    pass
                connection.socket.settimeout(wire.SILENCE)
                parts.append(rest)
        finally:
            os.kill(self.server.pid, signal.SIGCONT)
        for connection, rest in zip(connections, parts):
            connection.socket.sendall(rest)
        for connection in connections:
            self.assertEqual(connection.expect(CONFIRM).offset, MIB)
            self.assertEqual(connection.expect(RECEIPT).digest, digest)
        self.assert_memory_flat(32 * MIB)

    def test_a_client_that_never_reads_is_not_buffered_for(self):
        """200,000 chunks of one byte: they get through, or the server stops reading; it hoards no answers."""
        connection = wire.Connection(socket.socket(), timeout=5)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.socket.connect(("127.0.0.1", self.server.port))
        self.connections.append(connection)
        connection.greet()
        connection.send(offer(1, b"dripping"))
        connection.expect(ACCEPT)
        state, offset = hashlib.sha256(), 0
        try:
            for _ in range(2000):
                parts = []
                for _ in range(100):
                    state.update(b"x")
                    parts.append(wire.chunk(1, offset, b"x", state.digest()))
                    offset += 1
                connection.send(*parts)
        except (TimeoutError, ConnectionError):
            pass  # The server reads no more, or has had enough: both keep its memory small.
        self.assert_serves(self.server)
        self.assert_memory_flat(32 * MIB)
        reset(connection.socket)
        self.assert_harmless()

    def test_many_refusals_that_are_never_read_are_not_buffered(self):
        """Also where the largest chunks were agreed on, of which files that are given may have some on the way."""
        connection = wire.Connection(socket.socket(), timeout=5)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.socket.connect(("127.0.0.1", self.server.port))
        self.connections.append(connection)
        connection.greet(16 * MIB)
        path = b"../" + b"x" * 4000
        try:
            for id in range(1, 40001):
                connection.send(offer(id, path, size=1), encode(wire.CANCEL, id=id, code=32, message=b""))
        except (TimeoutError, ConnectionError):
            pass
        self.assert_serves(self.server)
        self.assert_memory_flat(16 * MIB)
        reset(connection.socket)
        self.assert_harmless()


class DescriptorsTest(AbuseCase):
    def test_aborted_uploads_leave_nothing(self):
        for number in range(75):
            connection = self.greeted()
            count = connection.terms.files
            connection.send(*[offer(id, b"%d" % id, size=1000) for id in range(1, count + 1)])
            for _ in range(count):
                connection.expect(ACCEPT)
            connection.send(wire.chunk(1, 0, b"x" * 100, hashlib.sha256(b"x" * 100).digest()))
            (socket.socket.close if number % 2 else reset)(connection.socket)
        self.assert_harmless()

    def test_silent_connections_do_not_keep_a_good_client_out(self):
        silent = [self.connect() for _ in range(200)]
        greeted = [self.greeted() for _ in range(50)]
        self.assert_serves(self.server)
        for connection in silent + greeted:
            connection.socket.close()
        self.assert_harmless()
