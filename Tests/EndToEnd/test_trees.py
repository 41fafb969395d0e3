"""`fxfer send` of folders: everything arrives as it is, under the right names."""

import os
import subprocess
import unittest

from support import Server, copy_for_others
from trees import FOLDER, KIB, MIB, NOBODY, TreeCase, contents, date, plant, snapshot

SOME = {"a": b"1", "empty file": b"", "sub/b": b"22", "sub/deeper/c": b"333", "sub/nothing": FOLDER, "none": FOLDER}


class ContentTest(TreeCase):
    def test_everything_arrives(self):
        """Content, times and permissions of files and folders of every kind, empty and read-only folders included."""
        plant(self.tree, SOME)
        plant(self.tree, {"middle": os.urandom(500 * KIB), "large": os.urandom(3 * MIB), "/".join("d" * 60): b"deep"})
        for path, mode in {"a": 0o640, "sub/b": 0o400, "middle": 0o755, "none": 0o700, "sub": 0o555}.items():
            (self.tree / path).chmod(mode)
        self.tree.chmod(0o750)
        date(self.tree)
        server = self.serve()
        before = snapshot(self.tree)
        lines = self.assert_sent("-q", self.tree, server.address)
        self.assertEqual(snapshot(server.directory / "tree"), before)
        self.assertEqual(snapshot(self.tree), before)
        check = subprocess.run(["sha256sum", "-c"], cwd=server.directory, input=lines, capture_output=True)
        self.assertEqual((check.returncode, check.stdout.count(b": OK\n")), (0, 7), check.stderr)
        self.assertEqual(server.partials(), [])

    def test_names_are_bytes(self):
        """Names of files and folders that are not UTF-8, or look like options, patterns and our own."""
        names = [b"\xff\xfe", "e\u0301".encode(), "é".encode(), b" ", b"-rf", b"*", b"%2e%2e", b"a\\b", b"~"]
        names += [b"x" * 255, b"...", b".hidden", b"\xc2\x9b31m", "\u202ea".encode()]
        plant(self.tree, {name + b"/" + name: name for name in names} | {"sub/.fxfer/x": b"below the top"})
        date(self.tree)
        server = self.serve()
        self.assert_sent("-q", self.tree, server.address)
        self.assertEqual(snapshot(server.directory / "tree"), snapshot(self.tree))

    def test_an_empty_folder_alone(self):
        plant(self.tree, {})
        date(self.tree)
        server = self.serve()
        self.assertEqual(self.assert_sent("-q", self.tree, server.address), b"")
        self.assertEqual(snapshot(server.directory / "tree"), snapshot(self.tree))

    def test_set_id_bits_of_folders_are_dropped(self):
        plant(self.tree, {"sub": FOLDER})
        (self.tree / "sub").chmod(0o7755)
        server = self.serve()
        self.assert_sent("-q", self.tree, server.address)
        self.assertEqual((server.directory / "tree" / "sub").stat().st_mode & 0o7777, 0o755)

    @unittest.skipIf(os.getuid() != 0, "needs root to be someone else")
    def test_a_read_only_folder_between_users_that_are_not_root(self):
        """Its permissions are set when its content is there; sending it again is success, too."""
        plant(self.tree, SOME)
        (self.tree / "sub").chmod(0o555)
        (self.tree / "sub" / "deeper").chmod(0o500)
        date(self.tree)
        subprocess.run(["chown", "-R", str(NOBODY), self.tree], check=True)
        out = self.folder / "out"
        out.mkdir()
        os.chown(out, NOBODY, NOBODY)
        binary = copy_for_others(self.folder)
        server = self.serve(directory=out, binary=binary, user=NOBODY, group=NOBODY, extra_groups=[])
        for attempt in ("first", "again"):
            with self.subTest(attempt):
                status, _, stderr = self.send_as_nobody("-q", self.tree, server.address)
                self.assertEqual((status, stderr), (0, b""))
                self.assertEqual(snapshot(out / "tree"), snapshot(self.tree))


