"""Each system call on files fails once in `get`, `verify`, `ledger compact` and at the start of a server, in each way.

What must hold is the same at each end: status 0 only where all is done and true, what was there stays as it was, and
the same command again succeeds.
"""

import json
import os
import shutil
import unittest

from faulting import CANNOT_CREATE, DATA, IO, RETRY, Loop, is_harmless, make_folder
from injector import NOTHING, Injector
from resuming import MIB, ResumeCase
from storing import flip
from support import LONG, ONCE, Server, run, sha256
from trees import snapshot

NO_INPUT = 66
SIZES = (1000, 200_000, 3 * MIB + 5)


class CommandCase(ResumeCase):
    """A server that has stored some files and shares them, and commands whose calls below `self.scope` fail."""

    options = ("--share",)
    sizes = {"a": SIZES[0], "b": SIZES[1], "c": SIZES[2]}

    def setUp(self):
        self.folder = make_folder(self)
        self.server = self.serve(*self.options)
        self.out = self.server.directory
        self.kept = self.out / ".fxfer" / "partials"
        sources = [self.noise(f"tree/{name}", size) for name, size in self.sizes.items()]
        self.assert_sent(*sources, self.server.address)
        self.stored = self.server.published()

    def loop(self, title, scope, try_one, measure):
        """Has `measure(injector)` run the command once to count its calls, and each of these fail by `try_one`."""
        self.injector = Injector(scope=scope)
        self.addCleanup(self.injector.close)
        self.injector.count()
        measure()
        counts = self.injector.counts
        self.assertGreater(sum(counts.values()), 0)
        Loop(self, title, counts).run(try_one)

    def run_faulty(self, *arguments, **options):
        return run(*arguments, wrapper=self.injector.wrapper, **options)


class GetFaultTest(CommandCase):
    """The client as receiver: a local file stays as it is until the new one is whole."""

    def prepare(self, there):
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        for name in there:
            (self.place / name).write_bytes(b"old\n")

    def get(self, command=run):
        """Answers the status, and the receipts: path -> SHA-256."""
        result = command("get", "--json", *ONCE, *self.arguments, cwd=self.place)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        self.message = result.stderr
        return result.returncode, {event["name"]: event["sha256"] for event in events if event["event"] == "receipt"}

    def contents(self):
        found = {os.fsdecode(path): what for path, (_, _, what) in snapshot(self.place).items() if what != "d"}
        parts = {path for path in found if path.rpartition("/")[2].startswith(".fxfer-")}
        return {path: what for path, what in found.items() if path not in parts}, parts

    def check(self, title, wanted, *arguments, there=()):
        """`wanted` is what is got: the local path -> the name there."""
        self.place = self.folder / "place"
        self.wanted = {path: self.stored[os.fsencode(name)] for path, name in wanted.items()}
        self.arguments = arguments
        self.there = there
        self.prepare(there)
        self.loop(title, self.place, self.try_fault, lambda: self.assertEqual(self.get(self.run_faulty)[0], 0))

    def try_fault(self, call, error, number, lasting):
        self.prepare(self.there)
        before, _ = self.contents()
        self.injector.arm(call, error, number, lasting)
        status, told = self.get(self.run_faulty)
        struck = self.injector.disarm()
        self.assertEqual(self.injector.again, 0)
        self.assertIn(status, (0, CANNOT_CREATE, IO, RETRY), self.message)
        found, parts = self.contents()
        digests = {path: told.get(path) for path in self.wanted}
        self.assertEqual(found, before | {path: digest for path, digest in digests.items() if digest})
        self.assertEqual(digests == self.wanted, status == 0, self.message)
        if not struck or is_harmless(call, error):
            self.assertEqual(status, 0, self.message)
        self.assertEqual(self.get()[0], 0, self.message)
        self.assertEqual(self.contents(), (self.wanted, set()), f"left before: {parts}")
        return struck, status != 0

    def test_each_way_of_staging(self):
        for name in self.sizes if LONG else "ac":
            with self.subTest(name):
                self.check(f"get of {self.sizes[name]} bytes", {name: name}, f"{self.server.address}/{name}")

    def test_in_place_of_an_old_file(self):
        for name in self.sizes if LONG else "b":
            with self.subTest(name):
                arguments = (f"{self.server.address}/{name}", "--output", "f")
                title = f"get of {self.sizes[name]} bytes in place of others"
                self.check(title, {"f": name}, *arguments, there=["f"])


class VerifyFaultTest(CommandCase):
    """`verify` never says that all is well where it could not look, or where it is not."""

    #: Wrong, or the disk does not give it.
    statuses = (DATA, NO_INPUT, CANNOT_CREATE, IO, RETRY)

    def verify(self, command=run):
        result = command("verify", "--json", self.out)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        self.message = result.stdout + result.stderr
        return result.returncode, events

    def try_fault(self, call, error, number, lasting):
        before = self.listing()
        self.injector.arm(call, error, number, lasting)
        status, events = self.verify(self.run_faulty)
        struck = self.injector.disarm()
        self.assertEqual(self.listing(), before)
        self.assertIn(status, (0, *self.statuses), self.message)
        if status == 0:
            summary = events[-1]
            self.assertEqual((summary["event"], summary["files"]), ("verified", len(self.sizes)))
        if not struck or is_harmless(call, error):
            self.assertEqual(status, self.expected, self.message)
        if self.expected != 0:
            self.assertNotEqual(status, 0, self.message)
        self.assertEqual(self.verify()[0], self.expected, self.message)
        return struck, status != self.expected

    def listing(self):
        return snapshot(self.out), (self.out / ".fxfer" / "ledger.jsonl").read_bytes()

    def check(self, title, expected):
        self.expected = expected
        measure = lambda: self.assertEqual(self.verify(self.run_faulty)[0], expected)
        self.loop(title, self.out, self.try_fault, measure)

    def test_all_as_stored(self):
        self.check("verify, all as stored", 0)

    def test_one_has_decayed(self):
        flip(self.out / "c", 2 * MIB)
        self.check("verify, one decayed", DATA)


