"""Folders to send and to get: making them, telling two of them apart, and counting what goes over a connection."""

import contextlib
import hashlib
import os
import re
import stat
import struct

from frames import CHUNK, PREAMBLE
from sending import SendCase
from support import copy_for_others, run

KIB, MIB = 1 << 10, 1 << 20
NOBODY = 65534
FOLDER = None


def plant(root, entries):
    """Makes files and folders below `root`, which is made, too: path -> content, or FOLDER. Paths may be bytes."""
    root = os.fsencode(root)
    os.makedirs(root, exist_ok=True)
    for path, content in entries.items():
        path = os.path.join(root, os.fsencode(path))
        os.makedirs(path if content is FOLDER else os.path.dirname(path), exist_ok=True)
        if content is not FOLDER:
            with open(path, "wb") as file:
                file.write(content)


def date(root, seconds=1_500_000_000):
    """Gives each file and folder a modification time of its own, `root` included."""
    for number, (folder, _, files, descriptor) in enumerate(os.fwalk(os.fsencode(root), topdown=False)):
        for place, name in enumerate([*sorted(files), b"."]):
            time = (seconds + number) * 10**9 + 123_456_789 + place
            with contextlib.suppress(FileNotFoundError):
                os.utime(name, ns=(time, time), dir_fd=descriptor, follow_symlinks=False)


def snapshot(root):
    """What is below `root`, itself included as `.`: path -> permission bits, time, and digest or kind."""
    found = {}
    for folder, folders, files, descriptor in os.fwalk(os.fsencode(root)):
        inside = os.path.relpath(folder, os.fsencode(root))
        if inside == b"." and b".fxfer" in folders:
            folders.remove(b".fxfer")
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in [b".", *files, *links]:
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            what = stat.filemode(status.st_mode)[0]
            if stat.S_ISREG(status.st_mode):
                with open(os.open(name, os.O_RDONLY, dir_fd=descriptor), "rb") as file:
                    what = hashlib.file_digest(file, "sha256").hexdigest()
            path = os.path.normpath(os.path.join(inside, name))
            found[path] = f"{stat.S_IMODE(status.st_mode):04o}", status.st_mtime_ns, what
    return found


def contents(root):
    """As `snapshot`, without permissions and times."""
    return {path: what for path, (_, _, what) in snapshot(root).items()}


def payload(stream):
    """How many bytes of files are in what one side of a connection has said."""
    assert stream.startswith(PREAMBLE)
    place, count = len(PREAMBLE), 0
    while place < len(stream):
        length, kind = struct.unpack_from(">IB", stream, place)
        if kind == CHUNK:
            size = struct.unpack_from(">I", stream, place + 12 + 12)[0]
            count += size
            place += size + 32
        place += 12 + length + 4
    return count


class TreeCase(SendCase):
    """There is a folder to send in `self.tree`; each test says what is in it."""

    def setUp(self):
        super().setUp()
        self.tree = self.folder / "tree"

    def send(self, *arguments, **options):
        """Runs `send`; answers status, stdout and stderr as bytes."""
        result = run("send", *map(os.fsencode, arguments), text=False, **options)
        return result.returncode, result.stdout, result.stderr

    def send_as_nobody(self, *arguments):
        """As `send`, by a user to whom permissions matter."""
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        return self.send(*arguments, binary=copy_for_others(self.folder), **user)

    def assert_lists(self, stderr, *failures):
        """stderr ends with a line for each failure, which has the given text, and one that sums up."""
        lines = stderr.decode().splitlines()
        self.assertRegex(lines[-1], rf"{len(failures)} failed")
        told = lines[-1 - len(failures) : -1]
        for failure in failures:
            self.assertEqual(len([line for line in told if failure in line]), 1, (failure, lines))
        self.assertFalse([line for line in lines if not re.match(r"fxfer: [^\x00-\x1f\x7f]+\Z", line)], lines)
