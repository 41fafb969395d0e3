"""Names of all kinds on the way back: they come byte for byte, and do nothing to a terminal, to JSON, or to a log."""

import json
import os
import unittest

from names import STORED
from resuming import ResumeCase
from sharing import ShareCase
from support import run
from test_terminal import HOSTILE, TerminalTest, in_terminal
from trees import contents, plant

MIB = 1 << 20


def files(names):
    """Of names that may be in each other's way, as a file and a folder, each gets a folder of its own."""
    return {b"%d/%s" % (number, name): name for number, name in enumerate(names)}


class ComeBackTest(ShareCase):
    def test_all_kinds(self):
        """A folder of files of all names that can be stored comes as it is: not UTF-8, both normal forms, upper and
        lower case, our own names' likes, options, patterns, and components of 255 bytes."""
        server = self.serve("--share")
        # Two are too long, or too deep, beneath another folder.
        deepest, longest = b"/".join([b"e"] * 64), b"/".join([b"d" * 58] * 64)
        names = [name for name in STORED if name not in (deepest, longest)]
        plant(server.directory / "tree", files(names))
        result = self.get("-q", f"{server.address}/tree", text=False)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(contents(self.place / "tree"), contents(server.directory / "tree"))
        self.assertEqual(self.parts(), [])

    def test_each_alone(self):
        """The same by its own name, large enough to be staged: 255 bytes leave room for what is staged, too."""
        server = self.serve("--share")
        for number, name in enumerate(STORED[-20:] + [b"y" * 255, b"\xff" * 255, b"-rf", b"--output", b"a\\b"]):
            if b"/" in name:
                continue
            with self.subTest(name[:20]):
                plant(server.directory, {name: os.urandom(MIB + number)})
                result = self.get("-q", b"%s/%s" % (server.address.encode(), name), text=False)
                self.assertEqual((result.returncode, result.stderr), (0, b""))
                self.assertEqual(contents(self.place)[name], contents(server.directory)[name])
        self.assertEqual(self.parts(), [])

    def test_names_of_what_is_staged_here(self):
        """Where parts are kept a file of such a name is refused: it could be taken for a part of another one. Elsewhere
        it is one like any other."""
        server = self.serve("--share")
        name = ".fxfer-0123456789abcdef0123456789abcdef.part"
        plant(server.directory, {name: b"staged?", f"tree/{name}": b"staged?"})
        self.assert_fails(self.get(f"{server.address}/{name}"), 64, 73, naming=[name])
        self.assertEqual(os.listdir(self.place), [])
        self.assertEqual(self.get("-q", f"{server.address}/tree").returncode, 0)
        self.assertEqual(contents(self.place / "tree"), contents(server.directory / "tree"))


class OnTerminalTest(TerminalTest, ResumeCase):
    """Whatever says such a name on a terminal says it escaped; as JSON, too."""

    options = ("--share",)

    def setUp(self):
        super().setUp()
        self.source = self.file("source", b"content")
        self.out = self.server.directory
        for name in HOSTILE:
            self.assert_sent(self.source, self.server.address, b"--as", name)

    def assert_escaped(self, *arguments, status=0):
        ended, shown, _ = in_terminal(*arguments, stdout=True)
        self.assertEqual(ended, status, shown)
        self.assertIn("\\x", shown)
        self.assert_harmless(shown)

    def test_what_was_stored(self):
        self.assert_escaped("list", self.server.address)
        self.assert_escaped("sums", self.out)
        for path in HOSTILE:
            with open(os.path.join(os.fsencode(self.out), path), "r+b") as file:
                file.write(b"CONTENT")
        self.assert_escaped("verify", self.out, status=65)
        for line in run("verify", "--json", str(self.out)).stdout.splitlines():
            self.assertTrue(line.isprintable())
            json.loads(line)

    def test_what_is_got(self):
        for name in HOSTILE:
            with self.subTest(name):
                address = self.server.address.encode() + b"/" + name
                output = self.folder / "got"
                self.assert_escaped("get", address, b"--output", os.fsencode(output) + b"-" + name)
                self.assert_escaped("get", address + b"-nothing", status=66)
                result = run("get", "--json", address, b"--output", b"-")
                self.assertTrue(result.stderr.replace("\n", "").isprintable())

    def test_what_is_kept(self):
        source = self.noise("large", 3 * MIB)
        for name in HOSTILE[:3]:
            self.interrupt(source, 2 * MIB + 5, name=b"kept" + name)
        self.assert_escaped("partials", self.out)
        result = run("partials", "--json", str(self.out))
        self.assertEqual(len(result.stdout.splitlines()), 3)
        self.assertTrue(result.stdout.replace("\n", "").isprintable())


if __name__ == "__main__":
    unittest.main()
