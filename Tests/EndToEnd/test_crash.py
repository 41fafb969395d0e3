"""Either end is killed at any moment, again and again: every receipt that was ever printed is true, and work goes on.

    FXFER_CRASH_SEED=20261128 python3 test_crash.py
"""

import hashlib
import os
import random
import select
import shutil
import subprocess
import tempfile
import threading
import unittest

from crashing import *
from support import FXFER, LONG, ONCE, PATIENCE, figures, sha256
from trees import plant
from waiting import eventually

SEED = os.environ.get("FXFER_CRASH_SEED", "20261128")
MIB = 1 << 20
ROUNDS = 300 if LONG else 16
RETRY, UNAVAILABLE = 75, 69


class Client:
    """A running `send` or `get`, whose receipts may be looked at while they come."""

    def __init__(self, *arguments):
        self.output, self.errors = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        streams = {"stdin": subprocess.DEVNULL, "stdout": self.output, "stderr": self.errors}
        self.process = subprocess.Popen([FXFER, *map(os.fspath, arguments)], **streams)

    @staticmethod
    def text(file):
        return os.pread(file.fileno(), 1 << 20, 0).decode()

    def wait_for(self, count):
        """Waits for so many receipts, or the end."""
        eventually(lambda: self.process.poll() is not None or self.has(count), f"{count} receipts")

    def has(self, count):
        return len(receipts(self.text(self.output))) >= count

    def end(self):
        """Waits for its end; answers status, receipts and errors."""
        status = self.process.wait(PATIENCE)
        with self.output, self.errors:
            return status, receipts(self.text(self.output)), self.text(self.errors)

    def kill(self):
        self.process.kill()


class Reader(threading.Thread):
    """Reads a file all the time: whatever it finds has one of the digests."""

    def __init__(self, path, digests):
        super().__init__(daemon=True)
        self.path, self.digests = path, digests
        self.wrong, self.looks, self.ends = [], 0, threading.Event()

    def run(self):
        while not self.ends.wait(0.0005):
            try:
                found = hashlib.sha256(self.path.read_bytes()).hexdigest()
            except FileNotFoundError:
                found = "nothing"
            self.looks += 1
            self.wrong += [found] if found not in self.digests else []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.join()


class CrashLoop(CrashCase):
    """A client and a server, one of which is killed in each round; the server has the same port again."""

    options = ()

    def setUp(self):
        super().setUp()
        self.chance = random.Random(f"{SEED} {self.id()}")
        self.counts = dict.fromkeys(("rounds", "server_kills", "client_kills", "receipts_before", "resumed"), 0)
        self.running = self.server(self.folder / "out", *self.options)
        self.out = self.running.directory

    def restart(self):
        self.crash(self.running)
        self.running = self.server(self.out, *self.options, listen=self.running.address)

    def wait(self, most):
        """Some moment, no longer than so many seconds."""
        select.select([], [], [], self.chance.random() * most)

    def loop(self, play):
        """Plays the rounds: `play(number, victim)`."""
        for number in range(ROUNDS):
            victim = ("server", "client")[number % 2]
            with self.subTest(seed=SEED, number=number, victim=victim):
                play(number, victim)
                self.counts["rounds"] += 1
                self.counts[f"{victim}_kills"] += 1

    def kill(self, victim, client):
        """Kills, and answers what the client has promised; a client whose server died says so in order."""
        if victim == "client":
            client.kill()
            status, promised, errors = client.end()
            self.assertIn(status, (0, -9), errors)
        else:
            self.crash(self.running)
            status, promised, errors = client.end()
            self.assertIn(status, (0, RETRY, UNAVAILABLE), errors)
        self.counts["receipts_before"] += len(promised)
        return promised

    def report(self, title):
        figures(title, seed=SEED, **self.counts)
        # Or this would test something else.
        self.assertGreater(self.counts["receipts_before"], 0)
        self.assertGreater(self.counts["resumed"], 0)


