"""How `fxfer serve` starts: where it listens, what it says, what it makes, and where it cannot."""

import os
import socket
import subprocess
import unittest

from sending import SendCase
from support import FXFER, PATIENCE, copy_for_others, run, sha256

NOBODY = 65534


class ListenTest(SendCase):
    def test_first_line(self):
        """The first line on stdout has the address, the real port and the process, and is flushed at once."""
        server = self.serve()
        self.assertEqual(server.first_line, f"listening on 127.0.0.1:{server.port} (pid {server.process.pid})\n")
        self.assertGreater(server.port, 0)
        socket.create_connection(("127.0.0.1", server.port)).close()
        self.assert_serves(server)

    def test_all_addresses(self):
        """Without an address it listens on all of both families, and IPv6 destinations are written in brackets."""
        server = self.serve(listen="0")
        self.assertEqual(server.first_line, f"listening on [::]:{server.port} (pid {server.process.pid})\n")
        for number, host in enumerate(("127.0.0.1", "127.0.0.2", "[::1]", "localhost", "[::ffff:127.0.0.1]")):
            with self.subTest(host):
                source = self.file(f"f{number}", os.urandom(2000))
                self.assert_sent(source, f"{host}:{server.port}")
                self.assertEqual(server.published()[os.fsencode(source.name)], sha256(source))

    def test_one_address(self):
        """With an address it listens there only."""
        server = self.serve(listen="[::1]:0")
        self.assertEqual(server.first_line, f"listening on [::1]:{server.port} (pid {server.process.pid})\n")
        self.assert_sent(self.file("f"), f"[::1]:{server.port}")
        self.assert_fails(69, self.file("f"), f"127.0.0.1:{server.port}")
        self.assertEqual(list(server.published()), [b"f"])

    def test_port_in_use(self):
        """A port that is taken is status 69, said in one clear line; who has it goes on."""
        server = self.serve()
        for listen in (f"127.0.0.1:{server.port}", f"{server.port}"):
            with self.subTest(listen):
                result = run("serve", "--dir", str(self.folder / "other"), "--listen", listen)
                self.assertEqual((result.returncode, result.stdout), (69, ""))
                self.assertRegex(result.stderr, rf"\Afxfer: [^\n]*\b{server.port}\b[^\n]*\n\Z")
                self.assertIn("in use", result.stderr)
                self.assertNotIn("errno", result.stderr)
                self.assertFalse((self.folder / "other").exists())
        self.assert_serves(server)

    def test_address_of_another_machine(self):
        """An address that this machine does not have, or that is none, is status 69."""
        for address in ("192.0.2.1", "nonsense.invalid"):
            with self.subTest(address):
                result = run("serve", "--dir", str(self.folder / "out"), "--listen", f"{address}:0")
                self.assertEqual((result.returncode, result.stdout), (69, ""))
                self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")
                self.assertIn(address, result.stderr)
                self.assertFalse((self.folder / "out").exists())

    def test_nonsense(self):
        """A --listen, --grace, --log-level or --log-format that is none is status 64, and nothing is made."""
        for option, value in (
            *(("--listen", text) for text in ("", "x", "65536", "-1", "host:", "::1:3000", "[::1]", "1:2:3")),
            *(("--grace", text) for text in ("", "-1", "x")),
            ("--log-level", "loud"),
            ("--log-format", "xml"),
            ("--nonsense", "x"),
        ):
            with self.subTest(option, value=value):
                result = run("serve", "--dir", str(self.folder / "out"), f"{option}={value}")
                self.assertEqual((result.returncode, result.stdout), (64, ""))
        self.assertFalse((self.folder / "out").exists())


