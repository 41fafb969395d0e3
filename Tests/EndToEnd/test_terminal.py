"""What a person sees: the progress bar where stderr is a terminal, and nothing that acts on the terminal."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unicodedata
import unittest

from sending import SendCase
from support import FXFER, PATIENCE, run

MIB = 1 << 20
#: The only sequence that fxfer may send to a terminal: clear to the end of the line.
CLEAR = "\x1b[K"
HOSTILE = [
    b"\xc2\x9b31mred",
    b"\x9b31mred",
    "\u202etxt.exe".encode(),
    "\u2066x\u2069".encode(),
    "a\u2028b".encode(),
    "\u200bzero".encode(),
    "\U000e0041tag".encode(),
    "\ue000private".encode(),
]


def in_terminal(*arguments, columns=80, stdout=False):
    """Runs fxfer with stderr, and stdout if asked for, on a terminal.

    Answers status, what the terminal got, and what stdout got where it is a pipe.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [FXFER, *map(os.fsencode, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=slave if stdout else subprocess.PIPE,
        stderr=slave,
    )
    os.close(slave)
    shown = b""
    with open(master, "rb", buffering=0) as terminal, contextlib.suppress(OSError):
        while data := terminal.read(65536):
            shown += data
    output, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, shown.decode(errors="surrogateescape"), output


def columns_of(text):
    """How many columns a terminal needs for printable text."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


class TerminalTest(SendCase):
    def assert_harmless(self, shown):
        """Nothing in it acts on a terminal, but for line ends and fxfer's own way to redraw a line."""
        rest = shown.replace(CLEAR, "").replace("\r", "").replace("\n", "")
        bad = [char for char in rest if not char.isprintable() or unicodedata.category(char) in ("Cf", "Co", "Cn")]
        self.assertEqual(bad, [], shown)


class ProgressBarTest(TerminalTest):
    def frames(self, shown):
        """The states of the line that the bar was drawn on, without the empty ones."""
        return [frame.removesuffix(CLEAR) for frame in shown.split("\r") if frame.endswith(CLEAR) and frame != CLEAR]

    def test_bar(self):
        """The bar shows verified bytes, rate and time left, ends at 100 %, and is gone at the end."""
        server = self.serve()
        status, shown, output = in_terminal("send", self.sparse("f", 256 * MIB), server.address)
        self.assertEqual(status, 0)
        self.assertRegex(output, rb"\A[0-9a-f]{64}  f\n\Z")
        frames = self.frames(shown)
        self.assertTrue(frames)
        size, rate = r"[\d.]+ [KMG]?i?B", r"[\d.]+ [KMGT]?i?B/s"
        for frame in frames:
            self.assertRegex(frame, rf"\Af \d+%  {size} of 256\.0 MiB verified  {rate}  [\d:-]+ left\Z")
        percents = [int(re.search(r"(\d+)%", frame)[1]) for frame in frames]
        self.assertEqual(percents, sorted(percents))
        self.assertTrue(shown.endswith("\r" + CLEAR), shown[-20:])
        self.assert_harmless(shown)

    def test_stdout_on_the_terminal_too(self):
        """Where stdout is the same terminal, the result stands on a line of its own."""
        server = self.serve()
        status, shown, _ = in_terminal("send", self.sparse("f", 64 * MIB), server.address, stdout=True)
        self.assertEqual(status, 0)
        self.assertRegex(shown, r"(\A|\r)(\x1b\[K)?[0-9a-f]{64}  f\r\n")
        self.assert_harmless(shown)

    def test_error_after_the_bar(self):
        """An error stands on a line of its own, not behind the bar."""
        server = self.serve()
        server.directory.joinpath("g").write_bytes(b"old")
        status, shown, _ = in_terminal("send", self.sparse("f", 64 * MIB), self.file("g"), server.address)
        self.assertEqual(status, 73)
        self.assertRegex(shown, r"(\A|[\r\n])(\x1b\[K)?fxfer: [^\r\n]*'g'[^\r\n]*\r\n")

    def test_no_bar(self):
        """There is no bar with --quiet, with --json, or where stderr is a pipe."""
        server = self.serve()
        source = self.sparse("f", 64 * MIB)
        for option in ("--quiet", "--json"):
            with self.subTest(option):
                self.assertEqual(in_terminal("send", option, source, server.address, "--as", option[2:])[1], "")
        self.assertEqual(run("send", str(source), server.address).stderr, "")

    def test_width(self):
        """The bar never needs more than the terminal's columns, whatever they are and however wide the name is."""
        server = self.serve()
        names = ["f", "x" * 200, "\u4f60\u597d" * 30, "e\u0301" * 60, "\U0001f600" * 40]
        for number, name in enumerate(names):
            for columns in (200, 80, 60, 40, 20):
                with self.subTest(name=name[:2], columns=columns):
                    stored = f"{number}-{columns}/{name}"
                    _, shown, _ = in_terminal(
                        "send", self.sparse("f", 16 * MIB), server.address, "--as", stored, columns=columns
                    )
                    for frame in self.frames(shown):
                        self.assertLessEqual(columns_of(frame), columns, frame)

    def test_unknown_width(self):
        """A terminal that does not know its width is taken for one of 80 columns."""
        server = self.serve()
        _, shown, _ = in_terminal("send", self.sparse("x" * 200, 16 * MIB), server.address, columns=0)
        self.assertLess(max(map(columns_of, self.frames(shown))), 80)


class HostileNameTest(TerminalTest):
    def test_stored(self):
        """A name that can be stored, but would act on a terminal, is shown escaped and stored as it is."""
        server = self.serve()
        for name in HOSTILE:
            with self.subTest(name):
                source = self.sparse("f", 16 * MIB)
                status, shown, _ = in_terminal("send", source, server.address, b"--as", name, stdout=True)
                self.assertEqual(status, 0)
                self.assertIn("\\x", shown)
                self.assert_harmless(shown)
        self.assertEqual(set(server.published()), set(HOSTILE))
        self.assertTrue(self.stop(server).replace("\n", "").isprintable())

    def test_errors(self):
        """Names that cannot be sent are escaped in the errors, wherever they come from."""
        server = self.serve()
        server.directory.joinpath("f").write_bytes(b"old")
        good = self.file("f", b"new")
        escape = b"\x1b]0;owned\x07\x1b[31m"
        for bad in [escape, *HOSTILE]:
            with self.subTest(bad):
                folder = os.fsencode(self.folder) + b"/" + bad
                os.mkdir(folder)
                with open(folder + b"/f", "wb") as file:
                    file.write(b"other")
                os.mkfifo(folder + b"/fifo")
                for arguments in (
                    (folder + b"/fifo", server.address),
                    (folder + b"/nothing", server.address),
                    (folder + b"/f", server.address),
                    (good, folder + b"/f", server.address),
                    (good, server.address, b"--as", b"../" + bad),
                    (good, server.address.encode() + b"/../" + bad),
                    (good, bad),
                    (good, b"[" + bad + b"]:1"),
                    (good, b"x" + bad + b":1"),
                ):
                    status, shown, _ = in_terminal("send", *arguments, stdout=True)
                    self.assertNotEqual(status, 0)
                    self.assertIn("\\x", shown)
                    self.assert_harmless(shown)
                self.assertEqual(server.directory.joinpath("f").read_bytes(), b"old")
        self.assert_serves(server)

    def test_usage_errors(self):
        """What is refused before it is known to be a name, as a file `--…` in `fxfer send *`, is escaped, too."""
        bad = b"\x1b]0;owned\x07\x1b[31m\xc2\x9b31m" + "\u202e".encode()
        for arguments in (
            ("send", b"-" + bad, "host"),
            ("send", b"--" + bad, "host"),
            ("send", b"--json=" + bad, "f", "host"),
            ("send", "f", "host", b"--timeout", bad),
            ("serve", "--dir", "x", b"--listen", bad),
            ("serve", "--dir", "x", b"--log-level", bad),
            ("serve", b"--dir", b"/dev/null/" + bad),
            ("serve", b"--dir", self.file("f"), bad),
            ("demo", b"--" + bad),
            ("demo", bad),
            (bad,),
        ):
            with self.subTest(arguments):
                status, shown, _ = in_terminal(*arguments, stdout=True)
                self.assertNotEqual(status, 0)
                self.assert_harmless(shown)


if __name__ == "__main__":
    unittest.main()
