"""Disks that are full or fail: named, nothing of the file is kept, and never a receipt."""

import os
import resource
import shutil
import subprocess
import unittest

from gate import Gate
from sending import SendCase
from support import ONCE, sha256
from tracing import Trace

MIB = 1 << 20
#: A file of each way of staging: in memory and then without a name; under a name; with a journal beside it.
SIZES = (1000, 200_000, 3 * MIB)


class DiskFullTest(SendCase):
    """The server's directory is a small file system of its own."""

    def small_disk(self, size):
        """A server whose directory has `size` bytes in all, and a file in it."""
        folder = self.folder / "out"
        folder.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "fxfer-test", folder], capture_output=True, text=True
        )
        if mounted.returncode != 0:
            self.skipTest(f"a file system cannot be mounted here: {mounted.stderr}")
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        (folder / "old").write_bytes(b"old")
        server = self.serve()
        self.before = server.published()
        return server

    def assert_full(self, status, message):
        self.assertEqual(status, 74, message)
        self.assertRegex(message, r"\Afxfer: [^\n]*'f'[^\n]*\n\Z")
        self.assertRegex(message.lower(), "no space|full|free")

    def test_announced_size(self):
        """A file that is larger than what is free is refused, and nothing of it is sent."""
        server = self.small_disk(4 * MIB)
        client = self.sending(self.sparse("f", 64 * MIB), server.address)
        self.assert_full(*client.wait())
        self.assertEqual(client.events[-1]["code"], "no-space")
        self.assertEqual([event for event in client.events if event["event"] == "progress"], [])
        self.assert_nothing_stored(server, self.before)
        self.assert_serves(server)

    def test_small_file(self):
        """A file of one chunk that does not fit gets the same."""
        server = self.small_disk(512 * 1024)
        self.assert_full(74, self.assert_fails(74, self.sparse("f", MIB), server.address))
        self.assert_nothing_stored(server, self.before)
        self.assert_serves(server)

    def test_fills_in_the_middle(self):
        """The disk fills while the file is sent: the staged file is gone, and what others have is whole."""
        server = self.small_disk(16 * MIB)
        with Gate(server.port, 2 * MIB) as gate:
            client = self.sending(self.file("f", os.urandom(12 * MIB)), gate.address)
            gate.wait_until_held()
            self.fill(server.directory / "filler")
            before = server.published()
            gate.open()
            self.assert_full(*client.wait())
        self.assert_nothing_stored(server, before)
        (server.directory / "filler").unlink()
        self.assert_serves(server)

    @staticmethod
    def fill(path):
        """Writes a file until there is no space any more."""
        try:
            with open(path, "wb", buffering=0) as file:
                while file.write(bytes(65536)):
                    pass
        except OSError:
            pass

    def test_two_uploads_that_fit_alone(self):
        """Two uploads that fit each, but not both: one at least gets 74, and a receipt is still true."""
        server = self.small_disk(16 * MIB)
        sources = [self.file("a", os.urandom(10 * MIB)), self.file("b", os.urandom(10 * MIB))]
        with Gate(server.port, 2 * MIB) as gate:
            clients = [self.sending(source, gate.address) for source in sources]
            gate.wait_until_held(clients=2)
            gate.open()
            statuses = [client.wait()[0] for client in clients]
        self.assertIn(sorted(statuses), ([0, 74], [74, 74]))
        stored = {os.fsencode(path.name): sha256(path) for path, status in zip(sources, statuses) if status == 0}
        self.assert_nothing_stored(server, self.before | stored)
        self.assert_serves(server)

    def test_others_are_sent(self):
        """Of several files, those that fit are stored; the status is 74."""
        server = self.small_disk(4 * MIB)
        first, last = self.file("first"), self.file("last")
        client = self.sending(first, self.sparse("f", 64 * MIB), last, server.address)
        self.assert_full(*client.wait())
        stored = {os.fsencode(path.name): sha256(path) for path in (first, last)}
        self.assert_nothing_stored(server, self.before | stored)

    def test_largest_file(self):
        """A file over the size that the server's process may write (RLIMIT_FSIZE) is status 73."""
        limit = 4 * MIB
        server = self.serve(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.assert_fails(73, self.sparse("f", 64 * MIB), server.address, naming=["'f'", "large"])
        self.assert_nothing_stored(server)
        self.assert_serves(server)


@unittest.skipUnless(shutil.which("strace"), "needs strace")
class DiskFailsTest(SendCase):
    """strace lets all calls of a kind fail at the server; for each single one, see `test_faults.py`."""

    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.server.directory.joinpath("old").write_bytes(b"old")
        self.before = self.server.published()

    def assert_upload_fails(self, calls, *options, size=3 * MIB, error="EIO", status=74):
        """An upload while these calls fail: no receipt, that status, nothing kept. Answers the trace."""
        with Trace(self.server.pid, f"--trace={calls}", f"--inject={calls}:error={error}", *options) as trace:
            self.assert_fails(status, *ONCE, self.file("f", os.urandom(size)), self.server.address, naming=["'f'"])
        self.assertTrue([call for call in trace.calls if call.result == error], "the call was made")
        self.assert_nothing_stored(self.server, self.before)
        self.assert_serves(self.server)
        return trace

    def test_fsync_of_the_file(self):
        """fsync of the staged file fails: nothing is published, and fsync is never called again on that file."""
        for size in SIZES:
            with self.subTest(size=size):
                trace = self.assert_upload_fails("fsync,fdatasync,syncfs,sync_file_range", size=size)
                self.assertEqual(len(trace.of("fsync", "fdatasync", on="/.fxfer/partials/")), 1)
                self.assertEqual(trace.of("syncfs"), [])

    def test_fsync_of_the_directory(self):
        """fsync of the directory fails: there is no receipt, and nothing stays under the name."""
        for size in SIZES:
            with self.subTest(size=size):
                self.assert_upload_fails("fsync,fdatasync,syncfs", f"--trace-path={self.server.directory}", size=size)

    def test_write(self):
        """Writes fail from the first one on."""
        for size in SIZES:
            for error, status in (("EIO", 74), ("ENOSPC", 74), ("EDQUOT", 74), ("EFBIG", 73)):
                with self.subTest(error, size=size):
                    self.assert_upload_fails("pwrite64,pwritev,pwritev2", size=size, error=error, status=status)

    def test_write_in_the_middle(self):
        """Writes fail when a part of the file was written and confirmed: nothing of it is kept."""
        calls = "pwrite64,pwritev,pwritev2"
        with Gate(self.server.port, 3 * MIB) as gate:
            client = self.sending(*ONCE, self.file("f", os.urandom(5 * MIB)), gate.address)
            gate.wait_until_held()
            client.wait_for("progress")
            with Trace(self.server.pid, f"--trace={calls}", f"--inject={calls}:error=EIO"):
                gate.open()
                status, _ = client.wait()
        self.assertEqual((status, client.events[-1]["code"]), (74, "io"))
        self.assert_nothing_stored(self.server, self.before)
        self.assert_serves(self.server)

    def test_read_only(self):
        """A file system that has become read-only (as after an error) refuses the file."""
        self.assert_upload_fails("openat2", error="EROFS", status=73)

    def test_no_descriptors(self):
        """The server is out of descriptors: the client is told to try again, and the server goes on."""
        self.assert_upload_fails("openat2", error="EMFILE", status=75)

    def test_one_of_many(self):
        """One file of several fails: the others have their receipts, and only it is missing."""
        sources = [self.file(f"f{number}", os.urandom(1000)) for number in range(20)]
        with Trace(self.server.pid, "--trace=fsync", "--inject=fsync:error=EIO:when=1") as trace:
            client = self.sending(*sources, self.server.address)
            status, _ = client.wait()
        failed = len([call for call in trace.calls if call.result == "EIO"])
        self.assertGreater(failed, 0)
        self.assertEqual(status, 74)
        told = [event for event in client.events if event["event"] == "receipt"]
        receipts = {os.fsencode(event["name"]): event["sha256"] for event in told}
        self.assertEqual(len(receipts), len(sources) - failed)
        self.assert_nothing_stored(self.server, self.before | receipts)
        self.assert_serves(self.server)


if __name__ == "__main__":
    unittest.main()
