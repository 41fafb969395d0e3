"""The order of system calls: everything is durable, and written down durably, before the client hears of it."""

import json
import re
import struct

from sending import SendCase
from support import run
from tracing import Trace

MIB = 1 << 20
#: A file of each way of staging: in memory and then without a name; under a name; with a journal beside it.
SIZES = (1000, 200_000, 3 * MIB + 5)
FILE_CALLS = (
    "mkdirat,pwrite64,pwritev,pwritev2,fchmod,utimensat,fsync,fdatasync,syncfs,renameat,renameat2,linkat,unlinkat"
)
WRITES = ("pwrite64", "pwritev", "pwritev2")
FLUSHES = ("fsync", "fdatasync")
CALLS = f"--trace={FILE_CALLS},ftruncate,write,writev,sendto,sendmsg"


class OrderCase(SendCase):
    options = ()

    def setUp(self):
        super().setUp()
        self.server = self.serve(*self.options)
        self.out = self.server.directory

    def trace(self, *sources, options=()):
        with Trace(self.server.pid, CALLS, *options) as trace:
            result = run("send", *map(str, sources))
        self.assertEqual(result.returncode, 0, result.stderr)
        return trace

    def receipts(self, trace):
        """The writes with RECEIPT frames (type 0x18 in byte 4) to sockets."""
        frame = re.compile(r"\\x00\\x00\\x00\\x[0-9a-f]{2}\\x18\\x00\\x00\\x00")
        return [call for call in self.sent(trace) if frame.search(call.text)]

    def sent(self, trace):
        """All that was written to sockets."""
        return trace.of("write", "writev", "sendto", "sendmsg", on="<socket:")

    def publishing(self, trace, name):
        """The one call that gives a file its name, and how the trace calls the staged file."""
        (call,) = trace.of("renameat2", "linkat", on=f'"{name}"')
        if call.name == "renameat2":
            self.assertIn("RENAME_NOREPLACE", call.text)
            staged = re.search(r'"(\w+\.(?:part|tmp))"', call.text)[1]
        else:
            staged = re.search(r"/(#\d+)>", call.text)[1]
        return [call], f"/{staged}>"

    def recorded(self, trace, path):
        """The write of the file's line into the ledger, and the flush that makes it durable."""
        ledger = f"<{self.out}/.fxfer/ledger.jsonl>"
        (written,) = [call for call in trace.of(*WRITES, on=ledger) if self.line_of(path) in call.data]
        flushes = [call for call in trace.of(*FLUSHES, on=ledger) if call.begin > written.end]
        self.assertTrue(flushes, f"the ledger was not flushed for {path}")
        return [written], flushes[:1]

    @staticmethod
    def line_of(path):
        return b'{"path":' + json.dumps(path).encode()

    def assert_order(self, *groups):
        """Each group has calls, all of them succeed, and all end before any call of the next group begins."""
        for number, group in enumerate(groups):
            self.assertTrue(group, f"group {number} is empty")
            for call in group:
                self.assertIsInstance(call.result, int, call.text)
        for number, (earlier, later) in enumerate(zip(groups, groups[1:])):
            self.assertLess(max(call.end for call in earlier), min(call.begin for call in later), f"group {number + 1}")

    def assert_recorded_before(self, trace, path, earlier, later):
        """`earlier`, then the ledger, then its flush, then `later`; `ledger.head` is never ahead."""
        written, flushed = self.recorded(trace, path)
        self.assert_order(earlier, written, flushed, later)
        heads = trace.of(*WRITES, on="/.fxfer/ledger.head>")
        self.assert_order(flushed, heads[-1:])


def tls_records(data):
    """The lengths of the TLS records that the bytes consist of; of a last one that is not whole, too."""
    lengths = []
    while len(data) >= 5:
        (length,) = struct.unpack_from(">H", data, 3)
        lengths.append(length)
        data = data[5 + length :]
    return lengths