class NamingTest(TreeCase):
    def setUp(self):
        super().setUp()
        plant(self.tree, SOME)
        date(self.tree)

    def stored(self, *arguments, folder="", **options):
        """What one `send` to a new server has stored there."""
        with Server(self.folder / os.urandom(4).hex()) as server:
            self.assert_sent("-q", *arguments, f"{server.address}/{folder}", **options)
            return snapshot(server.directory)

    def assert_stored_at(self, place, *arguments, **options):
        found = self.stored(*arguments, **options)
        below = os.fsencode(place) + b"/"
        moved = {path[len(below) :]: value for path, value in found.items() if path.startswith(below)}
        self.assertEqual({b".": found[os.fsencode(place)]} | moved, snapshot(self.tree))
        above = {os.fsencode("/".join(place.split("/")[:count])) for count in range(place.count("/") + 2)} | {b"."}
        self.assertEqual({path for path in found if not path.startswith(below)}, above - {b""})

    def test_a_folder_keeps_its_name_however_it_is_written(self):
        for source in (self.tree, f"{self.tree}/", f"{self.tree}//", f"{self.tree.parent}/./tree"):
            with self.subTest(source):
                self.assert_stored_at("tree", source)
        self.assert_stored_at("tree", "tree", cwd=self.folder)

    def test_of_a_dot_the_contents_are_sent(self):
        expected = snapshot(self.tree)
        del expected[b"."]
        for source, folder in {".": self.tree, "./": self.tree, "..": self.tree / "sub", f"{self.tree}/.": "/"}.items():
            with self.subTest(source):
                found = self.stored(source, cwd=folder)
                del found[b"."]
                self.assertEqual(found, expected)

    def test_as_gives_a_folder_another_name(self):
        self.assert_stored_at("new", self.tree, "--as", "new")
        self.assert_stored_at("x/y", self.tree, "--as", "x/y")
        self.assert_stored_at("x/y", self.tree, "--as", "y", folder="x")
        self.assert_stored_at("here", ".", "--as", "here", cwd=self.tree)

    def test_below_a_folder_of_the_destination(self):
        self.assert_stored_at("a/b/tree", self.tree, folder="a/b")

    def test_a_link_as_source_is_what_it_leads_to(self):
        (self.folder / "link").symlink_to("tree")
        self.assert_stored_at("link", self.folder / "link")

    def test_several_sources(self):
        """Folders and files in one command, each under its name."""
        plant(self.folder / "other", {"o": b"o"})
        found = self.stored(self.tree, self.file("f", b"f"), self.folder / "other")
        names = {b".", b"f", b"other", b"other/o", b"tree"}
        names |= {b"tree/" + path for path in snapshot(self.tree) if path != b"."}
        self.assertEqual(set(found), names)

    def test_two_sources_of_one_name_are_refused(self):
        plant(self.folder / "x" / "tree", {"a": b"other"})
        with Server(self.folder / "out") as server:
            self.assert_fails(64, self.tree, self.folder / "x" / "tree", server.address, naming=["'tree'"])
            self.assert_nothing_stored(server)


class OrderTest(TreeCase):
    def test_the_order_is_that_of_the_names_bytes(self):
        """Depth first, so that two runs are alike whatever order the file system gives."""
        names = ["b", "a/2", "a/1", "a.b", "B", "a-/x", "\udcff", "é", "a/10", "c/c/c"]
        plant(self.tree, {name: name.encode(errors="surrogateescape") for name in names})
        expected = ["B", "a/1", "a/10", "a/2", "a-/x", "a.b", "b", "c/c/c", "é", "\\xff"]
        for _ in range(2):
            server = self.serve(directory=self.folder / os.urandom(4).hex())
            client = self.sending("-q", self.tree, server.address)
            self.assertEqual(client.wait(), (0, ""))
            started = [event["name"].removeprefix("tree/") for event in client.events if event["event"] == "started"]
            self.assertEqual(started, expected)


class ManyFilesTest(TreeCase):
    def test_memory_is_bounded(self):
        """(slow) 20,000 small files arrive whole, and neither end ever has more than 64 MiB of memory."""
        plant(self.tree, {f"{number % 40}/{number}": b"%d" % number for number in range(20_000)})
        server = self.serve("--log-level", "error")
        client = self.sending("-q", self.tree, server.address)
        self.assertEqual(client.wait(), (0, ""))
        self.assertEqual(len([event for event in client.events if event["event"] == "receipt"]), 20_000)
        self.assertEqual(contents(server.directory / "tree"), contents(self.tree))
        self.assertLessEqual(server.peak_memory(), 64 * MIB)
        self.assertLessEqual(client.peak_memory, 64 * MIB)
