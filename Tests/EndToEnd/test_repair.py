"""Bytes that change on the way: what is damaged is sent again, and nothing else is but what was on its way already."""

import os
import random
import unittest

from relay import DOWN, UP
from resuming import MIB, ResumeCase, events
from sending import Sending
from support import run, sha256

GIB = 1 << 30
DAMAGED = 65
#: Chunks that may be on their way behind a damaged one: the sender's window.
WINDOW = 64


class RepairTest(ResumeCase):
    options = ("--share",)

    def sparse_noise(self, path, size, seed):
        """A file of that size of zeros, with some random blocks: cheap, and no two parts of it are alike."""
        source = self.sparse(path, size)
        noise = random.Random(seed)
        with open(source, "r+b") as file:
            for offset in range(0, size, 8 * MIB):
                file.seek(offset)
                file.write(noise.randbytes(min(4096, size - offset)))
        return source

    def test_a_byte_flipped_every_50_mb_of_a_gibibyte(self):
        source = self.sparse_noise("source", GIB, 1)
        flips = range(50_000_000, GIB, 50_000_000)
        relay = self.relay(flips=flips)
        client = Sending(os.fspath(source), relay.address)
        status, errors = client.wait()
        self.assertEqual(status, 0, errors)
        receipt = client.events[-1]
        self.assertEqual((receipt["event"], receipt["repairs"]), ("receipt", len(flips)))
        self.assertEqual(receipt["sha256"], sha256(source))
        self.assertRegex(errors, rf"\Afxfer: 'source': {len(flips)} parts [^\n]*\n\Z")
        self.assertEqual(relay.flipped, len(flips))
        # Sent again: the damaged chunk, and those behind it that were on their way when REWIND came.
        self.assertGreaterEqual(relay.payload, GIB + len(flips) * MIB)
        self.assertLessEqual(relay.payload, GIB + len(flips) * WINDOW * MIB)
        self.assertEqual((len(relay.passages), events(client, "retry")), (1, []))
        self.assert_only({"source": source})

    def test_without_json_the_remark_is_on_stderr_and_the_line_on_stdout(self):
        source = self.noise("source", 5 * MIB)
        relay = self.relay(flips=[3 * MIB + 1])
        result = run("send", str(source), relay.address)
        self.assertEqual((result.returncode, result.stdout), (0, f"{sha256(source)}  source\n"))
        self.assertRegex(result.stderr, r"\Afxfer: 'source': 1 part [^\n]*\n\Z")

    def test_a_flip_in_a_file_that_is_sent_without_waiting(self):
        for size, place in [(1, 0), (1000, 500), (MIB, MIB - 1)]:
            source = self.noise(f"source-{size}", size)
            relay = self.relay(flips=[place])
            client = Sending(os.fspath(source), relay.address)
            self.assertEqual(client.wait()[0], 0, client.events)
            self.assertEqual((client.events[-1]["repairs"], relay.payload), (1, 2 * size))
            self.assertEqual(self.server.published()[source.name.encode()], sha256(source))

    def test_a_download_is_repaired_too(self):
        shared = self.sparse_noise("out/shared", 128 * MIB, 2)
        flips = range(10_000_000, 128 * MIB, 20_000_000)
        relay = self.relay(flips=flips, flip_direction=DOWN)
        copy = self.folder / "copy"
        result = run("get", "--json", f"{relay.address}/shared", "--output", str(copy))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f'"repairs":{len(flips)}', result.stdout)
        self.assertEqual(sha256(copy), sha256(shared))

    def test_what_is_damaged_again_and_again_is_given_up(self):
        """After eight tries at one place; nothing is published, and trying another connection is of no use."""
        for size, place in [(8 * MIB, 3 * MIB + 5), (8 * MIB, 0), (8 * MIB, 8 * MIB - 1), (1000, 0)]:
            with self.subTest(size=size, place=place):
                source = self.noise(f"source-{size}-{place}", size)
                relay = self.relay(flips=[place], stubborn=True)
                client = Sending(os.fspath(source), relay.address)
                status, errors = client.wait()
                self.assertEqual(status, DAMAGED, errors)
                error = client.events[-1]
                self.assertEqual((error["event"], error["code"], error["status"]), ("error", "damaged", DAMAGED))
                self.assertRegex(errors, r"\Afxfer: [^\n]*source[^\n]*\n\Z")
                self.assertIn(relay.flipped, (8, 9))
                self.assertEqual(len(relay.passages), 1)
                self.assertEqual(self.server.published(), {})
                # Nothing is wrong with what was verified: an undamaged way goes on from there.
                offset, _ = self.send_again(source)
                self.assertIn(offset, (0, place // MIB * MIB))
                (self.server.directory / source.name).unlink()
        self.assertEqual(self.leftovers(), [])


if __name__ == "__main__":
    unittest.main()
