"""Whatever somebody did to a partial file, the next try ends with the right file, and touches nothing outside."""

import hashlib
import os
import shutil
import socket
import struct
import unittest

from resuming import MIB, ResumeCase
from support import sha256

SIZE = 5 * MIB + 77
VERIFIED = 3 * MIB
OUTSIDE = b"not for the server\n"
#: Bytes of a journal's header beside the path, and of a record; see PartialHeader and PartialRecord.
HEADER, RECORD = 75, 40


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


class HostilePartialTest(ResumeCase):
    def setUp(self):
        super().setUp()
        self.outside = self.file("outside", OUTSIDE)
        self.number = 0

    def begin(self):
        """An interrupted upload of a new name: 3 MiB of it are verified."""
        self.number += 1
        name = f"source-{self.number}"
        self.source = self.noise(name, SIZE)
        self.interrupt(self.source, VERIFIED + 5)
        self.assert_left({name: VERIFIED})
        digits = hashlib.sha256(name.encode()).hexdigest()[:32]
        self.part, self.journal = self.kept / f"{digits}.part", self.kept / f"{digits}.journal"
        self.first_record = HEADER + len(name)

    def attack(self, harm, *offsets, plants=False):
        """After `harm` the next try goes on at one of the offsets, with the same server and with a new one. What it
        `plants` under a name of the server's may stay there."""
        for restarts in (False, True):
            with self.subTest(restarts=restarts):
                self.begin()
                if restarts:
                    self.crash()
                harm()
                if restarts:
                    self.restart()
                self.partials()
                offset, receipt = self.send_again(self.source)
                self.assertIn(offset, offsets)
                self.assertEqual(receipt["outcome"], "stored")
                status = (self.server.directory / self.source.name).lstat()
                self.assertEqual((status.st_nlink, status.st_mode), (1, self.source.stat().st_mode))
                self.assertEqual((self.outside.read_bytes(), self.outside.stat().st_nlink), (OUTSIDE, 1))
                self.assertLessEqual(set(self.leftovers()), {self.part.name, self.journal.name} if plants else set())
                for name in self.leftovers():
                    path = self.kept / name
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    # The content.

    def test_a_flipped_byte_costs_its_chunk_and_those_behind(self):
        self.attack(lambda: flip(self.part, MIB + MIB // 2), MIB)
        self.attack(lambda: flip(self.part, 2 * MIB), 2 * MIB)
        self.attack(lambda: flip(self.part, 0), 0)

    def test_truncated_content(self):
        self.attack(lambda: os.truncate(self.part, 2 * MIB + 7), 2 * MIB)
        self.attack(lambda: os.truncate(self.part, 0), 0)

    def test_content_longer_than_the_file(self):
        def grow():
            with open(self.part, "ab") as file:
                file.write(b"?" * (4 * MIB))

        self.attack(grow, VERIFIED)

    def test_missing_content(self):
        self.attack(lambda: self.part.unlink(), 0)

    # The journal.

    def test_a_torn_journal(self):
        self.attack(lambda: os.truncate(self.journal, self.journal.stat().st_size - 11), 2 * MIB)
        self.attack(lambda: os.truncate(self.journal, 30), 0)
        self.attack(lambda: os.truncate(self.journal, 0), 0)

    def test_a_missing_journal(self):
        self.attack(lambda: self.journal.unlink(), 0)

    def test_a_damaged_header(self):
        for place in (0, 9, 12, 40, HEADER):
            with self.subTest(place):
                self.attack(lambda: flip(self.journal, place), 0)

    def test_a_damaged_record(self):
        """It is passed over: the ones behind it stand for themselves."""
        self.attack(lambda: flip(self.journal, self.first_record + 20), VERIFIED)
        self.attack(lambda: flip(self.journal, self.first_record + 2 * RECORD + 20), 2 * MIB)

    def test_records_of_impossible_lengths(self):
        for length in (0, MIB - 1, 1 << 62, 1 << 63, (1 << 64) - 1):
            def write():
                with open(self.journal, "r+b") as file:
                    file.seek(self.first_record + 2 * RECORD)
                    file.write(struct.pack(">Q", length))

            self.attack(write, 2 * MIB)

    def test_garbage_behind_the_records(self):
        def grow():
            with open(self.journal, "ab") as file:
                file.write(os.urandom(100_000))

        self.attack(grow, VERIFIED)

    def test_a_journal_that_claims_what_is_not_there(self):
        """A record with the right digest of what is behind the end of the content counts for nothing."""
        def claim():
            content = self.source.read_bytes()
            with open(self.journal, "ab") as file:
                file.write(struct.pack(">Q", 4 * MIB) + hashlib.sha256(content[: 4 * MIB]).digest())

        self.attack(claim, VERIFIED)

    # Other files under its names.

    def test_another_paths_partial_is_not_taken_for_this_ones(self):
        def swap():
            other = self.noise("other", SIZE)
            digits = hashlib.sha256(b"other").hexdigest()[:32]
            for theirs, ours in [(f"{digits}.part", self.part), (f"{digits}.journal", self.journal)]:
                shutil.copy(self.folder / "kept" / theirs, ours)

        other = self.noise("other", SIZE)
        self.interrupt(other, VERIFIED + 5)
        self.assert_left({"other": VERIFIED})
        shutil.copytree(self.kept, self.folder / "kept")
        self.send_again(other)
        (self.server.directory / "other").unlink()
        self.attack(swap, 0)

    def test_a_hard_link_to_a_file_outside(self):
        def link():
            target = self.folder / "linked"
            target.write_bytes(OUTSIDE)
            self.part.unlink()
            os.link(target, self.part)

        self.attack(link, 0)
        self.assertEqual((self.folder / "linked").read_bytes(), OUTSIDE)

    def test_a_hard_link_to_a_journal_outside(self):
        def link():
            target = self.folder / "linked"
            target.unlink(missing_ok=True)
            os.link(self.journal, target)
            self.before = target.read_bytes()

        self.attack(link, 0, VERIFIED)
        self.assertEqual((self.folder / "linked").read_bytes(), self.before)

    def test_a_symbolic_link_is_not_followed(self):
        for target in (self.outside, self.folder / "nothing", self.folder):
            for name in ("part", "journal"):
                def plant():
                    getattr(self, name).unlink()
                    getattr(self, name).symlink_to(target)

                with self.subTest(target=target.name, name=name):
                    self.attack(plant, 0, plants=True)
        self.assertFalse((self.folder / "nothing").exists())

    def test_a_fifo_does_not_hang(self):
        for name in ("part", "journal"):
            def plant():
                getattr(self, name).unlink()
                os.mkfifo(getattr(self, name))

            with self.subTest(name):
                self.attack(plant, 0, plants=True)

    def test_a_socket_and_a_folder(self):
        for name in ("part", "journal"):
            def bind():
                getattr(self, name).unlink()
                with socket.socket(socket.AF_UNIX) as stream:
                    stream.bind(str(getattr(self, name)))

            def make():
                getattr(self, name).unlink()
                getattr(self, name).mkdir()
                (getattr(self, name) / "inside").write_bytes(b"x")

            with self.subTest(name):
                self.attack(bind, 0, plants=True)
                self.attack(make, 0, plants=True)

    def test_the_folder_of_partials_replaced_by_a_link(self):
        """While it runs, the server uses what it has opened; started anew, it refuses."""
        self.begin()
        target = self.folder / "elsewhere"
        target.mkdir()
        # Within the directory: what is outside is not within the server's reach.
        self.kept.rename(self.folder / "out" / ".fxfer" / "moved")
        self.kept.symlink_to(target)
        self.assertEqual(self.send_again(self.source)[0], VERIFIED)
        self.assertEqual(list(target.iterdir()), [])
        self.crash()
        with self.assertRaisesRegex(AssertionError, "symbolic link"):
            self.restart()
        self.assertEqual(list(target.iterdir()), [])
        self.assertEqual(sha256(self.folder / "out" / self.source.name), sha256(self.source))


if __name__ == "__main__":
    unittest.main()
