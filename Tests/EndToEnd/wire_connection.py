"""One side of a connection, as WireProtocol.md tells it: the preamble, the greeting, frames in and out."""

import hashlib
import hmac
import os
import select
import socket
import ssl
import struct
import time
import zlib
from types import SimpleNamespace

from frames import *

SILENCE = 60


def proof(token, role, client_nonce, server_nonce, certificate):
    """What AUTH says: that its sender, b"C" or b"S", knows the token. All are bytes."""
    message = b"fxfer proof 1\0" + role + client_nonce + server_nonce + certificate
    return hmac.digest(token, message, "sha256")


class Connection:
    """One side of a connection. `greet` makes it the client's, `welcome` the server's."""

    def __init__(self, stream, timeout=SILENCE):
        self.socket = stream
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.last_id = 0
        self.terms = None
        #: The SHA-256 of the server's certificate as this side saw it; zero in the clear.
        self.certificate = bytes(32)
        if isinstance(stream, ssl.SSLSocket) and not stream.server_side:
            self.certificate = hashlib.sha256(stream.getpeercert(binary_form=True)).digest()
        self.last_words = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *parts):
        self.last_words = time.monotonic()
        self.socket.sendall(b"".join(parts))

    def stay_alive(self):
        """For long work that the other side waits for: says about every second that there is something to wait for."""
        if time.monotonic() - self.last_words >= 1:
            self.send(encode(ALIVE))

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
        pending = isinstance(self.socket, ssl.SSLSocket) and self.socket.pending() > 0
        return pending or bool(select.select([self.socket], [], [], 0)[0])

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
            if found and kind not in (ALIVE, READING):
                return found

    def expect(self, kind):
        found = self.receive()
        require(found.kind == kind, f"expected a frame of type {kind:#04x}, not {found.kind:#04x}")
        return found

    def expect_preamble(self):
        require(self.read(len(PREAMBLE)) == PREAMBLE, "that is no fxfer")

    def greet(self, largest_chunk=DEFAULT_CHUNK, capabilities=0, token=None):
        """The client's half of the greeting; with a token (bytes) both sides prove that they know it."""
        capabilities |= PROOF if token else 0
        nonce = os.urandom(32)
        self.send(PREAMBLE, hello(largest_chunk, capabilities=capabilities, nonce=nonce))
        self.expect_preamble()
        self.terms = self.expect(WELCOME)
        require(self.terms.version == 1, f"version {self.terms.version} was not asked for")
        require(65536 <= self.terms.largest_chunk <= 1 << 24 and self.terms.files >= 1, "impossible terms")
        require(not self.terms.capabilities & ~capabilities, "a capability was granted that was not asked for")
        if token:
            require(self.terms.capabilities & PROOF, "the server takes no token")
            nonces = nonce, self.terms.nonce
            self.send(encode(AUTH, proof=proof(token, b"C", *nonces, self.certificate)))
            answer = self.expect(AUTH).proof
            require(answer == proof(token, b"S", *nonces, self.certificate), "the server does not know the token")
        return self

    def welcome(self, version=1, files=16, largest_chunk=None, capabilities=0, fields=b""):
        """The server's half of the greeting. Answers the client's HELLO."""
        self.expect_preamble()
        wishes = self.expect(HELLO)
        largest_chunk = largest_chunk or min(max(wishes.largest_chunk, 1 << 16), 1 << 24)
        granted = wishes.capabilities & capabilities
        self.terms = SimpleNamespace(version=version, files=files, largest_chunk=largest_chunk, capabilities=granted)
        self.send(PREAMBLE, encode(WELCOME, nonce=os.urandom(32), fields=fields, **vars(self.terms)))
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


def connect(port, host="127.0.0.1", timeout=SILENCE, tls=None):
    """A connection to a server; over TLS where there is an `ssl.SSLContext`."""
    stream = socket.create_connection((host, port), timeout)
    return Connection(tls.wrap_socket(stream) if tls else stream, timeout)


def believing_any():
    """TLS 1.3 to a server that proves itself by a token, or by nothing."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    return tls
