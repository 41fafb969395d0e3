"""What is measured: the cases of a comparison, and those of a growth."""

from dataclasses import dataclass

import material
from quantities import size_text

KIB, MIB = 1 << 10, 1 << 20
TREE_FILE, CLIENT_FILE, CLIENT_FILES, CROWD_FILE = 4 * KIB, 256 * KIB, 10, MIB

#: What a peer has to be able to do for a case.
FILE, TREE, CLIENTS, RESUME = "file", "tree", "clients", "resume"
RESUMED_SHARE = 0.9


@dataclass(frozen=True)
class Case:
    """`plan` says which files; `axis` and `value` say where a case stands in a growth."""

    name: str
    kind: str
    title: str
    plan: material.Plan
    axis: str | None = None
    value: int | None = None


def one_file(size, **growth):
    return Case("file", FILE, f"one file of {size_text(size)}", material.one_file(size), **growth)


def tree(files, **growth):
    title = f"{files:,} files of {size_text(TREE_FILE)}"
    return Case("tree", TREE, title, material.tree(files, TREE_FILE), **growth)


def clients(count, **growth):
    who = "one client" if count == 1 else f"{count:,} clients at once"
    title = f"{who}, {CLIENT_FILES} files of {size_text(CLIENT_FILE)} each"
    return Case("clients", CLIENTS, title, material.crowd(count, CLIENT_FILES, CLIENT_FILE), **growth)


def crowd(count):
    title = f"{count:,} clients at once, {size_text(CROWD_FILE)} each"
    return Case("crowd", CLIENTS, title, material.crowd(count, 1, CROWD_FILE))


def byte():
    return Case("byte", FILE, "a file of one byte", material.one_file(1))


def resume(size):
    title = f"{size_text(size)}, of which nine tenths are there"
    return Case("resume", RESUME, title, material.one_file(size))


NAMES = ("file", "tree", "clients", "byte", "resume", "crowd")


def comparison(options):
    """The cases that the options ask for."""
    made = {
        "file": [one_file(size) for size in options.size or [512 * MIB]],
        "tree": [tree(files) for files in options.files or [10_000]],
        "clients": [clients(count) for count in options.clients or [100]],
        "byte": [byte()],
        "resume": [resume(size) for size in options.size or [512 * MIB]],
        "crowd": [crowd(options.crowd)],
    }
    return [case for name in NAMES if name in options.case for case in made[name]]


def growth(options):
    """The points of each axis: bytes, files, clients."""
    sizes = options.size or [64 * MIB, 512 * MIB, 4096 * MIB]
    made = {
        "file": [one_file(size, axis="bytes", value=size) for size in sizes],
        "tree": [tree(files, axis="files", value=files) for files in options.files or [1_000, 10_000, 100_000]],
        "clients": [clients(count, axis="clients", value=count) for count in options.clients or [1, 10, 100, 1_000]],
    }
    return [case for name, points in made.items() if name in options.case for case in points]
