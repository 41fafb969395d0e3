"""A line that is slow is not silent."""

import contextlib
import os
import select
import socket
import unittest

from gate import Gate
from sending import SendCase
from support import sha256

#: Bytes that pass in a tick, and the tick in seconds: 150 kB/s.
PORTION, TICK = 7500, 0.05


class SlowLine(Gate):
    """Passes what the client says at a steady, slow pace. Its buffers are small, as those of a real line are."""

    def __init__(self, port):
        super().__init__(port, limit=0)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)

    def _forward(self, client, server):
        with contextlib.suppress(OSError):
            while data := client.recv(PORTION):
                server.sendall(data)
                select.select([], [], [], TICK)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)


class SlowLineTest(SendCase):
    def send_slowly(self, *sizes):
        """Files that take about twice the time-out together; they arrive, and nobody takes the time for silence."""
        server = self.serve("--log-level", "debug")
        sources = [self.file(f"f{number}", os.urandom(size)) for number, size in enumerate(sizes)]
        with SlowLine(server.port) as line:
            self.assert_sent("--timeout", "2", *sources, line.address)
        self.assert_nothing_stored(server, {source.name.encode(): sha256(source) for source in sources})
        self.assertNotIn("connection lost", self.stop(server))

    def test_one_chunk(self):
        """A chunk that is under way for longer than the time-out is not given up while its bytes arrive."""
        self.send_slowly(600_000)

    def test_several_files(self):
        """Nor are several files of which none is whole for that long."""
        self.send_slowly(200_000, 200_000, 200_000)


if __name__ == "__main__":
    unittest.main()
