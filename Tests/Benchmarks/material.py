"""The files that are transferred: made of random bytes, and compared with what arrived.

Both is done in processes of their own: the memory of this one is the least that can be told of the programs it starts.
"""

import hashlib
import itertools
import os
from dataclasses import dataclass
from typing import Callable

from apart import apart

MIB = 1 << 20
FILES_PER_FOLDER = 100


@dataclass(frozen=True)
class Plan:
    """`files()` answers path and size of each file; `loads` are the files and folders that one client each sends."""

    loads: tuple
    files: Callable


def one_file(size):
    """A file of `size` bytes."""
    return Plan(("file",), lambda: [("file", size)])


def tree(files, size):
    """One folder with `files` files of `size` bytes, 100 in a folder."""

    def paths():
        for number in range(files):
            yield f"tree/{number // FILES_PER_FOLDER:04d}/{number % FILES_PER_FOLDER:02d}", size

    return Plan(("tree",), paths)


def crowd(clients, files, size):
    """A folder with `files` files of `size` bytes for each of `clients` clients."""
    loads = tuple(f"client{number:04d}" for number in range(clients))

    def paths():
        for load in loads:
            for number in range(files):
                yield f"{load}/{number:03d}", size

    return Plan(loads, paths)


class Material:
    """The files of a plan, which it makes below `root`; their digests are kept in the file `listing`."""

    def __init__(self, plan, root, listing):
        self.plan, self.root, self._listing = plan, root, listing
        self.files, self.bytes = 0, 0
        for _, size in plan.files():
            self.files += 1
            self.bytes += size
        apart(self._make)

    @property
    def loads(self):
        return self.plan.loads

    def by_load(self):
        """Each load with the paths of its files, relative to `root`; one at a time."""
        for load, files in itertools.groupby(self.plan.files(), lambda file: file[0].partition("/")[0]):
            yield load, (path for path, _ in files)

    def difference(self, folder):
        """What is wrong with a copy in `folder`, in words; None where all is there, right, and nothing else."""
        return apart(lambda: self._difference(folder))

    def _make(self):
        with open(self._listing, "w") as listing:
            for path, size in self.plan.files():
                target = os.path.join(self.root, path)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                listing.write(f"{_fill(target, size)} {path}\n")

    def _difference(self, folder):
        with open(self._listing) as listing:
            expected = {path: digest for digest, _, path in (line.rstrip("\n").partition(" ") for line in listing)}
        for parent, folders, names in os.walk(folder):
            if parent == folder and ".fxfer" in folders:
                folders.remove(".fxfer")
            for name in names:
                path = os.path.relpath(os.path.join(parent, name), folder)
                digest = expected.pop(path, None)
                if digest is None:
                    return f"'{path}' is there and was not sent"
                if _sha256(os.path.join(parent, name)) != digest:
                    return f"'{path}' arrived with other content"
        return f"{len(expected)} of {self.files} files are not there" if expected else None


def _fill(target, size):
    """Makes one file of random bytes, answers its digest."""
    digest = hashlib.sha256()
    with open(target, "xb") as file:
        for start in range(0, size, MIB):
            block = os.urandom(min(MIB, size - start))
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
