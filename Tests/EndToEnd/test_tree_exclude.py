"""`fxfer send --exclude`: what matches a pattern is not sent, not named, and not even opened."""

import os
import unittest

from support import Server, run
from trees import FOLDER, TreeCase, contents, plant

FILES = ["a.tmp", "b.txt", "build/x", "src/a.tmp", "src/b.txt", "src/build/x", "src/deep/er/a.tmp", "src/deep/er/c"]


class ExcludeCase(TreeCase):
    def setUp(self):
        super().setUp()
        plant(self.tree, {path: path.encode() for path in FILES})

    def files_sent(self, *patterns, sources=None, **options):
        """The files, folders with a slash, that one `send` to a new server stores, below `tree`."""
        excludes = [part for pattern in patterns for part in (b"--exclude", os.fsencode(pattern))]
        with Server(self.folder / os.urandom(4).hex()) as server:
            self.assert_sent("-q", *excludes, *(sources or [self.tree]), server.address, **options)
            stored = contents(server.directory)
        names = {os.fsdecode(path).removeprefix("tree/"): what for path, what in stored.items()}
        return {name + ("/" if what == "d" else "") for name, what in names.items()} - {"./", "tree/"}


class PatternTest(ExcludeCase):
    def test_patterns(self):
        everything = self.files_sent()
        inside = lambda folder: {path for path in everything if path.startswith(folder)}
        temporary = {path for path in everything if path.endswith(".tmp")}
        cases = {
            "*.tmp": temporary,
            "/*.tmp": {"a.tmp"},
            "build": inside("build/") | inside("src/build/"),
            "build/": inside("build/") | inside("src/build/"),
            "/build": inside("build/"),
            "src/build": inside("src/build/"),
            "b.txt/": set(),
            "?": {"build/x", "src/build/x", "src/deep/er/c"},
            "[ab].*": temporary | {"b.txt", "src/b.txt"},
            "[!a]*.t*": {"b.txt", "src/b.txt"},
            "src/*/x": {"src/build/x"},
            "src/*": inside("src/") - {"src/"},
            "src/**/a.tmp": {"src/a.tmp", "src/deep/er/a.tmp"},
            "**/er": inside("src/deep/er/"),
            "*": everything,
            "tree": set(),
            "A.TMP": set(),
            "\\*.tmp": set(),
        }
        for pattern, left_out in cases.items():
            with self.subTest(pattern):
                self.assertEqual(self.files_sent(pattern), everything - left_out)
        self.assertEqual(self.files_sent("*.tmp", "x", "c"), everything - cases["*.tmp"] - cases["?"])

    def test_patterns_are_bytes(self):
        plant(self.tree, {b"\xff.x": b"", "é": b"", "é.x": b""})
        self.assertNotIn("\udcff.x", self.files_sent(b"\xff*"))
        self.assertIn("é", self.files_sent("?"))
        self.assertNotIn("é", self.files_sent("??"))
        self.assertIn("é.x", self.files_sent("??"))

    def test_a_source_itself_is_not_left_out(self):
        """It is the user's word; patterns are for what is in folders."""
        self.assertIn("b.txt", self.files_sent("f", "tree", sources=[self.tree, self.file("f")]))
        self.assertIn("f", self.files_sent("f", sources=[self.file("f")]))

    def test_a_pattern_is_taken_from_the_top_of_each_source(self):
        self.assertNotIn("a.tmp", self.files_sent("/a.tmp", sources=["."], cwd=self.tree))


class HiddenTest(ExcludeCase):
    @unittest.skipIf(os.getuid() != 0, "needs root to be someone else")
    def test_what_is_left_out_is_not_opened(self):
        """Files and folders that could not be read are no failure."""
        plant(self.tree, {"no/x": b"x", "nofile": b"x"})
        for name in ("no", "nofile"):
            (self.tree / name).chmod(0)
        server = self.serve()
        status, _, stderr = self.send_as_nobody("-q", "--exclude", "no*", self.tree, server.address)
        self.assertEqual((status, stderr), (0, b""))
        self.assertEqual(len(server.published()), len(FILES))

    def test_links_and_fifos_that_are_left_out_are_not_named(self):
        (self.tree / "link").symlink_to("a.tmp")
        os.mkfifo(self.tree / "fifo")
        plant(self.tree, {"bad\nname": b"", "worse\n": FOLDER})
        server = self.serve()
        excludes = [part for pattern in ("link", "fifo", "*\n*") for part in ("--exclude", pattern)]
        status, _, stderr = self.send(*excludes, self.tree, server.address)
        self.assertEqual((status, stderr.count(b"\n")), (0, 1), stderr)
        self.assertNotIn(b"skipped", stderr)


class UsageTest(ExcludeCase):
    def test_a_pattern_that_makes_no_sense(self):
        server = self.serve()
        for pattern in ("", "/", "[a", "[b-a]", "x\\"):
            with self.subTest(pattern):
                result = run("send", "--exclude", pattern, str(self.tree), server.address)
                self.assertEqual((result.returncode, result.stdout), (64, ""), result.stderr)
                self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")
                self.assert_nothing_stored(server)

    def test_a_pattern_that_takes_long_elsewhere(self):
        """Stars in a row do not make it slow."""
        plant(self.tree, {"a" * 250: b""})
        self.assertIn("a" * 250, self.files_sent("*a" * 100 + "b", "**a" * 100 + "/b"))
