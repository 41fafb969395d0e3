"""`fxfer serve --legacy FILE` beside what a server does otherwise, and with a FILE that is not what it was."""

import os
import resource
import unittest

from gate import Gate
from legacy import LARGE, LegacyCase, connect, download, read_exactly, read_to_end, request
from support import copy_for_others, run, sha256
from textbook import THANKS
from waiting import eventually

MIB = 1 << 20


class ServeTest(LegacyCase):
    def test_off_by_default(self):
        """Without --legacy, the first words get a stranger's answer."""
        server = self.serve()
        self.assertEqual(read_to_end(request(server.port)), b"fxfer: this port speaks the fxfer protocol only\r\n")
        self.assert_serves(server)
        self.assert_nothing_stored(server)

    def test_not_of_the_directory(self):
        """FILE is no part of the directory: a download changes nothing there."""
        server = self.serve_file(b"content\n")
        (server.directory / "old").write_bytes(b"old")
        before = server.published()
        self.assert_downloads(server, b"content\n")
        self.assert_nothing_stored(server, before)

    def test_no_file(self):
        """A FILE that is missing, a directory or a FIFO at the start is status 66, and there is no server."""
        os.mkfifo(self.folder / "fifo")
        for name in ("missing", ".", "fifo", ""):
            with self.subTest(name):
                path = str(self.folder / name) if name else ""
                result = run("serve", "--dir", str(self.folder / "out"), "--listen", "127.0.0.1:0", "--legacy", path)
                self.assertEqual((result.returncode, result.stdout), (66, ""))
                self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")
                self.assertIn(path, result.stderr)

    def test_unreadable(self):
        """A FILE that the server's user may not read is status 66, too."""
        path = self.file("pjfile1.txt")
        path.chmod(0)
        options = {"binary": copy_for_others(self.folder)}
        if os.geteuid() == 0:
            options["user"] = 65534
        result = run("serve", "--dir", "/nowhere/out", "--listen", "127.0.0.1:0", "--legacy", str(path), **options)
        self.assertEqual((result.returncode, result.stdout), (66, ""))
        self.assertRegex(result.stderr, r"\Afxfer: [^\n]*pjfile1.txt[^\n]*ermission[^\n]*\n\Z")

    def test_vanishes(self):
        """While FILE is gone, or something else, a client is closed without thanks; then it is served again."""
        server = self.serve_file(b"content\n")
        self.path.unlink()
        self.assertEqual(download(server.port), b"")
        self.path.mkdir()
        self.assertEqual(download(server.port), b"")
        self.assert_serves(server)
        self.path.rmdir()
        self.path.write_bytes(b"new content\n")
        self.assert_downloads(server, b"new content\n")
        self.assertEqual(self.stop(server).count("unverified"), 1)

    def test_shrinks(self):
        """FILE that becomes shorter while it is sent: the client gets no thanks, so that it can tell."""
        server = self.serve_large_file()
        client = request(server.port, receive_buffer=65536)
        read_exactly(client, MIB)
        os.truncate(self.path, MIB)
        found = read_to_end(client)
        self.assertLess(len(found), LARGE)
        self.assertFalse(found.endswith(THANKS))
        self.assert_downloads(server, bytes(MIB))
        self.assert_serves(server)

    def test_memory(self):
        """A file of 4 GiB for slow readers does not fill the server's memory."""
        self.path = self.sparse("pjfile1.txt", 4 << 30)
        server = self.serve("--legacy", str(self.path))
        before = server.peak_memory()
        clients = [request(server.port, receive_buffer=65536) for _ in range(8)]
        for client in clients:
            read_exactly(client, 32 * MIB)
        self.assertLess(server.peak_memory() - before, 32 * MIB)
        for client in clients:
            client.close()
        self.assert_serves(server)

    def test_same_port(self):
        """A native upload and a legacy download go on at the same moment on the same port."""
        server = self.serve_large_file()
        client = request(server.port)
        read_exactly(client, MIB)
        with Gate(server.port, 2 * MIB) as gate:
            upload = self.sending(self.file("f", os.urandom(5 * MIB)), gate.address)
            gate.wait_until_held()
            self.assertEqual(len(read_to_end(client)), LARGE - MIB + len(THANKS))
            gate.open()
            self.assertEqual(upload.wait(), (0, ""))
        self.assert_nothing_stored(server, {b"f": sha256(self.folder / "f")})

    def test_descriptors_run_out(self):
        """More clients than the server may have open do not end it; when they are gone, others are served."""
        server = self.serve_file(b"content\n", "--log-level", "critical")
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (64, 64))
        clients = [connect(server.port) for _ in range(100)]
        open_files = f"/proc/{server.pid}/fd"
        eventually(lambda: len(os.listdir(open_files)) == 64, "the server has no descriptor left")
        for client in clients:
            client.close()
        self.assertIsNone(server.process.poll())
        self.assert_downloads(server, b"content\n")
        self.assert_serves(server)


if __name__ == "__main__":
    unittest.main()
