"""What `fxfer send` says and does where it cannot send: one clear line a failure, its own status, nothing sent."""

import os
import socket
import subprocess
import unittest

from sending import SendCase
from support import FXFER, ONCE, PATIENCE, copy_for_others, run

NOBODY = 65534


class SourceTest(SendCase):
    """Sources that cannot be sent are status 66, and the server never hears of them."""

    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def assert_no_input(self, source, **options):
        """`send` names the source and sends nothing."""
        message = self.assert_fails(66, source, self.server.address, naming=[f"'{source}'"], **options)
        self.assert_nothing_stored(self.server)
        self.assert_serves(self.server)
        self.assertNotIn(os.fsdecode(source), self.stop(self.server))
        return message

    def test_missing(self):
        """A file that does not exist."""
        self.assert_no_input(self.folder / "nothing")

    def test_empty_name(self):
        """An empty argument, as an unset variable gives it, is refused in a clear way."""
        result = run("send", "", self.server.address)
        self.assertIn(result.returncode, (64, 66))
        self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")
        self.assert_nothing_stored(self.server)

    def test_folder_that_is_a_file(self):
        """A path through something that is no folder."""
        self.assert_no_input(self.file("f") / "g")

    def test_fifo(self):
        """A FIFO, which must not be opened: that would block, or disturb who writes to it."""
        os.mkfifo(self.folder / "f")
        self.assertIn("only files and folders", self.assert_no_input(self.folder / "f"))

    def test_socket(self):
        """A socket."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.folder / "s"))
            self.assert_no_input(self.folder / "s")

    def test_device(self):
        """A device."""
        self.assert_no_input("/dev/zero")

    def test_dangling_link(self):
        """A link to nothing."""
        (self.folder / "link").symlink_to("nothing")
        self.assert_no_input(self.folder / "link")

    @unittest.skipIf(os.getuid() != 0, "needs root to be someone else")
    def test_unreadable(self):
        """A file that its user may not read."""
        secret = self.file("secret")
        secret.chmod(0o600)
        result = run("send", secret, self.server.address, binary=copy_for_others(self.folder), user=NOBODY)
        self.assertEqual((result.returncode, result.stdout), (66, ""))
        self.assertRegex(result.stderr, rf"\Afxfer: [^\n]*'{secret}'[^\n]*\n\Z")
        self.assert_nothing_stored(self.server)

    def test_each_is_named(self):
        """Of several sources each bad one is named, a line each, and not even the good one is sent."""
        bad = [self.folder / "one", self.folder / "two", "/dev/zero"]
        sources = [bad[0], self.file("good"), *bad[1:]]
        result = run("send", *map(str, sources), self.server.address)
        self.assertEqual((result.returncode, result.stdout), (66, ""))
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), len(bad), lines)
        for source in bad:
            self.assertEqual(len([line for line in lines if f"'{source}'" in line]), 1, lines)
        self.assert_nothing_stored(self.server)
        self.assertEqual(self.stop(self.server), "")


class CommandLineTest(SendCase):
    """What is wrong on the command line is status 64, before any connection is made."""

    def setUp(self):
        super().setUp()
        self.source = self.file("f")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        self.listener.setblocking(False)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]

    def assert_usage(self, *arguments, one_line=True):
        result = run("send", *map(os.fsencode, arguments))
        self.assertEqual((result.returncode, result.stdout), (64, ""), result.stderr)
        self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z" if one_line else r"\A(Error|fxfer): ")
        with self.assertRaises(BlockingIOError, msg="it connected"):
            self.listener.accept()
        return result.stderr

    def test_names(self):
        """A name that no server may take."""
        names = ["../x", "/x", "", "a//b", "a/", ".", "..", "a/../b", ".fxfer", ".fxfer/x", "a\nb", "\x1b[31m", "\x7f"]
        names += ["x" * 256, "/".join("x" * 65), "/".join(["x" * 255] * 17), "a/.\u0301/../b"]
        for name in names:
            with self.subTest(name[:20]):
                message = self.assert_usage(self.source, self.address, "--as", name)
                self.assertTrue(message[:-1].isprintable(), message)

    def test_folders(self):
        """A destination folder that no server may take."""
        for folder in ("/../x", "//x", "/a//b", "/.fxfer", "/a/.."):
            with self.subTest(folder):
                self.assert_usage(self.source, self.address + folder)

    def test_source_without_a_name(self):
        """A source whose own name the receiver would refuse, and an empty one, are usage errors or no input."""
        self.assert_usage(self.file("a\nb"), self.address)
        result = run("send", "", self.address)
        self.assertEqual((result.returncode, result.stdout), (66, ""))

    def test_destinations(self):
        """A destination that is none."""
        bad_ports = ["host:", "host:0", "host:65536", "host:x", "host:-1", "host:+5"]
        for text in ["", ":3000", *bad_ports, "[::1", "[::1]x", "a b"]:
            with self.subTest(text):
                self.assertIn("HOST", self.assert_usage(self.source, text))

    def test_two_sources_with_one_name(self):
        """Two sources that would get one name are both named."""
        other = self.file("other/f")
        message = self.assert_usage(self.source, other, self.address)
        self.assertIn(f"'{self.source}'", message)
        self.assertIn(f"'{other}'", message)

    def test_options(self):
        """Options and numbers of arguments that are wrong."""
        source, address = self.source, self.address
        for arguments in (
            [source],
            [],
            [source, address, "--nonsense"],
            [source, source, address, "--as", "x"],
            [source, address, "--as"],
            [source, address, "--timeout", "0"],
            [source, address, "--timeout", "-1"],
            [source, address, "--timeout", "x"],
            [source, address, "--timeout", "99999999999999999999"],
        ):
            with self.subTest(arguments):
                self.assert_usage(*arguments, one_line=False)


class ConnectionTest(SendCase):
    """Who is not there is status 69, and every address that was tried is named."""

    def unused_port(self):
        """A port on which nobody listens and nobody can: it is bound in both families."""
        four, six = socket.socket(socket.AF_INET), socket.socket(socket.AF_INET6)
        self.addCleanup(four.close)
        self.addCleanup(six.close)
        four.bind(("127.0.0.1", 0))
        six.bind(("::1", four.getsockname()[1]))
        return four.getsockname()[1]

    def test_nobody_listens(self):
        """Nobody listens on an address."""
        port = self.unused_port()
        for host in ("127.0.0.1", "[::1]"):
            with self.subTest(host):
                self.assert_fails(69, self.file("f"), f"{host}:{port}", naming=[f"{host}:{port}", "refused"])

    def test_every_address_is_named(self):
        """Nobody listens on any address of a name: all are named."""
        hosts = self.file("hosts", b"127.0.0.1 localhost\n::1 localhost\n")
        mounted = ["unshare", "--mount", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh"]
        if subprocess.run([*mounted, "true"], capture_output=True).returncode != 0:
            self.skipTest("/etc/hosts cannot be replaced here")
        port = self.unused_port()
        command = [*mounted, FXFER, "send", self.file("f"), f"localhost:{port}"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((result.returncode, result.stdout), (69, ""))
        for address in ("localhost", f"127.0.0.1:{port}", f"[::1]:{port}"):
            self.assertIn(address, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1)

    def test_every_address_is_tried(self):
        """A server that listens on one address of a name only is found."""
        server = self.serve()
        self.assert_sent(self.file("f"), f"localhost:{server.port}")

    def test_several_files(self):
        """With several files, the one failure to connect is told once."""
        sources = [self.file("f"), self.file("g")]
        self.assert_fails(69, *sources, f"127.0.0.1:{self.unused_port()}", naming=["127.0.0.1"])

    def test_unknown_host(self):
        """A name that has no address."""
        self.assert_fails(69, self.file("f"), "nobody.invalid:3000", naming=["nobody.invalid", "resolve"])

    def test_no_answer_to_connect(self):
        """A host that does not answer is given up after --timeout."""
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
            address = listener.getsockname()
            with socket.create_connection(address):
                # The queue is full now: the kernel leaves further connections unanswered.
                self.assert_fails(69, self.file("f"), "%s:%d" % address, "--timeout", "1", naming=["127.0.0.1", "1 s"])

    def test_silent_server(self):
        """A server that takes the connection and says nothing is given up after --timeout with status 75."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = "%s:%d" % listener.getsockname()
            self.assert_fails(75, *ONCE, self.file("f"), address, "--timeout", "1", naming=[address])


if __name__ == "__main__":
    unittest.main()
