"""Who reads fxfer's output slowly, late or not at all holds up no transfer, and loses no receipt."""

import contextlib
import fcntl
import hashlib
import os
import subprocess
import unittest

from scripts import IO
from sending import SendCase
from support import FXFER, PATIENCE
from waiting import eventually

PIPE = 4096
COUNT = 500


class SlowReaderCase(SendCase):
    def small_files(self, count):
        """So many files; `self.expected` is what a server has published when all have arrived."""
        contents = {b"a-name-that-takes-some-room-%04d" % number: b"%d" % number for number in range(count)}
        self.expected = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
        return [str(self.file(name.decode(), content)) for name, content in contents.items()]

    def await_published(self, server):
        def names():
            return {os.fsencode(name) for name in os.listdir(server.directory)} - {b".fxfer"}

        eventually(lambda: len(names()) == len(self.expected), "all files are published")
        self.assert_nothing_stored(server, self.expected)


class UnreadLogTest(SlowReaderCase):
    def test_nobody_reads_the_servers_log(self):
        """A server whose stderr is a full pipe takes many files, and SIGTERM ends it with status 0.

        How full is not known: what does not fit beside what is in a pipe's last page waits for a page of its own.
        """
        server = self.serve("--grace", "1000")
        fcntl.fcntl(server.process.stderr, fcntl.F_SETPIPE_SZ, PIPE)
        files = self.small_files(1500)
        self.assertEqual(self.assert_sent("--quiet", *files, server.address).count(b"\n"), len(files))
        self.assert_nothing_stored(server, self.expected)
        server.process.terminate()
        self.assertEqual(server.process.wait(PATIENCE), 0)
        written = server.process.stderr.read()
        self.assertIn(len(written), range(1, PIPE + 1))
        self.assertLess(written.count("\n"), len(files), "the pipe took everything, so it was not full")


class ReceiptsTest(SlowReaderCase):
    def receipts_of(self, *, blocking):
        """Sends to a stdout that is a small pipe, which is read, a few bytes at a time, when all is published."""
        server = self.serve("--log-level", "error")
        files = self.small_files(COUNT)
        with contextlib.ExitStack() as opened:
            reading, writing = os.pipe()
            reader = opened.enter_context(open(reading, "rb", buffering=0))
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE)
            os.set_blocking(writing, blocking)
            client = subprocess.Popen(
                [FXFER, "send", "--quiet", *files, server.address], stdout=writing, stderr=subprocess.PIPE
            )
            opened.enter_context(client)
            opened.callback(lambda: client.poll() is None and client.kill())
            os.close(writing)
            self.await_published(server)
            self.assertIsNone(client.poll(), "it has written everything, so the pipe was not full")
            output = b"".join(iter(lambda: reader.read(100), b""))
            self.assertEqual(client.stderr.read(), b"")
            self.assertEqual(client.wait(PATIENCE), 0)
        found = dict(reversed(line.split(b"  ", 1)) for line in output.splitlines())
        self.assertEqual({name: digest.decode() for name, digest in found.items()}, self.expected)
        self.assertEqual(output.count(b"\n"), COUNT)

    def test_reader_that_pauses(self):
        """While nobody reads the receipts, all files are published; then every line arrives, and the status is 0."""
        self.receipts_of(blocking=True)

    def test_pipe_that_does_not_block(self):
        """The same holds where another process has made the pipe non-blocking."""
        self.receipts_of(blocking=False)

    def test_full_disk(self):
        """When stdout can take nothing, the files are stored, one line says what was lost, and the status is 74."""
        files = self.small_files(20)
        for number, options in enumerate(((), ("--quiet",), ("--json",))):
            with self.subTest(options), open("/dev/full", "wb") as full:
                server = self.serve(directory=self.folder / f"out{number}")
                command = [FXFER, "send", *options, *files, server.address]
                result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
                self.assertEqual(result.returncode, IO, result.stderr)
                self.assertRegex(result.stderr, r"\Afxfer: [^\n]*standard output[^\n]*\n\Z")
                self.assert_nothing_stored(server, self.expected)

    def test_reader_that_leaves(self):
        """When stdout's reader goes away, the files are stored all the same."""
        server = self.serve()
        files = self.small_files(20)
        command = [FXFER, "send", *files, server.address]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as client:
            client.stdout.close()
            errors = client.stderr.read()
        self.assertEqual(client.returncode, IO, errors)
        self.assertRegex(errors, r"\Afxfer: [^\n]*standard output[^\n]*\n\Z")
        self.assert_nothing_stored(server, self.expected)


if __name__ == "__main__":
    unittest.main()
