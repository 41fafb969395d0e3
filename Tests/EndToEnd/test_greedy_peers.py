"""A peer that allows much, or says much, does not get the other side's memory or descriptors."""

import contextlib
import os
import select
import socket
import subprocess
import time
import unittest

from abuse import AbuseCase, reset
from fake_server import FakeServer
from frames import ALIVE, CHUNK, OFFER, encode
from scripts import MIB, PROTOCOL, RETRY, HostileServerCase, accept, confirm
from support import FXFER, ONCE, PATIENCE, finish
from test_broken_server import peak_memory

MOST_FILES = 65535
OPEN_AT_ONCE = 256
#: Files that are opened and read while the others are sent.
AHEAD = 16
MEMORY = 96 * MIB


class GenerousServerTest(HostileServerCase):
    def open_sources(self):
        """How many of the files in the test's folder the client has open just now."""
        folder = f"/proc/{self.client.pid}/fd"
        count = 0
        with contextlib.suppress(OSError):  # It ends in the meantime, or closes one.
            for descriptor in os.listdir(folder):
                with contextlib.suppress(FileNotFoundError):
                    count += os.readlink(f"{folder}/{descriptor}").startswith(str(self.folder))
        return count

    def watch(self, connection):
        """Reads what the client says until it gives up, and notes what it holds at that."""
        connection.welcome(files=MOST_FILES)
        while self.client.poll() is None:
            if select.select([connection.socket], [], [], 0.02)[0]:
                found = connection.receive()
                self.offers += found.kind == OFFER
                if self.answers and found.kind == OFFER:
                    connection.send(accept(id=found.id))
                if self.answers and found.kind == CHUNK:
                    connection.send(confirm(found.offset + found.length, id=found.id))
            self.memory = max(self.memory, peak_memory(self.client))
            self.sources = max(self.sources, self.open_sources())

    def assert_modest(self, size, *, answers):
        """Sends 300 files of that size to a server that never gives a receipt; the client keeps its own bounds."""
        self.answers = answers
        files = [self.file(f"s{number}", b"") for number in range(300)]
        for file in files:
            os.truncate(file, size)
        self.memory = self.sources = self.offers = 0
        with FakeServer(self.watch) as server:
            command = [FXFER, "send", *ONCE, "--quiet", "--timeout", "2", *map(str, files), server.address]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as self.client:
                output, errors = finish(self.client)
        self.assertEqual((self.client.returncode, output), (RETRY, ""), errors)
        self.assertGreater(self.offers, 1)
        self.assertLessEqual(self.offers, OPEN_AT_ONCE)
        self.assertGreater(self.sources, 1)
        self.assertLessEqual(self.sources, OPEN_AT_ONCE + AHEAD)
        self.assertGreater(self.memory, MIB)
        self.assertLess(self.memory, MEMORY)

    def test_no_answers_at_all(self):
        """A server that allows 65535 files at once and answers nothing gets 256 of them at most, of a chunk each."""
        self.assert_modest(MIB, answers=False)

    def test_no_receipts(self):
        """A server that takes all chunks of very many files but never gives a receipt gets no more, either."""
        self.assert_modest(2 * MIB + 1, answers=True)

    def test_chunks_that_were_not_wished_for(self):
        """A server that names a larger chunk than the client's wish is not believed (76)."""

        def play(connection):
            connection.welcome(files=MOST_FILES, largest_chunk=16 * MIB)
            connection.drain()

        for size in (5, 5 * MIB):
            with self.subTest(size=size):
                self.assert_fails(self.send(bytes(size), play, "--timeout", "5"), PROTOCOL)


class FloodTest(AbuseCase):
    def flood(self, streams, data):
        """Sends all of `data` on each, as fast as the server takes it."""
        left = {stream: memoryview(data) for stream in streams}
        deadline = time.monotonic() + PATIENCE
        while left and time.monotonic() < deadline:
            for stream in select.select([], list(left), [], PATIENCE)[1]:
                try:
                    left[stream] = left[stream][stream.send(left[stream][: 1 << 18]) :]
                except ConnectionError:
                    left[stream] = b""  # The server has had enough, which it may.
                if not left[stream]:
                    del left[stream]
        self.assertEqual(len(left), 0, "the server takes no more and ends nothing")

    def test_signs_of_life_without_end(self):
        """60 connections that say nothing but ALIVE, 60,000 times each, do not fill the server's memory."""
        connections = [self.greeted() for _ in range(60)]
        for connection in connections:
            connection.socket.setblocking(False)
        self.flood([connection.socket for connection in connections], encode(ALIVE) * 60_000)
        self.assert_serves(self.server)
        self.assertLess(self.server.peak_memory(), 100 * MIB)
        for number, connection in enumerate(connections):
            (socket.socket.close if number % 2 else reset)(connection.socket)
        self.assert_harmless()


if __name__ == "__main__":
    unittest.main()
