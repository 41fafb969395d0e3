"""What numbers depend on: the machine, its system, and the programs' versions."""

import datetime
import os
import platform
import re
import subprocess

from peers.peer import find


def describe(options, peers):
    """For the JSON file."""
    return {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "processor": _first(r"model name\s*: (.+)", "/proc/cpuinfo"),
        "cores": len(os.sched_getaffinity(0)),
        "memoryBytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "kernel": platform.release(),
        "system": _first(r'PRETTY_NAME="(.+)"', "/etc/os-release"),
        "fxfer": _version([options.fxfer, "--version"]),
        "versions": sorted({_version([find(first), *rest]) for peer in peers for first, *rest in peer.version}),
    }


def _first(pattern, path):
    try:
        with open(path) as file:
            found = re.search(pattern, file.read())
    except OSError:
        return None
    return found and found[1]


def _version(command):
    """The first line of what a program says of itself."""
    try:
        said = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    return (said.stdout or said.stderr).strip().partition("\n")[0]
