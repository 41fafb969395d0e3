"""A second implementation of the protocol: a client written from WireProtocol.md alone, in nothing but Python.

    python3 wire.py FILE HOST:PORT [NAME]

The tests use its parts to talk to a real server, politely or not; `fake_server` plays a server with them.
"""

import hashlib
import os
import select
import socket
import struct
import sys
import zlib
from types import SimpleNamespace

from frames import *

WINDOW = 64
MOST_REWINDS = 8
SILENCE = 60


class Connection:
    """One side of a connection. `greet` makes it the client's, `welcome` the server's."""

    def __init__(self, stream, timeout=SILENCE):
        self.socket = stream
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.last_id = 0
        self.terms = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *parts):
        self.socket.sendall(b"".join(parts))

    def read(self, count):
        """Exactly so many bytes; EOFError where the stream ends before."""
        found = bytearray()
        while len(found) < count:
            piece = self.socket.recv(min(count - len(found), 1 << 20))
            if not piece:
                raise EOFError(f"the stream ended {count - len(found)} bytes early")
            found += piece
        return bytes(found)

    def has_input(self):
        return bool(select.select([self.socket], [], [], 0)[0])

    def receive(self):
        """The next frame that says something; CHUNK comes with its payload and digest. ERROR is raised."""
        while True:
            header = self.read(12)
            length, kind, zero, check = struct.unpack(">IB3sI", header)
            require(check == zlib.crc32(header[:8]), "a frame's header is damaged")
            require(length <= LARGEST_BODY, f"a body of {length} bytes")
            require(zero == b"\0\0\0", "bytes that must be zero are not")
            body = self.read(length)
            require(self.read(4) == struct.pack(">I", zlib.crc32(body)), "a frame's body is damaged")
            found = decode(kind, body)
            if kind == ERROR:
                raise PeerError(found.code, found.message.decode(errors="replace"))
            if kind == CHUNK:
                require(1 <= found.length <= self.terms.largest_chunk, f"a chunk of {found.length} bytes")
                found.payload, found.running = self.read(found.length), self.read(32)
            if found and kind != ALIVE:
                return found

    def expect(self, kind):
        found = self.receive()
        require(found.kind == kind, f"expected a frame of type {kind:#04x}, not {found.kind:#04x}")
        return found

    def expect_preamble(self):
        require(self.read(len(PREAMBLE)) == PREAMBLE, "that is no fxfer")

    def greet(self, largest_chunk=DEFAULT_CHUNK):
        """The client's half of the greeting."""
        self.send(PREAMBLE, hello(largest_chunk))
        self.expect_preamble()
        self.terms = self.expect(WELCOME)
        require(self.terms.version == 1, f"version {self.terms.version} was not asked for")
        require(65536 <= self.terms.largest_chunk <= 1 << 24 and self.terms.files >= 1, "impossible terms")
        return self

    def welcome(self, version=1, files=16, largest_chunk=None):
        """The server's half of the greeting. Answers the client's HELLO."""
        self.expect_preamble()
        wishes = self.expect(HELLO)
        largest_chunk = largest_chunk or min(max(wishes.largest_chunk, 1 << 16), 1 << 24)
        self.terms = SimpleNamespace(version=version, files=files, largest_chunk=largest_chunk, capabilities=0)
        self.send(PREAMBLE, encode(WELCOME, nonce=os.urandom(32), **vars(self.terms)))
        return wishes

    def next_id(self):
        self.last_id += 1
        return self.last_id

    def drain(self):
        """Reads and forgets until the other side has closed."""
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionError:
            pass


def connect(port, host="127.0.0.1", timeout=SILENCE):
    return Connection(socket.create_connection((host, port), timeout), timeout)


