"""`fxfer serve` under a service manager: a socket that it is started with, and what it tells of itself."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import unittest

from sending import SendCase
from support import FXFER, PATIENCE, run, sha256

USAGE = 64
#: Starts a program as a service manager does: the descriptors in the first argument become 3 and following. The second
#: one is the process that they are said to be for; the program itself where it is empty.
ACTIVATION = """
import os, sys
found = [os.dup(int(number)) for number in sys.argv[1].split()]
moved = [os.dup2(number, 200 + index) for index, number in enumerate(found)]
for index, number in enumerate(moved):
    os.dup2(number, 3 + index, inheritable=True)
os.environ["LISTEN_PID"] = sys.argv[2] or str(os.getpid())
os.environ.setdefault("LISTEN_FDS", str(len(found)))
os.execv(sys.argv[3], sys.argv[3:])
"""


def activation(*sockets, process=""):
    """What to put before a command that is started with these sockets, and the options of subprocess for it."""
    numbers = [stream.fileno() for stream in sockets]
    command = [sys.executable, "-c", ACTIVATION, " ".join(map(str, numbers)), str(process)]
    return {"wrapper": command, "pass_fds": numbers}


class ActivationTest(SendCase):
    def listener(self, family=socket.AF_INET, address="127.0.0.1"):
        listener = socket.create_server((address, 0), family=family)
        self.addCleanup(listener.close)
        return listener

    def test_serves(self):
        """It takes its clients from the socket that it was started with, and names its address."""
        for family, address, text in ((socket.AF_INET, "127.0.0.1", "127.0.0.1"), (socket.AF_INET6, "::1", "[::1]")):
            with self.subTest(text):
                listener = self.listener(family, address)
                server = self.serve(listen=None, directory=self.folder / family.name, **activation(listener))
                port = listener.getsockname()[1]
                self.assertEqual(server.first_line, f"listening on {text}:{port} (pid {server.pid})\n")
                self.assert_sent(self.file("f"), f"{text}:{port}")
                self.assertEqual(list(server.published()), [b"f"])

    def test_client_before_server(self):
        """A client that came before the server is served; one that comes between two servers is, too."""
        listener = self.listener()
        for number in range(2):
            source = self.file(f"f{number}", os.urandom(100_000))
            client = self.sending(source, "127.0.0.1:{}".format(listener.getsockname()[1]))
            server = self.serve(listen=None, **activation(listener))
            self.assertEqual(client.wait(), (0, ""))
            self.assertEqual(server.published()[os.fsencode(source.name)], sha256(source))
            self.stop(server)
            self.assertEqual(server.process.returncode, 0)

    def test_is_not_inherited(self):
        """Programs that the server would start do not get the socket."""
        listener = self.listener()
        server = self.serve(listen=None, **activation(listener))
        inode = os.fstat(listener.fileno()).st_ino
        folder = f"/proc/{server.pid}/fd"
        numbers = [name for name in os.listdir(folder) if os.stat(f"{folder}/{name}").st_ino == inode]
        self.assertIn("3", numbers)
        with open(f"/proc/{server.pid}/fdinfo/3") as info:
            flags = int(re.search(r"flags:\s+([0-7]+)", info.read())[1], 8)
        self.assertTrue(flags & os.O_CLOEXEC)

    def test_not_for_this_process(self):
        """Variables that were meant for another process, or make no sense as its number, count for nothing."""
        for process in (1, 0, -1, "x", "99999999999999999999"):
            with self.subTest(process):
                listener = self.listener()
                server = self.serve(directory=self.folder / str(process), **activation(listener, process=process))
                self.assertNotEqual(server.port, listener.getsockname()[1])
                self.assert_serves(server)

    def assert_refused(self, *sockets, listen=(), naming="", **environment):
        """There is no server (64), which is said in one line, and nothing was made."""
        result = run(
            *("serve", "--dir", str(self.folder / "out"), *listen),
            env={**os.environ, **environment},
            **activation(*sockets),
        )
        self.assertEqual((result.returncode, result.stdout), (USAGE, ""), result.stderr)
        self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")
        self.assertIn(naming, result.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_listen_as_well(self):
        """--listen beside such a socket is a contradiction."""
        self.assert_refused(self.listener(), listen=("--listen", "127.0.0.1:0"), naming="--listen")

    def test_several(self):
        """One socket can be served: several are refused, and so is a number that is none."""
        self.assert_refused(self.listener(), self.listener(), naming="LISTEN_FDS")
        for count in ("-1", "256", "99999999999999999999", "x", "", "1 "):
            with self.subTest(count):
                self.assert_refused(self.listener(), naming="LISTEN_FDS", LISTEN_FDS=count)

    def test_no_listening_socket(self):
        """What is no TCP socket that listens is refused."""
        with contextlib.ExitStack() as stack:
            datagram = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            datagram.bind(("127.0.0.1", 0))
            bound = stack.enter_context(socket.socket())
            bound.bind(("127.0.0.1", 0))
            local = stack.enter_context(socket.socket(socket.AF_UNIX))
            local.bind(str(self.folder / "socket"))
            local.listen()
            connected = stack.enter_context(socket.create_connection(self.listener().getsockname()))
            file = stack.enter_context(open(self.file("f")))
            for name, wrong in {
                "datagrams": datagram,
                "bound": bound,
                "of the machine": local,
                "connected": connected,
                "a file": file,
            }.items():
                with self.subTest(name):
                    self.assert_refused(wrong, naming="descriptor 3")
        with self.subTest("closed"):
            self.assert_refused(naming="descriptor 3", LISTEN_FDS="1")


class NotifyTest(SendCase):
    def manager(self, name):
        """A socket with this name that hears what a service says."""
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.settimeout(PATIENCE)
        manager.bind(name)
        self.addCleanup(manager.close)
        return manager

    def serve_for(self, name, **options):
        return self.serve(env={**os.environ, "NOTIFY_SOCKET": name}, **options)

    def assert_told(self, manager, server):
        """The manager hears that the server is ready and where, and that it stops, and nothing else."""
        ready = manager.recv(4096).decode().split("\n")
        self.assertEqual(ready[0], "READY=1")
        self.assertRegex(ready[1], rf"\ASTATUS=listening on 127\.0\.0\.1:{server.port}, receiving into /")
        self.assertEqual(len(ready), 2)
        self.assert_serves(server)
        server.process.terminate()
        self.assertEqual(manager.recv(4096), b"STOPPING=1")
        self.assertEqual(server.wait(), 0)
        manager.setblocking(False)
        self.assertRaises(BlockingIOError, manager.recv, 4096)

    def test_path(self):
        """A manager with a path is told."""
        name = str(self.folder / "notify")
        manager = self.manager(name)
        self.assert_told(manager, self.serve_for(name))

    def test_abstract(self):
        """A manager with an abstract name is told, though the sandbox keeps the process from such sockets."""
        name = f"fxfer-test-{os.urandom(8).hex()}"
        manager = self.manager(f"\0{name}")
        self.assert_told(manager, self.serve_for(f"@{name}"))

    def test_one_line(self):
        """A directory's name cannot add a line of its own."""
        name = str(self.folder / "notify")
        manager = self.manager(name)
        server = self.serve_for(name, directory=self.folder / "a\nSTOPPING=1")
        self.assertEqual(manager.recv(4096).count(b"\n"), 1)
        self.stop(server)

    def test_not_ready(self):
        """A server that does not come to listen does not say that it is ready."""
        name = str(self.folder / "notify")
        manager = self.manager(name)
        with socket.create_server(("127.0.0.1", 0)) as other:
            listen = "127.0.0.1:{}".format(other.getsockname()[1])
            command = [FXFER, "serve", "--dir", str(self.folder / "out"), "--listen", listen]
            environment = {**os.environ, "NOTIFY_SOCKET": name}
            self.assertEqual(subprocess.run(command, env=environment, capture_output=True, timeout=PATIENCE).returncode, 69)
        manager.setblocking(False)
        self.assertRaises(BlockingIOError, manager.recv, 4096)

    def test_nobody_there(self):
        """Where nobody hears, or the name is none, the server serves all the same."""
        missing = str(self.folder / "missing")
        for name in (missing, f"@{missing}", "", "@", "/", "relative", "vsock:2:1", "/" + "x" * 107, "@" + "x" * 108):
            with self.subTest(name):
                server = self.serve_for(name)
                self.assert_serves(server)
                self.stop(server)
                self.assertEqual(server.process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
