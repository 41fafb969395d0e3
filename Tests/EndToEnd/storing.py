"""What tests of the ledger and of what is stored share."""

import hashlib
import json
import os
import pathlib
import tempfile
import unittest

from support import run


def entries(directory):
    """The ledger's lines, as objects; checks the chain as the documentation says."""
    lines = (pathlib.Path(directory) / ".fxfer" / "ledger.jsonl").read_bytes().split(b"\n")
    assert lines.pop() == b""
    previous, found = "0" * 64, []
    for line in lines:
        entry = json.loads(line)
        assert entry["previous"] == previous, line
        hashed = line[: line.index(b',"hash":')]
        assert hashlib.sha256(hashed).hexdigest() == entry["hash"], line
        previous = entry["hash"]
        found.append(entry)
    return found


def flip(path, *positions, bit=0):
    """Changes a bit of each of these bytes behind the server's back, and sets the time back: as if the disk had."""
    times = path.stat()
    with open(path, "r+b") as file:
        for position in positions:
            file.seek(position)
            byte = file.read(1)[0]
            file.seek(position)
            file.write(bytes([byte ^ 1 << bit]))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


class LedgerCase(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="fxfer-test-")
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name)
        self.out = self.root / "out"
        self.ledger = self.out / ".fxfer" / "ledger.jsonl"

    def send(self, server, *names, options=()):
        result = run("send", *options, *(str(self.root / name) for name in names), server.address)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def write(self, name, content):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path
