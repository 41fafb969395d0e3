"""`fxfer verify`: what was stored is read again and compared with the ledger."""

import json
import os
import random
import shutil
import signal
import subprocess
import threading
import unittest

from storing import LedgerCase, entries, flip
from support import FXFER, PATIENCE, Server, run

MIB = 1 << 20


class VerifyCase(LedgerCase):
    def setUp(self):
        super().setUp()
        self.write("big", random.Random(1).randbytes(5 * MIB + 12345))
        for number in range(10):
            self.write(f"tree/f{number}", b"content %d" % number)
        with Server(self.out) as server:
            self.send(server, "big", "tree")

    def verify(self, *arguments, status, text=True):
        result = run("verify", str(self.out), *arguments, text=text)
        self.assertEqual(result.returncode, status, result)
        self.assertFalse(result.stderr, result.stderr)
        return result.stdout.splitlines()

    def objects(self, *arguments, status):
        return [json.loads(line) for line in self.verify("--json", *arguments, status=status)]


class Findings(VerifyCase):
    def test_all_is_as_stored(self):
        self.assertEqual(self.verify(status=0), ["11 files, 5.0 MiB: all as stored"])
        self.assertEqual(self.verify("-q", status=0), [])

    def test_damage_is_located(self):
        flip(self.out / "big", 3 * MIB + 5)
        flip(self.out / "big", 5 * MIB + 12344)
        end = 5 * MIB + 12345
        self.assertEqual(
            self.verify(status=65),
            [
                f"changed: big: bytes {3 * MIB} to {4 * MIB - 1}, {5 * MIB} to {end - 1}",
                "11 files, 5.0 MiB: 1 changed",
            ],
        )
        changed = self.objects(status=65)[0]
        self.assertEqual(
            changed,
            {"event": "changed", "name": "big", "ranges": [[3 * MIB, 4 * MIB], [5 * MIB, end]], "rewritten": False},
        )

    def test_without_kept_states_damage_is_found_all_the_same(self):
        shutil.rmtree(self.out / ".fxfer" / "states")
        self.assertEqual(self.verify(status=0), ["11 files, 5.0 MiB: all as stored"])
        flip(self.out / "big", 3 * MIB + 5)
        self.assertEqual(self.verify(status=65)[0], "changed: big")

    def test_any_changed_byte_is_found(self):
        generator = random.Random(2)
        files = [self.out / "big"] + sorted((self.out / "tree").iterdir())
        for _ in range(15):
            path = generator.choice(files)
            position, bit = generator.randrange(path.stat().st_size), generator.randrange(8)
            with self.subTest(path=path, position=position, bit=bit):
                flip(path, position, bit=bit)
                name = str(path.relative_to(self.out))
                self.assertIn(name, self.verify("-q", status=65)[0])
                flip(path, position, bit=bit)
        self.verify(status=0)

    def test_any_changed_byte_of_the_ledger_is_found(self):
        generator = random.Random(3)
        for name in ("ledger.jsonl", "ledger.head"):
            path = self.out / ".fxfer" / name
            for _ in range(10):
                position, bit = generator.randrange(path.stat().st_size), generator.randrange(8)
                with self.subTest(name=name, position=position, bit=bit):
                    flip(path, position, bit=bit)
                    self.assertTrue(any(line.startswith("ledger: ") for line in self.verify("-q", status=65)))
                    flip(path, position, bit=bit)
        self.verify(status=0)

    def test_removed_and_moved_lines_are_named(self):
        lines = self.ledger.read_bytes().splitlines(keepends=True)
        self.ledger.write_bytes(b"".join(lines[:3] + lines[4:]))
        self.assertIn("line 4: it does not follow", self.verify(status=65)[0])
        self.ledger.write_bytes(b"".join([lines[1], lines[0]] + lines[2:]))
        self.assertIn("line 1: it does not follow", self.verify(status=65)[0])
        self.ledger.write_bytes(b"".join(lines[:-1]))
        self.assertIn("lines are missing at the end", self.verify(status=65)[0])

    def test_what_is_missing_shortened_or_written_anew_is_named(self):
        (self.out / "tree" / "f1").unlink()
        (self.out / "tree" / "f2").write_bytes(b"something else")
        os.truncate(self.out / "big", 4 * MIB)
        (self.out / "tree" / "f3").unlink()
        (self.out / "tree" / "f3").symlink_to("f4")
        found = {line["name"]: line for line in self.objects(status=65) if "name" in line}
        self.assertEqual(
            {name: line["event"] for name, line in found.items()},
            {"tree/f1": "missing", "tree/f2": "changed", "big": "changed", "tree/f3": "unreadable"},
        )
        self.assertTrue(found["tree/f2"]["rewritten"])
        self.assertEqual(found["big"]["ranges"], [[4 * MIB, 5 * MIB + 12345]])

    def test_a_file_that_was_put_there_by_hand_is_told_and_left_alone(self):
        path = self.out / "tree" / "by hand\n\x1b[31m"
        path.write_bytes(b"mine")
        lines = self.verify(status=65)
        self.assertEqual(lines, ["unknown: tree/by hand\\x0a\\x1b[31m", "11 files, 5.0 MiB: 1 unknown"])
        self.assertEqual(path.read_bytes(), b"mine")
        self.verify("--unknown", "ignore", status=0)

    def test_unknown_files_can_be_adopted(self):
        (self.out / "by hand").write_bytes(b"mine")
        (self.out / "odd\nname").write_bytes(b"mine")
        self.assertEqual(
            self.verify("--unknown", "adopt", status=65),
            ["adopted: by hand", "unknown: odd\\x0aname: not adopted: its name has a control byte", "11 files, 5.0 MiB: 1 unknown, 1 adopted"],
        )
        (self.out / "odd\nname").unlink()
        self.verify(status=0)
        self.assertEqual(entries(self.out)[-1]["path"], "by hand")
        self.assertNotIn("address", entries(self.out)[-1])
        flip(self.out / "by hand", 0)
        self.assertEqual(self.verify("-q", status=65), ["changed: by hand"])

    def test_only_what_is_asked_for_is_read(self):
        flip(self.out / "big", 0)
        self.assertEqual(self.verify("tree", status=0), ["10 files, 90 B: all as stored"])
        self.assertEqual(self.verify("tree/f1", "tree/f2/", status=0), ["2 files, 18 B: all as stored"])
        self.assertEqual(len(self.verify("tree", "big", status=65)), 2)
        self.assertEqual(len(self.verify("--since", "1h", status=65)), 2)
        result = run("verify", str(self.out), "../out")
        self.assertEqual(result.returncode, 64)

    def test_a_read_error_is_named_and_the_rest_goes_on(self):
        flip(self.out / "tree" / "f5", 0)
        wrapper = ("strace", "-f", "-qq", "-o", "/dev/null", "-P", str(self.out / "big"), "-e", "inject=pread64:error=EIO")
        if not shutil.which("strace"):
            self.skipTest("strace is not installed")
        result = run("verify", str(self.out), wrapper=wrapper)
        self.assertEqual(result.returncode, 65, result)
        lines = result.stdout.splitlines()
        self.assertIn("cannot read 'big' from byte 0 on: Input/output error", lines[0])
        self.assertEqual(lines[1:], ["changed: tree/f5", "11 files, 5.0 MiB: 1 changed, 1 unreadable"])

    def test_a_path_that_nobody_knows_is_no_success(self):
        for path in ["nosuch", "tree/nosuch", "out/tree", "tree/f"]:
            result = run("verify", str(self.out), "tree", path)
            self.assertEqual((result.returncode, result.stdout), (66, ""), result)
            self.assertIn(f"'{path}'", result.stderr)
        for path in ["./tree", "tree//", "tree/f1", "."]:
            self.verify(path, status=0)
        (self.out / "by hand").write_bytes(b"mine")
        self.assertEqual(self.verify("by hand", status=65)[0], "unknown: by hand")

    def test_failures_are_json_too(self):
        result = run("verify", "--json", str(self.out), "nosuch")
        self.assertEqual(result.returncode, 66)
        event = json.loads(result.stdout)
        self.assertEqual((event["event"], event["code"], event["status"]), ("error", "no-input", 66))

    def test_unknown_files_are_not_looked_for_by_time(self):
        (self.out / "by hand").write_bytes(b"mine")
        self.verify("--since", "1h", status=0)
        result = run("verify", "--since", "1h", "--unknown", "adopt", str(self.out))
        self.assertEqual((result.returncode, result.stdout), (64, ""))

    def test_the_loss_of_the_ledger_or_of_its_head_is_told(self):
        head = self.out / ".fxfer" / "ledger.head"
        kept = head.read_bytes()
        head.unlink()
        self.assertIn("ledger.head is missing", self.verify(status=65)[0])
        with Server(self.out):
            pass
        self.assertEqual(head.read_bytes(), kept)
        self.verify(status=0)
        content = self.ledger.read_bytes()
        self.ledger.unlink()
        result = run("verify", str(self.out))
        self.assertEqual((result.returncode, result.stdout), (65, ""))
        self.assertIn(f"is gone, and had {len(content)} bytes", result.stderr)
        served = run("serve", "--dir", str(self.out), "--listen", "127.0.0.1:0")
        self.assertEqual(served.returncode, 65, served.stderr)
        self.assertFalse(self.ledger.exists())
        self.ledger.write_bytes(content)
        self.verify(status=0)

    def test_without_a_ledger_nothing_is_verified(self):
        result = run("verify", str(self.root))
        self.assertEqual((result.returncode, result.stdout, result.stderr.count("\n")), (66, "", 1))


