"""Fault loops, as SQLite tests itself: the N-th system call of a kind fails, for each N until none does.

What must hold after each: status and receipts agree, each receipt is true, and nothing else is published, written down,
staged or open; and the same command again succeeds.
"""

import json
import os
import pathlib
import shutil
import tempfile
from collections import Counter

from abuse import ReadServer
from injector import NOTHING, SHORT, Injector
from resuming import ResumeCase
from storing import entries
from support import LONG, ONCE, figures, run, sha256
from waiting import eventually

DATA, CANNOT_CREATE, IO, RETRY = 65, 73, 74, 75
#: What every call may answer.
ERRORS = ("EIO", "ENOSPC", "EINTR", "EDQUOT")
#: What some may answer besides: descriptors or memory run out, a mount becomes read-only, a file is too large or cut.
MORE_ERRORS = {
    "openat2": ("EMFILE", "ENOMEM", "EROFS"),
    "pwrite64": (SHORT, "EFBIG"),
    "pread64": (SHORT, NOTHING),
    "mkdirat": ("EROFS",),
}
#: What a session fails with, where it does; with 74 for all others.
STATUS = {"EMFILE": RETRY, "ENOMEM": RETRY, "EROFS": CANNOT_CREATE, "EFBIG": CANNOT_CREATE}
#: Those that are made again where a signal interrupts them.
RETRIED = ("pwrite64", "pread64", "openat2", "ftruncate", "fchmod", "utimensat", "flock", "fstatfs")
#: Those whose failure says nothing of the file.
ADVISORY = ("close", "sync_file_range", "fadvise64")


def errors(call):
    return (*MORE_ERRORS.get(call, ()), *ERRORS)


def passes(call):
    """How often to go through the N of a call: what each answers, and whether all behind it answer that, too."""
    kinds = errors(call)
    if not LONG:
        # Each error has its turn; and what is no error is tried at each.
        return [(kinds, False), *(((kind,), False) for kind in (SHORT, NOTHING) if kind in kinds)]
    # Of a file that cannot be looked at for long nobody can tell whether it is the one to take back.
    lasting = [] if call == "newfstatat" else [(("EIO",), True)]
    return [*(((kind,), False) for kind in kinds), *lasting]


def is_harmless(call, error):
    """Whether nothing may come of it."""
    return call in ADVISORY or error == SHORT or error == "EINTR" and call in RETRIED


