"""A proxy that reads along: it knows each frame, counts payload, and does harm where a test wants it.

Other than `proxy` it takes any number of connections, each with a fault of its own, and it is fast.
"""

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass

from frames import CHUNK, PREAMBLE
from support import PATIENCE

UP, DOWN = "up", "down"
#: What is between the frames, told like types of frame.
PAYLOAD, DIGEST, START = "payload", "digest", "preamble"


@dataclass
class Piece:
    """Part of a stream: of a frame, a payload or a digest. `offset` is that of a payload's byte in its file."""

    kind: object
    start: int
    end: int
    is_first: bool
    is_last: bool
    offset: int = 0


class Scanner:
    """Takes a stream apart."""

    def __init__(self):
        self.segments = [(START, len(PREAMBLE), 0)]
        self.taken = 0

    def pieces(self, data):
        """The pieces of `data`; what is behind the last is too little to tell."""
        found, position = [], 0
        while position < len(data):
            if not self.segments and not self.read_header(data[position:]):
                break
            kind, length, offset = self.segments[0]
            count = min(length - self.taken, len(data) - position)
            last = self.taken + count == length
            found.append(Piece(kind, position, position + count, self.taken == 0, last, offset + self.taken))
            position += count
            self.taken += count
            if last:
                self.taken = 0
                self.segments.pop(0)
        return found

    def read_header(self, data):
        if len(data) < 12:
            return False
        length, kind = struct.unpack_from(">IB", data)
        if kind == CHUNK:
            if len(data) < 28:
                return False
            _, offset, count = struct.unpack_from(">IQI", data, 12)
            self.segments = [(CHUNK, length + 16, 0), (PAYLOAD, count, offset), (DIGEST, 32, 0)]
        else:
            self.segments = [(kind, length + 16, 0)]
        return True


@dataclass
class Fault:
    """What happens to a connection at a place in one direction.

    The place: `kind` PAYLOAD and so many bytes of payload on this connection, or a type of frame, before or behind
    its first. What happens: the connection ends (with RST where `reset`); or, where `holds`, nothing passes any more
    until the test calls `Relay.let_go`, which ends it.
    """

    direction: str
    kind: object
    bytes: int = 0
    before: bool = False
    reset: bool = False
    holds: bool = False

    def place(self, piece, payload):
        """Where in the stream's data it strikes, or None; `payload` is what went before the piece."""
        if piece.kind != self.kind:
            return None
        if self.kind == PAYLOAD:
            place = piece.start + self.bytes - payload
            return place if piece.start <= place < piece.end or place == piece.end and piece.is_last else None
        if self.before:
            return piece.start if piece.is_first else None
        return piece.end if piece.is_last else None


class Passage:
    """One connection through the relay: what has passed."""

    def __init__(self, client, server, fault):
        self.client, self.server, self.fault = client, server, fault
        self.payload = {UP: 0, DOWN: 0}
        self.struck = False

    def end(self, reset=False):
        for stream in (self.client, self.server):
            with contextlib.suppress(OSError):
                if reset:
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                stream.shutdown(socket.SHUT_WR if not reset else socket.SHUT_RDWR)


class Relay:
    """Stands between clients and the server on `port`. The n-th connection gets the n-th of `faults`, later ones none.

    `flips`: offsets in the file; the byte there is changed the first time that it goes in the direction, or each time
    if `stubborn`.
    """

    def __init__(self, port, *faults, flips=(), stubborn=False, flip_direction=UP):
        self.server_port, self.faults = port, list(faults)
        self.flips, self.stubborn, self.flip_direction = sorted(flips), stubborn, flip_direction
        self.flipped = 0
        self._awaited = None
        self.passages = []
        self.held = threading.Event()
        self._released = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._released.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for passage in self.passages:
            for stream in (passage.client, passage.server):
                with contextlib.suppress(OSError):
                    stream.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)

    @property
    def payload(self):
        """How many bytes of payload have gone up, over all connections."""
        return sum(passage.payload[UP] for passage in self.passages)

    def wait_until_held(self):
        if not self.held.wait(PATIENCE):
            raise AssertionError("nothing came to the place where the relay was to hold it")

    def let_go(self):
        """Ends the connection that is held."""
        self._released.set()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.server_port), PATIENCE)
            except ConnectionError:
                client.close()
                continue
            passage = Passage(client, server, self.faults.pop(0) if self.faults else None)
            self.passages.append(passage)
            for stream in (client, server):
                stream.settimeout(None)
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._carry, args=(passage,), daemon=True).start()

    def _carry(self, passage):
        back = threading.Thread(target=self._forward, args=(passage, passage.server, passage.client, DOWN), daemon=True)
        back.start()
        self._forward(passage, passage.client, passage.server, UP)
        back.join()
        passage.client.close()
        passage.server.close()

    def _forward(self, passage, source, target, direction):
        scanner, buffer, rest = Scanner(), bytearray(1 << 20), 0
        view = memoryview(buffer)
        with contextlib.suppress(OSError):
            while count := source.recv_into(view[rest:]):
                pieces = scanner.pieces(view[: rest + count])
                for piece in pieces:
                    if passage.struck:
                        break
                    place = passage.fault and passage.fault.direction == direction
                    place = passage.fault.place(piece, passage.payload[direction]) if place else None
                    if direction == self.flip_direction and piece.kind == PAYLOAD:
                        self._flip(buffer, piece)
                    end = piece.end if place is None else place
                    self._pass(passage, view[piece.start : end], target)
                    if piece.kind == PAYLOAD:
                        passage.payload[direction] += end - piece.start
                    if place is not None:
                        self._strike(passage)
                done = pieces[-1].end if pieces else 0
                left = rest + count - done
                view[:left] = bytes(view[done : rest + count])
                rest = left
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _pass(self, passage, data, target):
        """Once the connection has ended, what still comes is read and thrown away: closed with something unread, a
        stream would be reset, and its other end would lose what it has not read yet.
        """
        try:
            target.sendall(data)
        except OSError:
            if not passage.struck:
                raise

    def _strike(self, passage):
        passage.struck = True
        if passage.fault.holds:
            self.held.set()
            self._released.wait()
        passage.end(passage.fault.reset)

    def _flip(self, buffer, piece):
        """Not while what was flipped last has not come again: what is behind it is thrown away unread."""
        if self._awaited is not None and piece.offset <= self._awaited < piece.offset + piece.end - piece.start:
            self._awaited = None
        for offset in self.flips if self._awaited is None else ():
            place = piece.start + offset - piece.offset
            if piece.start <= place < piece.end:
                buffer[place] ^= 0x10
                self.flipped += 1
                if not self.stubborn:
                    self._awaited = offset
                    self.flips.remove(offset)
                return
