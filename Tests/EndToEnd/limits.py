"""What tests of the server's limits share."""

import select
import socket

import wire
from abuse import AbuseCase, reset
from support import PATIENCE
from waiting import eventually

TICK = 0.1
TIMED_OUT, BUSY, LIMIT, TOO_LARGE, NO_SPACE = 6, 8, 3, 35, 36


class LimitCase(AbuseCase):
    """A server with the limits in `options`, and clients that come to them."""

    def assert_harmless(self, stored=None):
        """Clients that are gone have left their places when their connections are closed."""
        still_open = sum(connection.socket.fileno() >= 0 for connection in self.connections)
        eventually(lambda: self.server.descriptors() <= self.descriptors + still_open, "the clients are gone")
        super().assert_harmless(stored)

    def drip(self, connection, data):
        """Says a byte a tick until the server says something, or ends the connection; answers how many it took."""
        for sent in range(len(data)):
            if select.select([connection.socket], [], [], TICK)[0]:
                return sent
            connection.send(data[sent : sent + 1])
        return len(data)

    def connect_from(self, address):
        """A connection from another address of this machine."""
        server = ("127.0.0.1", self.server.port)
        stream = socket.create_connection(server, PATIENCE, source_address=(address, 0))
        connection = wire.Connection(stream, PATIENCE)
        self.connections.append(connection)
        return connection

    def assert_closed(self, connection):
        """The server closes without a word."""
        self.assertEqual(connection.socket.recv(1), b"")
        connection.socket.close()

    def assert_turned_away(self, connection, message):
        """The preamble, ERROR busy with that message, and the end of the stream: nothing is reset."""
        connection.expect_preamble()
        with self.assertRaises(wire.PeerError) as caught:
            connection.receive()
        self.assertEqual(caught.exception.code, BUSY)
        self.assertIn(message, caught.exception.message)
        self.assert_closed(connection)

    def goodbye(self, connection):
        connection.send(wire.encode(wire.BYE))
        connection.drain()
        connection.socket.close()


__all__ = [name for name in globals() if not name.startswith("_")]