def make_folder(case, on_disk=False):
    """A folder that ends with the test; in memory where that can be: what counts is the calls, not the disk."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) and not on_disk else None
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fxfer-test-", dir=memory))
    case.addCleanup(shutil.rmtree, folder, ignore_errors=True)
    return folder


def parents(path):
    """The folders above it; paths are bytes."""
    while path := os.path.dirname(path):
        yield path


class Loop:
    """The faults of one session, one after the other."""

    #: More calls of one kind than any session makes.
    MOST = 400

    def __init__(self, case, title, counts):
        self.case, self.title = case, title
        self.calls = [call for call, count in counts.items() if count]
        self.tally = Counter()
        self.kinds = Counter()

    def run(self, try_one):
        """`try_one(call, error, number, lasting)` answers whether it struck, and whether the session failed."""
        for call in self.calls:
            for kinds, lasting in passes(call):
                for number in range(1, self.MOST):
                    error = kinds[number % len(kinds)]
                    struck = failed = False
                    fault = {"call": call, "error": error, "number": number, "lasting": lasting}
                    with self.case.subTest(self.title, **fault):
                        struck, failed = try_one(**fault)
                    if not struck:
                        break
                    self.tally["struck"] += 1
                    self.tally["failed" if failed else "succeeded"] += 1
                    self.tally["lasting"] += lasting
                    self.kinds[call] += 1
                else:
                    self.case.fail(f"{call} is called more than {self.MOST} times")
        figures(f"faults, {self.title}", **self.tally, **self.kinds)
        self.case.assertGreater(self.tally["failed"], 0, "no fault had any effect")


class FaultCase(ResumeCase):
    """A server below which single calls fail; what it has stored is in memory, unless `on_disk` is set."""

    on_disk = False

    def setUp(self):
        self.folder = make_folder(self, self.on_disk)
        self.out = self.folder / "out"
        self.kept = self.out / ".fxfer" / "partials"
        self.file("out/old", b"old\n")
        self.probe = self.file("probe")
        self.server = self.injector = None
        self.addCleanup(self.end)
        self.begin()

    def begin(self):
        self.server = ReadServer(self.out, *self.options)
        self.injector = Injector(self.server.pid, scope=self.out)
        # What it opens at its first connection, or for its first file.
        self.assertEqual(run("send", self.probe, self.server.address).returncode, 0)
        (self.out / "probe").unlink()
        self.descriptors = self.server.descriptors()

    def end(self):
        if self.server:
            self.server.__exit__()
            self.injector.close()
            self.assertEqual(self.server.process.returncode, 0, self.server.log)
            self.server = None

    def restart(self):
        self.end()
        self.begin()

    # What a session is: these are set for each.

    #: Path -> SHA-256 of each file that is sent.
    sources = {}
    #: The folders that are sent.
    folders = set()
    #: How a session may fail; with more where a file is read that is there already.
    statuses = (CANNOT_CREATE, IO, RETRY)
    #: The arguments of `send`.
    arguments = ()

    def prepare(self):
        """What has to be there before."""

    def send(self):
        """Answers the status, and the receipts: path -> SHA-256. Which folders were made is in `made`."""
        result = run("send", "--json", *ONCE, *map(str, self.arguments), self.server.address)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        for event in events:
            self.assertNotEqual(event.get("code"), "internal", event)
        told = {os.fsencode(event["name"]): event["sha256"] for event in events if event["event"] == "receipt"}
        self.made = {os.fsencode(event["name"]) for event in events if event["event"] == "folder"}
        self.message = result.stderr
        return result.returncode, told

    def check_session(self, title, sources, *arguments, folders=()):
        """The whole loop for a `send` of these: path -> source."""
        self.sources = {os.fsencode(path): sha256(source) for path, source in sources.items()}
        self.folders = set(map(os.fsencode, folders))
        self.arguments = arguments
        self.clear()
        self.prepare()
        self.injector.count()
        self.assertEqual(self.send(), (0, self.sources), self.message)
        self.await_idle()
        counts = self.injector.counts
        self.injector.disarm()
        self.clear()
        self.assertGreater(sum(counts.values()), 0)
        loop = Loop(self, title, counts)
        loop.run(self.try_fault)
        return loop

    def try_fault(self, call, error, number, lasting):
        try:
            return self.look_at_fault(call, error, number, lasting)
        except BaseException:
            # The next one shall not fail for this one's sake.
            self.end()
            self.clear(everything=True)
            self.begin()
            raise

    def look_at_fault(self, call, error, number, lasting):
        self.prepare()
        before, lines = self.server.published(), self.ledger_paths()
        self.injector.arm(call, error, number, lasting)
        status, told = self.send()
        self.await_idle()
        struck = self.injector.disarm()
        path = self.injector.path
        self.assertEqual(self.injector.again, 0, f"fsync of {path} was called again")
        self.assert_true(status, told, before, lines)
        if call != "pread64":
            # A ledger that cannot be written is 74 in any case.
            self.assertIn(status, (0, IO, STATUS.get(error, IO)), self.message)
        if not struck or is_harmless(call, error):
            self.assertEqual((status, told), (0, self.sources), self.message)
        if call == "fsync" and path.endswith("/ledger.jsonl"):
            # What was lost of the ledger is not known, so nothing is added any more.
            self.assertEqual((status, self.send()[0]), (IO, IO))
        if call == "fsync" and (lasting or path.endswith("/ledger.jsonl")):
            self.restart()
        self.assert_sent_again(call)
        self.clear()
        self.relays.close()
        return struck, status != 0

    def assert_true(self, status, told, before, lines):
        """Status and receipts agree with each other, and with what is on the disk."""
        self.assertIn(status, (0, *self.statuses), self.message)
        self.assertEqual((told, self.made) == (self.sources, self.folders), status == 0, self.message)
        self.assertEqual(told, {path: digest for path, digest in self.sources.items() if path in told})
        self.assertEqual(self.server.published(), before | told)
        # The folders above a file are made before it gets its name, and stay where that fails.
        above = {parent for path in [*self.sources, *self.folders] for parent in parents(path)}
        self.assertLessEqual(self.empty_folders() - above, self.made)
        new = self.ledger_paths()[len(lines) :]
        # What was there already has its line perhaps.
        self.assertLessEqual(set(new), set(told))
        latest = {os.fsencode(entry["path"]): entry["sha256"] for entry in entries(self.out)}
        self.assertEqual({path: latest.get(path) for path in told}, told)

    def empty_folders(self):
        """Those without anything in them; their paths are bytes."""
        root = os.fsencode(self.out)
        walk = [(folder, folders) for folder, folders, files in os.walk(root) if not folders and not files]
        return {os.path.relpath(folder, root) for folder, _ in walk} - {b".fxfer/partials", b".fxfer/states"}

    def ledger_paths(self):
        return [os.fsencode(entry["path"]) for entry in entries(self.out)]

    def await_idle(self):
        """The server has let go of all that was about the client: a staged file is removed before it is closed."""
        eventually(lambda: self.server.descriptors() <= self.descriptors, "the descriptors are back")

    def assert_sent_again(self, call):
        """Nothing is left but what a later try goes on from, at the latest when the server is started anew."""
        if self.leftovers():
            self.restart()
            resumable = self.partials()
            self.assertEqual(len(self.server.partials()), len(resumable), self.leftovers())
            for name, (verified, in_use) in resumable.items():
                self.assertGreater(verified, 0, name)
                self.assertFalse(in_use, name)
        self.assertEqual(self.send(), (0, self.sources), self.message)
        self.assertLessEqual(self.sources.items(), self.server.published().items())
        self.await_idle()
        self.assertEqual(self.leftovers(), [])
        self.assertEqual((self.out / "old").read_bytes(), b"old\n")

    def clear(self, everything=False):
        """Takes away all that was stored but the old file; what is staged, too, where `everything` is said."""
        for entry in os.scandir(self.out):
            if entry.name not in ("old", ".fxfer"):
                (shutil.rmtree if entry.is_dir() else os.unlink)(entry.path)
        if everything:
            shutil.rmtree(self.kept, ignore_errors=True)
