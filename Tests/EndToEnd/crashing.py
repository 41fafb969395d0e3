"""What tests of processes that are killed share: what was promised before a kill, and what has to hold after it."""

import contextlib
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

from injector import KILL, Injector
from support import FXFER, LONG, PATIENCE, Case, Server, run, sha256
from waiting import eventually

#: The exit status of a command that was killed, as a shell has it.
KILLED = 128 + signal.SIGKILL
#: More calls of one kind than any of these commands makes.
MOST_CALLS = 2000
#: The calls at which something is killed: in the suite only those that make, fill, flush and name files.
SWEPT = ["mkdirat", "openat2", "pwrite64", "fsync", "linkat", "renameat", "renameat2", "unlinkat"]
if LONG:
    SWEPT += ["flock", "ftruncate", "fchmod", "utimensat"]


def call_numbers():
    """At which calls of a kind something is killed: at all of them, or in the suite at more and more distant ones."""
    if LONG:
        yield from itertools.count(1)
    for power in itertools.count():
        yield 1 << power


def receipts(output):
    """What a client has promised on its standard output, with an end of line behind it: path -> SHA-256."""
    lines = output[: output.rfind("\n") + 1].splitlines()
    found = dict(line.split("  ", 1)[::-1] for line in lines)
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in found.values()), output
    return found


def digests(root):
    """Of all files below a folder: path -> SHA-256; the server's own are left out."""
    files = (path for path in pathlib.Path(root).rglob("*") if path.is_file())
    named = {os.fspath(path.relative_to(root)): path for path in files}
    return {name: sha256(path) for name, path in named.items() if not name.startswith(".fxfer/")}


class MemoryCase(Case):
    """In memory: what counts here is the order of calls, not the disk."""

    def setUp(self):
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fxfer-test-", dir=memory))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)


class CrashCase(MemoryCase):
    """Servers, and clients of theirs, that are killed."""

    def server(self, directory, *options, **keywords):
        """A server that the test ends, at the latest with itself."""
        server = Server(directory, *options, **keywords)
        self.addCleanup(server.__exit__)
        return server

    def crash(self, server):
        server.process.send_signal(signal.SIGKILL)
        server.wait()

    def watched(self, server, call, number):
        """The server is killed when it is about to make that call for the N-th time from now on."""
        injector = Injector(server.pid)
        self.addCleanup(injector.close)
        injector.arm(call, KILL, number)
        return injector

    def killed(self, call, number, *arguments):
        """Runs fxfer until it is about to make that call for the N-th time; answers whether it did, and the result."""
        with contextlib.closing(Injector()) as injector:
            injector.arm(call, KILL, number)
            result = run(*map(os.fsdecode, arguments), wrapper=injector.wrapper)
        if "ptrace" in result.stderr:
            self.skipTest("this system does not let a process be watched")
        return result.returncode == KILLED, result

    def start_killed(self, call, number, *arguments):
        """As `killed`, for a server: one that comes to listen is killed then. Answers whether it came to that."""
        silence = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with contextlib.closing(Injector()) as injector:
            injector.arm(call, KILL, number)
            command = [*injector.wrapper, FXFER, "serve", "--listen", "127.0.0.1:0", *arguments]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **silence) as process:
                listens = process.stdout.readline().startswith("listening")
                process.kill()
        return listens

    def sweep(self, calls, check):
        """Has `check(call, N)` kill something at the N-th call, for more and more N, until it was not killed any more.

        Answers the number of kills of each call.
        """
        kills = dict.fromkeys(calls, 0)
        for call in calls:
            for number in call_numbers():
                was_killed = False
                with self.subTest(call=call, number=number):
                    self.assertLess(number, MOST_CALLS)
                    was_killed = check(call, number)
                if not was_killed:
                    break
                kills[call] += 1
        return kills

    def assert_true(self, promised, root):
        """Each receipt is true."""
        for path, digest in promised.items():
            file = pathlib.Path(root) / path
            self.assertTrue(file.exists(), f"'{path}' has a receipt and is not there")
            self.assertEqual(sha256(file), digest, f"'{path}' is not what its receipt says")

    def assert_recorded(self, promised, root):
        """The ledger's last line of each file that has a receipt says the same."""
        result = run("sums", os.fspath(root))
        self.assertEqual(result.returncode, 0, result.stderr)
        recorded = receipts(result.stdout)
        self.assertEqual({path: recorded.get(path) for path in promised}, promised)

    def assert_sent(self, *arguments):
        """A client that nobody disturbs succeeds; answers its receipts."""
        result = run("send", *map(os.fspath, arguments))
        self.assertEqual(result.returncode, 0, result.stderr)
        return receipts(result.stdout)

    def assert_in_order(self, server, published):
        """In the end: these files and nothing else, nothing staged, and a ledger that agrees. Ends the server."""
        self.assertEqual(digests(server.directory), published)
        eventually(lambda: server.partials() == [], "nothing is staged any more")
        server.__exit__()
        self.assertEqual(server.process.returncode, 0, server.log)
        self.assertEqual(sorted(os.listdir(server.directory / ".fxfer")), KEPT)
        self.assert_verified(server.directory)

    def assert_verified(self, directory):
        result = run("verify", os.fspath(directory))
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


#: What a server keeps beside what it has published.
KEPT = ["ledger.head", "ledger.jsonl", "partials", "states"]

__all__ = [name for name in globals() if not name.startswith("_")]
