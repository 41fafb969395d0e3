"""The order of file calls where something is there already, over TLS, and where the client is the receiver."""

import hashlib
import os
import re
import shutil
import unittest

from frames import RECEIPT, encode
from ordering import CALLS, FLUSHES, MIB, SIZES, WRITES, OrderCase, tls_records
from relay import PAYLOAD, UP, Fault, Relay
from storing import flip
from support import ONCE, run
from tracing import CommandTrace
from trust import fingerprint
from waiting import eventually

needs_strace = unittest.skipUnless(shutil.which("strace"), "needs strace")


@needs_strace
class ReplacedTest(OrderCase):
    options = ("--on-conflict", "replace")

    def assert_replaced(self, trace, name, size):
        """The name goes from the old file to the new one, and the old one goes once the new one is written down."""
        (exchanged,) = trace.of("renameat2", on="RENAME_EXCHANGE")
        self.assertIn(f'"{name}"', exchanged.text)
        staged = re.search(r'"(\w+\.tmp)"', exchanged.text)[1]
        # A partial has the name that later tries look for, and gets another one before.
        (moved,) = trace.of("renameat2", on=f'"{staged}", RENAME_NOREPLACE') or [None]
        written_as = re.search(r'"(\w+\.part)"', moved.text)[1] if moved else staged
        self.assertEqual(sum(call.result for call in trace.of(*WRITES, on=f"/{written_as}>")), size)
        durable = [call for call in trace.of("fsync", on=f"<{self.out}>") if call.begin > exchanged.end]
        receipts = self.receipts(trace)
        self.assertEqual(len(receipts), 1)
        self.assert_order(
            trace.of(*WRITES, on=f"/{written_as}>"),
            trace.of("fchmod", "utimensat", on=f"/{written_as}>"),
            trace.of(*FLUSHES, on=f"/{written_as}>"),
            *([[moved]] if moved else []),
            [exchanged],
            durable,
        )
        self.assert_recorded_before(trace, name, durable, receipts)
        _, flushed = self.recorded(trace, name)
        self.assert_order(flushed, trace.of("unlinkat", on=f'"{staged}"'))

    def test_replaced(self):
        for size in SIZES:
            with self.subTest(size=size):
                source = self.file(f"f{size}", os.urandom(size))
                (self.out / source.name).write_bytes(b"old")
                trace = self.trace(source, self.server.address)
                self.assert_replaced(trace, source.name, size)

    def test_repaired(self):
        for size in (SIZES[0], SIZES[2]):
            with self.subTest(size=size):
                source = self.file(f"f{size}", os.urandom(size))
                self.assert_sent(source, self.server.address)
                flip(self.out / source.name, size // 2)
                self.assert_replaced(self.trace(source, self.server.address), source.name, size)
                self.assertEqual((self.out / source.name).read_bytes(), source.read_bytes())


@needs_strace
class ResumedTest(OrderCase):
    def test_resumed(self):
        """What an earlier connection wrote, without a flush, is flushed with the rest."""
        size = SIZES[2]
        source = self.file("f", os.urandom(size))
        with Relay(self.server.port, Fault(UP, PAYLOAD, 2 * MIB + 5)) as relay:
            self.assert_fails(75, *ONCE, source, relay.address)
        partials = self.out / ".fxfer" / "partials"
        eventually(lambda: [entry for entry in os.scandir(partials) if entry.stat().st_size == 2 * MIB], "it is kept")
        trace = self.trace("--quiet", source, self.server.address)
        publishing, staged = self.publishing(trace, "f")
        writes = trace.of(*WRITES, on=staged)
        self.assertEqual(sum(call.result for call in writes), size - 2 * MIB)
        durable = trace.of("fsync", on=f"<{self.out}>")
        self.assert_order(writes, trace.of(*FLUSHES, on=staged), publishing, durable)
        self.assert_recorded_before(trace, "f", durable, self.receipts(trace))


@needs_strace
class TLSTest(OrderCase):
    """RECEIPT is not to be seen; but a TLS record tells how long its content is, and no other frame has that length."""

    def setUp(self):
        super().setUp()
        self.key = ("--server-key", fingerprint(self.folder / "identity"))

    @property
    def options(self):
        return ("--identity", str(self.folder / "identity"))

    def test_stored(self):
        for size in SIZES:
            with self.subTest(size=size):
                source = self.file(f"file-{size}", os.urandom(size))
                digest = hashlib.sha256(source.read_bytes()).digest()
                values = {"id": 1, "outcome": 0, "size": size, "digest": digest, "path": source.name.encode()}
                # In TLS 1.3 a record has a byte for its type and 16 for its authenticity.
                length = len(encode(RECEIPT, **values)) + 1 + 16
                trace = self.trace(*self.key, source, self.server.address, options=("-s", "65536"))
                self.assertEqual(self.receipts(trace), [])
                told = [call for call in self.sent(trace) if length in tls_records(call.data)]
                self.assertEqual(len(told), 1, [tls_records(call.data) for call in self.sent(trace)])
                publishing, staged = self.publishing(trace, source.name)
                durable = trace.of("fsync", on=f"<{self.out}>")
                self.assert_order(trace.of(*WRITES, on=staged), trace.of(*FLUSHES, on=staged), publishing, durable)
                self.assert_recorded_before(trace, source.name, durable, told)


@needs_strace
class GotTest(OrderCase):
    """A client that gets a file prints its line once the file is as durable as a server's."""

    options = ("--share",)

    def test_got(self):
        place = self.folder / "place"
        place.mkdir()
        for size in SIZES:
            for there in (False, True):
                with self.subTest(size=size, there=there):
                    source = self.file(f"f{size}", os.urandom(size))
                    if not there:
                        self.assert_sent(source, self.server.address)
                    target = place / "f"
                    target.unlink(missing_ok=True)
                    if there:
                        target.write_bytes(b"old")
                    name = f"{self.server.address}/{source.name}"
                    with CommandTrace(CALLS) as trace:
                        result = run("get", name, "--output", target, wrapper=trace.wrapper)
                    self.assertEqual(result.returncode, 0, result.stderr)
                    self.assert_got(trace, target, size, there)

    def assert_got(self, trace, target, size, there):
        published = trace.of("renameat2", "linkat", on=f'"{target.name}"')
        if there:
            published = [call for call in published if "RENAME_EXCHANGE" in call.text]
        printed = [call for call in trace.of("write") if call.text.startswith("write(1<")]
        self.assertEqual((len(published), len(printed)), (1, 1))
        writes = [call for call in trace.of(*WRITES, on=f"<{target.parent}/") if "journal" not in call.text]
        self.assertEqual(sum(call.result for call in writes), size)
        flushes = [call for call in trace.of(*FLUSHES, on=f"<{target.parent}/")]
        self.assert_order(writes, flushes, published, trace.of("fsync", on=f"<{target.parent}>"), printed)


if __name__ == "__main__":
    unittest.main()
