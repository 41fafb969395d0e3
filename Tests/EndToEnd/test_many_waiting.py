"""Hundreds that say almost nothing, or read nothing, are dropped in time; meanwhile good clients are served."""

import contextlib
import hashlib
import select
import socket
import ssl
import time
import unittest

import wire
from frames import ACCEPT, GET, OFFER, PREAMBLE, PROOF, SHARE, WELCOME, encode, hello
from limits import TIMED_OUT, LimitCase
from secured import TokenInTLS
from support import figures
from waiting import eventually

MIB = 1 << 20
COUNT = 500


class BeforeTheProofTest(TokenInTLS, LimitCase):
    """A server that takes a token, and clients without one: they have two seconds for all of the greeting."""

    options = ("--handshake-timeout", "2", "--max-connections", "4000", "--max-connections-per-address", "4000")

    def words(self):
        """What is dripped, a byte at a time: the beginning of a greeting in the clear, and of one inside TLS."""
        sent = ssl.MemoryBIO()
        engine = wire.believing_any().wrap_bio(ssl.MemoryBIO(), sent)
        try:
            engine.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return PREAMBLE + hello(capabilities=PROOF), sent.read()

    def test_dripping(self):
        words = self.words()
        peak, begin = self.server.peak_memory(), time.monotonic()
        server = ("127.0.0.1", self.server.port)
        left = {socket.create_connection(server): words[number % 2] for number in range(COUNT)}
        served, ticks = 0, 0
        while left and time.monotonic() - begin < 30:
            ticks += 1
            for stream in select.select(list(left), [], [], 0.05)[0]:
                stream.close()  # The server has spoken its last word, or ended it without one.
                del left[stream]
            for stream, rest in list(left.items()):
                try:
                    # Never its last byte: it does not come as far as a greeting.
                    stream.send(rest[ticks - 1 : ticks] if ticks < len(rest) else b"")
                except ConnectionError:
                    stream.close()
                    del left[stream]
            if served < 3:
                self.assert_serves(self.server)
                served += 1
        self.assertEqual((len(left), served), (0, 3))
        grown = self.server.peak_memory() - peak
        figures(self.id(), connections=COUNT, seconds=round(time.monotonic() - begin, 1), grown_mib=grown >> 20)
        # A connection that has begun TLS has BoringSSL's state.
        self.assertLess(grown, COUNT * 100_000)
        self.assert_harmless()

    def test_owing_the_proof(self):
        """Those that have got so far as to owe the proof, and say no more."""
        owing = []
        for _ in range(100):
            connection = self.connect()
            connection.send(PREAMBLE, hello(capabilities=PROOF))
            connection.expect_preamble()
            connection.expect(WELCOME)
            owing.append(connection)
        self.assert_serves(self.server)
        for connection in owing:
            self.assertEqual(self.assert_ends_with(connection, TIMED_OUT), [])
        self.assert_harmless()


class NeverReadingTest(LimitCase):
    """All places are taken by clients that ask for a large file and read nothing of it."""

    options = ("--share", "--idle-timeout", "2", "--max-connections", "30")

    def test_downloads(self):
        large = self.server.directory / "large"
        with open(large, "wb") as file:
            file.truncate(1 << 30)
        peak = self.server.peak_memory()
        for _ in range(30):
            connection = wire.Connection(socket.socket())
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.socket.connect(("127.0.0.1", self.server.port))
            self.connections.append(connection)
            connection.greet(16 * MIB, capabilities=SHARE)
            connection.send(encode(GET, id=1, path=b"large"))
            connection.expect(OFFER)
            connection.send(encode(ACCEPT, id=1, offset=0, digest=hashlib.sha256().digest()))
        late = self.connect()
        late.send(PREAMBLE, hello())
        self.assert_turned_away(late, "the server has too many connections")

        def are_dropped():
            """They say all the while that they are alive: it is not silence that ends them."""
            for connection in self.connections:
                if connection.socket.fileno() >= 0:
                    with contextlib.suppress(ConnectionError):
                        connection.stay_alive()
            return self.server.descriptors() <= self.descriptors

        eventually(are_dropped, "their places are free again")
        grown = self.server.peak_memory() - peak
        figures(self.id(), connections=30, grown_mib=grown >> 20)
        self.assertLess(grown, 96 * MIB)
        for connection in self.connections:
            connection.socket.close()
        large.unlink()
        self.assert_harmless()


if __name__ == "__main__":
    unittest.main()
