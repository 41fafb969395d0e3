"""What a run is told on its command line."""

import argparse
import os
import pathlib
import re
import tempfile

import cases
import peers
from quantities import count, several, size

ROOT = pathlib.Path(__file__).resolve().parents[2]
MEMORY = "/dev/shm"
#: Of smaller files a server keeps nothing, or too little is missing.
LEAST_RESUMED = 8 << 20


def read(arguments=None):
    """Options with everything filled in; ends the program where they make no sense."""
    parser = argparse.ArgumentParser(
        prog="compare",
        description="Compares fxfer with other ways to transfer files: the same files, in turns, again and again.",
        epilog="Lists have commas. Sizes are 4096, 64K, 512M, 4G. Run it on a machine that does nothing else. "
        "Exit status: 0, 1 where a peer failed, 2 where nothing could be measured.",
    )
    add = parser.add_argument
    add("--fxfer", default=ROOT / ".build/release/fxfer", help="the program under test (.build/release/fxfer)")
    known = ", ".join(cases.NAMES)
    add("--case", type=several(str), default=list(cases.NAMES), metavar="LIST", help=f"of {known} (all)")
    names = [peer.name for peer in peers.ALL]
    add("--peers", type=several(str), default=names, metavar="LIST", help=f"of {', '.join(names)} (all)")
    add("--size", type=several(size), metavar="LIST", help="of the one file (512M), also of that which is resumed")
    add("--files", type=several(count), metavar="LIST", help="how many small files are in a tree (10000)")
    add("--clients", type=several(count), metavar="LIST", help="how many clients send at once (100)")
    add("--crowd", type=count, default=1000, metavar="COUNT", help="how many send 1 MiB at once (1000)")
    add("--repeat", type=count, default=5, metavar="TIMES", help="how many rounds count; one more is a warm-up (5)")
    default = MEMORY if os.access(MEMORY, os.W_OK) else "."
    add("--dir", type=several(str), default=[default], metavar="LIST", help=f"where to work: tmpfs or disk ({default})")
    add("--growth", action="store_true", help="instead: 64M,512M,4G; 1000,10000,100000 files; 1,10,100,1000 clients")
    add("--json", metavar="FILE", help="write all that was measured")
    add("--svg", metavar="FILE", help="draw it")
    options = parser.parse_args(arguments)
    _check(parser, "case", options.case, cases.NAMES)
    _check(parser, "peers", options.peers, names)
    for folder in options.dir:
        _check_folder(parser, folder)
    if options.growth and len(options.dir) > 1:
        parser.error("--dir: a growth is measured in one folder")
    if "resume" in options.case and not options.growth and min(options.size or [LEAST_RESUMED]) < LEAST_RESUMED:
        parser.error("--size: of less than 8M too little is kept to go on with; leave resume out of --case")
    for option, path in (("json", options.json), ("svg", options.svg)):
        _check_output(parser, option, path)
    options.fxfer = os.path.abspath(options.fxfer)
    if not os.access(options.fxfer, os.X_OK):
        parser.error(f"--fxfer: '{options.fxfer}' is no program; swift build -c release makes one")
    options.peers = [peer for peer in peers.ALL if peer.name in options.peers]
    return options


def _check_folder(parser, folder):
    if re.search(r"[\s'\";{}#%\\]", os.path.abspath(folder)):
        parser.error(f"--dir: '{folder}' has a character that configuration files of peers cannot have")
    try:
        os.rmdir(tempfile.mkdtemp(dir=folder))
    except OSError as error:
        parser.error(f"--dir: cannot work in '{folder}': {error.strerror}")


def _check_output(parser, option, path):
    try:
        if path:
            open(path, "a").close()
    except OSError as error:
        parser.error(f"--{option}: cannot write '{path}': {error.strerror}")


def _check(parser, option, given, known):
    for name in given:
        if name not in known:
            parser.error(f"--{option}: '{name}' is none of {', '.join(known)}")
