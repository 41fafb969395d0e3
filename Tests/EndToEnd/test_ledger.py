"""The ledger: what a server writes down of all that it stores, and what is made of it."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import unittest

from storing import LedgerCase, entries
from support import FXFER, ONCE, PATIENCE, Server, copy_for_others, run, sha256
from tracing import Trace
from trees import NOBODY


class Entries(LedgerCase):
    def test_each_file_has_a_line(self):
        self.write("a.txt", b"hello\n")
        self.write("big", b"x" * (3 << 20))
        with Server(self.out) as server:
            self.send(server, "a.txt")
            self.send(server, "big")
        found = entries(self.out)
        self.assertEqual([entry["path"] for entry in found], ["a.txt", "big"])
        for entry in found:
            path = self.out / entry["path"]
            self.assertEqual(entry["size"], path.stat().st_size)
            self.assertEqual(entry["sha256"], sha256(path))
            seconds, nanoseconds = entry["mtime"].split(".")
            self.assertEqual(int(seconds) * 10**9 + int(nanoseconds), path.stat().st_mtime_ns)
            self.assertEqual(entry["address"], "127.0.0.1")
            self.assertEqual(entry["durability"], "durable")
            self.assertNotIn("token", entry)

    def test_the_name_of_the_token_is_in_it_and_the_token_is_not(self):
        token = run("token").stdout.strip()
        tokens = self.write("tokens", f"lab:{token}\n".encode())
        tokens.chmod(0o600)
        mine = self.write("mine", f"{token}\n".encode())
        mine.chmod(0o600)
        self.write("a.txt", b"hello\n")
        with Server(self.out, "--token-file", str(tokens)) as server:
            self.send(server, "a.txt", options=("--token-file", str(mine)))
        self.assertEqual([entry["token"] for entry in entries(self.out)], ["lab"])
        self.assertNotIn(token.encode(), self.ledger.read_bytes())

    def test_a_file_that_is_sent_again_has_no_second_line(self):
        self.write("a.txt", b"hello\n")
        self.write("big", b"x" * (3 << 20))
        with Server(self.out) as server:
            for _ in range(3):
                self.send(server, "a.txt", "big")
        self.assertEqual(sorted(entry["path"] for entry in entries(self.out)), ["a.txt", "big"])

    def test_a_file_that_was_there_before_has_a_line_once_it_was_compared(self):
        self.write("a.txt", b"hello\n")
        self.write("big", b"x" * (3 << 20))
        self.out.mkdir()
        (self.out / "a.txt").write_bytes(b"hello\n")
        (self.out / "big").write_bytes(b"x" * (3 << 20))
        with Server(self.out) as server:
            self.send(server, "a.txt", "big")
        self.assertEqual(sorted(entry["path"] for entry in entries(self.out)), ["a.txt", "big"])

    def test_a_replaced_file_has_another_line(self):
        with Server(self.out, "--on-conflict", "replace") as server:
            for content in (b"one", b"two", b"three"):
                self.write("a.txt", content)
                self.send(server, "a.txt")
        found = entries(self.out)
        self.assertEqual([entry["size"] for entry in found], [3, 3, 5])
        self.assertEqual(found[-1]["sha256"], sha256(self.out / "a.txt"))

    def test_what_was_refused_has_no_line(self):
        self.write("a.txt", b"hello\n")
        with Server(self.out) as server:
            self.send(server, "a.txt")
            self.write("a.txt", b"other\n")
            result = run("send", *ONCE, str(self.root / "a.txt"), server.address)
            self.assertEqual(result.returncode, 73)
        self.assertEqual(len(entries(self.out)), 1)

    def test_a_receipt_names_the_hash_of_its_line(self):
        self.write("a", b"a")
        self.write("b", b"b" * (2 << 20))
        receipts = self.root / "receipts"
        with Server(self.out) as server:
            for _ in range(2):
                self.send(server, "a", "b", options=("--receipts", str(receipts)))
                for entry in entries(self.out):
                    receipt = json.loads((receipts / f"{entry['path']}.receipt.json").read_text())
                    self.assertEqual((receipt["entry"], receipt["time"]), (entry["hash"], entry["time"]))
        self.assertEqual(len(entries(self.out)), 2)

    def test_a_tree_has_a_line_for_each_file(self):
        for number in range(500):
            self.write(f"tree/d{number % 7}/f{number}", b"%d" % number)
        with Server(self.out) as server:
            self.send(server, "tree")
            found = {entry["path"]: entry["sha256"] for entry in entries(self.out)}
            self.assertEqual(found, {name.decode(): digest for name, digest in server.published().items()})

    def test_names_are_escaped_without_loss(self):
        name = b"a\\b\"c\xff\xe2\x80\xae"
        (self.root / "tree").mkdir()
        with open(bytes(self.root / "tree") + b"/" + name, "wb") as file:
            file.write(b"1")
        with Server(self.out) as server:
            result = run("send", str(self.root / "tree"), server.address, text=False)
            self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([entry["path"] for entry in entries(self.out)], ["tree/a\\\\b\"c\\xff\\xe2\\x80\\xae"])

    def test_a_killed_server_leaves_a_chain_that_goes_on(self):
        for number in range(300):
            self.write(f"tree/f{number}", b"%d" % number)
        for _ in range(3):
            with Server(self.out) as server:
                sender = subprocess.Popen(
                    [FXFER, "send", *ONCE, str(self.root / "tree"), server.address],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
                sender.stdout.readline()
                server.process.send_signal(signal.SIGKILL)
                sender.communicate()
        with Server(self.out) as server:
            self.send(server, "tree")
            recorded = {entry["path"]: entry["sha256"] for entry in entries(self.out)}
            self.assertEqual(recorded, {name.decode(): digest for name, digest in server.published().items()})

    def test_a_torn_line_is_mended_at_start(self):
        self.write("a.txt", b"hello\n")
        with Server(self.out) as server:
            self.send(server, "a.txt")
        whole = self.ledger.read_bytes()
        self.ledger.write_bytes(whole + whole[:100])
        with Server(self.out) as server:
            self.assertEqual(self.ledger.read_bytes(), whole)
        self.assertIn("ledger", server.log)
        self.assertEqual(len(entries(self.out)), 1)

    def test_a_server_does_not_go_on_with_a_ledger_that_was_cut(self):
        self.write("a.txt", b"hello\n")
        self.write("b.txt", b"hello\n")
        with Server(self.out) as server:
            self.send(server, "a.txt", "b.txt")
        line = self.ledger.read_bytes().split(b"\n")[0] + b"\n"
        self.ledger.write_bytes(line)
        result = run("serve", "--dir", str(self.out), "--listen", "127.0.0.1:0")
        self.assertEqual(result.returncode, 65)
        self.assertEqual(result.stderr.count("\n"), 1)
        self.assertIn("ledger", result.stderr)
        self.assertEqual(self.ledger.read_bytes(), line)


class Failures(LedgerCase):
    def test_another_file_in_its_place_is_not_gone_on_with(self):
        self.write("a.txt", b"one")
        self.write("b.txt", b"two")
        for trick in ["an old copy", "nothing", "fewer lines", "moved away", "all moved away", "a copy of all"]:
            with self.subTest(trick):
                shutil.rmtree(self.out, ignore_errors=True)
                with Server(self.out) as server:
                    self.send(server, "a.txt")
                    self.write("other", self.ledger.read_bytes())
                    self.write("c.txt", b"three")
                    self.send(server, "c.txt")
                    if trick == "an old copy":
                        os.replace(self.root / "other", self.ledger)
                    elif trick == "nothing":
                        self.ledger.unlink()
                    elif trick == "moved away":
                        os.replace(self.ledger, self.root / "moved")
                    elif trick == "all moved away":
                        os.replace(self.ledger, self.root / "moved")
                        os.replace(self.ledger.with_name("ledger.head"), self.root / "head")
                    elif trick == "a copy of all":
                        shutil.copy(self.ledger, self.root / "copy")
                        os.replace(self.root / "copy", self.ledger)
                    else:
                        self.write("other", b"".join(self.ledger.read_bytes().splitlines(keepends=True)[1:]))
                        os.replace(self.root / "other", self.ledger)
                    result = run("send", str(self.root / "b.txt"), server.address)
                    self.assertEqual(result.returncode, 65, result)
                    self.assertIn("was taken away or exchanged", result.stderr)
                    self.assertEqual(set(server.published()), {b"a.txt", b"c.txt"})
                    self.assertEqual(self.ledger.exists(), trick in ["an old copy", "fewer lines", "a copy of all"])
                with Server(self.out) if trick == "a copy of all" else contextlib.nullcontext() as server:
                    expected = {"a copy of all": 0, "all moved away": 66}.get(trick, 65)
                    self.assertEqual(run("verify", str(self.out)).returncode, expected)

    def test_a_file_that_cannot_be_written_down_is_not_published(self):
        self.write("a.txt", b"hello\n")
        self.write("b.txt", b"old\n")
        with Server(self.out, "--on-conflict", "replace") as server:
            self.send(server, "b.txt")
            before = self.ledger.read_bytes()
            for call in ("pwrite64:error=ENOSPC", "fsync:error=EIO"):
                with self.subTest(call), Trace(server.pid, "-P", str(self.ledger), f"--inject={call}"):
                    for name in ("a.txt", "b.txt"):
                        self.write(name, b"new\n")
                        result = run("send", *ONCE, str(self.root / name), server.address)
                        self.assertEqual(result.returncode, 74, result.stderr)
                        self.assertIn("ledger", result.stderr)
                self.assertEqual(server.published(), {b"b.txt": hashlib.sha256(b"old\n").hexdigest()})
                self.assertEqual(server.partials(), [])
                self.assertEqual(self.ledger.read_bytes(), before)
            self.write("b.txt", b"old\n")
            result = run("send", *ONCE, str(self.root / "b.txt"), server.address)
            self.assertEqual(result.returncode, 74, result.stderr)
            self.assertIn("cannot make durable the ledger", result.stderr)
        with Server(self.out) as server:
            self.send(server, "a.txt", "b.txt")


class Places(LedgerCase):
    def test_nobody_waits_for_what_is_no_file(self):
        self.write("a", b"a")
        with Server(self.out) as server:
            self.send(server, "a")
        for name in ("ledger.jsonl", "ledger.head"):
            path = self.out / ".fxfer" / name
            path.rename(self.root / name)
            for make in (os.mkfifo, os.mkdir):
                make(path)
                for command in (("verify",), ("sums",), ("ledger", "compact"), ("serve", "--listen", "127.0.0.1:0", "--dir")):
                    with self.subTest(command, name=name, make=make.__name__):
                        result = run(*command, str(self.out))
                        self.assertEqual((result.returncode, result.stdout), (74, ""))
                        self.assertRegex(result.stderr, r"\Afxfer: cannot (open|read) the ledger of [^\n]+\n\Z")
                (os.unlink if make is os.mkfifo else os.rmdir)(path)
            (self.root / name).rename(path)
        self.assertEqual(run("verify", str(self.out)).returncode, 0)


class Sums(LedgerCase):
    def test_sha256sum_agrees(self):
        for number in range(20):
            self.write(f"tree/f {number}", b"%d" % number)
        self.write("tree/back\\slash", b"1")
        with Server(self.out) as server:
            self.send(server, "tree")
            sums = run("sums", str(self.out), text=False)
        self.assertEqual(sums.returncode, 0, sums.stderr)
        self.assertEqual(sums.stdout.count(b"\n"), 21)
        check = subprocess.run(["sha256sum", "-c", "--quiet"], input=sums.stdout, cwd=self.out, capture_output=True)
        self.assertEqual((check.returncode, check.stdout), (0, b""), check.stderr)

    def test_a_damaged_ledger_is_told_with_its_line(self):
        for name in ("a", "b", "c"):
            self.write(name, name.encode())
        with Server(self.out) as server:
            self.send(server, "a", "b", "c")
        lines = self.ledger.read_bytes().split(b"\n")
        del lines[1]
        self.ledger.write_bytes(b"\n".join(lines))
        result = run("sums", str(self.out))
        self.assertEqual(result.returncode, 65)
        self.assertIn("line 2", result.stderr)
        self.assertEqual(result.stdout.count("\n"), 2)

    def test_without_a_ledger_there_are_none(self):
        for directory in (self.root, self.root / "missing"):
            result = run("sums", str(directory))
            self.assertEqual((result.returncode, result.stdout), (66, ""))
            self.assertEqual(result.stderr.count("\n"), 1)


class Compaction(LedgerCase):
    def test_leaves_the_last_line_of_each_file_while_a_server_runs(self):
        with Server(self.out, "--on-conflict", "replace") as server:
            for content in (b"one", b"two", b"three"):
                self.write("a", content)
                self.write("b", content * 2)
                self.send(server, "a", "b")
            hashes = {entry["path"]: entry["hash"] for entry in entries(self.out)}
            result = run("ledger", "compact", str(self.out))
            self.assertEqual((result.returncode, result.stdout), (0, "6 entries before, 2 now\n"))
            self.write("c", b"c")
            self.send(server, "c")
            lines = [json.loads(line) for line in self.ledger.read_bytes().splitlines()]
            self.assertEqual((lines[0]["entries"], lines[0]["dropped"]), (2, 4))
            self.assertEqual({line["path"]: line["hash"] for line in lines[1:3]}, hashes)
            self.assertEqual(lines[3]["previous"], lines[0]["last"])
            sums = run("sums", str(self.out))
            self.assertEqual(sums.returncode, 0, sums.stderr)
            self.assertEqual(sums.stdout, "".join(f"{sha256(self.out / name)}  {name}\n" for name in "abc"))
        with Server(self.out) as server:
            self.send(server, "a")

    def test_states_of_replaced_contents_go_as_well(self):
        states = self.out / ".fxfer" / "states"
        with Server(self.out, "--on-conflict", "replace") as server:
            for content in (b"1", b"2"):
                self.write("big", content * (3 << 20))
                self.send(server, "big")
            self.assertEqual(len(os.listdir(states)), 2)
            run("ledger", "compact", str(self.out))
            self.assertEqual(os.listdir(states), [sha256(self.out / "big")])

    def test_forgets_missing_files_only_if_told(self):
        for name in ("a", "b", "c"):
            self.write(name, name.encode())
        with Server(self.out) as server:
            for name in ("a", "b", "c"):
                self.send(server, name)
        (self.out / "a").unlink()
        self.assertEqual(run("ledger", "compact", str(self.out)).stdout, "3 entries before, 3 now\n")
        result = run("ledger", "compact", "--drop-missing", str(self.out))
        self.assertEqual(result.stdout, "forgotten: a\n3 entries before, 2 now\n")
        self.assertEqual([line[66:] for line in run("sums", str(self.out)).stdout.splitlines()], ["b", "c"])
        for name in ("b", "c"):
            (self.out / name).unlink()
        self.assertEqual(run("ledger", "compact", "--drop-missing", str(self.out)).stdout, "forgotten: b\nforgotten: c\n2 entries before, 0 now\n")
        self.assertEqual(run("verify", str(self.out)).returncode, 0)
        with Server(self.out) as server:
            self.send(server, "b")
        self.assertEqual(run("verify", str(self.out)).returncode, 0)
        with open("/dev/full", "w") as full:
            compact = [FXFER, "ledger", "compact", str(self.out)]
            result = subprocess.run(compact, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        self.assertEqual((result.returncode, result.stderr.count("\n")), (74, 1), result)

    def test_what_is_behind_a_file_or_a_link_is_missing(self):
        for name in ("a/f", "b/f", "c/f"):
            self.write(f"tree/{name}", name.encode())
        with Server(self.out) as server:
            self.send(server, "tree")
        for name in ("a", "b"):
            (self.out / "tree" / name).rename(self.root / name)
        (self.out / "tree" / "a").write_bytes(b"")
        (self.out / "tree" / "b").symlink_to(self.root / "b")
        self.write("z", b"z")
        with Server(self.out) as server:
            self.send(server, "z")
        result = run("ledger", "compact", "--drop-missing", str(self.out))
        self.assertEqual((result.returncode, result.stdout), (0, "forgotten: tree/a/f\nforgotten: tree/b/f\n4 entries before, 2 now\n"), result.stderr)
        sums = run("sums", str(self.out)).stdout
        self.assertEqual([line[66:] for line in sums.splitlines()], ["tree/c/f", "z"])

    def test_what_a_killed_one_left_goes(self):
        """By the next server or the next compaction; a link in its place leads nowhere."""
        self.write("a", b"a")
        left = self.out / ".fxfer" / "ledger.new"
        with Server(self.out) as server:
            self.send(server, "a")
        left.write_bytes(b"half")
        with Server(self.out):
            self.assertFalse(left.exists())
        victim = self.write("victim", b"old")
        left.symlink_to(victim)
        self.assertEqual(run("ledger", "compact", str(self.out)).stdout, "1 entries before, 1 now\n")
        self.assertFalse(left.is_symlink())
        self.assertEqual(victim.read_bytes(), b"old")
        self.assertFalse(self.ledger.is_symlink())

    @unittest.skipIf(os.getuid() != 0, "needs root to be someone else")
    def test_by_root_for_the_user_who_serves(self):
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        binary = copy_for_others(self.root)
        self.out.mkdir()
        os.chown(self.out, NOBODY, NOBODY)
        identity = self.root / "identity"
        identity.mkdir()
        os.chown(identity, NOBODY, NOBODY)
        self.write("a", b"a")
        self.write("b", b"b")
        with Server(self.out, "--identity", str(identity), binary=binary, **user) as server:
            self.send(server, "a")
            result = run("ledger", "compact", str(self.out))
            self.assertEqual((result.returncode, result.stdout), (0, "1 entries before, 1 now\n"), result.stderr)
            self.send(server, "b")
        for path in (self.ledger, self.ledger.with_name("ledger.head")):
            self.assertEqual((path.stat().st_uid, path.stat().st_mode & 0o777), (NOBODY, 0o600))
        with Server(self.out, "--identity", str(identity), binary=binary, **user):
            self.assertEqual(run("verify", str(self.out)).returncode, 0)

    def test_of_a_damaged_ledger_nothing_is_changed(self):
        for name in ("a", "b", "c"):
            self.write(name, name.encode())
        with Server(self.out) as server:
            self.send(server, "a", "b", "c")
        damaged = bytearray(self.ledger.read_bytes())
        damaged[20] ^= 1
        self.ledger.write_bytes(damaged)
        result = run("ledger", "compact", str(self.out))
        self.assertEqual(result.returncode, 65)
        self.assertIn("line 1", result.stderr)
        self.assertEqual(self.ledger.read_bytes(), damaged)


if __name__ == "__main__":
    unittest.main()
