"""Many clients at once, clients that go away by the thousand, and traffic of all kinds for long: nothing adds up.

    FXFER_SOAK_SEED=20261128 FXFER_LONG=1 python3 Tests/EndToEnd/test_soak.py -v

"Comes back" means, of what the server process holds, once its clients are gone and their time-outs have passed:
descriptors are as many as before; nothing is staged (what broken-off uploads leave is kept for seconds here); threads
are no more than its pools have (THREADS beyond those at the start); resident memory is at most MEMORY above that of a
server that has seen one round, and does not grow from round to round (the last are at most GROWTH above the second).
"""

import hashlib
import itertools
import resource
import threading
import time
import unittest

import wire
from abuse import ReadServer
from crashing import MemoryCase
from frames import *
from support import LONG, PATIENCE, figures, run
from traffic import MIB, NOISE, Holdings, Traffic, Worker, sha256_of
from waiting import eventually

SEED = os.environ.get("FXFER_SOAK_SEED", "20261128")
CLIENTS, SILENT = 1000, 500
ABORTS = 10_000 if LONG else 500
#: Of mixed traffic: rounds, and seconds in each.
ROUNDS, SECONDS = (20, 30) if LONG else (4, 4)
WORKERS = 8
THREADS, MEMORY, GROWTH = 48, 48 * MIB, 16 * MIB


