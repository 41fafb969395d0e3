"""What `fxfer send` delivers: content, times, permissions, names; and what it says about it."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import unittest

from sending import SendCase
from support import run, sha256

MIB = 1 << 20


class ContentTest(SendCase):
    def test_sizes(self):
        """Files of every size around a chunk arrive with equal SHA-256."""
        server = self.serve()
        for size in (0, 1, MIB - 1, MIB, MIB + 1, 5 * MIB):
            with self.subTest(size=size):
                source = self.file(f"f{size}", os.urandom(size))
                digest = sha256(source)
                self.assertEqual(self.assert_sent(source, server.address), f"{digest}  f{size}\n".encode())
                self.assertEqual(server.published()[b"f%d" % size], digest)
        self.assertEqual(server.partials(), [])

    def test_more_than_4_gib(self):
        """(slow) A file of more than 4 GiB arrives whole, and neither end ever has more than 64 MiB of memory."""
        memory = pathlib.Path("/dev/shm")
        if not memory.is_dir() or shutil.disk_usage(memory).free < 6 << 30:
            self.skipTest("needs 6 GiB of /dev/shm")
        folder = memory / self.folder.name
        folder.mkdir()
        self.addCleanup(shutil.rmtree, folder)
        size = (4 << 30) + 12345
        source = self.sparse("large", size, folder)
        with open(source, "r+b") as file:
            for offset in (0, (2 << 30) - 4, (4 << 30) - 4, size - 8):
                file.seek(offset)
                file.write(os.urandom(8))
        server = self.serve(directory=folder / "out")
        client = self.sending(source, server.address)
        receipt = client.wait_for("receipt")
        self.assertEqual(client.wait(), (0, ""))
        self.assertEqual(receipt["sha256"], sha256(source))
        self.assertEqual(server.published(), {b"large": receipt["sha256"]})
        self.assertLessEqual(server.peak_memory(), 64 * MIB)
        self.assertLessEqual(client.peak_memory, 64 * MIB)

    def test_content_that_looks_like_the_protocol(self):
        """A file whose content is text, a preamble or an end of line arrives as it is."""
        server = self.serve()
        content = b"\xf8FXF\r\n\x1a\n" + b"\r\n" * 1000 + b"\x00" * 1000 + b"HTTP/1.1 200 OK\r\n"
        self.assert_sent(self.file("f", content), server.address)
        self.assertEqual((server.directory / "f").read_bytes(), content)


class AttributesTest(SendCase):
    def test_time(self):
        """The modification time is kept to the nanosecond, also one before 1970."""
        server = self.serve()
        for name, time in (("now", 1_700_000_000_123_456_789), ("old", -1_500_000_001), ("zero", 0)):
            with self.subTest(name):
                source = self.file(name)
                os.utime(source, ns=(time, time))
                self.assert_sent(source, server.address)
                self.assertEqual((server.directory / name).stat().st_mtime_ns, time)

    def test_permissions(self):
        """Permission bits are kept; set-id and sticky bits are dropped."""
        server = self.serve()
        old = os.umask(0o077)
        self.addCleanup(os.umask, old)
        for mode in (0o644, 0o600, 0o755, 0o444, 0o4755, 0o2755, 0o7777):
            with self.subTest(f"{mode:o}"):
                source = self.file(f"m{mode:o}")
                source.chmod(mode)
                self.assert_sent(source, server.address)
                stored = (server.directory / source.name).stat().st_mode & 0o7777
                self.assertEqual(f"{stored:o}", f"{mode & 0o777:o}")


class NameTest(SendCase):
    def test_checksum_lines(self):
        """stdout is what `sha256sum -c` checks in the server's directory, for every name that can be stored."""
        server = self.serve()
        names = [b"with space", b" at the ends ", b"back\\slash", b"not-utf8-\xff\xfe", "é and e\u0301".encode()]
        names += [b"-rf", b".hidden", b"x" * 255, b"%2e%2e%2fx", b"*", b"a\xcc\x81", b"\xc2\x9b31m", b".fxfer2"]
        for name in names:
            with self.subTest(name):
                source = os.fsencode(self.folder) + b"/" + name
                with open(source, "wb") as file:
                    file.write(name)
                line = self.assert_sent(source, server.address)
                check = subprocess.run(["sha256sum", "-c"], cwd=server.directory, input=line, capture_output=True)
                self.assertEqual(check.returncode, 0, check.stderr)
                self.assertEqual(server.published().get(name), hashlib.sha256(name).hexdigest())
        self.assertEqual(len(server.published()), len(names))

    def test_names_are_bytes(self):
        """Two spellings of one letter, and upper and lower case, are different files."""
        server = self.serve()
        names = ["\u00e9", "e\u0301", "a", "A"]
        for name in names:
            self.assert_sent(self.file(f"{names.index(name)}/f", name.encode()), server.address, "--as", name)
        expected = {name.encode(): hashlib.sha256(name.encode()).hexdigest() for name in names}
        self.assertEqual(server.published(), expected)

    def test_folder(self):
        """A folder in the destination is made, or used where it exists."""
        server = self.serve()
        self.assert_sent(self.file("f"), f"{server.address}/a/b")
        line = self.assert_sent(self.file("g"), f"{server.address}/a/b/")
        self.assertTrue(line.endswith(b"  a/b/g\n"))
        self.assertEqual(sorted(server.published()), [b"a/b/f", b"a/b/g"])

    def test_as(self):
        """--as gives the file another name, also one in a folder, below the destination's folder if there is one."""
        server = self.serve()
        source = self.file("f")
        self.assertTrue(self.assert_sent(source, server.address, "--as", "new name").endswith(b"  new name\n"))
        self.assert_sent("--as", "x/y", source, server.address)
        self.assert_sent("--as", b"\xff", source, f"{server.address}/z")
        self.assertEqual(sorted(server.published()), [b"new name", b"x/y", b"z/\xff"])

    def test_link_as_source(self):
        """A link as the source is what it points to."""
        server = self.serve()
        (self.folder / "link").symlink_to(self.file("f", b"target"))
        self.assert_sent(self.folder / "link", server.address)
        self.assertEqual((server.directory / "link").read_bytes(), b"target")
        self.assertFalse((server.directory / "link").is_symlink())


