"""`fxfer get` of folders: everything comes back as it is."""

import json
import os
import subprocess
import unittest

from proxy import DOWN, Cut, Proxy
from sharing import MIB, ShareCase
from support import copy_for_others, run
from trees import FOLDER, NOBODY, contents, date, payload, plant, snapshot

SOME = {"a": b"1", "empty file": b"", "sub/b": b"22", "sub/deeper/c": b"333", "sub/nothing": FOLDER, "none": FOLDER}


class TreeCase(ShareCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve("--share")
        self.tree = self.server.directory / "tree"
        plant(self.tree, SOME | {"large": os.urandom(3 * MIB), "middle": os.urandom(500_000), b"\xff/\xfe": b"x"})
        self.address = self.server.address


class ContentTest(TreeCase):
    def test_everything_comes(self):
        """Times and permissions of files and folders, empty ones and read-only ones included."""
        for path, mode in {"a": 0o640, "sub/b": 0o400, "none": 0o700, "sub": 0o555, "sub/deeper": 0o555}.items():
            (self.tree / path).chmod(mode)
        self.tree.chmod(0o750)
        date(self.tree)
        result = self.get("-q", f"{self.address}/tree", text=False)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(snapshot(self.place / "tree"), snapshot(self.tree))
        self.assertEqual(os.listdir(self.place), ["tree"])
        check = subprocess.run(["sha256sum", "-c"], cwd=self.place, input=result.stdout, capture_output=True)
        self.assertEqual((check.returncode, check.stdout.count(b": OK\n")), (0, 7), check.stderr)

    @unittest.skipIf(os.getuid() != 0, "needs root to be someone else")
    def test_read_only_folders_of_a_user_who_is_not_root(self):
        (self.tree / "sub").chmod(0o555)
        date(self.tree)
        os.chown(self.place, NOBODY, NOBODY)
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        binary = copy_for_others(self.folder)
        result = run("get", "-q", f"{self.address}/tree", binary=binary, cwd=self.place, text=False, **user)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(snapshot(self.place / "tree"), snapshot(self.tree))

    def test_under_another_name(self):
        self.assertEqual(self.get("-q", f"{self.address}/tree/sub", "--output", "new").returncode, 0)
        self.assertEqual(contents(self.place / "new"), contents(self.tree / "sub"))

    def test_with_files_beside(self):
        plant(self.server.directory, {"f": b"f"})
        result = self.get("-q", f"{self.address}/f", f"{self.address}/tree", f"{self.address}/tree/sub")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(sorted(os.listdir(self.place)), ["f", "sub", "tree"])
        self.assertEqual(contents(self.place / "tree"), contents(self.tree))

    def test_links_and_fifos_are_left_out(self):
        expected = contents(self.tree)
        plant(self.folder / "elsewhere", {"secret": b"secret"})
        (self.tree / "link").symlink_to(self.folder / "elsewhere")
        (self.tree / "sub" / "file").symlink_to(self.folder / "elsewhere" / "secret")
        (self.tree / "sub" / "up").symlink_to("..")
        os.mkfifo(self.tree / "sub" / "fifo")
        self.assertEqual(self.get("-q", f"{self.address}/tree").returncode, 0)
        self.assertEqual(contents(self.place / "tree"), expected)

    def test_old_files_are_replaced_and_others_stay(self):
        plant(self.place / "tree", {"a": b"old", "sub/mine": b"mine"})
        self.assertEqual(self.get("-q", f"{self.address}/tree").returncode, 0)
        expected = contents(self.tree) | {b"sub/mine": contents(self.place / "tree")[b"sub/mine"]}
        self.assertEqual(contents(self.place / "tree"), expected)
        self.assertEqual((self.place / "tree" / "sub" / "mine").read_bytes(), b"mine")

    def test_a_link_in_the_way_is_not_followed(self):
        """Neither for a file nor for a folder: nothing is written elsewhere; the rest comes."""
        outside = self.folder / "elsewhere"
        plant(outside, {"old": b"old"})
        plant(self.place / "tree", {})
        (self.place / "tree" / "sub").symlink_to(outside)
        (self.place / "tree" / "a").symlink_to(outside / "old")
        before = snapshot(outside)
        result = self.get("-q", f"{self.address}/tree", text=False)
        self.assertEqual(result.returncode, 73, result.stderr)
        self.assertEqual(snapshot(outside), before)
        self.assertTrue((self.place / "tree" / "a").is_symlink() and (self.place / "tree" / "sub").is_symlink())
        self.assertEqual(contents(self.place / "tree")[b"large"], contents(self.tree)[b"large"])

    def test_another_time_everything_is_identical(self):
        self.assertEqual(self.get("-q", f"{self.address}/tree").returncode, 0)
        before = contents(self.place / "tree")
        result = self.get("--json", f"{self.address}/tree")
        events = [json.loads(line) for line in result.stdout.splitlines()]
        outcomes = {event["outcome"] for event in events if event["event"] == "receipt"}
        self.assertEqual((result.returncode, outcomes), (0, {"identical"}))
        self.assertEqual(contents(self.place / "tree"), before)


class BrokenTest(TreeCase):
    def test_a_second_run_brings_the_rest(self):
        plant(self.tree, {f"big{number}": os.urandom(4 * MIB) for number in range(4)})
        for offset in (5 * MIB, 9 * MIB):
            with Proxy(self.server.port, Cut(DOWN, offset, reset=True)) as proxy:
                self.assertEqual(self.get("-q", "--retries", "0", f"{proxy.address}/tree", text=False).returncode, 75)
        result = self.get("-q", f"{self.address}/tree", text=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(contents(self.place / "tree"), contents(self.tree))
        self.assertEqual(os.listdir(self.place), ["tree"])

    def test_each_byte_is_sent_once(self):
        with Proxy(self.server.port, keep=True) as proxy:
            self.assertEqual(self.get("-q", f"{proxy.address}/tree", text=False).returncode, 0)
            sizes = sum(path.stat().st_size for path in self.tree.rglob("*") if path.is_file())
            self.assertEqual(payload(proxy.passed[DOWN]), sizes)
