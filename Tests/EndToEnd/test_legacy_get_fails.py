"""`fxfer get --legacy` never replaces a file by half of one: every failure leaves the folder as it was."""

import json
import os
import signal
import socket
import subprocess
import unittest

from getting import OldFileCase
from legacy import ScriptedServer, reset
from support import FXFER, run
from textbook import THANKS
from waiting import eventually

MIB = 1 << 20


class GetFailsTest(OldFileCase):
    def test_no_thanks(self):
        """A stream that does not end with the thanks may be cut short: status 65."""
        for script in (
            [],
            [b"content\n"],
            [THANKS[:-1]],
            [THANKS[1:]],
            [THANKS + b"\n"],
            [THANKS, b"more"],
            [os.urandom(MIB)],
            [THANKS.lower()],
        ):
            for option in ([], ["--keep-trailer"]):
                with self.subTest(script[:1], option=option):
                    self.assert_failed(self.get_from(script, *option), 65, "cut short")

    def test_no_thanks_json(self):
        """With --json, the failure is an object, too."""
        result = self.get_from([b"content\n"], "--json")
        event = json.loads(result.stdout)
        self.assertEqual((event["event"], event["code"], event["status"]), ("error", "damaged", 65))
        self.assertEqual(result.returncode, 65)
        self.assertEqual(self.state(), self.before)

    def test_native_server(self):
        """A server without --legacy answers something else: status 65."""
        server = self.serve()
        self.assert_failed(self.get(server.address), 65)
        self.assert_serves(server)

    def test_reset(self):
        """A stream that a reset ends is status 75, whatever came before."""
        for content in (b"", b"content\n", os.urandom(MIB)):
            with self.subTest(size=len(content)):

                def break_off(client, content=content):
                    client.sendall(content)
                    reset(client)

                self.assert_failed(self.get_from(break_off), 75)

    def test_silence(self):
        """A server that is silent for longer than --timeout is status 75: before, in, and after the file."""
        for content in (b"", b"content\n", b"content\n" + THANKS):
            with self.subTest(content):

                def fall_silent(client, content=content):
                    client.sendall(content)
                    client.recv(1)

                self.assert_failed(self.get_from(fall_silent, "--timeout", "1"), 75, "1")

    def test_refused(self):
        """Where nobody listens, it is status 69."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = "127.0.0.1:{}".format(listener.getsockname()[1])
        self.assert_failed(self.get(address), 69, address)

    def test_bad_address(self):
        """What is no address is a usage error; a name that does not exist is status 69."""
        self.assert_failed(self.get("localhost:x"), 64)
        self.assert_failed(self.get("nowhere.invalid:1"), 69, "nowhere.invalid")

    def test_usage(self):
        """Without --legacy, or with no time at all, it is a usage error."""
        for arguments in (["127.0.0.1:1"], ["--legacy", "127.0.0.1:1", "--timeout", "0"], ["--legacy"]):
            with self.subTest(arguments):
                self.assertEqual(run("get", *arguments, cwd=self.place).returncode, 64)
        self.assertEqual(self.state(), self.before)

    def test_not_a_file(self):
        """What is no regular file is not replaced, and no server is asked: status 73."""
        (self.place / "directory").mkdir()
        (self.place / "link").symlink_to("pjrecfile")
        (self.place / "dangling").symlink_to("nowhere")
        os.mkfifo(self.place / "fifo")
        names = ["directory", "link", "dangling", "fifo", "directory/", ".", "", "missing/f", "pjrecfile/f", "/dev/null"]
        device = os.stat("/dev/null")
        self.before = self.state()
        for name in names:
            with self.subTest(name), ScriptedServer([b"content\n", THANKS]) as server:
                self.assert_failed(self.get(server.address, "--output", name), 73, name)
                self.assertIsNone(server.heard)
        self.assertEqual(os.stat("/dev/null"), device)

    def test_full_disk(self):
        """A disk that fills up is status 74."""
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "fxfer-test", self.place], capture_output=True, text=True
        )
        if mounted.returncode != 0:
            self.skipTest(f"a file system cannot be mounted here: {mounted.stderr}")
        self.addCleanup(subprocess.run, ["umount", self.place], check=True)
        (self.place / "pjrecfile").write_bytes(b"old")
        self.before = self.state()

        self.assert_failed(self.get_from([bytes(4 * MIB)]), 74, "pjrecfile")


class InterruptTest(OldFileCase):
    """SIGTERM and SIGINT: the status says which, the old file stays, and there is no litter."""

    def assert_interrupted(self, address, number, is_waiting):
        client = self.start(FXFER, "get", "--legacy", address, "--timeout", "1000", cwd=self.place)
        eventually(is_waiting, "the client waits")
        self.assertEqual(client.interrupt(number), 128 + number)
        self.assertEqual(client.end()[1:], ([], ""))
        self.assertEqual(self.state(), self.before)

    def received(self):
        """How much was written beside the old file."""
        return sum(path.stat().st_size for path in self.place.iterdir() if path.name.startswith(".fxfer-"))

    def test_before_the_first_byte(self):
        """The server has said nothing yet."""
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name), ScriptedServer(lambda client: client.recv(1)) as server:
                self.assert_interrupted(server.address, number, lambda: server.heard)

    def test_in_the_middle(self):
        """A part of the file is there, even one that ends with the thanks."""

        def send_part(client):
            client.sendall(bytes(MIB) + THANKS)
            client.recv(1)

        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name), ScriptedServer(send_part) as server:
                self.assert_interrupted(server.address, number, lambda: self.received() == MIB)

    def test_in_full_flow(self):
        """The server sends as fast as it can."""

        def flood(client):
            while True:
                client.sendall(bytes(MIB))

        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name), ScriptedServer(flood) as server:
                self.assert_interrupted(server.address, number, lambda: self.received() > MIB)

    def test_while_connecting(self):
        """The server does not even take the connection: its queue is full."""
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, socket.socket() as other:
            other.connect(listener.getsockname())
            address = "127.0.0.1:{}".format(listener.getsockname()[1])
            self.assert_interrupted(address, signal.SIGTERM, lambda: os.listdir(self.place) != ["pjrecfile"])


if __name__ == "__main__":
    unittest.main()