class FolderTest(CrashLoop):
    """A folder with many small files and some large ones, to a new name in each round."""

    SMALL = 150

    def setUp(self):
        super().setUp()
        self.tree = self.folder / "tree"
        noise = random.Random(SEED)
        files = {f"{place % 5}/f{place}": noise.randbytes(noise.randrange(4000)) for place in range(self.SMALL)}
        files |= {f"m{place}": noise.randbytes(50_000) for place in range(5)} | {"large": noise.randbytes(3 * MIB + 1)}
        plant(self.tree, files)
        self.expected = {f"tree/{path}": hashlib.sha256(data).hexdigest() for path, data in files.items()}

    def test_either_end(self):
        """Each receipt that was printed before a kill is true after it; the same again sends what is missing."""
        self.promised = {}
        self.loop(self.play)
        self.assert_true(self.promised, self.out)
        self.assert_recorded(self.promised, self.out)
        self.assert_in_order(self.running, self.promised)
        self.report("crashes in folders")

    def play(self, number, victim):
        folder = f"r{number}"
        address = f"{self.running.address}/{folder}"
        everything = {f"{folder}/{path}": digest for path, digest in self.expected.items()}
        promised = self.break_off(victim, address, everything)
        self.assert_true(promised, self.out)
        found = {f"{folder}/{path}": digest for path, digest in digests(self.out / folder).items()}
        self.assertLessEqual(found.items(), everything.items())
        self.assertLessEqual(promised.items(), everything.items())
        self.assertEqual(self.assert_sent(self.tree, address), everything)
        self.promised |= everything
        self.counts["resumed"] += 0 < len(found) < len(everything)

    def break_off(self, victim, address, everything):
        """One client that one end is killed under; answers what it has promised. The server runs then.

        Some clients are left to try again by themselves, and succeed.
        """
        tries_again = victim == "server" and self.chance.random() < 0.2
        client = Client("send", *(() if tries_again else ONCE), self.tree, address)
        receipts_first = self.chance.choice((0, 0, self.chance.randrange(1, self.SMALL)))
        client.wait_for(receipts_first)
        self.wait(0.004 if receipts_first else 0.08)
        if not tries_again:
            promised = self.kill(victim, client)
            self.restart() if victim == "server" else None
            return promised
        self.restart()
        status, promised, errors = client.end()
        # Where there was no connection yet, it does not try again.
        self.assertIn(status, (0, UNAVAILABLE), errors)
        if status == 0:
            self.assertEqual(promised, everything)
        return promised


class ReplaceTest(CrashLoop):
    """One file is replaced again and again, by one that differs in its bytes alone."""

    options = ("--on-conflict", "replace")
    SIZES = (1000, 100_000, 2 * MIB)

    def test_old_or_new(self):
        """Whoever reads the name finds the whole old or the whole new file at any time."""
        for size in self.SIZES:
            self.before = None
            self.loop(lambda number, victim: self.play(f"f{size}", size, number, victim))
            self.assertIsNotNone(self.before)
        everything = digests(self.out)
        self.assertEqual(len(everything), len(self.SIZES))
        self.assert_in_order(self.running, everything)
        self.report("crashes while a file is replaced")

    def play(self, name, size, number, victim):
        source = self.folder / name
        source.write_bytes(random.Random(number).randbytes(size))
        os.utime(source, ns=(10**18, 10**18))
        new = sha256(source)
        if not self.before:
            self.before = self.assert_sent(source, self.running.address)[name]
            return
        with Reader(self.out / name, {self.before, new}) as reader:
            client = Client("send", *ONCE, source, self.running.address)
            self.wait(0.05)
            promised = self.kill(victim, client)
            if victim == "server":
                self.restart()
            self.assert_true(promised, self.out)
            self.counts["resumed"] += sha256(self.out / name) == self.before
            self.assertEqual(self.assert_sent(source, self.running.address), {name: new})
        self.assertEqual(reader.wrong, [])
        self.before = new


class GetTest(CrashLoop):
    """Files are got into a folder that has old ones, and the client or the server is killed."""

    options = ("--share",)
    SIZE = 24 * MIB

    def test_either_end(self):
        sources = self.folder / "sources"
        small = {f"tree/f{place}": b"%d" % place * 100 for place in range(100)}
        plant(sources, {"tree/big": random.Random(SEED).randbytes(self.SIZE), **small})
        self.everything = self.assert_sent(sources / "tree", self.running.address)
        self.loop(self.play)
        self.assert_in_order(self.running, self.everything)
        self.report("crashes in downloads")

    def play(self, number, victim):
        place = self.folder / "place"
        plant(place, dict.fromkeys(self.everything, b"old") if number % 3 else {"tree/f1": b"old"})
        before = digests(place)
        client = Client("get", *ONCE, f"{self.running.address}/tree", "--output", place)
        client.wait_for(self.chance.choice((0, 1, self.chance.randrange(100))))
        self.wait(0.04)
        promised = self.kill(victim, client)
        if victim == "server":
            self.restart()
        self.assert_true(promised, place)
        found = {path: digest for path, digest in digests(place).items() if ".fxfer-" not in path}
        for path, digest in found.items():
            self.assertIn(digest, (self.everything.get(path), before.get(path)), path)
        self.assertLessEqual(before.keys(), found.keys())
        again = Client("get", f"{self.running.address}/tree", "--output", place)
        self.assertEqual(again.end()[:2], (0, self.everything))
        self.assertEqual(digests(place), self.everything)
        self.counts["resumed"] += found not in (self.everything, before)
        shutil.rmtree(place)


if __name__ == "__main__":
    unittest.main()
