"""Whatever a network does to a connection: success is true, failure is told in a line, and no file is ever wrong.

    FXFER_CHAOS_SEED=20261128 FXFER_CHAOS_SESSION=77 python3 test_chaos.py ChaosTest

plays one session again. Other seeds are other sessions.
"""

import collections
import hashlib
import os
import random
import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor

from abuse import LOG_LINE, NO_CONTROLS, ReadServer
from chaos import DOWN, HARMLESS, HARMS, UP, Chaos, Harm, Kind, Mangler, make_plan
from crashing import MemoryCase
from support import FXFER, LONG, PATIENCE, figures, run, sha256
from trees import contents, plant
from trust import fingerprint
from waiting import eventually

SEED = os.environ.get("FXFER_CHAOS_SEED", "20261128")
ONLY = os.environ.get("FXFER_CHAOS_SESSION")
MIB = 1 << 20
SESSIONS = 6000 if LONG else 450
#: So many sessions have a server and its directory; then all of it is looked at.
BATCH = 150
AT_ONCE = 12
EXISTS = 73
#: Damaged, no connection, broken off or silent, not the protocol, another key or no proof.
FAILURES = (65, 69, 75, 76, 77)
NOISE = random.Random(SEED).randbytes(4 * MIB)
#: Silence is short for both ends: it costs the test's time.
PATIENT = ("--timeout", "3")
LIMITS = ("--idle-timeout", "3", "--handshake-timeout", "3", "--share")
SIZES = {"small": 300, "medium": 200_000, "big": 3 * MIB + 77}


def content(number, size):
    """Other bytes for each number."""
    return (b"%d " % number + NOISE[number % MIB :])[:size]


def folder(number):
    """The files of a folder: path -> content."""
    sizes = {"empty": 0, "deep/er/f": 77, "large": MIB + 4321}
    sizes |= {f"f{place}": 300 * place * place for place in range(10)}
    return {f"tree{number}/{path}": content(number + place, size) for place, (path, size) in enumerate(sizes.items())}


class Session:
    """A command through a proxy: what it was to do, and what came of it.

    `expected` are the files that it is to store: path -> SHA-256; `before` those of these names that are there before.
    """

    def __init__(self, case, number):
        self.case, self.number = case, number
        self.chance = random.Random(f"{SEED} {number}")
        self.kind = self.chance.choice(list(KINDS))
        self.is_secure = self.chance.random() < 0.4
        self.is_harmless = self.chance.random() < 0.12
        self.tries = self.chance.choice((0, 0, 0, 0, 0, 0, 1))
        self.server, self.before, self.input, self.is_taken = case.server, {}, None, False
        self.options = ["--quiet", "--retries", str(self.tries), *PATIENT]
        self.options += case.key if self.is_secure else []
        self.sources = case.folder / "sources" / str(number)
        self.root = case.server.directory
        KINDS[self.kind](self)

    def __str__(self):
        plans = [self.chaos.plan(number) for number in range(len(self.chaos.passages))]
        return f"{self.kind}, TLS {self.is_secure}, {plans} -> {self.result} {self.chaos.done}"

    def expect(self, files, old=None):
        """What is to be stored, of path -> content; each of these names may have a file already."""
        self.expected = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
        self.size = sum(map(len, files.values())) + 300 * len(files)
        if old:
            plant(self.root, {path: old for path in files})
            self.before = {path: hashlib.sha256(old).hexdigest() for path in files}

    def send(self, size, server=None, old=None):
        self.server = server or self.server
        self.root = self.server.directory
        name = f"f{self.number}"
        files = {name: content(self.number, size)}
        plant(self.sources, files)
        self.expect(files, old)
        self.command = ["send", *self.options, self.sources / name]

    def send_taken(self):
        self.is_taken = True
        self.send(self.chance.choice(list(SIZES.values())), old=b"old\n")

    def send_folder(self):
        files = folder(self.number)
        plant(self.sources, files)
        self.expect(files)
        self.command = ["send", *self.options, self.sources / f"tree{self.number}"]

    def send_input(self, size):
        self.send(size)
        self.input = content(self.number, size)
        self.command = ["send", *self.options, "--as", f"f{self.number}", "-"]

    def get(self, names):
        """Gets what the server shares from its start on."""
        self.root = self.case.folder / "places" / str(self.number)
        self.root.mkdir(parents=True)
        shared = {path: data for path, data in SHARED.items() if path.split("/")[0] in names}
        self.expect(shared, self.chance.choice((None, b"old\n")))
        self.command = ["get", *self.options, "--output", self.root]
        self.names = names

    @property
    def is_upload(self):
        return self.command[0] == "send"

    def complete(self, command, address):
        """The command's end: where it goes to, or what is got from there."""
        return [*command, *([address] if self.is_upload else [f"{address}/{name}" for name in self.names])]

    def play(self):
        ways = {UP: self.size, DOWN: 60 * len(self.expected) + 150}
        if not self.is_upload:
            ways = {UP: ways[DOWN], DOWN: ways[UP]}
        ways = {way: length + (3000 if self.is_secure else 0) for way, length in ways.items()}
        with Chaos(self.server.port, f"{SEED} {self.number}", ways, self.is_harmless) as self.chaos:
            options = {"input": self.input} if self.input is not None else {"stdin": subprocess.DEVNULL}
            command = map(os.fsencode, self.complete([FXFER, *self.command], self.chaos.address))
            self.result = subprocess.run(list(command), capture_output=True, timeout=PATIENCE, **options)
        self.found = {path: sha256(file) for path in self.expected if (file := self.root / path).exists()}

    def check(self):
        """Whatever there is under a name is as it was or as it shall be; what was told is true."""
        case, status, told = self.case, self.result.returncode, self.result.stdout.decode()
        for path, digest in self.found.items():
            case.assertIn(digest, (self.before.get(path), self.expected[path]), path)
        case.assertLessEqual(set(self.before), set(self.found), "what was there is gone")
        lines = dict(line.split("  ", 1)[::-1] for line in told.splitlines())
        case.assertEqual("".join(f"{digest}  {path}\n" for path, digest in lines.items()), told)
        for path, digest in lines.items():
            case.assertEqual((digest, self.found.get(path)), (self.expected.get(path),) * 2, path)
        if status == 0:
            case.assertEqual((lines, self.result.stderr), (self.expected, b""))
        else:
            self.check_failure(status, self.result.stderr.decode())
        case.assertFalse(self.is_taken and status == 0)
        case.assertEqual(self.found == self.before, True) if self.is_taken else None
        if self.is_harmless:
            case.assertEqual(status, EXISTS if self.is_taken else 0)
        case.assertEqual(self.chaos.hung, [], "a connection was not ended by its two sides")

    def check_failure(self, status, errors):
        case = self.case
        case.assertIn(status, (*FAILURES, EXISTS) if self.is_taken else FAILURES)
        case.assertRegex(errors, rf"\A(fxfer: {NO_CONTROLS}\n)+\Z")
        # A remark for each try that failed, and one that says how it ended; for a folder more, where files failed.
        if len(self.expected) == 1:
            case.assertLessEqual(errors.count("\n"), 1 + self.tries)


