"""`fxfer serve --on-conflict`: what happens to a file whose name another one has."""

import json
import os
import subprocess
import threading

from sending import SendCase
from support import FXFER, PATIENCE, run, sha256

KIB, MIB = 1 << 10, 1 << 20
SIZES = {"empty": 0, "small": 32 * KIB, "middle": 500 * KIB, "large": 3 * MIB}


class ConflictCase(SendCase):
    def send(self, source, server, *options, name="f"):
        """Status, stderr, and the last event."""
        result = run("send", "--json", *options, "--as", name, str(source), server.address)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        return result.returncode, result.stderr, events[-1]

    def contents(self):
        """New and old content of one size, and of different ones, by what they are called."""
        for title, size in SIZES.items():
            if size:
                yield f"{title} for one of the same size", os.urandom(size), os.urandom(size)
            yield f"{title} for a small one", os.urandom(size), b"old"
            yield f"{title} for a large one", os.urandom(size), os.urandom(2 * MIB)

    def each(self, policy):
        """For each pair of contents: a server in which `f` has the old one, the source, and the old content."""
        server = self.serve(*policy)
        for title, new, old in self.contents():
            with self.subTest(title):
                for path in server.directory.glob("f*"):
                    path.unlink()
                (server.directory / "f").write_bytes(old)
                yield server, self.file("source", new), old
                self.assertEqual(server.partials(), [])

    def assert_never_in_the_way(self, policy):
        """A folder, a link, a dangling one and a FIFO keep the name."""
        server = self.serve("--on-conflict", policy)
        target = self.file("target", b"target")
        (server.directory / "folder").mkdir()
        (server.directory / "link").symlink_to(target)
        (server.directory / "nothing").symlink_to("gone")
        os.mkfifo(server.directory / "fifo")
        for size in SIZES.values():
            source = self.file("source", os.urandom(size))
            for name in ("folder", "link", "nothing", "fifo"):
                with self.subTest(name, size=size):
                    before = os.lstat(server.directory / name)
                    status, stderr, event = self.send(source, server, name=name)
                    yield name, status, event
                    after = os.lstat(server.directory / name)
                    self.assertEqual((after.st_ino, after.st_mode), (before.st_ino, before.st_mode))
        self.assertEqual(target.read_bytes(), b"target")
        self.assertEqual(server.partials(), [])


class RefuseTest(ConflictCase):
    def test_the_old_file_stays(self):
        for policy in ([], ["--on-conflict", "refuse"]):
            for server, source, old in self.each(policy):
                status, stderr, event = self.send(source, server)
                self.assertEqual((status, event["code"], stderr.count("\n")), (73, "exists", 1))
                self.assertEqual((server.directory / "f").read_bytes(), old)

    def test_other_things_stay(self):
        for _, status, event in self.assert_never_in_the_way("refuse"):
            self.assertEqual((status, event["event"]), (73, "error"))


class ReplaceTest(ConflictCase):
    def test_the_old_file_is_replaced(self):
        """With the new one's time and permissions."""
        for server, source, _ in self.each(["--on-conflict", "replace"]):
            source.chmod(0o640)
            os.utime(source, ns=(0, 10**18 + 1))
            status, stderr, event = self.send(source, server)
            self.assertEqual((status, stderr, event["outcome"], event["name"]), (0, "", "replaced", "f"))
            self.assertEqual(server.published(), {b"f": sha256(source)})
            there = (server.directory / "f").stat()
            self.assertEqual((there.st_mode & 0o777, there.st_mtime_ns), (0o640, 10**18 + 1))

    def test_other_things_are_not_replaced(self):
        for _, status, event in self.assert_never_in_the_way("replace"):
            self.assertEqual((status, event["event"]), (73, "error"))

    def test_a_reader_sees_one_whole_file_or_the_other(self):
        """During a hundred replaces it never sees a part, a mixture, or no file."""
        server = self.serve("--on-conflict", "replace")
        for title, size in SIZES.items():
            if title == "empty":
                continue
            sources = [self.file(f"{title}-{letter}", letter.encode() * size) for letter in "ab"]
            self.send(sources[1], server, name=title)
            seen, ended = set(), threading.Event()

            def read():
                while not ended.is_set():
                    try:
                        content = (server.directory / title).read_bytes()
                    except OSError as error:
                        seen.add(str(error))
                        return
                    seen.add((len(content), content[:1], content.count(content[:1])))

            reader = threading.Thread(target=read)
            reader.start()
            try:
                for round in range(100 if title == "small" else 20):
                    self.assertEqual(self.send(sources[round % 2], server, name=title)[0], 0)
            finally:
                ended.set()
                reader.join()
            self.assertLessEqual(seen, {(size, b"a", size), (size, b"b", size)}, title)

    def test_many_at_once_leave_one_whole_file(self):
        """Each of twenty clients is told of success, and the last one has won."""
        server = self.serve("--on-conflict", "replace")
        sources = [self.file(f"source-{number}", os.urandom(100 * KIB)) for number in range(20)]
        clients = [
            subprocess.Popen([FXFER, "send", "-q", "--as", "f", source, server.address], stdout=subprocess.DEVNULL)
            for source in sources
        ]
        self.assertEqual([client.wait(PATIENCE) for client in clients], [0] * 20)
        self.assertIn(server.published().pop(b"f"), {sha256(source) for source in sources})
        self.assertEqual((len(server.published()), server.partials()), (1, []))


