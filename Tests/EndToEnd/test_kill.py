"""Either end is killed at any moment: the same command again ends with the right file, and no one ever sees another."""

import contextlib
import os
import pathlib
import random
import signal
import subprocess
import threading
import time
import unittest

from crashing import MemoryCase
from injector import KILL, Injector
from resuming import MIB, RETRY, ResumeCase
from sending import Sending
from support import FXFER, PATIENCE, sha256
from waiting import eventually

SEED = int(os.environ.get("FXFER_KILL_SEED", "20261122"))
ROUNDS = 50
SIZE = 256 * MIB


class Watcher(threading.Thread):
    """Looks at a name all the time: whatever is there has the whole size."""

    def __init__(self, path, size):
        super().__init__(daemon=True)
        self.path, self.size = path, size
        self.wrong, self.looks, self.ends = None, 0, threading.Event()

    def run(self):
        while not self.ends.wait(0.0005):
            with contextlib.suppress(FileNotFoundError):
                self.looks += 1
                size = self.path.stat().st_size
                self.wrong = self.wrong or (size if size != self.size else None)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.join()


class KillCase(MemoryCase, ResumeCase):
    def setUp(self):
        MemoryCase.setUp(self)
        self.server = self.serve()
        self.kept = self.server.directory / ".fxfer" / "partials"
        self.stored = self.server.directory / "source"

    def assert_whole_or_absent(self):
        """After a kill: the name is free, or has the whole file."""
        if self.stored.exists():
            self.assertEqual(sha256(self.stored), self.digest)

    def assert_sent_again(self):
        """The same command as before: right, and nothing is left. Answers where it went on, and the outcome."""
        client = Sending(os.fspath(self.source), self.server.address)
        status, errors = client.wait()
        self.assertEqual(status, 0, errors)
        receipt = client.events[-1]
        self.assertEqual((receipt["event"], receipt["sha256"]), ("receipt", self.digest))
        self.assertEqual(sha256(self.stored), self.digest)
        self.assertEqual(sorted(os.listdir(self.server.directory)), [".fxfer", "source"])
        self.assertEqual(self.leftovers(), [])
        verified = [event["verified"] for event in client.events if event["event"] == "progress"]
        return verified[0] if verified else 0, receipt["outcome"]


class RandomKillTest(KillCase):
    def test_either_end_killed_at_a_random_moment(self):
        chance = random.Random(SEED)
        self.source = self.file("source", b"".join(chance.randbytes(MIB) for _ in range(SIZE // MIB)))
        self.digest = sha256(self.source)
        before = self.seen = 0
        for number in range(ROUNDS):
            victim, moment = ("server", "client")[number % 2], chance.randrange(SIZE + SIZE // 16)
            delay = chance.random() * 0.02 if moment >= SIZE else 0
            with self.subTest(seed=SEED, number=number, victim=victim, moment=moment):
                with Watcher(self.stored, SIZE) as watcher:
                    self.kill_in_the_middle(victim, moment, delay)
                    self.assert_whole_or_absent()
                    if victim == "server":
                        self.restart()
                    self.assert_whole_or_absent()
                    offset, outcome = self.assert_sent_again()
                self.assertIsNone(watcher.wrong, "something else than the whole file had its name")
                self.seen += watcher.looks > 0
                before += offset > 0 or outcome == "identical"
                self.stored.unlink()
        # Or this would test something else.
        self.assertGreater(before, ROUNDS // 2)

    def kill_in_the_middle(self, victim, moment, delay):
        """Kills when so many bytes are staged; for more than there are, when it is about to be published, or was."""
        command = [FXFER, "send", "--retries", "0", "--quiet", os.fspath(self.source), self.server.address]
        silence = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, **silence) as client:
            try:
                eventually(lambda: self.staged() >= min(moment, SIZE) or client.poll() is not None, "so much is staged")
                until = time.monotonic() + delay
                eventually(lambda: time.monotonic() >= until, "the moment is there")
                if victim == "server":
                    self.crash()
                else:
                    client.kill()
                self.assertIn(client.wait(PATIENCE), (0, RETRY, 69) if victim == "server" else (0, -signal.SIGKILL))
            finally:
                client.kill()

    def staged(self):
        """How many bytes the server has; all where the file is published."""
        if self.stored.exists():
            return SIZE
        with contextlib.suppress(OSError):
            return max((entry.stat().st_size for entry in os.scandir(self.kept)), default=0)
        return 0


class KillAtEachCallTest(KillCase):
    """The server is killed when it is about to make its N-th call of a kind for an upload, for each N."""

    #: More calls of one kind than an upload of 3 MiB makes.
    MOST = 60
    CALLS = (
        *("pwrite64", "flock", "fsync", "ftruncate", "fchmod"),
        *("unlinkat", "linkat", "utimensat", "renameat2", "openat2"),
    )

    def setUp(self):
        super().setUp()
        self.source = self.noise("source", 3 * MIB + 1)
        self.digest = sha256(self.source)

    def killed(self, call, number):
        """One upload to a server that is killed at that call; whether it was."""
        injector = Injector(self.server.pid)
        self.addCleanup(injector.close)
        injector.arm(call, KILL, number)
        client = Sending("--retries", "0", os.fspath(self.source), self.server.address)
        status, errors = client.wait()
        self.assertIn(status, (0, RETRY), errors)
        receipts = [event for event in client.events if event["event"] == "receipt"]
        self.assertEqual(len(receipts), status == 0)
        if receipts:
            self.assertEqual(sha256(self.stored), self.digest)
        # Once the client has its receipt, all calls but those that clear up are made.
        alive = status == 0 and not injector.disarm()
        injector.close()
        if not alive:
            self.server.wait()
        return not alive

    def check(self, call, left=None):
        """Answers at how many N the server was killed. With `left`, each upload goes on behind so many bytes."""
        for number in range(1, self.MOST):
            with self.subTest(call=call, number=number, left=left):
                if left:
                    self.interrupt(self.source, left + 5)
                    self.assert_left({"source": left})
                was_killed = self.killed(call, number)
                self.assert_whole_or_absent()
                self.crash()
                self.restart()
                self.assert_whole_or_absent()
                self.assert_sent_again()
                self.stored.unlink()
                if not was_killed:
                    return number - 1
        self.fail(f"{call} is called more than {self.MOST} times")

    def test_every_call_of_an_upload(self):
        kills = {call: self.check(call) for call in self.CALLS}
        for call in ("openat2", "pwrite64", "fsync", "renameat2", "flock"):
            self.assertGreater(kills[call], 0, call)

    def test_every_call_of_an_upload_that_is_gone_on_with(self):
        kills = {call: self.check(call, left=2 * MIB) for call in self.CALLS}
        for call in ("openat2", "pwrite64", "fsync", "renameat2", "flock"):
            self.assertGreater(kills[call], 0, call)


if __name__ == "__main__":
    unittest.main()
