"""The system calls of a running server, seen and disturbed by strace."""

import codecs
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from support import PATIENCE


class Call:
    """One system call; `begin` and `end` are line numbers of the trace, so that calls can be put in order."""

    def __init__(self, begin, text):
        self.begin = self.end = begin
        self.text = text

    @property
    def name(self):
        return self.text.split("(", 1)[0]

    @property
    def result(self):
        """What it returned, with the name of the error, if any; None where it did not return."""
        found = re.search(r"\)\s+= (-?\d+)(?:<[^>]*>)?(?: (E[A-Z]+))?", self.text)
        return found and (found[2] or int(found[1]))


    @property
    def data(self):
        """The bytes of the strings that it was called with, one after the other, as many as strace shows."""
        strings = re.findall(r'"((?:[^"\\]|\\.)*)"', self.text)
        return b"".join(codecs.escape_decode(string.encode("latin-1"))[0] for string in strings)


class Trace:
    """strace on all threads of process `pid` from the begin of a with block to its end; `calls` are known then.

    `options` go to strace: what to trace, what to inject. Descriptors have their paths, strings are hexadecimal.
    """

    def __init__(self, pid, *options):
        if not shutil.which("strace"):
            raise unittest.SkipTest("strace is not installed")
        self.calls = []
        self._file = tempfile.NamedTemporaryFile(prefix="fxfer-trace-")
        self._process = subprocess.Popen(
            ["strace", "-f", "-y", "-x", "-s", "256", "-o", self._file.name, *options, "-p", str(pid)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        first = self._process.stderr.readline()
        if "attached" not in first:
            self._process.wait(timeout=PATIENCE)
            self._process.stderr.close()
            self._file.close()
            raise unittest.SkipTest(f"strace may not attach: {first}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=PATIENCE)
        with self._file:
            self._parse(os.fsdecode(self._file.read()).splitlines())

    def _parse(self, lines):
        unfinished = {}
        for number, line in enumerate(lines):
            thread, text = line.split(None, 1)
            if text.endswith(" <unfinished ...>"):
                unfinished[thread] = Call(number, text.removesuffix(" <unfinished ...>"))
                self.calls.append(unfinished[thread])
            elif resumed := re.match(r"<\.\.\. \w+ resumed>", text):
                if call := unfinished.pop(thread, None):
                    call.text += text[resumed.end() :]
                    call.end = number
            elif re.match(r"\w+\(", text):
                self.calls.append(Call(number, text))

    def of(self, *names, on=""):
        """The calls with one of these names whose text has `on`."""
        return [call for call in self.calls if call.name in names and on in call.text]


class CommandTrace(Trace):
    """As `Trace`, of the commands that are run behind `wrapper` inside the with block."""

    def __init__(self, *options):
        if not shutil.which("strace"):
            raise unittest.SkipTest("strace is not installed")
        self.calls = []
        self._file = tempfile.NamedTemporaryFile(prefix="fxfer-trace-")
        self.wrapper = ["strace", "-f", "-y", "-x", "-s", "256", "-A", "-o", self._file.name, *options]

    def __exit__(self, *_):
        with self._file:
            self._parse(os.fsdecode(self._file.read()).splitlines())


def injected(*faults):
    """What to put before a command so that system calls of it fail or kill it; see `inject=` in strace(1)."""
    wrapper = ["strace", "-f", "-o", os.devnull]
    if not shutil.which("strace") or subprocess.run([*wrapper, "true"], capture_output=True).returncode != 0:
        raise unittest.SkipTest("strace is not installed or may not trace")
    return [*wrapper, *(f"--inject={fault}" for fault in faults)]