class Meanwhile(VerifyCase):
    def test_uploads_that_replace_files_do_not_look_like_damage(self):
        for number in range(40):
            self.write(f"many/f{number}", b"old")
        done = threading.Event()
        with Server(self.out, "--on-conflict", "replace") as server:

            def replace():
                for version in range(25):
                    for number in range(40):
                        self.write(f"many/f{number}", b"version %d" % version)
                    self.write("big", bytes([version]) * (2 * MIB))
                    self.send(server, "many", "big")
                done.set()

            sender = threading.Thread(target=replace)
            sender.start()
            verified = 0
            while not done.is_set() or verified == 0:
                self.assertEqual(self.verify("-q", status=0), [])
                verified += 1
            sender.join(PATIENCE)
        self.verify(status=0)

    def test_it_can_be_interrupted(self):
        process = subprocess.Popen(
            [FXFER, "verify", "--limit-rate", "64K", str(self.out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        # It has opened what it reads slowly, and so listens to signals.
        while not any(
            link.endswith("/big")
            for link in (self.links(process.pid))
        ):
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, out), (130, ""))
        self.assertEqual(error.count("\n"), 1)

    def test_signals_that_are_to_be_ignored_are_ignored(self):
        for name in ("SIGHUP", "SIGINT"):
            number = getattr(signal, name)
            process = subprocess.Popen(
                [FXFER, "verify", "--limit-rate", "2M", str(self.out)],
                stdout=subprocess.PIPE,
                text=True,
                preexec_fn=lambda: signal.signal(number, signal.SIG_IGN),
            )
            while not any(link.endswith("/big") for link in self.links(process.pid)):
                self.assertIsNone(process.poll())
            process.send_signal(number)
            out, _ = process.communicate(timeout=PATIENCE)
            self.assertEqual((process.returncode, out), (0, "11 files, 5.0 MiB: all as stored\n"))

    @staticmethod
    def links(pid):
        found = []
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
            except FileNotFoundError:
                pass
        return found


if __name__ == "__main__":
    unittest.main()