class DirectoryTest(SendCase):
    def test_nobody_else_may_write(self):
        """Whatever the umask is, what the server makes is not for everybody to write to."""
        for mask, kept in ((0, 0o775), (0o027, 0o750)):
            with self.subTest(f"{mask:o}"):
                server = self.serve(directory=self.folder / f"a{mask}" / "b", umask=mask)
                self.assert_sent("-", f"{server.address}/f", "--as", "g", stdin=None, input=b"content")
                self.stop(server)
                made = {"": kept, "..": kept, "f": kept, "f/g": kept & 0o666}
                modes = {name: (server.directory / name).resolve().stat().st_mode & 0o777 for name in made}
                self.assertEqual(modes, made)

    def test_is_made(self):
        """The directory is made if needed; what is its own is not readable for others."""
        server = self.serve(directory=self.folder / "out")
        self.assertEqual((server.directory / ".fxfer").stat().st_mode & 0o777, 0o700)
        self.assert_serves(server)

    def test_is_made_with_parents(self):
        """Parents of the directory are made, too."""
        self.assert_serves(self.serve(directory=self.folder / "a" / "b" / "c"))

    def test_is_kept(self):
        """What is in the directory already stays, also through several lives of the server."""
        self.file("out/old", b"old")
        self.file("out/folder/old", b"old")
        for _ in range(3):
            server = self.serve()
            self.assertEqual(sorted(server.published()), [b"folder/old", b"old"])
            self.assert_serves(server)
            self.stop(server)

    def test_name_is_bytes(self):
        """The directory's name may be any bytes."""
        name = os.fsencode(self.folder) + b"/not-utf8-\xff \\"
        server = self.serve(directory=os.fsdecode(name))
        self.assert_sent(self.file("f", b"x"), server.address)
        with open(name + b"/f", "rb") as file:
            self.assertEqual(file.read(), b"x")

    def test_link(self):
        """The directory itself may be a link."""
        (self.folder / "real").mkdir()
        (self.folder / "link").symlink_to("real")
        self.assert_serves(self.serve(directory=self.folder / "link"))
        self.assertTrue((self.folder / "real" / ".fxfer").is_dir())

    def assert_refused(self, directory, status, command=(FXFER,), **options):
        result = subprocess.run(
            [*command, "serve", "--dir", directory, "--listen", "127.0.0.1:0"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            **options,
        )
        self.assertEqual((result.returncode, result.stdout), (status, ""))
        self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")
        self.assertIn(f"'{directory}'", result.stderr)

    def test_is_a_file(self):
        """A file in its place is status 73, and stays as it is."""
        path = self.file("file", b"old")
        self.assert_refused(path, 73)
        self.assert_refused(path / "below", 73)
        self.assertEqual(path.read_bytes(), b"old")

    def test_own_folder_is_a_link(self):
        """A link in the place of its own folder is not followed."""
        (self.folder / "out").mkdir()
        (self.folder / "elsewhere").mkdir()
        (self.folder / "out" / ".fxfer").symlink_to(self.folder / "elsewhere")
        self.assert_refused(self.folder / "out", 73)
        self.assertEqual(list((self.folder / "elsewhere").iterdir()), [])

    def test_empty(self):
        """An empty name, as an unset variable gives it, is refused."""
        result = run("serve", "--dir", "", "--listen", "127.0.0.1:0")
        self.assertIn(result.returncode, (64, 73))
        self.assertRegex(result.stderr, r"\A(fxfer|Error): ")

    @unittest.skipIf(os.getuid() != 0, "needs root to be someone else")
    def test_unwritable(self):
        """A directory that its user may not write to, or not make, is status 73."""
        binary = copy_for_others(self.folder)
        (self.folder / "out").mkdir(mode=0o755)
        for directory in (self.folder / "out", self.folder / "new"):
            with self.subTest(directory.name):
                self.assert_refused(directory, 73, command=[binary], user=NOBODY)
        self.assertEqual(list((self.folder / "out").iterdir()), [])

    @unittest.skipIf(os.getuid() != 0, "needs root to be someone else")
    def test_becomes_unwritable(self):
        """A folder that the server may not write to refuses its files (73); others are still taken."""
        (self.folder / "out").mkdir()
        os.chown(self.folder / "out", NOBODY, NOBODY)
        server = self.serve(binary=copy_for_others(self.folder), user=NOBODY, extra_groups=[])
        (server.directory / "locked").mkdir(mode=0o755)
        for size in (10, 3 << 20):
            with self.subTest(size=size):
                source = self.file("f", os.urandom(size))
                self.assert_fails(73, source, f"{server.address}/locked", naming=["locked/f"])
        self.assert_nothing_stored(server)
        self.assert_serves(server)


if __name__ == "__main__":
    unittest.main()
