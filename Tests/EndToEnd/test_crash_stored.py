"""What looks after stored files is killed at each of its calls: repairs, adoption, signed receipts."""

import os
import random
import shutil
import unittest

from crashing import *
from storing import flip
from support import ONCE, figures, sha256
from test_crash_calls import RETRY, total
from trees import plant

MIB = 1 << 20


class RepairTest(CrashCase):
    """A decayed file is sent again, or brought back from another server, and who repairs it is killed."""

    def setUp(self):
        super().setUp()
        self.source = self.file("f", random.Random(1).randbytes(3 * MIB + 5))
        self.right = {"f": sha256(self.source)}
        self.template = self.folder / "template"
        server = self.server(self.template, "--share")
        self.assert_sent(self.source, server.address)
        self.assert_in_order(server, self.right)
        self.decayed = self.folder / "decayed"
        shutil.copytree(self.template, self.decayed)
        flip(self.decayed / "f", 5, 2 * MIB + 7)
        self.wrong = digests(self.decayed)
        self.assertNotEqual(self.wrong, self.right)

    def copy(self, call, number):
        out = self.folder / f"out-{call}-{number}"
        shutil.copytree(self.decayed, out)
        return out

    def check_server(self, call, number):
        out = self.copy(call, number)
        server = self.server(out)
        injector = self.watched(server, call, number)
        result = run("send", *ONCE, os.fspath(self.source), server.address)
        self.assertIn(result.returncode, (0, RETRY), result.stderr)
        was_killed = result.returncode != 0 or injector.disarm()
        injector.close()
        self.crash(server)
        self.assertIn(digests(out), [self.right] if result.returncode == 0 else [self.right, self.wrong])
        server = self.server(out)
        self.assertIn(digests(out), [self.right] if result.returncode == 0 else [self.right, self.wrong])
        self.assertEqual(self.assert_sent(self.source, server.address), self.right)
        self.assert_in_order(server, self.right)
        shutil.rmtree(out)
        return was_killed

    def check_verify(self, call, number):
        out = self.copy(call, number)
        repair = ("verify", os.fspath(out), "--repair-from", self.other.address)
        was_killed, result = self.killed(call, number, *repair)
        self.assertIn(digests(out), [self.right] if result.returncode == 0 else [self.right, self.wrong])
        self.assertEqual(was_killed, result.returncode != 0, result.stderr)
        result = run(*repair)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assert_in_order(self.server(out), self.right)
        shutil.rmtree(out)
        return was_killed

    def test_every_call_of_a_server_that_repairs(self):
        kills = self.sweep(SWEPT, self.check_server)
        figures("kills of a server that repairs", **total(kills))
        self.assertGreater(kills["pwrite64"], 0)

    def test_every_call_of_a_repair_from_another_server(self):
        self.other = self.server(self.template, "--share")
        kills = self.sweep(SWEPT, self.check_verify)
        figures("kills of a repair from another server", **total(kills))
        self.assertGreater(kills["pwrite64"], 0)


class AdoptionTest(CrashCase):
    def check(self, call, number):
        out = self.folder / f"out-{call}-{number}"
        shutil.copytree(self.template, out)
        was_killed, result = self.killed(call, number, "verify", out, "--unknown", "adopt")
        self.assertEqual(was_killed, result.returncode != 0, result.stderr)
        self.assertEqual(digests(out), self.expected)
        # What is not in the ledger yet is unknown still, and nothing is wrong.
        self.assertEqual(run("verify", os.fspath(out), "--unknown", "ignore").returncode, 0)
        result = run("verify", os.fspath(out), "--unknown", "adopt")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assert_recorded(self.expected, out)
        self.assert_in_order(self.server(out), self.expected)
        shutil.rmtree(out)
        return was_killed

    def test_every_call_of_an_adoption(self):
        self.template = self.folder / "template"
        server = self.server(self.template)
        self.assert_sent(self.file("f"), server.address)
        server.__exit__()
        plant(self.template, {f"by-hand/f{place}": b"%d" % place for place in range(20)})
        self.expected = digests(self.template)
        kills = self.sweep(SWEPT, self.check)
        figures("kills of an adoption", **total(kills))
        self.assertGreater(kills["pwrite64"], 0)


class SignedReceiptsTest(CrashCase):
    """A client that keeps signed receipts is killed: for each line that it has printed, there is one that proves it."""

    def check(self, call, number):
        kept = self.folder / f"kept-{call}-{number}"
        address = f"{self.running.address}/{call}-{number}"
        arguments = ("send", "--receipts", os.fspath(kept), os.fspath(self.tree), address)
        was_killed, result = self.killed(call, number, *arguments, *ONCE)
        self.assert_proven(receipts(result.stdout), kept)
        result = run(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(receipts(result.stdout)), 10)
        self.assert_proven(receipts(result.stdout), kept)
        shutil.rmtree(kept)
        return was_killed

    def assert_proven(self, promised, kept):
        self.assert_true(promised, self.running.directory)
        if promised:
            result = run("receipt", "verify", *(f"{kept / path}.receipt.json" for path in promised))
            self.assertEqual(result.returncode, 0, result.stderr)
            proven = [line.split(", ")[0:2] for line in result.stdout.splitlines()]
            self.assertEqual([digest for _, digest in proven], list(promised.values()))

    def test_every_call_of_a_client_that_keeps_receipts(self):
        self.tree = self.folder / "tree"
        plant(self.tree, {f"{place % 2}/f{place}": b"%d" % place * 100 for place in range(10)})
        self.running = self.server(self.folder / "out")
        kills = self.sweep(("openat2", "fsync", "renameat", "unlinkat", "pwrite64"), self.check)
        figures("kills of a client that keeps receipts", **total(kills))
        self.assertGreater(kills["renameat"], 0)


if __name__ == "__main__":
    unittest.main()