class SoakCase(MemoryCase):
    options = ("--idle-timeout", "60")

    def setUp(self):
        super().setUp()
        needed = 2 * (CLIENTS + SILENT)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < needed:
            self.skipTest(f"a process may open no more than {hard} files here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        limits = ("--max-connections", "2000", "--max-connections-per-address", "2000", "--keep-partials", "2s")
        self.server = ReadServer(self.folder / "out", "--on-conflict", "replace", "--share", *limits, *self.options)
        self.addCleanup(self.server.__exit__)
        self.assert_serves(self.server)
        self.before = Holdings(self.server)

    def assert_comes_back(self, title):
        """Answers what the server holds once its clients are gone."""
        eventually(lambda: self.server.descriptors() <= self.before.descriptors, "the descriptors are back", 90)
        eventually(lambda: self.server.partials() == [], "nothing is staged any more", 90)
        holdings = Holdings(self.server)
        figures(title, **holdings.figures())
        self.assertEqual(holdings.staged, 0)
        self.assertLessEqual(holdings.threads, self.before.threads + THREADS)
        return holdings

    def assert_content(self, wrong=None):
        """Everything that has a receipt is right; the ledger agrees, once the server has ended in order."""
        self.assert_serves(self.server)
        self.assertEqual(wrong(self.server.published()) if wrong else [], [])
        self.server.process.terminate()
        self.assertEqual(self.server.wait(), 0)
        result = run("verify", "--quiet", str(self.server.directory), timeout=10 * PATIENCE)
        # `assert_serves` takes its files away again.
        left = [line for line in result.stdout.splitlines() if not line.startswith("missing: still-serves-")]
        self.assertEqual(left[:-1] if result.returncode else left, [], result.stdout)


class ManyClientsTest(SoakCase):
    options = ("--handshake-timeout", "8s", "--idle-timeout", "120")
    SIZE = 100_000

    def test_a_thousand_at_once(self):
        """A thousand clients are all in the middle of a file, and 500 say nothing beside; all of the first succeed."""
        peak = []
        rounds = 3 if LONG else 1
        for round in range(rounds):
            clients = [wire.connect(self.server.port, timeout=120) for _ in range(CLIENTS)]
            contents = [NOISE[place * 1000 :][: self.SIZE] for place in range(CLIENTS)]
            names = [b"c%d/f%d" % (round, place) for place in range(CLIENTS)]
            for client, name in zip(clients, names):
                client.greet()
                client.send(offer(1, name, size=self.SIZE, waits=True))
            silent = [wire.connect(self.server.port, timeout=120) for _ in range(SILENT)]
            for client, content in zip(clients, contents):
                client.expect(ACCEPT)
                part = chunk(1, 0, content, hashlib.sha256(content).digest())
                client.send(part[: len(part) // 2])
            eventually(lambda: self.server.descriptors() >= CLIENTS + SILENT, "all are connected")
            self.assert_serves(self.server)
            for client, content in zip(clients, contents):
                digest = hashlib.sha256(content).digest()
                part = chunk(1, 0, content, digest)
                client.send(part[len(part) // 2 :], encode(FINISH, id=1, size=self.SIZE, digest=digest))
            for client, name, content in zip(clients, names, contents):
                self.assertEqual(client.expect(CONFIRM).offset, self.SIZE)
                receipt = client.expect(RECEIPT)
                self.assertEqual((receipt.path, receipt.digest), (name, hashlib.sha256(content).digest()))
                client.send(encode(BYE))
                client.socket.close()
            peak.append(Holdings(self.server).memory)
            for stream in silent:
                stream.drain()
                stream.socket.close()
            holdings = self.assert_comes_back(f"a thousand clients, round {round}")
            self.assertLess(holdings.memory, self.before.memory + 2 * MEMORY)
        figures("a thousand clients", peak=f"{self.server.peak_memory() / MIB:.1f}MiB")
        expected = {name: sha256_of(content) for name, content in zip(names, contents)}
        self.assert_content(lambda published: [name for name in names if published.get(name) != expected[name]])


class AbortTest(SoakCase):
    def test_aborted_uploads(self):
        """Clients that go away in the middle of everything leave nothing."""
        traffic = Traffic(self.server, 4, SEED, self.folder)
        begin = time.monotonic()
        self.abort(traffic, 0)
        half = self.assert_comes_back("after half of the aborted uploads")
        self.assertLess(half.memory, self.before.memory + MEMORY)
        self.abort(traffic, 1)
        whole = self.assert_comes_back("after all aborted uploads")
        self.assertLess(whole.memory, half.memory + GROWTH // 2)
        figures("aborted uploads", seed=SEED, **traffic.counts, seconds=f"{time.monotonic() - begin:.0f}")
        self.assertGreaterEqual(traffic.counts["abort"], ABORTS)
        self.assert_content(traffic.wrong)

    def abort(self, traffic, round):
        """Half of them."""
        ends, left = threading.Event(), itertools.count(ABORTS // 2 - 1, -1)

        class Aborting(Worker):
            MIX = {"abort": 1}

            def abort(self):
                if next(left) <= 0:
                    ends.set()
                super().abort()

        traffic.run(10 * PATIENCE, round, Aborting, ends)


class PassingClientsTest(SoakCase):
    options = ("--handshake-timeout", "10m", "--idle-timeout", "10m")
    CONNECTIONS = 6000

    def test_clients_that_are_gone_hold_nothing(self):
        """What was kept ready for a client's time-out goes when it goes, however long that time is."""
        self.greet(self.CONNECTIONS)
        before = self.assert_comes_back("before passing clients")
        self.greet(self.CONNECTIONS)
        after = self.assert_comes_back("after passing clients")
        self.assertLess(after.memory - before.memory, self.CONNECTIONS * 300)
        self.assert_content()

    def greet(self, count):
        for _ in range(count):
            with wire.connect(self.server.port).greet() as connection:
                connection.send(encode(BYE))
                connection.drain()


class MixedTrafficTest(SoakCase):
    options = ("--handshake-timeout", "4s", "--idle-timeout", "10")

    def test_rounds(self):
        """Sends, gets, lists, aborts, silence and resumes, in rounds, with a compaction of the ledger after each."""
        traffic = Traffic(self.server, WORKERS, SEED, self.folder)
        memory = []
        for round in range(ROUNDS):
            traffic.run(SECONDS, round)
            memory.append(self.assert_comes_back(f"mixed traffic, round {round}").memory)
            self.assertEqual(traffic.wrong(self.published()), [])
            result = run("ledger", "compact", str(self.server.directory))
            self.assertEqual(result.returncode, 0, result.stderr)
        figures("mixed traffic", seed=SEED, **traffic.counts, peak=f"{self.server.peak_memory() / MIB:.1f}MiB")
        self.assertGreater(traffic.counts["resumed"], 0)
        self.assertLess(memory[-1], memory[0] + MEMORY)
        self.assertLess(min(memory[-2:]), memory[1] + GROWTH)
        self.assert_content(traffic.wrong)

    def published(self):
        return {name: digest for name, digest in self.server.published().items() if not name.startswith(b"still-")}


if __name__ == "__main__":
    unittest.main()
