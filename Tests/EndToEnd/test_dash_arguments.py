"""Arguments that begin with a dash: a file's name is never taken for a call for help."""

import os
import unittest

from sending import SendCase
from support import run, sha256

USAGE = 64
NAMES = ["-dash", "-hello.txt", "-hx", "-x.h", "-photo", "-oh", "--helpful", "--dash", "--", "-", "-.", "-1", "-\xe9h"]


class DashTest(SendCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.here = self.folder / "here"
        self.file("here/plain")
        for name in NAMES:
            self.file(f"here/{name}")

    def assert_refused(self, *arguments):
        """Status 64 and one line that points to the help; no help, and nothing sent."""
        result = run("send", *arguments, cwd=self.here)
        self.assertEqual((result.returncode, result.stdout), (USAGE, ""), result.stderr)
        self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")
        self.assert_nothing_stored(self.server)

    def test_names_are_no_options(self):
        """A file whose name begins with a dash is a usage error at any place, and no other file is sent then."""
        address = self.server.address
        for name in NAMES:
            if name in ("-", "--"):
                continue
            for arguments in ([name, address], ["plain", name, address], [name, "plain", address], [name]):
                with self.subTest(arguments):
                    self.assert_refused(*arguments)

    def test_with_a_folder_they_are_names(self):
        """With ./ before it, every such file can be sent."""
        sources = [f"./{name}" for name in NAMES]
        self.assert_sent(*sources, self.server.address, cwd=self.here)
        self.assert_nothing_stored(self.server, {os.fsencode(name): sha256(self.here / name) for name in NAMES})

    def test_behind_two_dashes_they_are_names(self):
        """Behind `--` nothing is an option, and nothing a call for help; only `-` is standard input there, too."""
        names = [name for name in NAMES if name not in ("-", "--")] + ["-h", "--help", "--version"]
        for name in names[-3:]:
            self.file(f"here/{name}")
        self.assert_sent("--", *names, self.server.address, cwd=self.here)
        self.assert_nothing_stored(self.server, {os.fsencode(name): sha256(self.here / name) for name in names})


if __name__ == "__main__":
    unittest.main()
