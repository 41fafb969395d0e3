"""What of a folder cannot be sent is named at the end, with the status of the first failure; the rest is stored."""

import os
import unittest

from support import run
from trees import FOLDER, KIB, MIB, TreeCase, contents, plant


class FailureCase(TreeCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def stored(self):
        return contents(self.server.directory / "tree")

    def assert_fails_for(self, status, stored, *failures, send=None, lines=None):
        """The files `stored` get there, the failures are told, and nothing stays behind."""
        result, stdout, stderr = (send or self.send)(self.tree, self.server.address)
        self.assertEqual(result, status, stderr)
        self.assert_lists(stderr, *failures)
        files = {os.fsdecode(path) for path, what in self.stored().items() if what != "d"}
        self.assertEqual(files, set(stored))
        self.assertEqual(len(stdout.splitlines()), len(files) if lines is None else lines)
        self.assertEqual(self.server.partials(), [])
        self.assert_serves(self.server)


@unittest.skipIf(os.getuid() != 0, "needs root to be someone else")
class UnreadableTest(FailureCase):
    def test_a_file(self):
        """In the middle, small, middle and large: those around it arrive."""
        plant(self.tree, {f"f{number}": os.urandom(size) for number, size in enumerate([5, 9, 500 * KIB, 2 * MIB, 7])})
        for name in ("f1", "f2", "f3"):
            (self.tree / name).chmod(0)
        failures = [f"'{self.tree}/{name}'" for name in ("f1", "f2", "f3")]
        self.assert_fails_for(66, ["f0", "f4"], *failures, send=self.send_as_nobody)

    def test_a_folder(self):
        """One without permission to read, and one without permission to enter."""
        plant(self.tree, {"a": b"a", "no/read": b"x", "none/enter": b"x", "z/z": b"z"})
        (self.tree / "no").chmod(0o311)
        (self.tree / "none").chmod(0o644)
        failures = [f"'{self.tree}/no'", f"'{self.tree}/none"]
        self.assert_fails_for(66, ["a", "z/z"], *failures, send=self.send_as_nobody)

    def test_the_status_is_that_of_the_first_failure(self):
        plant(self.tree, {"a": b"", "b\n": b"", "c": b"", "d": b""})
        (self.tree / "c").chmod(0)
        failures = ["b\\x0a", f"'{self.tree}/c'"]
        self.assert_fails_for(73, ["a", "d"], *failures, send=self.send_as_nobody)
        (self.tree / "a").chmod(0)
        failures = [f"'{self.tree}/a'", *failures]
        self.assert_fails_for(66, ["a", "d"], *failures, send=self.send_as_nobody, lines=1)

    def test_the_folder_itself(self):
        plant(self.tree, {"a": b"a"})
        self.tree.chmod(0o300)
        status, stdout, stderr = self.send_as_nobody(self.tree, self.server.address)
        self.assertEqual((status, stdout), (66, b""))
        self.assertIn(f"'{self.tree}'", stderr.decode())
        self.assert_nothing_stored(self.server)


class RefusedNamesTest(FailureCase):
    def test_control_bytes(self):
        """Names of files and of folders; of a folder whose name is refused nothing is sent."""
        names = ["line\nfeed", "cr\r", "tab\t", "esc\x1b[2J", "del\x7f"]
        plant(self.tree, {name: b"x" for name in names} | {"fold\ner/x": b"x", "good": b"g", "z/good": b"g"})
        failures = ["line\\x0afeed", "cr\\x0d", "tab\\x09", "esc\\x1b[2J", "del\\x7f", "fold\\x0aer"]
        self.assert_fails_for(73, ["good", "z/good"], *failures)

    def test_our_own_name_at_the_top(self):
        plant(self.tree, {".fxfer/partials/x": b"x", "good": b"g"})
        status, _, stderr = self.send(".", self.server.address, cwd=self.tree)
        self.assertEqual(status, 73)
        self.assert_lists(stderr, ".fxfer'")
        self.assertEqual(set(self.server.published()), {b"good"})
        self.assertEqual(self.server.partials(), [])

    def test_too_deep(self):
        """Files with 64 components are stored, those below are named, once a folder."""
        deep = "/".join("d" * 62)
        plant(self.tree, {f"{deep}/last": b"64 components", f"{deep}/over/x": b"65", f"{deep}/over/y": b"65"})
        plant(self.tree, {f"{deep}/more/x/y/z": b"67", "a": b"a"})
        status, _, stderr = self.send(self.tree, self.server.address)
        self.assertEqual(status, 73, stderr)
        lines = [line for line in stderr.decode().splitlines() if "/over" in line or "/more" in line]
        self.assertTrue(any("/over" in line for line in lines) and any("/more" in line for line in lines), stderr)
        self.assertIn(f"{deep}/last".encode(), self.stored())
        self.assertIn(b"a", self.stored())
        self.assertNotIn(f"{deep}/over/x".encode(), self.stored())
        self.assert_serves(self.server)

    def test_too_long_in_all(self):
        """A path of more than 4,096 bytes at the server; here it is shorter by the name of the folder."""
        deep = "/".join(["x" * 200] * 15)
        plant(self.tree, {f"{deep}/f": b"f", "a": b"a"})
        long = "/".join(["y" * 255] * 5)
        status, _, stderr = self.send(self.tree, f"{self.server.address}/{long}")
        self.assertEqual(status, 73, stderr)
        self.assertIn(b"4", stderr)
        self.assertIn(f"{long}/tree/a".encode(), self.server.published())
        self.assert_serves(self.server)


class ConflictTest(FailureCase):
    def test_files_that_exist_with_other_content_do_not_stop_the_others(self):
        """Small, middle and large ones, and a folder where a file is to go: all named, all others stored."""
        sizes = {"a": 3, "b": 3, "c": 500 * KIB, "d": 500 * KIB, "e": 3 * MIB, "f": 3 * MIB, "g": 3}
        old = {name: os.urandom(sizes[name]) for name in "bdf"}
        plant(self.server.directory / "tree", old | {"g": FOLDER})
        plant(self.tree, {name: os.urandom(size) for name, size in sizes.items()})
        status, _, stderr = self.send(self.tree, self.server.address)
        self.assertEqual(status, 73, stderr)
        self.assert_lists(stderr, *(f"'{self.tree}/{name}'" for name in "bdfg"))
        sent, stored = contents(self.tree), self.stored()
        for name in (b"a", b"c", b"e"):
            self.assertEqual(stored[name], sent[name])
        for name, content in old.items():
            self.assertEqual((self.server.directory / "tree" / name).read_bytes(), content)
        self.assertEqual((stored[b"g"], self.server.partials()), ("d", []))

    def test_a_file_in_the_way_of_a_folder(self):
        plant(self.server.directory / "tree", {"sub": b"a file"})
        plant(self.tree, {"a": b"a", "sub/x": b"x", "sub/y": b"y", "z": b"z"})
        status, _, stderr = self.send(self.tree, self.server.address)
        self.assertEqual(status, 73, stderr)
        self.assertEqual((self.server.directory / "tree" / "sub").read_bytes(), b"a file")
        self.assertEqual(set(self.stored()), {b".", b"a", b"sub", b"z"})
        for name in ("x", "y"):
            self.assertIn(f"'{self.tree}/sub/{name}'", stderr.decode())

    def test_a_link_in_the_way_of_a_folder_is_not_followed(self):
        outside = self.folder / "elsewhere"
        plant(outside, {"old": b"old"})
        plant(self.server.directory / "tree", {})
        (self.server.directory / "tree" / "sub").symlink_to(outside)
        plant(self.tree, {"sub/x": b"x", "sub/empty": FOLDER, "z": b"z"})
        before = contents(outside), outside.stat().st_mtime_ns, outside.stat().st_mode
        status, _, stderr = self.send(self.tree, self.server.address)
        self.assertEqual(status, 73, stderr)
        self.assertEqual((contents(outside), outside.stat().st_mtime_ns, outside.stat().st_mode), before)
        self.assertEqual((self.server.directory / "tree" / "z").read_bytes(), b"z")

    def test_failures_are_told_with_json_too(self):
        plant(self.server.directory / "tree", {"b": b"old"})
        plant(self.tree, {"a": b"a", "b": b"new", "c": b"c"})
        client = self.sending("-q", self.tree, self.server.address)
        error = client.wait_for("error")
        status, stderr = client.wait()
        self.assertEqual((status, error["status"], error["code"], error["name"]), (73, 73, "exists", "tree/b"))
        self.assertEqual(stderr.count("\n"), 1, stderr)
        self.assertEqual((self.server.directory / "tree" / "b").read_bytes(), b"old")


class UsageTest(FailureCase):
    def test_a_folder_that_vanished_is_no_input(self):
        """All sources are looked at before anything is sent."""
        plant(self.tree, {"a": b"a"})
        result = run("send", str(self.tree), str(self.folder / "gone"), self.server.address)
        self.assertEqual((result.returncode, result.stdout), (66, ""))
        self.assert_nothing_stored(self.server)
