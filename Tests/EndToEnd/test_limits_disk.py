"""What is stored is limited: a file, all files together, and what the disk keeps free."""

import os
import subprocess
import unittest
from subprocess import PIPE

from gate import Gate
from sending import SendCase
from support import FXFER, ONCE, PATIENCE, finish, run, sha256
from waiting import eventually

MIB = 1 << 20
TOO_LARGE, FULL = 73, 74


class DiskLimitCase(SendCase):
    def start(self, *options, **keywords):
        """A server with one old file, which is to stay as it is."""
        self.file("out/old", b"old")
        self.server = self.serve(*options, **keywords)
        self.before = self.server.published()
        self.descriptors = self.server.descriptors()
        self.assert_serves(self.server)

    def source(self, name, size):
        return self.file(name, os.urandom(size))

    def digest(self, *sources):
        return {os.fsencode(source.name): sha256(source) for source in sources}

    def assert_refused(self, status, *arguments, naming=(), stored=None):
        """`send` fails so, in one line; nothing was published or staged but what `stored` says."""
        self.assert_fails(status, *ONCE, *arguments, self.server.address, naming=naming)
        self.assert_nothing_stored(self.server, self.before | (stored or {}))
        eventually(lambda: self.server.descriptors() <= self.descriptors, "the descriptors are back")

    def assert_taken(self, *arguments):
        self.assert_sent(*ONCE, "--quiet", *arguments, self.server.address)

    def send_input(self, size):
        """Sends so much from standard input; status and stderr."""
        command = [FXFER, "send", *ONCE, "-", "--as", "f", self.server.address]
        with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE) as client:
            _, errors = client.communicate(os.urandom(size), timeout=PATIENCE)
        return client.returncode, errors.decode()


class LargestFileTest(DiskLimitCase):
    def test_announced(self):
        """A file over the limit is refused before anything of it is sent, whatever way it would be staged."""
        for number, limit in enumerate((1000, 200_000, 3 * MIB)):
            with self.subTest(limit=limit):
                self.start("--max-file-size", str(limit), directory=self.folder / f"out{number}")
                client = self.sending(*ONCE, self.source("f", limit + 1), self.server.address)
                status, errors = client.wait()
                self.assertEqual((status, client.events[-1]["code"]), (TOO_LARGE, "too-large"), errors)
                self.assertIn(f"larger than the {limit} bytes", errors)
                self.assertEqual([event for event in client.events if event["event"] == "progress"], [])
                self.assert_nothing_stored(self.server)
                fits = self.source("g", limit)
                self.assert_taken(fits)
                self.assertEqual(self.server.published(), self.digest(fits))

    def test_standard_input(self):
        """Of a file whose size nobody knows, the first byte over the limit ends it, and nothing of it is kept."""
        self.start("--max-file-size", "2M")
        status, errors = self.send_input(2 * MIB + 1)
        self.assertEqual(status, TOO_LARGE, errors)
        self.assertIn("'f'", errors)
        self.assert_nothing_stored(self.server, self.before)
        self.assertEqual(self.send_input(2 * MIB)[0], 0)

    def test_folder(self):
        """Of a folder, what fits is stored, and what does not is named."""
        self.start("--max-file-size", "1000")
        fits, large = self.source("tree/sub/fits", 1000), self.source("tree/sub/large", 1001)
        self.assert_fails_naming_large(large)
        self.assert_nothing_stored(self.server, self.before | {b"tree/sub/fits": sha256(fits)})

    def assert_fails_naming_large(self, large):
        result = run("send", *ONCE, "--quiet", str(self.folder / "tree"), self.server.address)
        self.assertEqual(result.returncode, TOO_LARGE, result.stderr)
        self.assertIn("tree/sub/large", result.stderr)

    def test_file_that_was_begun_under_another_limit(self):
        """A partial does not get a file past the limit."""
        self.start()
        source = self.source("f", 4 * MIB)
        with Gate(self.server.port, 2 * MIB) as gate:
            client = self.sending(*ONCE, source, gate.address)
            gate.wait_until_held()
            client.wait_for("progress")
            gate.cut()
            client.wait()
        eventually(lambda: self.server.partials(), "a partial is kept")
        self.stop(self.server)
        self.server = self.serve("--max-file-size", "3M")
        self.assert_fails(TOO_LARGE, *ONCE, source, self.server.address, naming=["'f'"])
        self.assertEqual(self.server.published(), self.before)