KINDS = {
    **{f"send {name}": lambda session, size=size: session.send(size) for name, size in SIZES.items()},
    "send folder": Session.send_folder,
    "send short input": lambda session: session.send_input(200_000),
    "send long input": lambda session: session.send_input(2 * MIB + 5),
    "replace": lambda session: session.send(
        session.chance.choice(list(SIZES.values())), session.case.replacing, b"old content\n" * 1000
    ),
    "taken": Session.send_taken,
    **{f"get {name}": lambda session, name=name: session.get([name]) for name in SIZES},
    "get folder": lambda session: session.get(["tree0"]),
}
SHARED = {name: content(number, size) for number, (name, size) in enumerate(SIZES.items())} | folder(0)


class ChaosTest(MemoryCase):
    def start(self, name, *options):
        """A server that has what it shares stored by a good client."""
        server = ReadServer(self.folder / name, *LIMITS, *options, "--identity", str(self.folder / "identity"))
        self.addCleanup(server.__exit__)
        plant(self.folder / "shared", SHARED)
        shared = [*SIZES, "tree0"]
        result = run("send", "--quiet", *(str(self.folder / "shared" / each) for each in shared), server.address)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return server

    def test_any_harm(self):
        self.key = ["--server-key", fingerprint(self.folder / "identity")]
        self.statuses = collections.Counter()
        counts = {"sessions": 0, "succeeded": 0, "harms": 0, "connections": 0}
        numbers = [int(ONLY)] if ONLY else range(SESSIONS)
        for start in range(0, len(numbers), BATCH):
            self.play_batch(numbers[start : start + BATCH], counts)
        figures("chaos", seed=SEED, **counts, statuses=dict(sorted(self.statuses.items())))
        if not ONLY:
            # Or this would test something else.
            self.assertGreater(counts["harms"], counts["sessions"] // 2)
            self.assertGreater(counts["succeeded"], counts["sessions"] // 10)
            self.assertLess(counts["succeeded"], counts["sessions"] // 2)

    def play_batch(self, numbers, counts):
        self.server = self.start(f"out{numbers[0]}")
        self.replacing = self.start(f"replacing{numbers[0]}", "--on-conflict", "replace")
        descriptors = [server.descriptors() for server in (self.server, self.replacing)]
        sessions = [Session(self, number) for number in numbers]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(Session.play, sessions))
        for session in sessions:
            with self.subTest(f"FXFER_CHAOS_SEED={SEED} FXFER_CHAOS_SESSION={session.number}", session=str(session)):
                session.check()
            counts["sessions"] += 1
            self.statuses[session.result.returncode] += 1
            counts["succeeded"] += session.result.returncode == 0
            counts["harms"] += sum(harm.kind not in HARMLESS for harm in session.chaos.done)
            counts["connections"] += len(session.chaos.passages)
        for server, before in zip((self.server, self.replacing), descriptors):
            with self.subTest(server.directory.name):
                eventually(lambda: server.descriptors() <= before, "the descriptors are back")
                self.assert_right_in_the_end(server, sessions)
        with self.subTest("places"):
            self.assert_got_in_the_end([session for session in sessions if not session.is_upload])

    def assert_right_in_the_end(self, server, sessions):
        """The same again without chaos: everything is stored, nothing else is, nothing is left; the ledger agrees."""
        mine = [session for session in sessions if session.is_upload and session.server is server]
        sources = [str(next(session.sources.iterdir())) for session in mine if not session.is_taken]
        if sources:
            result = run("send", "--quiet", *sources, server.address)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
        expected = {os.fsencode(path): hashlib.sha256(data).hexdigest() for path, data in SHARED.items()}
        taken = []
        for session in mine:
            expected |= {os.fsencode(path): digest for path, digest in session.expected.items()}
            if session.is_taken:
                expected |= {os.fsencode(path): digest for path, digest in session.before.items()}
                taken += session.before
        self.assertEqual(server.published(), expected)
        eventually(lambda: server.partials() == [], "nothing is staged any more")
        # Those that were put there by hand are not known.
        for path in taken:
            (server.directory / path).unlink()
        result = run("verify", str(server.directory))
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        server.process.terminate()
        self.assertEqual(server.wait(), 0)
        for line in server.log.splitlines(keepends=True):
            self.assertIsNotNone(LOG_LINE.fullmatch(line), f"an odd line in the log: {line!r}")

    def assert_got_in_the_end(self, sessions):
        server = ReadServer(self.server.directory, *LIMITS)
        self.addCleanup(server.__exit__)
        for session in sessions:
            command = session.complete(["get", "--quiet", "--output", str(session.root)], server.address)
            result = run(*command)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            found = {os.fsdecode(path): what for path, what in contents(session.root).items() if what != "d"}
            self.assertEqual(found, session.expected)
        server.__exit__()


class ManglerTest(unittest.TestCase):
    """The proxy itself: what it does depends on nothing but the seed and the place."""

    LENGTHS = {UP: 5000, DOWN: 700}

    def mangle(self, harms, data, size):
        """What comes out where the data comes in pieces of that size, as one string of bytes and events."""
        mangler, found = Mangler(harms), []
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        actions = [action for piece in [b"", *pieces] for action in mangler.feed(piece)] + mangler.finish()
        for kind, value in actions:
            if isinstance(value, bytes):
                found += list(value)
            else:
                found.append((kind, value))
        return found

    def test_the_same_in_any_segments(self):
        data = NOISE[:6000]
        kinds = set()
        for number in range(100):
            for direction, harms in make_plan(SEED, number, self.LENGTHS).items():
                kinds |= {harm.kind for harm in harms}
                whole = self.mangle(harms, data, len(data))
                for size in (1, 500):
                    self.assertEqual(self.mangle(harms, data, size), whole, (number, direction, harms))
        self.assertEqual(kinds, {*HARMS, *HARMLESS})

    def test_the_same_again(self):
        self.assertEqual(make_plan(SEED, 1, self.LENGTHS), make_plan(SEED, 1, self.LENGTHS))
        self.assertNotEqual(make_plan(SEED, 1, self.LENGTHS), make_plan(SEED, 2, self.LENGTHS))

    def test_each_kind(self):
        cases = {
            "flip": (Harm(Kind.FLIP, 1, 1, 0x20), b"aBcdef"),
            "drop": (Harm(Kind.DROP, 1, 2, 1), b"adef"),
            "repeat": (Harm(Kind.REPEAT, 1, 2, 2), b"abcbcbcdef"),
            "swap": (Harm(Kind.SWAP, 1, 4, 1), b"adebcf"),
            "throttle": (Harm(Kind.THROTTLE, 1, 2, 1), b"abcdef"),
            "split": (Harm(Kind.SPLIT, 1, 2, 1), b"abcdef"),
        }
        for title, (harm, expected) in cases.items():
            with self.subTest(title):
                self.assertEqual(bytes(self.mangle([harm], b"abcdef", 6)), expected)
        cut = Harm(Kind.CUT, 3, 0, 1)
        self.assertEqual(self.mangle([cut], b"abcdef", 6), [*b"abc", ("cut", 1), *b"def"])


if __name__ == "__main__":
    unittest.main()