class SeveralFilesTest(SendCase):
    def test_several(self):
        """Several files go in one command, each with its line."""
        server = self.serve()
        sources = [self.file(f"f{size}", os.urandom(size)) for size in (0, 10, 3 * MIB, 7)]
        output = self.assert_sent(*sources, f"{server.address}/many")
        expected = {os.fsencode(f"many/{source.name}"): sha256(source) for source in sources}
        self.assertEqual(server.published(), expected)
        lines = sorted(b"%s  %s" % (digest.encode(), name) for name, digest in expected.items())
        self.assertEqual(sorted(output.splitlines()), lines)

    def test_hundreds_of_small_files(self):
        """Three hundred small files, more than a server allows at once, arrive whole, each with its line."""
        server = self.serve()
        sources = [self.file(f"src/{number}", os.urandom(number)) for number in range(300)]
        output = self.assert_sent(*sources, server.address)
        check = subprocess.run(["sha256sum", "-c", "--quiet"], cwd=server.directory, input=output, capture_output=True)
        self.assertEqual((check.returncode, check.stdout, len(output.splitlines())), (0, b"", 300))
        self.assertEqual(server.published(), {os.fsencode(path.name): sha256(path) for path in sources})


class ExistingFileTest(SendCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.old = self.server.directory / "f"
        self.old.write_bytes(b"old content")
        os.utime(self.old, ns=(5, 123_456_789))
        self.before = self.server.published()
        self.old_stat = self.old.stat()

    def assert_old_is_untouched(self):
        self.assert_nothing_stored(self.server, self.before)
        now = self.old.stat()
        for field in ("st_ino", "st_mtime_ns", "st_mode", "st_nlink", "st_size"):
            self.assertEqual(getattr(now, field), getattr(self.old_stat, field), field)
        self.assert_serves(self.server)

    def test_same_content(self):
        """The same content under the same name is a success, and stderr says that nothing had to be stored."""
        result = run("send", str(self.file("f", b"old content")), self.server.address)
        self.assertEqual((result.returncode, result.stdout), (0, f"{sha256(self.old)}  f\n"))
        self.assertRegex(result.stderr, r"\Afxfer: 'f' was there already[^\n]*\n\Z")
        quiet = run("send", "--quiet", str(self.folder / "f"), self.server.address)
        self.assertEqual((quiet.returncode, quiet.stderr), (0, ""))
        self.assert_old_is_untouched()

    def test_other_content(self):
        """Other content, of the same size or another, is status 73, and the old file is untouched."""
        for content in (b"new content", b"longer new content", b"", os.urandom(3 * MIB)):
            with self.subTest(size=len(content)):
                self.assert_fails(73, self.file("f", content), self.server.address, naming=["'f'", "exists"])
                self.assert_old_is_untouched()

    def test_others_are_sent(self):
        """A file that cannot be stored does not stop those before and behind it; the status is its own."""
        sources = [self.file("a/first"), self.file("a/f", b"other"), self.file("a/last")]
        result = run("send", *map(str, sources), self.server.address)
        self.assertEqual(result.returncode, 73)
        self.assertEqual(sorted(line.split()[1] for line in result.stdout.splitlines()), ["first", "last"])
        self.assertEqual(sorted(self.server.published()), [b"f", b"first", b"last"])
        self.assertEqual(self.old.read_bytes(), b"old content")

    def test_file_as_folder(self):
        """A file in the place of a folder, and a folder in the place of a file, are status 73."""
        self.assert_fails(73, self.file("g"), f"{self.server.address}/f", naming=["f/g"])
        (self.server.directory / "folder").mkdir()
        self.assert_fails(73, self.file("g"), self.server.address, "--as", "folder", naming=["'folder'"])
        self.assert_old_is_untouched()

    def test_links_are_not_followed(self):
        """A link in the server's directory is never followed, neither in the place of a file nor of a folder."""
        outside = self.file("outside/g", b"outside")
        links = {"link": outside, "dangling": self.folder / "nothing", "folder": outside.parent}
        for name, target in links.items():
            (self.server.directory / name).symlink_to(target)
        source = self.file("g", b"new")
        for arguments in (["--as", "link"], ["--as", "dangling"], ["--as", "folder"], ["--as", "folder/new"]):
            with self.subTest(arguments):
                self.assert_fails(73, source, self.server.address, *arguments)
        self.assertEqual([(path.name, path.read_bytes()) for path in outside.parent.iterdir()], [("g", b"outside")])
        for name, target in links.items():
            self.assertEqual((self.server.directory / name).readlink(), target)
            (self.server.directory / name).unlink()
        self.assertFalse((self.folder / "nothing").exists())
        self.assert_old_is_untouched()


if __name__ == "__main__":
    unittest.main()