class TotalTest(DiskLimitCase):
    options = ("--max-total-size", "10M")

    def test_what_is_there_counts(self):
        """Files are taken up to the limit and not beyond; the same again is still success."""
        self.file("out/sub/there", bytes(4 * MIB))
        self.start(*self.options)
        fits = self.source("fits", 5 * MIB)
        self.assert_taken(fits)
        stored = self.digest(fits)
        naming = ["the server's limit of 10485760 bytes in all is reached", "'f'"]
        for size in (2 * MIB, 1_100_000):
            self.assert_refused(FULL, self.source("f", size), naming=naming, stored=stored)
        self.assert_taken(fits)
        self.assert_taken(self.source("small", 1000))

    def test_small_files(self):
        """What is held in memory counts, too."""
        self.file("out/there", bytes(10 * MIB - 15_000))
        self.start(*self.options)
        self.assert_taken(self.source("a", 6000))
        stored = self.digest(self.folder / "a")
        self.assert_refused(FULL, self.source("b", 6000), naming=["in all"], stored=stored)

    def test_empty_files(self):
        """Empty files and folders count with 4 KiB each."""
        self.start("--max-total-size", "1M")
        for number in range(2000):
            self.file(f"tree/f{number:04}", b"")
        result = run("send", *ONCE, "--quiet", str(self.folder / "tree"), self.server.address)
        self.assertEqual(result.returncode, FULL, result.stderr)
        self.assertIn("in all is reached", result.stderr)
        stored = self.server.published()
        self.assertTrue(200 < len(stored) <= 256, len(stored))
        self.assertLessEqual(self.before.items(), stored.items())
        self.assertEqual(self.server.partials(), [])

    def test_empty_folders(self):
        self.start("--max-total-size", "1M")
        for number in range(2000):
            (self.folder / f"tree/d{number:04}").mkdir(parents=True)
        result = run("send", *ONCE, "--quiet", str(self.folder / "tree"), self.server.address)
        self.assertEqual(result.returncode, FULL, result.stderr)
        made = len(list((self.server.directory / "tree").iterdir()))
        self.assertTrue(200 < made <= 256, made)
        self.assertEqual(self.server.published(), self.before)

    def test_standard_input(self):
        self.start(*self.options)
        status, errors = self.send_input(11 * MIB)
        self.assertEqual(status, FULL, errors)
        self.assertIn("in all", errors)
        self.assert_nothing_stored(self.server, self.before)
        self.assertEqual(self.send_input(9 * MIB)[0], 0)

    def test_two_that_fit_alone(self):
        """Of two uploads at once that do not fit together, one is refused, and the other is stored."""
        self.start(*self.options)
        sources = [self.source("a", 6 * MIB), self.source("b", 6 * MIB)]
        with Gate(self.server.port, 2 * MIB) as gate:
            held = self.sending(*ONCE, sources[0], gate.address)
            gate.wait_until_held()
            self.assert_fails(FULL, *ONCE, sources[1], self.server.address, naming=["in all"])
            gate.open()
            self.assertEqual(held.wait(), (0, ""))
        self.assert_nothing_stored(self.server, self.before | self.digest(sources[0]))

    def test_twenty_at_once(self):
        """Of twenty at once, of known and unknown size, as many are stored as fit, and none in part."""
        self.start(*self.options)
        sources = [self.source(f"f{number}", 2 * MIB) for number in range(20)]
        clients = []
        for source in sources:
            what = [str(source)] if len(clients) % 2 else ["-", "--as", source.name]
            command = [FXFER, "send", *ONCE, "--quiet", *what, self.server.address]
            with open(source, "rb") as content:
                clients.append(
                    subprocess.Popen(command, stdin=content, stdout=PIPE, stderr=PIPE, text=True)
                )
        statuses = []
        for client in clients:
            with client:
                _, errors = finish(client)
                statuses.append(client.returncode)
                self.assertIn((client.returncode, bool(errors)), [(0, False), (FULL, True)], errors)
        stored = self.digest(*[source for source, status in zip(sources, statuses) if status == 0])
        self.assertLessEqual(len(stored), 4)
        self.assert_nothing_stored(self.server, self.before | stored)

    def test_what_failed_is_given_back(self):
        """An upload that was broken off and may not be gone on with takes nothing."""
        self.start(*self.options, "--keep-partials", "0")
        source = self.source("f", 8 * MIB)
        for _ in range(3):
            with Gate(self.server.port, 2 * MIB) as gate:
                client = self.sending(*ONCE, source, gate.address)
                gate.wait_until_held()
                gate.cut()
                client.wait()
            eventually(lambda: not self.server.partials(), "nothing is staged any more")
        self.assert_taken(source)

    def test_resumed(self):
        """A partial counts, and the rest of its file has room where all of it would not."""
        self.start(*self.options)
        source = self.source("f", 8 * MIB)
        with Gate(self.server.port, 5 * MIB) as gate:
            client = self.sending(*ONCE, source, gate.address)
            gate.wait_until_held()
            client.wait_for("progress")
            gate.cut()
            client.wait()
        eventually(lambda: self.server.partials(), "a partial is kept")
        for _ in range(2):
            self.assert_fails(FULL, *ONCE, self.source("g", 9 * MIB), self.server.address, naming=["in all"])
            self.assert_taken(source)
            self.assertEqual(self.server.published(), self.before | self.digest(source))
            self.stop(self.server)
            self.server = self.serve(*self.options)

    def test_what_its_owner_removes(self):
        """What was removed by hand counts no more, a few seconds later at most."""
        self.start(*self.options)
        self.assert_taken(self.source("a", 8 * MIB))
        self.assert_refused(FULL, self.source("b", 8 * MIB), stored=self.digest(self.folder / "a"))
        (self.server.directory / "a").unlink()

        def is_taken():
            result = run("send", *ONCE, "--quiet", str(self.folder / "b"), self.server.address)
            self.assertIn(result.returncode, (0, FULL), result.stderr)
            return result.returncode == 0

        eventually(is_taken, "there is room again")


