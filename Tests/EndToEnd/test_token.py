"""`fxfer token`: fresh secrets, as lines of a token file."""

import subprocess
import unittest

from support import FXFER, PATIENCE, Case, run

USAGE, IO_ERROR = 64, 74
TOKEN = r"[A-Za-z0-9_-]{43}"


class TokenTest(Case):
    def token(self, *arguments):
        result = run("token", *arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def test_forms(self):
        """A line for each way to ask for one."""
        self.assertRegex(self.token(), rf"\A{TOKEN}\n\Z")
        self.assertRegex(self.token("alice"), rf"\Aalice:{TOKEN}\n\Z")
        self.assertRegex(self.token("a.B_9@c-d", "--rights", "list,upload"), rf"\Aa\.B_9@c-d:{TOKEN}:upload,list\n\Z")
        self.assertRegex(self.token("a", "--rights", "read"), rf"\Aa:{TOKEN}:read\n\Z")

    def test_fresh(self):
        self.assertEqual(len({self.token() for _ in range(20)}), 20)

    def test_mistakes(self):
        """A mistake is one line on stderr, and there is no token."""
        for arguments in (
            ["a b"],
            ["a:b"],
            [""],
            ["n" * 65],
            ["ä"],
            ["a", "b"],
            ["--rights", "upload"],
            ["a", "--rights", ""],
            ["a", "--rights", "all"],
            ["a", "--rights", "upload,"],
            ["a", "--rights", "upload, read"],
        ):
            with self.subTest(arguments):
                result = run("token", *arguments)
                self.assertEqual((result.returncode, result.stdout), (USAGE, ""))
                self.assertRegex(result.stderr, r"\Afxfer: [^\n]+ --help\n\Z")

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            process = subprocess.run(
                [FXFER, "token"], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE
            )
        self.assertEqual(process.returncode, IO_ERROR)

    def test_help_teaches(self):
        text = run("token", "--help").stdout
        self.assertIn("(umask 077; fxfer token alice >> tokens)", text)
        self.assertIn("--token-file tokens", text)
        self.assertLessEqual(max(len(line) for line in text.splitlines() if not line.startswith("USAGE")), 80)


if __name__ == "__main__":
    unittest.main()
