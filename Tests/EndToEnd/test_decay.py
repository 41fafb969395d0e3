"""Stored files that have decayed: sent again, or got from another server, only what is damaged is replaced."""

import json
import os
import random
import shutil
import unittest

from relay import DOWN
from resuming import MIB, ResumeCase
from sending import Sending
from storing import entries, flip
from support import Server, run, sha256
from tracing import Trace

DAMAGED = 65


class DecayCase(ResumeCase):
    """A server that has stored `big`, of 5 MiB and a bit, and `small`."""

    options = ("--share",)

    def setUp(self):
        super().setUp()
        self.big = self.noise("big", 5 * MIB + 12345)
        self.small = self.noise("small", 5000)
        self.out = self.server.directory
        self.assertEqual(run("send", str(self.big), str(self.small), self.server.address).returncode, 0)

    def assert_whole(self):
        self.assertEqual(run("verify", str(self.out)).returncode, 0)
        self.assert_only({"big": self.big, "small": self.small})

    def send(self, *arguments, relay=None, status=0):
        """Answers the last event."""
        client = Sending(*map(str, arguments), (relay or self.server).address)
        found, errors = client.wait()
        self.assertEqual(found, status, errors)
        self.errors = errors
        return client.events[-1]


class BySending(DecayCase):
    def test_only_what_is_damaged_travels(self):
        flip(self.out / "big", 7, MIB + 5, MIB + 900000, 5 * MIB + 12344)
        before = (self.out / "big").stat()
        relay = self.relay()
        receipt = self.send(self.big, relay=relay)
        self.assertEqual((receipt["outcome"], receipt["repairedChunks"], receipt["repairs"]), ("repaired", 3, 0))
        self.assertEqual(receipt["sha256"], sha256(self.big))
        self.assertEqual(relay.payload, 2 * MIB + 12345)
        self.assertEqual(self.errors, "fxfer: 'big' had decayed there: 3 damaged chunks replaced\n")
        self.assertNotEqual((self.out / "big").stat().st_ino, before.st_ino)
        self.assert_whole()
        last = entries(self.out)[-1]
        self.assertEqual((last["path"], last["sha256"]), ("big", sha256(self.big)))
        with self.server:
            pass
        self.assertIn("outcome=repaired", self.server.log)
        self.assertIn("repaired-chunks=3", self.server.log)

    def test_who_reads_the_old_file_goes_on_reading_the_old_file(self):
        flip(self.out / "big", MIB)
        with open(self.out / "big", "rb") as held:
            damaged = held.read()
            self.send(self.big)
            held.seek(0)
            self.assertEqual(held.read(), damaged)
        self.assert_whole()

    def test_a_small_file_is_replaced_whole(self):
        flip(self.out / "small", 17)
        receipt = self.send(self.small)
        self.assertEqual((receipt["outcome"], receipt["repairedChunks"]), ("repaired", 1))
        self.assertEqual(self.errors, "fxfer: 'small' had decayed there: 1 damaged chunk replaced\n")
        self.assert_whole()

    def test_any_damage_is_repaired(self):
        generator = random.Random(3)
        for _ in range(12):
            places = [generator.randrange(self.big.stat().st_size) for _ in range(generator.randrange(1, 8))]
            flip(self.out / "big", *places, bit=generator.randrange(8))
            chunks = len({place // MIB for place in places})
            # Two flips of one bit may have taken each other back.
            receipt = self.send(self.big)
            if receipt["outcome"] == "repaired":
                self.assertEqual(receipt["repairedChunks"], chunks)
            self.assert_whole()

    def test_without_kept_states_everything_is_replaced(self):
        shutil.rmtree(self.out / ".fxfer" / "states")
        flip(self.out / "big", 2 * MIB)
        relay = self.relay()
        receipt = self.send(self.big, relay=relay)
        self.assertEqual((receipt["outcome"], receipt["repairedChunks"]), ("repaired", 6))
        self.assertEqual(relay.payload, self.big.stat().st_size)
        self.assert_whole()

    def test_states_that_lie_do_no_harm(self):
        for name in os.listdir(self.out / ".fxfer" / "states"):
            flip(self.out / ".fxfer" / "states" / name, 100, 150)
        flip(self.out / "big", 2 * MIB + 1)
        self.assertEqual(self.send(self.big)["outcome"], "repaired")
        self.assert_whole()

    def test_chunks_of_another_size_and_damage_on_the_way(self):
        flip(self.out / "big", 3 * MIB, 4 * MIB + 77)
        relay = self.relay(flips=[3 * MIB + 300_000])
        receipt = self.send("--limit-rate", "40M", self.big, relay=relay)
        self.assertEqual((receipt["outcome"], receipt["repairedChunks"], receipt["repairs"]), ("repaired", 2, 1))
        self.assert_whole()

    def test_each_rule_for_names_that_are_taken_repairs(self):
        for rule in ["refuse", "replace", "keep-both"]:
            with self.subTest(rule), Server(self.out, "--on-conflict", rule) as server:
                flip(self.out / "big", 2 * MIB)
                flip(self.out / "small", 2)
                result = run("send", "--json", str(self.big), str(self.small), server.address)
                receipts = [json.loads(line) for line in result.stdout.splitlines() if '"receipt"' in line]
                self.assertEqual([receipt["outcome"] for receipt in receipts], ["repaired", "repaired"], result)
                self.assert_whole()

    def test_a_file_that_somebody_wrote_to_is_left_as_it_is(self):
        for name in ["big", "small"]:
            changed = bytearray((self.out / name).read_bytes())
            changed[3] ^= 1
            (self.out / name).write_bytes(changed)
            source = self.folder / name
            event = self.send(source, status=73)
            self.assertEqual((event["event"], event["code"]), ("error", "exists"))
            self.assertEqual((self.out / name).read_bytes(), changed)

    def test_other_content_repairs_nothing(self):
        flip(self.out / "big", 2 * MIB)
        flip(self.out / "small", 2)
        damaged = self.server.published()
        for name in ["big", "small"]:
            other = bytearray((self.folder / name).read_bytes())
            other[1] ^= 1
            source = self.folder / "other" / name
            source.parent.mkdir(exist_ok=True)
            source.write_bytes(other)
            self.send(source, status=73)
        self.assertEqual(self.server.published(), damaged)

    def test_the_damaged_content_itself_makes_nothing_right(self):
        flip(self.out / "big", 2 * MIB)
        (self.folder / "copy").mkdir()
        flip(self.out / "small", 9)
        before = entries(self.out)
        for name in ["big", "small"]:
            damaged = self.folder / "copy" / name
            shutil.copy(self.out / name, damaged)
            event = self.send(damaged, status=73)
            self.assertIn("has decayed to this", event["message"])
            self.assertEqual(entries(self.out), before)
        # Who may replace files may do that, too.
        with Server(self.out, "--on-conflict", "replace") as server:
            self.assertEqual(run("send", str(damaged), server.address).returncode, 0)
        self.assertEqual(entries(self.out)[-1]["sha256"], sha256(damaged))

    def test_a_file_whose_name_nobody_has_stored_is_not_repaired(self):
        shutil.copy(self.out / "big", self.out / "copied")
        flip(self.out / "copied", 1)
        self.send("--as", "copied", self.big, status=73)

    def test_interrupted_it_leaves_the_old_file(self):
        flip(self.out / "big", *range(0, 5 * MIB, MIB))
        damaged = self.server.published()
        self.interrupt(self.big, 2 * MIB + 5)
        self.assertEqual(self.server.published(), damaged)
        self.assertEqual(self.leftovers(), [])
        self.assertEqual(self.send(self.big)["repairedChunks"], 5)
        self.assert_whole()

    def test_receipts_of_repaired_files_are_signed(self):
        flip(self.out / "big", 2 * MIB)
        receipts = self.folder / "receipts"
        receipts.mkdir()
        self.send("--receipts", receipts, self.big)
        result = run("receipt", "verify", str(receipts / "big.receipt.json"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads((receipts / "big.receipt.json").read_text())["outcome"], "replaced")


@unittest.skipUnless(shutil.which("strace"), "strace is not installed")
class Unreadable(DecayCase):
    """The disk does not give a file any more."""

    def failing(self, name):
        """Every read of what has that name when this begins fails, and no other."""
        return ("-P", str(self.out / name), "-e", "inject=pread64:error=EIO")

    def test_it_is_stored_anew_when_it_is_sent(self):
        for name in ["big", "small"]:
            source = self.folder / name
            with Trace(self.server.pid, *self.failing(name)):
                result = run("send", "--json", str(source), self.server.address)
            self.assertEqual(result.returncode, 0, result.stderr)
            receipt = json.loads(result.stdout.splitlines()[-1])
            chunks = {"big": 6, "small": 1}[name]
            self.assertEqual((receipt["outcome"], receipt["repairedChunks"]), ("repaired", chunks))
            self.assertEqual(self.leftovers(), [])
        self.assert_whole()

    def test_other_content_is_refused(self):
        before = self.server.published()
        other = self.noise("other", 5 * MIB + 12345)
        with Trace(self.server.pid, *self.failing("big")):
            result = run("send", "--as", "big", str(other), self.server.address)
        self.assertEqual((result.returncode, result.stdout), (73, ""))
        self.assertEqual(self.server.published(), before)

    def test_it_is_repaired_from_another_server(self):
        mirror = self.folder / "mirror"
        shutil.copytree(self.out, mirror, ignore=shutil.ignore_patterns(".fxfer"))
        with Server(mirror, "--share") as other:
            for name, chunks in [("big", "6 damaged chunks"), ("small", "1 damaged chunk")]:
                arguments = ["verify", "--repair-from", other.address, str(self.out)]
                wrapper = ("strace", "-f", "-qq", "-o", "/dev/null", *self.failing(name))
                result = run(*arguments, wrapper=wrapper)
                self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
                lines = result.stdout.splitlines()
                self.assertIn(f"cannot read '{name}' from byte 0 on: Input/output error", lines[0])
                self.assertEqual(lines[1:], [f"repaired: {name}: {chunks} replaced", "2 files, 5.0 MiB: 1 repaired, 1 unreadable"])
        self.assert_whole()


class FromAServer(DecayCase):
    """`fxfer verify --repair-from`"""

    def setUp(self):
        super().setUp()
        self.mirror = self.folder / "mirror"
        shutil.copytree(self.out, self.mirror, ignore=shutil.ignore_patterns(".fxfer"))
        self.other = self.enterContext(Server(self.mirror, "--share"))

    def verify(self, address, *arguments, status):
        result = run("verify", *arguments, "--repair-from", address, str(self.out))
        self.assertEqual(result.returncode, status, result)
        self.assertEqual(result.stderr, "")
        return result.stdout.splitlines()

    def test_only_what_is_damaged_travels(self):
        os.chmod(self.out / "big", 0o640)
        before = (self.out / "big").stat()
        flip(self.out / "big", 7, 3 * MIB)
        flip(self.out / "small", 8)
        os.utime(self.mirror / "big", ns=(5, 5))
        relay = self.enterContext(type(self.relay())(self.other.port))
        lines = self.verify(relay.address, status=0)
        self.assertEqual(lines[:2], [f"changed: big: bytes 0 to {MIB - 1}, {3 * MIB} to {4 * MIB - 1}", "changed: small"])
        repaired = ["repaired: big: 2 damaged chunks replaced", "repaired: small: 1 damaged chunk replaced"]
        self.assertEqual(sorted(lines[2:4]), repaired)
        self.assertEqual(lines[4:], ["2 files, 5.0 MiB: 2 changed, 2 repaired"])
        self.assertEqual(sum(passage.payload[DOWN] for passage in relay.passages), 2 * MIB + 5000)
        after = (self.out / "big").stat()
        self.assertEqual((after.st_mode, after.st_mtime_ns), (before.st_mode, before.st_mtime_ns))
        self.assertNotEqual(after.st_ino, before.st_ino)
        self.assertEqual({entry["address"] for entry in entries(self.out)[-2:]}, {"127.0.0.1"})
        self.assert_whole()

    def test_a_folder_there_and_json(self):
        (self.mirror / "backup").mkdir()
        os.rename(self.mirror / "big", self.mirror / "backup" / "big")
        flip(self.out / "big", 7)
        lines = self.verify(self.other.address + "/backup", "--json", status=0)
        events = [json.loads(line) for line in lines]
        self.assertEqual(events[1], {"event": "repaired", "name": "big", "chunks": 1})
        self.assertEqual((events[2]["changed"], events[2]["repaired"]), (1, 1))
        self.assert_whole()

    def test_what_cannot_be_repaired_is_told_and_left_as_it_is(self):
        flip(self.out / "big", 7)
        flip(self.mirror / "big", 8)
        flip(self.out / "small", 7)
        damaged = self.server.published()
        os.remove(self.mirror / "small")
        lines = self.verify(self.other.address, status=DAMAGED)
        self.assertIn("not repaired: big: the other server's file is not what was stored here", lines)
        self.assertIn("not repaired: small: the other server has no such file", lines)
        self.assertEqual(lines[-1], "2 files, 5.0 MiB: 2 changed, 2 not repaired")
        self.assertEqual(self.server.published(), damaged)
        lines = self.verify("127.0.0.1:1", status=DAMAGED)
        self.assertTrue(lines[2].startswith("not repaired: big: cannot connect to 127.0.0.1:1"), lines)
        (self.mirror / "big").write_bytes(b"shorter")
        lines = self.verify(self.other.address, "--json", status=DAMAGED)
        self.assertIn("is not what was stored here", "".join(lines))
        self.assertEqual(self.server.published(), damaged)

    def test_a_server_that_does_not_share_is_told(self):
        flip(self.out / "big", 7)
        with Server(self.folder / "closed") as closed:
            lines = self.verify(closed.address, status=DAMAGED)
        self.assertTrue(lines[1].startswith("not repaired: big: this server does not share its files"), lines)

    def test_what_was_written_to_or_is_missing_is_not_touched(self):
        (self.out / "big").write_bytes(b"mine")
        (self.out / "small").unlink()
        lines = self.verify(self.other.address, status=DAMAGED)
        self.assertEqual(len(lines), 3, lines)
        self.assertEqual((self.out / "big").read_bytes(), b"mine")
        self.assertFalse((self.out / "small").exists())

    def test_trust_options_need_a_server(self):
        result = run("verify", "--plaintext", str(self.out))
        self.assertEqual(result.returncode, 64)
        self.assertIn("--repair-from", result.stderr)
