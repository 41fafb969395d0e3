"""Either end is killed when it is about to make its N-th call of a kind, for each N: what was promised is true.

In the suite not at each N (see `call_numbers`); all of them with FXFER_LONG=1.
"""

import os
import shutil
import unittest

from crashing import *
from relay import PAYLOAD, UP, Fault, Relay
from support import ONCE, figures, sha256
from trees import plant

MIB = 1 << 20
RETRY = 75
#: One time for all: what is replaced differs from what replaces it in nothing but its bytes.
TIME = 10**18


def plant_dated(root, files):
    plant(root, files)
    for path in files:
        os.utime(root / path, ns=(TIME, TIME))


def total(kills):
    return {"kills": sum(kills.values()), **kills}


class GroupCommitTest(CrashCase):
    """A folder of many small files is sent, and the server is killed in the middle."""

    FILES = 40

    def setUp(self):
        super().setUp()
        self.tree, self.old = self.folder / "new" / "tree", self.folder / "old" / "tree"
        names = [f"{'abc'[number % 3]}/f{number}" for number in range(self.FILES)]
        sizes = [200 * number for number in range(self.FILES - 1)] + [200_000]
        plant_dated(self.tree, {name: bytes([number]) * size for number, (name, size) in enumerate(zip(names, sizes))})
        plant_dated(self.old, {name: b"\xff" * size for name, size in zip(names, sizes)})
        self.expected = digests(self.folder / "new")
        self.before = digests(self.folder / "old")

    def check(self, call, number, *options, old=False):
        directory = self.folder / f"out-{call}-{number}"
        server = self.server(directory, *options)
        if old:
            self.assert_sent(self.old, server.address)
        injector = self.watched(server, call, number)
        result = run("send", *ONCE, os.fspath(self.tree), server.address)
        self.assertIn(result.returncode, (0, RETRY), result.stderr)
        promised = receipts(result.stdout)
        if result.returncode == 0:
            self.assertEqual(promised, self.expected)
        was_killed = result.returncode != 0 or injector.disarm()
        injector.close()
        self.crash(server)
        self.assert_whole(promised, directory, old)
        server = self.server(directory, *options)
        self.assert_whole(promised, directory, old)
        self.assert_recorded(promised, directory)
        self.assertEqual(self.assert_sent(self.tree, server.address), self.expected)
        self.assert_in_order(server, self.expected)
        shutil.rmtree(directory)
        return was_killed

    def assert_whole(self, promised, directory, old):
        """What has a receipt is right, and what has none is whole, if it is there."""
        self.assert_true(promised, directory)
        found = digests(directory)
        for path, digest in found.items():
            self.assertIn(digest, (self.expected.get(path), self.before[path] if old else None), path)
        if old:
            self.assertEqual(found.keys(), self.before.keys(), "a name is gone")

    def test_every_call_of_a_group(self):
        kills = self.sweep(SWEPT, self.check)
        figures("kills of a server in a folder", **total(kills))
        for call in ("openat2", "pwrite64", "fsync", "linkat", "renameat2", "mkdirat"):
            self.assertGreater(kills[call], 0, call)

    def test_every_call_of_a_group_that_replaces(self):
        """The name has the whole old or the whole new content, also where size and time of both are the same."""
        calls = ("openat2", "pwrite64", "fsync", "renameat2", "renameat", "unlinkat", "flock")
        kills = self.sweep(calls, lambda *call: self.check(*call, "--on-conflict", "replace", old=True))
        figures("kills of a server that replaces", **total(kills))
        for call in ("pwrite64", "fsync", "renameat2"):
            self.assertGreater(kills[call], 0, call)


class GetTest(CrashCase):
    """A client that gets is killed; old local files stay or are replaced."""

    def setUp(self):
        super().setUp()
        self.out = self.folder / "out"
        self.sources = self.folder / "sources"
        small = {f"tree/{place % 3}/f{place}": bytes([place]) * 300 * place for place in range(20)}
        plant_dated(self.sources, {"f": b"x" * 300, "big": os.urandom(3 * MIB + 1), **small})
        self.expected = digests(self.sources)
        self.shared = self.server(self.out, "--share")
        self.assert_sent(*sorted(self.sources.iterdir()), self.shared.address)

    def check(self, name, old, call, number):
        place = self.folder / f"place-{call}-{number}"
        place.mkdir()
        expected = {path: digest for path, digest in self.expected.items() if path.split("/")[0] == name}
        if old:
            plant_dated(place, {path: b"\xff" * (self.sources / path).stat().st_size for path in expected})
        before = digests(place)
        arguments = ("get", f"{self.shared.address}/{name}", "--output", place)
        was_killed, result = self.killed(call, number, *arguments, *ONCE)
        promised = receipts(result.stdout)
        self.assert_true(promised, place)
        if not was_killed:
            self.assertEqual((result.returncode, promised), (0, expected), result.stderr)
        found = {path: digest for path, digest in digests(place).items() if ".fxfer-" not in path}
        for path, digest in found.items():
            self.assertIn(digest, (expected.get(path), before.get(path)), path)
        self.assertLessEqual(before.keys(), found.keys(), "a name is gone")
        result = run(*map(os.fspath, arguments))
        self.assertEqual((result.returncode, receipts(result.stdout)), (0, expected), result.stderr)
        self.assertEqual(digests(place), expected)
        shutil.rmtree(place)
        return was_killed

    def test_every_call_of_a_download(self):
        cases = (("f", True), ("big", False), ("tree", True))
        for name, old in (*cases, *((name, not old) for name, old in cases if LONG)):
            with self.subTest(name=name, old=old):
                kills = self.sweep(SWEPT, lambda *call: self.check(name, old, *call))
                figures(f"kills of a client that gets {name}, old {old}", **total(kills))
                self.assertGreater(sum(kills.values()), 8)
        self.assert_in_order(self.shared, self.expected)


