"""`fxfer demo`: both ends in one go; it shows that what arrived is what was sent, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import unittest

from sending import SendCase
from support import FXFER, PATIENCE, run, sha256
from waiting import eventually


class DemoTest(SendCase):
    def setUp(self):
        super().setUp()
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        self.environment = dict(os.environ, TMPDIR=str(self.temporary))

    def demo(self, *sources, **options):
        return run("demo", *map(os.fsencode, sources), **{"env": self.environment} | options)

    def assert_nothing_left(self):
        self.assertEqual(list(self.temporary.iterdir()), [])

    def test_file(self):
        """It shows the receipt, the size and rate, and the stored file's digest, computed anew."""
        source = self.file("photo", os.urandom(3 << 20))
        result = self.demo(source)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        digest = sha256(source)
        self.assertIn(f"{digest}  photo\n", result.stdout)
        self.assertEqual(result.stdout.count(digest), 2)
        self.assertRegex(result.stdout, r"3\.0 MiB at [\d.]+ [KMG]iB/s")
        self.assertRegex(result.stdout, r"127\.0\.0\.1:\d+")
        self.assert_nothing_left()
        self.assertEqual(sha256(source), digest)

    def test_without_file(self):
        """Without a file it makes one of 256 MiB, sends that, and removes both ends of it."""
        result = self.demo()
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("256.0 MiB at ", result.stdout)
        self.assertEqual(len(set(re.findall(r"\b[0-9a-f]{64}\b", result.stdout))), 1)
        self.assert_nothing_left()

    def test_several_files(self):
        """Several files have a receipt and a digest each; an empty one, too."""
        sources = [self.file("a", b""), self.file("b", os.urandom(1000)), self.file("c d", b"x")]
        result = self.demo(*sources)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for source in sources:
            self.assertIn(f"{sha256(source)}  {source.name}\n", result.stdout)
            self.assertGreaterEqual(result.stdout.count(sha256(source)), 2)
        self.assert_nothing_left()

    def test_no_such_file(self):
        """A file that cannot be sent is status 66 and named, and nothing is left behind."""
        for source in (self.folder / "nothing", "/dev/zero"):
            with self.subTest(source):
                result = self.demo(self.file("good"), source)
                self.assertEqual((result.returncode, result.stdout), (66, ""))
                self.assertRegex(result.stderr, rf"\Afxfer: '{source}'[^\n]+\n\Z")
                self.assert_nothing_left()

    def test_folder(self):
        """A folder is a mistake of the user (64): what is shown is files."""
        result = self.demo(self.file("good"), self.folder)
        self.assertEqual((result.returncode, result.stdout), (64, ""))
        self.assertRegex(result.stderr, r"\Afxfer: [^\n]*folder[^\n]*\n\Z")
        self.assert_nothing_left()

    def test_two_files_with_one_name(self):
        """Two files of one name are a mistake of the user (64), as in `send`, and are both named."""
        sources = [self.file("a/f", b"1"), self.file("b/f", b"2")]
        result = self.demo(*sources)
        self.assertEqual(result.returncode, 64, result.stderr)
        self.assertNotRegex(result.stdout, r"[0-9a-f]{64}", "one of them was sent")
        for source in sources:
            self.assertIn(f"'{source}'", result.stderr)
        self.assert_nothing_left()

    def test_no_temporary_directory(self):
        """A temporary directory that cannot be used is said so in one line."""
        result = self.demo(self.file("f"), env=self.environment | {"TMPDIR": str(self.folder / "nothing")})
        self.assertIn(result.returncode, (73, 74))
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr, r"\Afxfer: [^\n]*nothing[^\n]*\n\Z")

    def test_interrupted(self):
        """Control-C in the middle leaves nothing behind: not 256 MiB of a sample, not what was received."""
        source = self.sparse("large", 16 << 30)
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                process = subprocess.Popen(
                    [FXFER, "demo", source],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=self.environment,
                )
                eventually(lambda: list(self.temporary.glob("*/received/.fxfer/partials/*.part")), "it receives")
                process.send_signal(number)
                self.assertIn(process.wait(timeout=PATIENCE), (-number, 128 + number))
                self.assert_nothing_left()


if __name__ == "__main__":
    unittest.main()
