"""A slow disk holds the network, and a slow network holds the other disk: what is between them is bounded."""

import contextlib
import os
import shutil
import signal
import unittest

from gate import Gate
from sending import SendCase
from support import ONCE
from tracing import Trace
from waiting import eventually

MIB = 1 << 20
GIB = 1 << 30
#: What may be between the client's disk and what the server has verified: the kernel's socket buffers, which are some
#: MiB on each side, and a few chunks of 1 MiB in each program.
BETWEEN = 32 * MIB
MEMORY = 64 * MIB
PWRITES = "pwrite64,pwritev,pwritev2"


class BackpressureTest(SendCase):
    def read_at_the_end(self, client):
        """How much the client has read in all when it ends by itself."""
        read = 0

        def has_ended():
            nonlocal read
            with contextlib.suppress(PermissionError):  # as soon as it has ended, only root may ask
                read = client.bytes_read()
            return os.waitid(os.P_PID, client.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)

        eventually(has_ended, "the client gives up")
        return read

    @unittest.skipUnless(shutil.which("strace"), "needs strace")
    def test_slow_disk(self):
        """While each write of the server takes a tenth of a second, the client never reads far ahead of it."""
        server = self.serve("--keep-partials", "0")
        with Trace(server.pid, f"--trace={PWRITES}", f"--inject={PWRITES}:delay_enter=100000"):
            client = self.sending(self.sparse("f", 8 * GIB), server.address)
            for _ in range(8):
                verified = client.wait_for("progress")["verified"]
                self.assertLessEqual(client.bytes_read() - verified, BETWEEN)
            client.kill()
        self.assertLess(verified, GIB)
        self.assertLessEqual(server.peak_memory(), MEMORY)
        self.assertLessEqual(client.peak_memory, MEMORY)
        self.assert_nothing_stored(server)
        self.assert_serves(server)

    @unittest.skipUnless(shutil.which("strace"), "needs strace")
    def test_slow_disk_for_many(self):
        """With many clients and a slow disk, the server's memory grows by a few MiB for each, not by what they send."""
        server = self.serve("--keep-partials", "0")
        with Trace(server.pid, f"--trace={PWRITES}", f"--inject={PWRITES}:delay_enter=100000"):
            source = self.sparse("f", 8 * GIB)
            clients = [self.sending(source, server.address, "--as", f"{number}") for number in range(16)]
            for _ in range(3):
                for client in clients:
                    client.wait_for("progress")
            for client in clients:
                client.kill()
        self.assertLessEqual(server.peak_memory(), MEMORY + 16 * 4 * MIB)
        self.assert_nothing_stored(server)
        self.assert_serves(server)

    def test_stopped_server(self):
        """When the server stops at all, the client stops reading, waits for --timeout, and ends with status 75."""
        server = self.serve("--keep-partials", "0")
        client = self.sending(*ONCE, self.sparse("f", 8 * GIB), server.address, "--timeout", "2")
        client.wait_for("progress")
        server.process.send_signal(signal.SIGSTOP)
        try:
            read = self.read_at_the_end(client)
            (name,) = server.partials()
            staged = server.directory / ".fxfer/partials" / name
            self.assertLessEqual(read - staged.stat().st_size, BETWEEN)
        finally:
            server.process.send_signal(signal.SIGCONT)
        status, errors = client.wait()
        self.assertEqual((status, client.events[-1]["code"]), (75, "timed-out"))
        self.assertRegex(errors, r"\Afxfer: [^\n]*2[^\n]*\n\Z")
        self.assertLessEqual(client.peak_memory, MEMORY)
        self.assert_nothing_stored(server)
        self.assert_serves(server)

    def test_slow_reader(self):
        """When the network takes no more, the client's disk is held: it reads no more than the buffers take."""
        server = self.serve("--keep-partials", "0")
        with Gate(server.port, 4 * MIB) as gate:
            client = self.sending(*ONCE, self.sparse("f", 8 * GIB), gate.address, "--timeout", "2")
            gate.wait_until_held()
            self.assertLessEqual(self.read_at_the_end(client), 4 * MIB + BETWEEN)
            self.assertEqual(client.wait()[0], 75)
        self.assertLessEqual(client.peak_memory, MEMORY)
        self.assert_nothing_stored(server)
        self.assert_serves(server)


if __name__ == "__main__":
    unittest.main()