class CompactFaultTest(CommandCase):
    """The ledger is the old one or the compacted one, whole, and goes on."""

    sizes = {"a": 1000, "b": 2000, "c": 3000}
    options = ("--on-conflict", "replace")

    def setUp(self):
        super().setUp()
        for number in range(3):
            self.assert_sent("--as", "a", self.file("again", b"%d" % number), self.server.address)
        self.stored = self.server.published()
        self.ledger = self.out / ".fxfer" / "ledger.jsonl"
        self.head = self.out / ".fxfer" / "ledger.head"
        self.stop(self.server)
        self.before = self.ledger.read_bytes(), self.head.read_bytes()

    def compact(self, command=run):
        result = command("ledger", "compact", *self.arguments, self.out)
        self.message = result.stderr
        return result.returncode

    def sums(self):
        result = run("sums", self.out)
        self.assertEqual(result.returncode, 0, result.stderr)
        return sorted(result.stdout.splitlines())

    def prepare(self):
        self.ledger.write_bytes(self.before[0])
        self.head.write_bytes(self.before[1])

    def test_compact(self):
        for self.arguments in ((), ("--drop-missing",)):
            self.prepare()
            self.expected = self.sums()
            title = " ".join(["ledger compact", *self.arguments])
            self.loop(title, self.out, self.try_fault, lambda: self.assertEqual(self.compact(self.run_faulty), 0))

    def try_fault(self, call, error, number, lasting):
        self.prepare()
        self.injector.arm(call, error, number, lasting)
        status = self.compact(self.run_faulty)
        struck = self.injector.disarm()
        self.assertEqual(self.injector.again, 0)
        self.assertIn(status, (0, DATA, NO_INPUT, CANNOT_CREATE, IO, RETRY), self.message)
        lines = self.ledger.read_bytes().count(b"\n")
        # 6 entries, of which 3 are left behind a line that says so.
        self.assertIn(lines, (6, 4) if status else (4,), self.message)
        if not struck or is_harmless(call, error):
            self.assertEqual(status, 0, self.message)
        self.assertEqual(self.sums(), self.expected)
        self.assertEqual(run("verify", self.out).returncode, 0)
        if LONG or number % 5 == 0:
            with Server(self.out) as server:
                self.assert_serves(server)
            self.assertEqual(server.process.returncode, 0, server.log)
            self.prepare()
        self.assertEqual(self.compact(), 0, self.message)
        # What a failed one has left is swept by the next.
        self.assertFalse((self.out / ".fxfer" / "ledger.new").exists())
        return struck, status != 0


class StartFaultTest(CommandCase):
    """A server whose start fails says why and harms nothing; one that starts nevertheless is right."""

    sizes = {"a": 1000}

    def setUp(self):
        super().setUp()
        self.big = self.noise("big", SIZES[2])
        self.file("extra")
        self.interrupt(self.big, 2 * MIB + 5)
        self.assert_left({"big": 2 * MIB})
        self.crash()
        (self.kept / f"{'0' * 32}.tmp").write_bytes(b"left by a crash")
        self.ledger = self.out / ".fxfer" / "ledger.jsonl"
        self.lines = self.ledger.read_bytes()
        self.state = self.folder / "state"
        shutil.copytree(self.out, self.state)

    def prepare(self):
        shutil.rmtree(self.out)
        shutil.copytree(self.state, self.out)

    def start(self):
        """The server, or the status that it ended with."""
        try:
            return Server(self.out, wrapper=self.injector.wrapper)
        except AssertionError as error:
            self.message = str(error)
            return None

    def test_start(self):
        def measure():
            with self.start() as server:
                pass
            self.assertEqual(server.process.returncode, 0)

        self.prepare()
        self.loop("start of a server", self.out, self.try_fault, measure)

    def try_fault(self, call, error, number, lasting):
        self.prepare()
        self.injector.arm(call, error, number, lasting)
        server = self.start()
        struck = self.injector.disarm()
        failed = server is None
        stored = dict(self.stored)
        if server:
            with server:
                self.assert_sent(self.folder / "extra", server.address)
            stored[b"extra"] = sha256(self.folder / "extra")
            self.assertEqual(server.process.returncode, 0, server.log)
        if not struck or is_harmless(call, error):
            self.assertFalse(failed, failed and self.message)
        with Server(self.out) as self.server:
            self.assertEqual(self.server.published(), stored)
            # A journal that has nothing in it is of no use.
            if error != NOTHING:
                self.assert_left({"big": 2 * MIB})
            self.assertIn(self.send_again(self.big)[0], (2 * MIB,) if error != NOTHING else (0, 2 * MIB))
            self.assertEqual(self.leftovers(), [])
        self.relays.close()
        # What was written down before is there, and all that is there is as it was written down.
        self.assertTrue(self.ledger.read_bytes().startswith(self.lines))
        self.assertEqual(run("verify", self.out).returncode, 0)
        return struck, failed


del CommandCase

if __name__ == "__main__":
    unittest.main()
