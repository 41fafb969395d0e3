"""Time is limited: for greetings, for silence, and for what was begun and drips."""

import hashlib
import select
import socket
import time
import unittest

import wire
from frames import ACCEPT, ALIVE, CHUNK, CONFIRM, GET, PREAMBLE, SHARE, encode, hello, offer
from limits import *
from waiting import eventually

MIB = 1 << 20


class GreetingTest(LimitCase):
    options = ("--handshake-timeout", "1", "--log-level", "debug")

    def test_silence(self):
        """A client that says nothing is dropped without a word; the log has no more than a line for debugging."""
        self.assert_closed(self.connect())
        self.assert_harmless()
        self.server.__exit__()
        (line,) = [line for line in self.server.log.splitlines() if "greeting" in line]
        self.assertIn(" debug ", line)

    def test_first_bytes_that_drip(self):
        """A client whose preamble drips is dropped at the deadline, however regularly its bytes come."""
        connection = self.connect()
        self.drip(connection, PREAMBLE[:-1])
        self.assert_closed(connection)
        self.assert_harmless()

    def test_greeting_that_drips(self):
        """Time ends for one that has said its preamble, too; it is told so."""
        connection = self.connect()
        connection.send(PREAMBLE)
        self.assertLess(self.drip(connection, hello()), len(hello()))
        connection.expect_preamble()
        self.assertEqual(self.assert_ends_with(connection, TIMED_OUT), [])
        self.assert_harmless()

    def test_frames_before_the_greeting(self):
        """Frames that are to be skipped gain no time."""
        connection = self.connect()
        connection.send(PREAMBLE)
        unknown = wire.frame(0xFE, b"")
        self.drip(connection, unknown * 100)
        connection.expect_preamble()
        self.assertEqual(self.assert_ends_with(connection, TIMED_OUT), [])
        self.assert_harmless()

    def test_the_rest_of_a_connection_has_all_time(self):
        """The deadline is for the greeting alone."""
        connection, other = self.greeted(), self.connect()
        self.assert_closed(other)
        self.assert_goes_on(connection)
        self.assert_harmless()


class ManySilentTest(LimitCase):
    options = ("--handshake-timeout", "2", "--max-connections-per-address", "600")

    def test_five_hundred(self):
        """While 500 connections say nothing or drip, good clients are served; then all of them are dropped."""
        silent = [self.connect() for _ in range(500)]
        for number, connection in enumerate(silent):
            connection.send(PREAMBLE[: number % 8])
        self.assert_serves(self.server)
        for connection in silent:
            self.assert_closed(connection)
        self.assert_harmless()


class IdleTest(LimitCase):
    options = ("--idle-timeout", "1")

    def test_silence_after_the_greeting(self):
        connection = self.greeted()
        self.assertEqual(self.assert_ends_with(connection, TIMED_OUT), [])
        self.assert_harmless()


class PaceTest(LimitCase):
    """The grace is no longer than a silence may be: 2 seconds."""

    options = ("--idle-timeout", "2", "--share")

    def assert_too_slow(self, connection, data):
        self.assertLess(self.drip(connection, data), len(data))
        with self.assertRaisesRegex(wire.PeerError, "too slow") as caught:
            while True:
                connection.receive()
        self.assertEqual(caught.exception.code, TIMED_OUT)
        connection.drain()
        connection.socket.close()
        self.assert_harmless()

    def test_frame_that_drips(self):
        self.assert_too_slow(self.greeted(), offer(1, b"x" * 255))

    def test_payload_that_drips(self):
        connection = self.greeted()
        connection.send(offer(1, b"dripping", size=5 * MIB, waits=True))
        connection.expect(ACCEPT)
        connection.send(encode(CHUNK, id=1, offset=0, length=MIB), bytes(100))
        self.assert_too_slow(connection, bytes(1000))

    def test_chunk_that_stops_short_of_its_digest(self):
        connection = self.greeted()
        connection.send(offer(1, b"short", size=5, waits=True))
        connection.expect(ACCEPT)
        connection.send(encode(CHUNK, id=1, offset=0, length=5), bytes(5))
        self.assert_too_slow(connection, bytes(31))

    def test_source_that_is_slow(self):
        """A client that says no more than that it is alive, between two chunks, has all time."""
        connection = self.greeted()
        connection.send(offer(1, b"slow", size=10))
        connection.expect(ACCEPT)
        connection.send(wire.chunk(1, 0, b"hello", hashlib.sha256(b"hello").digest()))
        connection.expect(CONFIRM)
        end = time.monotonic() + 4
        while time.monotonic() < end:
            select.select([], [], [], TICK)
            connection.stay_alive()
        digest = hashlib.sha256(b"hellohello").digest()
        connection.send(wire.chunk(1, 5, b"hello", digest), encode(wire.FINISH, id=1, size=10, digest=digest))
        connection.expect(CONFIRM)
        connection.expect(wire.RECEIPT)
        self.goodbye(connection)
        (self.server.directory / "slow").unlink()
        self.assert_harmless()

    def test_a_client_that_does_not_take_what_it_asked_for(self):
        """One that reads nothing, and says all the while that it is alive, is dropped."""
        large = self.server.directory / "large"
        with open(large, "wb") as file:
            file.truncate(256 * MIB)
        connection = wire.Connection(socket.socket())
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.socket.connect(("127.0.0.1", self.server.port))
        self.connections.append(connection)
        connection.greet(capabilities=SHARE)
        connection.send(encode(GET, id=1, path=b"large"))
        asked = connection.expect(wire.OFFER)
        connection.send(encode(ACCEPT, id=asked.id, offset=0, digest=hashlib.sha256().digest()))

        def is_dropped():
            try:
                connection.stay_alive()
            except ConnectionError:
                return True
            return self.server.descriptors() <= self.descriptors

        eventually(is_dropped, "the client is dropped")
        connection.socket.close()
        large.unlink()
        self.assert_harmless()
        self.server.__exit__()
        self.assertIn("too slow", self.server.log)


class AnyPaceTest(LimitCase):
    options = ("--idle-timeout", "1", "--min-rate", "0")

    def test_any_rate(self):
        """Where any rate is allowed, a frame may drip for longer than a silence."""
        connection = self.greeted()
        data = offer(1, b"x", size=0)
        self.assertEqual(self.drip(connection, data), len(data))
        connection.expect(ACCEPT)
        self.goodbye(connection)
        self.assert_harmless()


class AliveTest(LimitCase):
    def test_a_million_signs_of_life(self):
        """They cost no memory, and the connection still takes a file."""
        connection = self.greeted()
        before = self.server.peak_memory()
        portion = encode(ALIVE) * 10_000
        for _ in range(100):
            connection.send(portion)
        self.assert_goes_on(connection)
        self.assertLess(self.server.peak_memory() - before, 16 * MIB)
        self.assert_harmless()


if __name__ == "__main__":
    unittest.main()