class KeepBothTest(ConflictCase):
    policy = ("--on-conflict", "keep-both")

    def test_the_new_file_gets_a_number(self):
        for server, source, old in self.each(self.policy):
            status, stderr, event = self.send(source, server)
            self.assertEqual((status, event["outcome"], event["name"]), (0, "stored", "f.1"))
            self.assertIn("f.1", stderr)
            self.assertEqual((server.directory / "f").read_bytes(), old)
            self.assertEqual(sha256(server.directory / "f.1"), sha256(source))
            self.assertEqual(len(server.published()), 2)

    def test_numbers_go_on(self):
        server = self.serve(*self.policy)
        sources = [self.file(f"source-{number}", os.urandom(size)) for number, size in enumerate([9, 9, 3 * MIB, 9])]
        names = [self.send(source, server)[2]["name"] for source in sources]
        self.assertEqual(names, ["f", "f.1", "f.2", "f.3"])
        for name, source in zip(names, sources):
            self.assertEqual(sha256(server.directory / name), sha256(source))

    def test_names_that_have_an_end(self):
        """The number comes last; a name of 255 bytes has no room for one and is refused or shortened, never lost."""
        server = self.serve(*self.policy)
        for name in ("photo.raw", ".hidden", "sub/x.y.z"):
            self.send(self.file("old", b"old"), server, name=name)
            self.assertEqual(self.send(self.file("new", b"new"), server, name=name)[2]["name"], f"{name}.1")
        name = "x" * 255
        self.send(self.file("old", b"old"), server, name=name)
        status, _, event = self.send(self.file("new", b"new"), server, name=name)
        self.assertEqual((server.directory / name).read_bytes(), b"old")
        if status == 0:
            self.assertEqual((server.directory / event["name"]).read_bytes(), b"new")
        else:
            self.assertEqual(status, 73)

    def test_the_path_is_that_of_the_stored_file(self):
        """Also in the line for sha256sum."""
        server = self.serve(*self.policy)
        self.assert_sent("--as", "a/f", self.file("old", b"old"), server.address)
        result = run("send", "--as", "a/f", str(self.file("new", b"new")), server.address)
        self.assertEqual(result.returncode, 0)
        check = subprocess.run(["sha256sum", "-c"], cwd=server.directory, input=result.stdout, text=True,
                               capture_output=True)  # fmt: skip
        self.assertEqual(check.stdout, "a/f.1: OK\n")

    def test_other_things_keep_their_name(self):
        """What gets a number beside a folder, a link or a FIFO, or is refused, leaves those alone."""
        for name, status, event in self.assert_never_in_the_way("keep-both"):
            self.assertIn(status, (0, 73))
            self.assertTrue(status or event["name"].startswith(f"{name}."), event)

    def test_many_at_once_each_get_a_name(self):
        server = self.serve(*self.policy)
        sources = [self.file(f"source-{number}", os.urandom(100 * KIB)) for number in range(10)]
        clients = [
            subprocess.Popen([FXFER, "send", "-q", "--as", "f", source, server.address], stdout=subprocess.DEVNULL)
            for source in sources
        ]
        self.assertEqual([client.wait(PATIENCE) for client in clients], [0] * 10)
        self.assertEqual(sorted(server.published().values()), sorted(map(sha256, sources)))
        self.assertEqual(set(server.published()), {b"f"} | {b"f.%d" % number for number in range(1, 10)})


class IdenticalTest(ConflictCase):
    def test_the_same_content_is_success_whatever_the_policy(self):
        for policy in ("refuse", "replace", "keep-both"):
            server = self.serve("--on-conflict", policy, directory=self.folder / policy)
            for title, size in SIZES.items():
                with self.subTest(policy, size=title):
                    source = self.file("source", os.urandom(size))
                    self.send(source, server, name=title)
                    inode = (server.directory / title).stat().st_ino
                    status, stderr, event = self.send(source, server, name=title)
                    self.assertEqual((status, event["outcome"], event["name"]), (0, "identical", title), stderr)
                    self.assertEqual((server.directory / title).stat().st_ino, inode)
            self.assertEqual((len(server.published()), server.partials()), (len(SIZES), []))
