"""A proxy that does harm to one connection on its way: it flips bits of one byte, or cuts the connection."""

import select
import socket
import struct
import threading
from dataclasses import dataclass

from support import PATIENCE

UP, DOWN = "up", "down"


@dataclass
class Flip:
    """Changes the byte at `offset` of what goes up to the server, or down to the client."""

    direction: str
    offset: int
    mask: int


@dataclass
class Cut:
    """Ends the connection, to both sides, once `offset` bytes have gone in that direction."""

    direction: str
    offset: int
    reset: bool


class Proxy:
    """Stands between one client and the server on `port`. `passed` holds what it has let through if `keep` is set."""

    def __init__(self, port, fault=None, keep=False):
        self.server_port, self.fault, self.keep = port, fault, keep
        self.count = {UP: 0, DOWN: 0}
        self.passed = {UP: bytearray(), DOWN: bytearray()}
        self.done = False  #: whether the fault has happened
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(PATIENCE)
        self.listener.close()

    def run(self):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        with client, socket.create_connection(("127.0.0.1", self.server_port)) as server:
            for stream in (client, server):
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.forward(client, server)
            except OSError:
                pass  # One side has gone; leaving closes the other.

    def forward(self, client, server):
        ways = {client: (UP, server), server: (DOWN, client)}
        while ways:
            ready, _, _ = select.select(list(ways), [], [], PATIENCE)
            if not ready:
                return
            for source in ready:
                direction, target = ways[source]
                data = source.recv(1 << 18)
                if not data:
                    del ways[source]
                    target.shutdown(socket.SHUT_WR)
                    continue
                cut = isinstance(self.fault, Cut) and self.hits(direction, len(data))
                target.sendall(self.harmed(direction, data))
                if cut:
                    return self.cut(client, server)

    def hits(self, direction, length):
        start = self.count[direction]
        return self.fault.direction == direction and start <= self.fault.offset < start + length

    def harmed(self, direction, data):
        """What of the data goes on, and how."""
        if self.fault and self.hits(direction, len(data)):
            place = self.fault.offset - self.count[direction]
            if isinstance(self.fault, Cut):
                data = data[:place]
            else:
                data = data[:place] + bytes([data[place] ^ self.fault.mask]) + data[place + 1 :]
            self.done = True
        self.count[direction] += len(data)
        if self.keep:
            self.passed[direction] += data
        return data

    def cut(self, client, server):
        for stream in (client, server):
            if self.fault.reset:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                stream.close()
            else:
                stream.shutdown(socket.SHUT_WR)
        if not self.fault.reset:
            for stream in (client, server):  # To its end: closing with something unread would reset.
                stream.settimeout(PATIENCE)
                while stream.recv(1 << 18):
                    pass