class FreeSpaceTest(DiskLimitCase):
    def test_empty_file(self):
        """It takes some room, too."""
        server = self.serve("--min-free-space", "900T")
        self.assert_fails(FULL, *ONCE, self.source("f", 0), server.address, naming=["'f'", "free"])
        self.assert_nothing_stored(server)

    def small_disk(self, *options):
        folder = self.folder / "out"
        folder.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16M", "fxfer-test", folder], capture_output=True, text=True
        )
        if mounted.returncode != 0:
            self.skipTest(f"a file system cannot be mounted here: {mounted.stderr}")
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        self.start("--min-free-space", "8M", *options)

    def test_announced(self):
        self.small_disk()
        for size in (9 * MIB, 8 * MIB):
            self.assert_refused(FULL, self.source("f", size), naming=["'f'", "free"])
        fits = self.source("fits", 6 * MIB)
        self.assert_taken(fits)
        for size in (3 * MIB, 2 * MIB):
            self.assert_refused(FULL, self.source("f", size), naming=["'f'", "free"], stored=self.digest(fits))

    def test_small_files(self):
        """Many small files end where the limit is, too, and what is stored is whole."""
        self.small_disk()
        sources = [self.source(f"tree/f{number:04}", 30_000) for number in range(400)]
        result = run("send", *ONCE, "--quiet", str(self.folder / "tree"), self.server.address)
        self.assertEqual(result.returncode, FULL, result.stderr)
        status = os.statvfs(self.server.directory)
        # 1 MiB: a page more a file than its size, and what was on its way when the disk was asked.
        self.assertGreater(status.f_bavail * status.f_frsize, 7 * MIB)
        stored = self.server.published()
        self.assertGreater(len(stored), 150)
        expected = {os.fsencode(f"tree/{source.name}"): sha256(source) for source in sources} | self.before
        self.assertLessEqual(stored.items(), expected.items())
        self.assertEqual(self.server.partials(), [])

    def test_standard_input(self):
        self.small_disk()
        status, errors = self.send_input(9 * MIB)
        self.assertEqual(status, FULL, errors)
        self.assertIn("free", errors)
        self.assert_nothing_stored(self.server, self.before)
        self.assertEqual(self.send_input(6 * MIB)[0], 0)


if __name__ == "__main__":
    unittest.main()
