"""`--expect-size` and `--expect-sha256`: what is not as expected is not stored."""

import hashlib
import os
import subprocess

from sending import SendCase
from support import FXFER, PATIENCE, run
from waiting import eventually

KIB, MIB = 1 << 10, 1 << 20
SIZES = (0, 10, 500 * KIB, 3 * MIB)


class ExpectationCase(SendCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def send_both_ways(self, content, *options):
        """The results of sending it as a file and from standard input."""
        source = self.file("f", content)
        yield run("send", *options, str(source), self.server.address)
        with open(source, "rb") as stdin:
            yield run("send", *options, "-", "--as", "f", self.server.address, stdin=stdin)
        pipe = subprocess.Popen(
            [FXFER, "send", *options, "-", "--as", "f", self.server.address],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        stdout, stderr = pipe.communicate(content, timeout=PATIENCE)
        yield subprocess.CompletedProcess([], pipe.returncode, stdout.decode(), stderr.decode())

    def assert_stored(self, content, *options):
        digest = hashlib.sha256(content).hexdigest()
        for result in self.send_both_ways(content, *options):
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, f"{digest}  f\n", ""))
            self.assertEqual(self.server.published(), {b"f": digest})
            (self.server.directory / "f").unlink()
        self.assertEqual(self.server.partials(), [])

    def assert_not_stored(self, content, *options):
        """Status 65, and nothing stored or staged."""
        before = self.server.published()
        for result in self.send_both_ways(content, *options):
            self.assertEqual((result.returncode, result.stdout), (65, ""), result.stderr)
            self.assertRegex(result.stderr, r"\Afxfer: [^\n]+expected[^\n]+\n\Z")
            self.assertEqual(self.server.published(), before)
            # The client may be gone before the server has cleared up.
            eventually(lambda: not self.server.partials(), "what is not wanted is not kept", 5)


class MatchTest(ExpectationCase):
    def test_what_is_as_expected_is_stored(self):
        for size in SIZES:
            content = os.urandom(size)
            digest = hashlib.sha256(content).hexdigest()
            with self.subTest(size=size):
                self.assert_stored(content, "--expect-size", str(size))
                self.assert_stored(content, "--expect-sha256", digest)
                self.assert_stored(content, "--expect-sha256", digest.upper(), "--expect-size", str(size))


class MismatchTest(ExpectationCase):
    def test_another_size_is_not_stored(self):
        for size in SIZES:
            for expected in {size + 1, max(size - 1, 1), 1 << 40} - {size}:
                with self.subTest(size=size, expected=expected):
                    self.assert_not_stored(os.urandom(size), "--expect-size", str(expected))

    def test_another_digest_is_not_stored(self):
        for size in SIZES:
            with self.subTest(size=size):
                content = os.urandom(size)
                self.assert_not_stored(content, "--expect-sha256", "0" * 64)
                other = hashlib.sha256(content + b"x").hexdigest()
                self.assert_not_stored(content, "--expect-size", str(size), "--expect-sha256", other)

    def test_also_where_the_server_has_the_same_file(self):
        for size in SIZES:
            with self.subTest(size=size):
                content = os.urandom(size)
                (self.server.directory / "f").write_bytes(content)
                self.assert_not_stored(content, "--expect-sha256", "0" * 64)
                self.assert_not_stored(content, "--expect-size", str(size + 1))

    def test_also_with_the_quick_comparison(self):
        """A file of the expected size and time that is not looked at is not known to have the expected digest."""
        source = self.file("f", b"content")
        self.assert_sent(source, self.server.address)
        result = run("send", "--compare", "quick", "--expect-sha256", "0" * 64, str(source), self.server.address)
        self.assertEqual((result.returncode, result.stdout), (65, ""), result.stderr)
        self.assertEqual(len(self.server.published()), 1)


class UsageTest(ExpectationCase):
    def test_with_folders_or_several_files(self):
        folder = self.folder / "folder"
        folder.mkdir()
        one, two = self.file("folder/one"), self.file("folder/two")
        for sources in ([folder], [one, two], [folder, one]):
            for option in ("--expect-size=8", "--expect-sha256=" + "0" * 64):
                with self.subTest(f"{sources} {option}"):
                    self.assert_fails(64, option, *sources, self.server.address)
                    self.assert_nothing_stored(self.server)

    def test_values_that_make_no_sense(self):
        source = self.file("f")
        for option in ("--expect-size=", "--expect-size=-1", "--expect-size=x", f"--expect-size={1 << 64}"):
            with self.subTest(option):
                self.assert_fails(64, option, source, self.server.address)
        for value in ("", "0" * 63, "0" * 65, "g" * 64, "0" * 63 + "é"):
            with self.subTest(value):
                self.assert_fails(64, f"--expect-sha256={value}", source, self.server.address)
        self.assert_nothing_stored(self.server)