class StartTest(CrashCase):
    """A server is killed while it starts, in a directory in which a crash has left all that it can leave."""

    SIZE = 4 * MIB

    def setUp(self):
        super().setUp()
        self.template = self.folder / "template"
        self.source = self.file("source", os.urandom(self.SIZE))
        server = self.server(self.template)
        self.assert_sent(self.file("a", b"a" * 1000), self.file("b", b"b" * 100_000), server.address)
        self.published = digests(self.template)
        self.leave_partial(server)
        own = self.template / ".fxfer"
        line = (own / "ledger.jsonl").read_bytes().split(b"\n")[0]
        with open(own / "ledger.jsonl", "ab") as ledger:
            ledger.write(line[:100])
        (own / "ledger.new").write_bytes(line)
        (own / "partials" / f"{'0123456789abcdef' * 2}.tmp").write_bytes(b"left")

    def leave_partial(self, server):
        """Crashes in the middle of a large file."""
        relay = Relay(server.port, Fault(UP, PAYLOAD, 3 * MIB + 5))
        with relay:
            run("send", *ONCE, os.fspath(self.source), relay.address)
        eventually(lambda: f'"verified":{3 * MIB}' in self.partials(server), "what came is kept")
        self.crash(server)

    def partials(self, server):
        return run("partials", "--json", os.fspath(server.directory)).stdout

    def check(self, call, number):
        root = self.folder / f"start-{call}-{number}"
        shutil.copytree(self.template, root / "out")
        identity = ("--identity", os.fspath(root / "identity"))
        came_up = self.start_killed(call, number, "--dir", os.fspath(root / "out"), *identity)
        self.assertEqual(digests(root / "out"), self.published)
        server = self.server(root / "out", *identity)
        self.assertEqual(len(server.partials()), 1)
        with Relay(server.port) as relay:
            self.assert_sent(self.source, relay.address)
        self.assertEqual(relay.payload, MIB, "it did not go on from what was kept")
        self.assert_in_order(server, self.published | {"source": sha256(self.source)})
        shutil.rmtree(root)
        return not came_up

    def test_every_call_of_a_start(self):
        kills = self.sweep(SWEPT, self.check)
        figures("kills of a server that starts", **total(kills))
        for call in ("openat2", "unlinkat", "fsync"):
            self.assertGreater(kills[call], 0, call)


class CompactionTest(CrashCase):
    """`fxfer ledger compact` is killed, with and without a server beside it."""

    def setUp(self):
        super().setUp()
        self.template = self.folder / "template"
        self.tree = self.folder / "tree"
        server = self.server(self.template, "--on-conflict", "replace")
        for round in range(3):
            plant(self.tree, {f"f{place}": f"{round} {place}\n".encode() for place in range(20)})
            self.promised = self.assert_sent(self.tree, server.address)
        self.assert_in_order(server, self.promised)

    def check(self, call, number, serving=False):
        out = self.folder / f"out-{call}-{number}"
        shutil.copytree(self.template, out)
        server = self.server(out) if serving else None
        was_killed, result = self.killed(call, number, "ledger", "compact", out)
        self.assertEqual(was_killed, result.returncode != 0, result.stderr)
        expected = self.promised
        if serving:
            expected = expected | self.assert_sent(self.folder / "sources" / "f", server.address)
        # Before anybody mends anything.
        self.assert_recorded(expected, out)
        self.assert_verified(out)
        result = run("ledger", "compact", os.fspath(out))
        self.assertEqual(result.returncode, 0, result.stderr)
        # One line of its own comes before those of the files.
        self.assertEqual((out / ".fxfer" / "ledger.jsonl").read_bytes().count(b"\n"), 1 + len(expected))
        self.assert_recorded(expected, out)
        self.assert_in_order(server or self.server(out), expected)
        shutil.rmtree(out)
        return was_killed

    def check_all(self, title, **options):
        kills = self.sweep(SWEPT, lambda *call: self.check(*call, **options))
        figures(title, **total(kills))
        for call in ("openat2", "pwrite64", "fsync", "renameat"):
            self.assertGreater(kills[call], 0, call)

    def test_every_call_of_a_compaction(self):
        self.check_all("kills of a compaction")

    def test_every_call_of_a_compaction_beside_a_server(self):
        """The server goes on with whatever the compaction has left."""
        self.file("sources/f", b"one more\n")
        self.check_all("kills of a compaction beside a server", serving=True)


if __name__ == "__main__":
    unittest.main()
