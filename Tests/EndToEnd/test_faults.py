"""Each system call of an upload fails once at the server, in each way: never a false receipt, never half a file.

FXFER_LONG=1 has each call fail in all ways rather than in one, and counts what came of it.
"""

import os
import unittest

from faulting import CANNOT_CREATE, DATA, IO, FaultCase
from resuming import MIB
from storing import flip
from support import LONG, run

#: A file of each way of staging: in memory and then without a name; under a name; with a journal beside it.
SIZES = (1000, 200_000, 3 * MIB + 5)


class UploadFaultTest(FaultCase):
    def check(self, size):
        self.check_session(f"upload of {size} bytes", {"f": self.noise("f", size)}, self.folder / "f")

    def test_held_in_memory(self):
        self.check(SIZES[0])

    def test_under_a_name(self):
        self.check(SIZES[1])

    def test_with_a_journal(self):
        self.check(SIZES[2])

    def test_verified_only(self):
        """At a level that flushes nothing."""
        for size in SIZES if LONG else SIZES[1:2]:
            source = self.noise("f", size)
            self.check_session(f"upload of {size} bytes, verified", {"f": source}, "--require", "verified", source)


class GroupFaultTest(FaultCase):
    """A folder of small files, which are published in groups; others are not harmed by the failure of one."""

    def test_folder(self):
        sizes = {"a": 0, "b": 1000, "c": 5000, "new/d": 1000, "new/e": 2000, "new/below/f": 40_000}
        sources = {f"tree/{path}": self.noise(f"tree/{path}", size) for path, size in sizes.items()}
        (self.folder / "tree" / "empty").mkdir()
        folders = ("tree", "tree/new", "tree/new/below", "tree/empty")
        self.check_session("a folder of small files", sources, self.folder / "tree", folders=folders)

    def test_several_files(self):
        sources = {f"f{number}": self.noise(f"f{number}", 900 * number) for number in range(12)}
        self.check_session("several small files", sources, *(self.folder / name for name in sources))


class ThereFaultTest(FaultCase):
    """Something has the name already."""

    def prepare(self):
        (self.out / "f").write_bytes(self.there)

    def check(self, title, size, *options):
        source = self.noise("f", size)
        self.there = source.read_bytes() if "identical" in title else b"what was there\n"
        self.check_session(f"{title}, {size} bytes", {"f": source}, *options, source)


class IdenticalFaultTest(ThereFaultTest):
    def assert_sent_again(self, call):
        """Nobody can make a file durable of which the disk has lost something; so it is refused until it is removed."""
        if call == "fsync" and self.injector.path == os.path.realpath(self.out / "f"):
            self.assertEqual(self.send()[0], IO)
            self.assertEqual(self.injector.again, 0)
            os.unlink(self.out / "f")
        super().assert_sent_again(call)

    def test_identical(self):
        for size in SIZES if LONG else SIZES[::2]:
            self.check("identical", size)


class ReplaceFaultTest(ThereFaultTest):
    options = ("--on-conflict", "replace")

    def test_held_in_memory(self):
        self.check("replace", SIZES[0])

    def test_under_a_name(self):
        self.check("replace", SIZES[1])

    def test_with_a_journal(self):
        self.check("replace", SIZES[2])


class ResumeFaultTest(FaultCase):
    """An upload that goes on behind what an earlier one has left, which stays where this one fails before it begins."""

    def prepare(self):
        self.interrupt(self.folder / "f", 2 * MIB + 5)
        self.assert_left({"f": 2 * MIB})

    def test_resume(self):
        self.check_session("resume", {"f": self.noise("f", SIZES[2])}, self.folder / "f")


class RepairFaultTest(FaultCase):
    """A file that has decayed takes its content from the sender; until it is right, it stays as it is."""

    def prepare(self):
        (self.out / "f").unlink(missing_ok=True)
        self.assertEqual(run("send", self.folder / "f", self.server.address).returncode, 0)
        flip(self.out / "f", self.damaged)

    def check(self, size, damaged):
        self.damaged = damaged
        self.check_session(f"repair of {size} bytes", {"f": self.noise("f", size)}, self.folder / "f")

    def test_repair(self):
        self.check(SIZES[2], MIB + 7)

    def test_repair_of_a_small_file(self):
        self.check(SIZES[0], 7)


class MediaFaultTest(FaultCase):
    """An upload that is read again from the disk, which is one then."""

    on_disk = True
    #: What is read again may be another.
    statuses = (DATA, *FaultCase.statuses)

    def test_media(self):
        result = run("send", "--as", "media-probe", "--require", "media", self.probe, self.server.address)
        if result.returncode == CANNOT_CREATE:
            self.skipTest(f"no disk to read again from: {result.stderr}")
        os.unlink(self.out / "media-probe")
        for size in SIZES if LONG else SIZES[1:2]:
            source = self.noise("f", size)
            self.check_session(f"upload of {size} bytes, media", {"f": source}, "--require", "media", source)


del ThereFaultTest

if __name__ == "__main__":
    unittest.main()
