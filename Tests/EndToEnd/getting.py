"""What the tests of `fxfer get --legacy` share: a folder to get into, and what must hold there afterwards."""

import hashlib
import os

from legacy import LegacyCase, ScriptedServer
from support import run, sha256


class GetCase(LegacyCase):
    """Tests get into `self.place`, a folder that holds what the test has put there, and nothing else."""

    def setUp(self):
        super().setUp()
        self.place = self.folder / "place"
        self.place.mkdir()

    def get(self, address, *options, **popen):
        return run("get", "--legacy", address, *options, cwd=self.place, **popen)

    def get_from(self, script, *options, **keywords):
        """Gets from a server that plays `script`."""
        with ScriptedServer(script, **keywords) as server:
            return self.get(server.address, *options)

    def state(self):
        """What would show that anything in the folder was touched: kinds, contents, times and inodes."""
        return {
            entry.name: (
                entry.stat(follow_symlinks=False).st_mode,
                entry.stat(follow_symlinks=False).st_mtime_ns,
                entry.inode(),
                sha256(entry.path) if entry.is_file(follow_symlinks=False) else None,
            )
            for entry in os.scandir(self.place)
        }

    def assert_got(self, result, content, name="pjrecfile"):
        """The file is `content`; the one line printed has its SHA-256 and says that it is unverified."""
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(result.stdout, f"unverified  {hashlib.sha256(content).hexdigest()}  {name}\n")
        self.assertEqual((self.place / name).read_bytes(), content)
        self.assertEqual(os.listdir(self.place), [name])


class OldFileCase(GetCase):
    """There is an old file of that name."""

    def setUp(self):
        super().setUp()
        (self.place / "pjrecfile").write_bytes(b"old")
        os.utime(self.place / "pjrecfile", ns=(0, 10**18))
        self.before = self.state()

    def assert_failed(self, result, status, *naming):
        """The status, one line on standard error, nothing on standard output; nothing in the folder has changed."""
        self.assertEqual((result.returncode, result.stdout), (status, ""), result.stderr)
        self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")
        for text in naming:
            self.assertIn(text, result.stderr)
        self.assertEqual(self.state(), self.before)
