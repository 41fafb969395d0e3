"""The order of the server's file calls: everything is durable before the client hears of it."""

import os
import shutil
import unittest

from ordering import FLUSHES, MIB, SIZES, WRITES, OrderCase


@unittest.skipUnless(shutil.which("strace"), "needs strace")
class CallOrderTest(OrderCase):
    def test_stored(self):
        """write, attributes, fsync, publish, fsync of the directory, the ledger, and only then the receipt."""
        for size in SIZES:
            with self.subTest(size=size):
                name = f"f{size}"
                trace = self.trace(self.file(name, os.urandom(size)), self.server.address)
                publishing, staged = self.publishing(trace, name)
                writes = trace.of(*WRITES, on=staged)
                self.assertEqual(sum(call.result for call in writes), size)
                self.assertEqual(len(self.receipts(trace)), 1)
                durable = trace.of("fsync", on=f"<{self.out}>")
                self.assert_order(
                    writes,
                    trace.of("fchmod", "utimensat", on=staged),
                    trace.of(*FLUSHES, on=staged),
                    publishing,
                    durable,
                )
                self.assert_recorded_before(trace, name, durable, self.receipts(trace))

    def test_new_folders(self):
        """Each new folder is durable in the one above it before the receipt, too."""
        trace = self.trace(self.file("f"), f"{self.server.address}/a/b")
        root = str(self.out)
        made, receipts = trace.of("renameat2", "linkat", on='"f"'), self.receipts(trace)
        for calls, folder in ((trace.of("mkdirat", on='"a"'), root), (trace.of("mkdirat", on='"b"'), f"{root}/a")):
            self.assert_order(calls, trace.of("fsync", on=f"<{folder}>"), receipts)
        self.assert_order(made, trace.of("fsync", on=f"<{root}/a/b>"), receipts)
        for folder in (root, f"{root}/a", f"{root}/a/b"):
            self.assert_recorded_before(trace, "a/b/f", trace.of("fsync", on=f"<{folder}>"), receipts)

    def test_existing_folder(self):
        """A folder that was there, but perhaps is not durable yet, is made durable, too, before the receipt."""
        (self.out / "a").mkdir()
        trace = self.trace(self.file("f"), f"{self.server.address}/a")
        for folder in (self.out, self.out / "a"):
            self.assert_recorded_before(trace, "a/f", trace.of("fsync", on=f"<{folder}>"), self.receipts(trace))

    def test_identical(self):
        """A file that was there already is made durable with its name before the receipt: it may be only cached."""
        for size in (8, 3 * MIB):
            with self.subTest(size=size):
                source = self.file(f"f{size}", os.urandom(size))
                (self.out / source.name).write_bytes(source.read_bytes())
                trace = self.trace(source, self.server.address)
                for path in (self.out / source.name, self.out):
                    flushes = trace.of("fsync", on=f"<{path}>")
                    self.assert_recorded_before(trace, source.name, flushes, self.receipts(trace))

    def test_many(self):
        """With many files at once, no receipt is sent before its own file, name and line are durable."""
        sizes = [SIZES[number % 2] + number for number in range(40)]
        sources = [self.file(f"f{number}", os.urandom(size)) for number, size in enumerate(sizes)]
        # Whole writes, for there are many receipts in one, and many lines.
        trace = self.trace(*sources, self.server.address, options=("-s", "65536"))
        for source in sources:
            name = source.name
            published, staged = self.publishing(trace, name)
            told = [call for call in self.receipts(trace) if self.names(call, name)]
            self.assertEqual(len(told), 1, name)
            written, flushed = self.recorded(trace, name)
            self.assert_order(trace.of(*FLUSHES, on=staged), published, written, flushed, told)
            durable = [
                call
                for call in trace.of("fsync", on=f"<{self.out}>")
                if published[0].end < call.begin and call.end < written[0].begin
            ]
            self.assertTrue(durable, f"no fsync of the directory between {name} and its line")

    @staticmethod
    def names(call, name):
        """Whether a RECEIPT in the call names the file: at its end are a length and then the bytes of the name."""
        return bytes([0, len(name), *name.encode()]) in call.data


if __name__ == "__main__":
    unittest.main()
