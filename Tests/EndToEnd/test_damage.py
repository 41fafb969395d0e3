"""A byte that changes on the way, anywhere, and a connection that breaks, anywhere: repaired, or a clear failure."""

import hashlib
import json
import random
from concurrent.futures import ThreadPoolExecutor

from abuse import ReadServer
from proxy import DOWN, UP, Cut, Flip, Proxy
from support import ONCE, Case, run

SEED = 20261122
MIB = 1 << 20
FILES_AT_ONCE = 100


class Session:
    """One `fxfer send` of a file of its own through a proxy with a fault, and what came of it."""

    def __init__(self, case, number, size, fault=None, keep=False, json=False):
        self.name = f"file-{number:06}"
        self.fault = fault
        content = random.Random(f"{SEED} {number}").randbytes(size)
        self.digest = hashlib.sha256(content).hexdigest()
        self.source = case.file(f"sources/{self.name}", content)
        with Proxy(case.server.port, fault, keep) as proxy:
            options = ["--json"] if json else []
            self.result = run("send", *ONCE, "--timeout", "5", *options, str(self.source), proxy.address)
        if self.sent:
            self.source.unlink()
        self.proxy = proxy

    def __str__(self):
        return f"{self.fault} -> {self.result}"

    @property
    def sent(self):
        return self.result.returncode == 0


class ProxyCase(Case):
    def setUp(self):
        super().setUp()
        self.server = ReadServer(self.folder / "out")
        self.addCleanup(self.server.__exit__)
        self.random = random.Random(SEED)
        self.number = 0

    def clean_session(self, size):
        """An undisturbed one: tells where in the streams everything is."""
        clean = Session(self, 999_999, size, keep=True)
        self.assertEqual((clean.result.returncode, clean.result.stderr), (0, ""))
        (self.server.directory / clean.name).unlink()
        return clean.proxy.passed[UP], clean.proxy.passed[DOWN]

    def sessions(self, size, faults, **options):
        """Plays all, a few at a time."""
        with ThreadPoolExecutor(6) as pool:
            numbers = range(self.number, self.number + len(faults))
            self.number += len(faults)
            return list(pool.map(lambda number, fault: Session(self, number, size, fault, **options), numbers, faults))

    def check(self, sessions):
        """Whoever was told of success has stored the right content under the right name; the others got one line.

        What was kept of these is gone on with or not; at the second try, all have the right content.
        """
        self.assert_serves(self.server)
        published = self.server.published()
        for each in sessions:
            with self.subTest(str(each.fault)):
                self.assertTrue(each.proxy.done, "the fault did not happen")
                stored = published.pop(each.name.encode(), None)
                self.assertIn(stored, (None, each.digest), "wrong content was published")
                self.assertGreaterEqual(each.result.returncode, 0, f"ended by a signal: {each}")
                if each.sent:
                    self.assertEqual(stored, each.digest, each)
                    self.assertEqual(each.result.stdout, f"{each.digest}  {each.name}\n")
                else:
                    self.assertEqual(each.result.stdout, "")
                    self.assertRegex(each.result.stderr, r"\Afxfer: [^\n]+\n\Z")
                each.stored = stored is not None
        self.assertEqual(published, {}, "something was published under another name")
        again = [each for each in sessions if not each.sent]
        for start in range(0, len(again), FILES_AT_ONCE):
            sources = [str(each.source) for each in again[start : start + FILES_AT_ONCE]]
            result = run("send", "--quiet", *sources, self.server.address)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
        published = self.server.published()
        self.assertEqual(published, {each.name.encode(): each.digest for each in sessions})
        self.assertEqual(self.server.partials(), [])

    def flip(self, direction, offset):
        return Flip(direction, offset, 1 << self.random.randrange(8))


class FlippedByteTest(ProxyCase):
    def test_a_byte_flipped_anywhere_in_a_small_session_is_repaired_or_told(self):
        size = 300
        up, down = self.clean_session(size)
        content = len(up) - 16 - (12 + 44 + 4) - 32 - size  # BYE, FINISH and the running digest follow it.
        finished = len(up) - 16  # BYE is all that follows FINISH.
        faults = [self.flip(UP, offset) for offset in range(len(up))]
        faults += [self.flip(DOWN, offset) for offset in range(len(down))]
        sessions = self.sessions(size, faults)
        self.check(sessions)
        for each in sessions:
            with self.subTest(str(each.fault)):
                up_to_server = each.fault.direction == UP
                if up_to_server and content <= each.fault.offset < content + size + 32:
                    self.assertTrue(each.sent, each)
                    self.assertRegex(each.result.stderr, r"(?i)repair|sent again|damaged")
                elif each.stored and not each.sent:
                    # What the server said was damaged, or BYE; it had everything, and that undamaged.
                    self.assertTrue(not up_to_server or each.fault.offset >= finished, each)
                    self.assertGreaterEqual(each.proxy.count[UP], finished, each)

    def test_bytes_flipped_in_a_big_file_are_repaired(self):
        size = 5 * MIB
        up, down = self.clean_session(size)
        faults = [self.flip(UP, self.random.randrange(len(up))) for _ in range(150)]
        faults += [self.flip(DOWN, self.random.randrange(len(down))) for _ in range(50)]
        sessions = self.sessions(size, faults)
        self.check(sessions)
        self.assertGreater(sum(each.sent for each in sessions), 140)

    def test_repairs_are_counted(self):
        size = 5 * MIB
        up, _ = self.clean_session(size)
        faults = [self.flip(UP, len(up) // 8 * eighth) for eighth in range(1, 8)]
        for each in self.sessions(size, faults, json=True):
            with self.subTest(str(each.fault)):
                events = [json.loads(line) for line in each.result.stdout.splitlines()]
                self.assertEqual((each.result.returncode, events[-1]["event"]), (0, "receipt"), each)
                self.assertEqual(events[-1]["repairs"], 1)
                self.assertEqual(events[-1]["sha256"], each.digest)
                self.assertEqual(self.server.published()[each.name.encode()], each.digest)


class CutTest(ProxyCase):
    def check_cuts(self, size, count):
        up, down = self.clean_session(size)
        finished = len(up) - 16  # BYE is all that follows FINISH.
        faults = []
        for number in range(count):
            direction, length = (UP, len(up)) if number % 4 else (DOWN, len(down))
            faults.append(Cut(direction, self.random.randrange(length), reset=number % 2 == 0))
        faults += [Cut(UP, offset, reset) for offset in (0, 8, finished - 1, finished) for reset in (True, False)]
        sessions = self.sessions(size, faults)
        self.check(sessions)
        for each in sessions:
            with self.subTest(str(each.fault)):
                if not each.sent:
                    self.assertEqual(each.result.returncode, 75, each)
                if each.proxy.count[UP] < finished:
                    self.assertFalse(each.sent or each.stored, each)

    def test_a_small_session_that_is_cut_fails_and_may_be_tried_again(self):
        self.check_cuts(300, 120)

    def test_a_big_session_that_is_cut_fails_and_may_be_tried_again(self):
        self.check_cuts(5 * MIB, 60)
