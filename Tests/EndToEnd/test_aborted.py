"""Thousands of uploads that are broken off: what is kept of them is bounded, expires, and costs nothing else."""

import hashlib
import os
import socket
import unittest

import wire
from abuse import AbuseCase, reset
from frames import ACCEPT, CONFIRM, encode, offer
from support import LONG, figures, run
from waiting import eventually

KIB, MIB = 1 << 10, 1 << 20
COUNT = 10_000 if LONG else 400
KEPT = 2 * MIB


class AbortedTest(AbuseCase):
    options = ("--max-partials", str(KEPT), "--log-level", "error")

    def on_disk(self):
        """What the server's own folder takes on the disk, in bytes."""
        found = 0
        for folder, _, files in os.walk(self.server.directory / ".fxfer"):
            for name in files:
                try:
                    found += os.stat(os.path.join(folder, name)).st_blocks * 512
                except FileNotFoundError:
                    pass
        return found

    def break_off(self, number, content):
        """Some of each: none, one or two chunks verified, with FIN, RST or CANCEL, in the middle of a chunk or not."""
        connection = wire.connect(self.server.port).greet(64 * KIB)
        connection.send(offer(1, b"folder%d/f%d" % (number % 7, number), size=4 * MIB))
        connection.expect(ACCEPT)
        verified = number % 3 * 64 * KIB
        for end in range(64 * KIB, verified + 1, 64 * KIB):
            part = content[end - 64 * KIB : end]
            connection.send(wire.chunk(1, end - 64 * KIB, part, hashlib.sha256(content[:end]).digest()))
            connection.expect(CONFIRM)
        if number % 2:
            rest = wire.chunk(1, verified, content[: 64 * KIB], bytes(32))
            connection.send(rest[: 1000 * (number % 60)])
        elif number % 10 == 0:
            connection.send(encode(wire.CANCEL, id=1, code=40, message=b""))
        (reset if number % 4 < 2 else socket.socket.close)(connection.socket)

    def test_many(self):
        content, peak = os.urandom(192 * KIB), self.server.peak_memory()
        before, most = self.on_disk(), 0
        for number in range(COUNT):
            self.break_off(number, content)
            if number % 20 == 0:
                most = max(most, self.on_disk() - before)
        eventually(lambda: self.server.descriptors() <= self.descriptors, "all are gone")
        most = max(most, self.on_disk() - before)
        grown = self.server.peak_memory() - peak
        kept = len(self.server.partials())
        figures(self.id(), uploads=COUNT, most_on_disk_kib=most >> 10, grown_mib=grown >> 20, kept=kept)
        # What is on its way is not counted until it is broken off.
        self.assertLess(most, KEPT + MIB)
        self.assertLess(grown, 32 * MIB)
        self.assertGreater(kept, 5)
        self.assertEqual(self.server.published(), self.stored)
        self.server.__exit__()
        # What is too old is gone when the next server starts.
        for name in os.listdir(self.server.directory / ".fxfer/partials"):
            os.utime(self.server.directory / ".fxfer/partials" / name, (0, 0))
        other = self.serve(directory=self.server.directory)
        self.assertEqual(run("partials", str(other.directory)).stdout, "")
        self.assertEqual(other.partials(), [])
        self.assert_serves(other)
        self.assertEqual(other.published(), self.stored)


if __name__ == "__main__":
    unittest.main()
