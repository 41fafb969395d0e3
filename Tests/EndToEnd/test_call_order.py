"""The order of the server's file calls: everything is durable before the client hears of it."""

import os
import re
import shutil
import unittest

from sending import SendCase
from support import run
from tracing import Trace

MIB = 1 << 20
#: A file of each way of staging: in memory and then without a name; under a name; with a journal beside it.
SIZES = (1000, 200_000, 3 * MIB + 5)
FILE_CALLS = "mkdirat,pwrite64,pwritev,pwritev2,fchmod,utimensat,fsync,fdatasync,syncfs,renameat2,linkat"
CALLS = f"--trace={FILE_CALLS},write,writev,sendto,sendmsg"


@unittest.skipUnless(shutil.which("strace"), "needs strace")
class CallOrderTest(SendCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def trace(self, *sources, options=()):
        with Trace(self.server.pid, CALLS, *options) as trace:
            result = run("send", *map(str, sources))
        self.assertEqual(result.returncode, 0, result.stderr)
        return trace

    def receipts(self, trace):
        """The writes with RECEIPT frames (type 0x18 in byte 4) to sockets."""
        frame = re.compile(r"\\x00\\x00\\x00\\x[0-9a-f]{2}\\x18\\x00\\x00\\x00")
        writes = trace.of("write", "writev", "sendto", "sendmsg", on="<socket:")
        return [call for call in writes if frame.search(call.text)]

    def publishing(self, trace, name):
        """The one call that gives a file its name, and how the trace calls the staged file."""
        (call,) = trace.of("renameat2", "linkat", on=f'"{name}"')
        if call.name == "renameat2":
            self.assertIn("RENAME_NOREPLACE", call.text)
            staged = re.search(r'"(\w+\.(?:part|tmp))"', call.text)[1]
        else:
            staged = re.search(r"/(#\d+)>", call.text)[1]
        return [call], f"/{staged}>"

    def assert_order(self, *groups):
        """Each group has calls, all of them succeed, and all end before any call of the next group begins."""
        for number, group in enumerate(groups):
            self.assertTrue(group, f"group {number} is empty")
            for call in group:
                self.assertIsInstance(call.result, int, call.text)
        for number, (earlier, later) in enumerate(zip(groups, groups[1:])):
            self.assertLess(max(call.end for call in earlier), min(call.begin for call in later), f"group {number + 1}")

    def test_stored(self):
        """write, attributes, fsync of the file, publish, fsync of the directory, and only then the receipt."""
        for size in SIZES:
            with self.subTest(size=size):
                name = f"f{size}"
                trace = self.trace(self.file(name, os.urandom(size)), self.server.address)
                publishing, staged = self.publishing(trace, name)
                writes = trace.of("pwrite64", "pwritev", "pwritev2", on=staged)
                self.assertEqual(sum(call.result for call in writes), size)
                self.assertEqual(len(self.receipts(trace)), 1)
                self.assert_order(
                    writes,
                    trace.of("fchmod", "utimensat", on=staged),
                    trace.of("fsync", "fdatasync", on=staged),
                    publishing,
                    trace.of("fsync", on=f"<{self.server.directory}>"),
                    self.receipts(trace),
                )

    def test_new_folders(self):
        """Each new folder is durable in the one above it before the receipt, too."""
        trace = self.trace(self.file("f"), f"{self.server.address}/a/b")
        root = str(self.server.directory)
        receipts = self.receipts(trace)
        self.assert_order(trace.of("mkdirat", on='"a"'), trace.of("fsync", on=f"<{root}>"), receipts)
        self.assert_order(trace.of("mkdirat", on='"b"'), trace.of("fsync", on=f"<{root}/a>"), receipts)
        self.assert_order(trace.of("renameat2", "linkat", on='"f"'), trace.of("fsync", on=f"<{root}/a/b>"), receipts)

    def test_existing_folder(self):
        """A folder that was there, but perhaps is not durable yet, is made durable, too, before the receipt."""
        (self.server.directory / "a").mkdir()
        trace = self.trace(self.file("f"), f"{self.server.address}/a")
        self.assert_order(trace.of("fsync", on=f"<{self.server.directory}/a>"), self.receipts(trace))
        self.assert_order(trace.of("fsync", on=f"<{self.server.directory}>"), self.receipts(trace))

    def test_identical(self):
        """A file that was there already is made durable with its name before the receipt: it may be only cached."""
        for size in (8, 3 * MIB):
            with self.subTest(size=size):
                source = self.file(f"f{size}", os.urandom(size))
                (self.server.directory / source.name).write_bytes(source.read_bytes())
                trace = self.trace(source, self.server.address)
                receipts = self.receipts(trace)
                self.assert_order(trace.of("fsync", on=f"<{self.server.directory}/{source.name}>"), receipts)
                self.assert_order(trace.of("fsync", on=f"<{self.server.directory}>"), receipts)

    def test_many(self):
        """With many files at once, no receipt is sent before its own file and name are durable."""
        sizes = [SIZES[number % 2] + number for number in range(40)]
        sources = [self.file(f"f{number}", os.urandom(size)) for number, size in enumerate(sizes)]
        # Whole writes, for there are many receipts in one.
        trace = self.trace(*sources, self.server.address, options=("-s", "65536"))
        receipts = self.receipts(trace)
        for source in sources:
            name = source.name
            published, staged = self.publishing(trace, name)
            # A receipt names its file at its end: length, then the bytes of the name.
            tail = "".join(f"\\x{byte:02x}" for byte in [0, len(name), *name.encode()])
            told = [call for call in receipts if tail in call.text]
            self.assertEqual(len(told), 1, name)
            self.assert_order(trace.of("fsync", "fdatasync", on=staged), published, told)
            durable = [
                call
                for call in trace.of("fsync", on=f"<{self.server.directory}>")
                if published[0].end < call.begin and call.end < told[0].begin
            ]
            self.assertTrue(durable, f"no fsync of the directory between {name} and its receipt")


if __name__ == "__main__":
    unittest.main()