class Upload:
    """One file on its way, as its sender sees it. `attributes` are those of `offer`: size, modified, permissions.

    An eager one does not wait for ACCEPT, which is allowed where size is known and not over one chunk.
    """

    def __init__(self, connection, path, source, attributes, eager=False):
        self.connection, self.path, self.source = connection, path, source
        self.attributes, self.eager = attributes, eager
        self.size = attributes.get("size")
        self.id = connection.next_id()
        self.found_at_first = self.fingerprint()
        self.sending = self.finished = self.accepted = False
        self.receipt = self.failure = None
        self.rewinds = {}

    @property
    def done(self):
        return bool(self.receipt or self.failure)

    @property
    def can_send(self):
        return self.sending and not self.done and len(self.states) <= WINDOW

    @property
    def repairs(self):
        return sum(self.rewinds.values())

    def fingerprint(self):
        """What changes when somebody writes to the source."""
        try:
            status = os.fstat(self.source.fileno())
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns, status.st_ctime_ns

    def read(self, count):
        """Up to `count` bytes; fewer only at the end of the source."""
        pieces = []
        while count and (piece := self.source.read(count)):
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def offer(self):
        self.connection.send(offer(self.id, self.path, **self.attributes))
        if self.eager:
            self.go_on(0, hashlib.sha256())

    def go_on(self, offset, state):
        """Sends from `offset` on; `state` has hashed everything before."""
        self.source.seek(offset)
        self.offset = self.confirmed = offset
        self.state = state
        #: What a rewind may need: the hash state at the last confirmed offset, and behind each chunk sent since.
        self.states = {offset: state.copy()}
        self.sending, self.finished = True, False

    def step(self):
        """Sends the next chunk, or FINISH where nothing is left."""
        payload = self.read(self.connection.terms.largest_chunk)
        if payload:
            self.state.update(payload)
            self.send_chunk(payload)
            self.offset += len(payload)
            self.states[self.offset] = self.state.copy()
        elif self.fingerprint() != self.found_at_first:
            self.cancel(38, "the source changed")
        else:
            self.sending, self.finished = False, True
            self.connection.send(encode(FINISH, id=self.id, size=self.offset, digest=self.state.digest()))

    def send_chunk(self, payload):
        self.connection.send(chunk(self.id, self.offset, payload, self.state.digest()))

    def cancel(self, code, message):
        self.connection.send(encode(CANCEL, id=self.id, code=code, message=message.encode()))
        self.failure = Refused(code, message)

    def handle(self, answer):
        if self.done:
            return
        if answer.kind == ACCEPT:
            self.compare(answer)
        elif answer.kind == CONFIRM and self.accepted:
            require(answer.offset in self.states and answer.offset > self.confirmed, "CONFIRM of what was not sent")
            self.confirmed = answer.offset
            self.states = {offset: state for offset, state in self.states.items() if offset >= answer.offset}
        elif answer.kind == REWIND and self.accepted:
            require(answer.offset == self.confirmed, "REWIND to another place than the last that was confirmed")
            self.rewinds[answer.offset] = self.rewinds.get(answer.offset, 0) + 1
            if self.rewinds[answer.offset] > MOST_REWINDS:
                self.cancel(4, "data was damaged too often")
            else:
                self.go_on(answer.offset, self.states[answer.offset])
        elif answer.kind == REFUSE:
            message = answer.message.decode(errors="replace")
            self.cancel(answer.code, "refused")
            self.failure = Refused(answer.code, message)
        elif answer.kind == RECEIPT and self.accepted:
            sent = (self.offset, self.state.digest(), self.path)
            require(self.finished, "a receipt before FINISH")
            require((answer.size, answer.digest, answer.path) == sent, "a receipt for something else")
            require(answer.outcome in (STORED, IDENTICAL), f"a receipt with outcome {answer.outcome}")
            self.receipt = answer
        else:
            raise WireError(f"a frame of type {answer.kind:#04x} at the wrong time")

    def compare(self, answer):
        """ACCEPT: goes on behind the receiver's prefix if that is a prefix of this file, too."""
        require(not self.accepted, "a second ACCEPT")
        require(self.size is None or answer.offset <= self.size, "ACCEPT behind the end")
        require(not self.eager or answer.offset == 0, "ACCEPT of a prefix where none is allowed")
        self.accepted = True
        if self.eager:
            return
        prefix, left = hashlib.sha256(), answer.offset
        while left and (piece := self.read(min(left, DEFAULT_CHUNK))):
            prefix.update(piece)
            left -= len(piece)
        equal = left == 0 and prefix.digest() == answer.digest
        self.go_on(answer.offset if equal else 0, prefix if equal else hashlib.sha256())


def upload_all(connection, uploads):
    """Sends files side by side, a chunk of each in turn, until each has a receipt or a failure."""
    require(len(uploads) <= connection.terms.files, "more files at once than the server takes")
    by_id = {upload.id: upload for upload in uploads}
    for each in uploads:
        each.offer()
    while not all(each.done for each in uploads):
        for each in uploads:
            if each.can_send:
                each.step()
        if connection.has_input() or not any(each.can_send for each in uploads):
            answer = connection.receive()
            require(getattr(answer, "id", None) in by_id, "an answer for a file that was not offered")
            by_id[answer.id].handle(answer)


def upload(connection, path, source, attributes, eager=False):
    """Sends one file and answers its RECEIPT; raises `Refused` or `WireError`."""
    one = Upload(connection, path, source, attributes, eager)
    upload_all(connection, [one])
    if one.failure:
        raise one.failure
    return one.receipt


def main(arguments):
    if len(arguments) not in (2, 3):
        print("usage: wire.py FILE HOST:PORT [NAME]", file=sys.stderr)
        return 64
    host, _, port = arguments[1].rpartition(":")
    name = os.fsencode(arguments[2] if len(arguments) == 3 else os.path.basename(arguments[0]))
    try:
        with open(arguments[0], "rb") as source, connect(int(port), host) as connection:
            status = os.fstat(source.fileno())
            attributes = {"size": status.st_size, "modified": status.st_mtime_ns, "permissions": status.st_mode & 0o777}
            receipt = upload(connection.greet(), name, source, attributes)
            connection.send(encode(BYE))
    except (OSError, EOFError, WireError) as failure:
        print(f"wire.py: {failure}", file=sys.stderr)
        return 1
    print(f"{receipt.digest.hex()}  {os.fsdecode(name)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
