"""`fxfer send -`: standard input, whose size nobody knows and which cannot be read twice."""

import hashlib
import json
import os
import select
import signal
import socket
import subprocess

from fake_server import FakeServer
from frames import ACCEPT, CHUNK, CONFIRM, REFUSE, encode
from proxy import DOWN, UP, Cut, Flip, Proxy
from scripts import offered
from sending import SendCase
from support import FXFER, PATIENCE

MIB = 1 << 20


class InputCase(SendCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def start(self, *arguments, stdin=subprocess.PIPE):
        """A running `send - --as f`."""
        client = subprocess.Popen(
            [FXFER, "send", "-", "--as", "f", *arguments],
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.addCleanup(self.end, client)
        return client

    @staticmethod
    def end(client):
        """Ends a client that a failed test has left."""
        with client:
            client.kill()

    def send_input(self, content, *arguments, stdin=subprocess.PIPE):
        """Its status, stdout and stderr after it was given `content` at once."""
        client = self.start(*arguments, stdin=stdin)
        stdout, stderr = client.communicate(content, timeout=PATIENCE)
        return client.returncode, stdout.decode(), stderr.decode()

    def assert_stored(self, result, content, stderr=""):
        digest = hashlib.sha256(content).hexdigest()
        self.assertEqual(result, (0, f"{digest}  f\n", stderr))
        self.assertEqual(self.server.published(), {b"f": digest})
        self.assertEqual(self.server.partials(), [])

    def assert_failed(self, result, status):
        """One line of error, and nothing stored or staged."""
        self.assertEqual((result[0], result[1]), (status, ""), result[2])
        self.assertRegex(result[2], r"\Afxfer: [^\n]+\n\Z")
        self.assert_nothing_stored(self.server)


class ContentTest(InputCase):
    def test_sizes(self):
        for size in (0, 1, MIB - 1, MIB, MIB + 1, 5 * MIB):
            with self.subTest(size=size):
                content = os.urandom(size)
                self.assert_stored(self.send_input(content, self.server.address), content)
                (self.server.directory / "f").unlink()

    def test_a_closed_or_empty_input_is_an_empty_file(self):
        self.assert_stored(self.send_input(None, self.server.address, stdin=subprocess.DEVNULL), b"")

    def test_a_file_as_input_is_read_from_where_it_stands(self):
        source = self.file("source", b"first line\nthe rest\n")
        with open(source, "rb", buffering=0) as stdin:
            stdin.read(11)
            self.assert_stored(self.send_input(None, self.server.address, stdin=stdin), b"the rest\n")

    def test_an_input_that_comes_in_dribs(self):
        """A byte at a time: parts of a chunk are put together, and nothing is published before the end."""
        content = os.urandom(300)
        client = self.start(self.server.address)
        for place in range(len(content)):
            os.write(client.stdin.fileno(), content[place : place + 1])
        self.assertEqual(self.server.published(), {})
        stdout, stderr = client.communicate(timeout=PATIENCE)
        self.assert_stored((client.returncode, stdout.decode(), stderr.decode()), content)

    def test_what_came_is_verified_before_more_comes(self):
        """A writer that waits for the server to have the first part does not wait for ever."""
        first, second = os.urandom(2 * MIB), os.urandom(MIB)
        client = self.start("--json", self.server.address)
        client.stdin.write(first)
        client.stdin.flush()
        lines = []
        while not any(line["event"] == "progress" for line in lines):
            self.assertTrue(select.select([client.stdout], [], [], 10)[0], "nothing is verified of 2 MiB that came")
            lines += map(json.loads, os.read(client.stdout.fileno(), 65536).splitlines())
        self.assertLessEqual(lines[-1]["verified"], len(first))
        stdout, stderr = client.communicate(second, timeout=PATIENCE)
        receipt = json.loads(stdout.splitlines()[-1])
        self.assertEqual((client.returncode, stderr), (0, b""))
        self.assertEqual((receipt["event"], receipt["size"]), ("receipt", 3 * MIB))
        self.assertEqual(self.server.published(), {b"f": hashlib.sha256(first + second).hexdigest()})

    def test_beside_files(self):
        """--as cannot be given then, so the input has no name."""
        self.assert_fails(64, "-", self.file("x"), self.server.address, naming=["--as"])
        self.assert_nothing_stored(self.server)

    def test_without_a_name(self):
        self.assert_fails(64, "-", self.server.address, naming=["--as"])
        self.assert_fails(64, "-", "-", self.server.address, "--as", "f")
        self.assert_nothing_stored(self.server)

    def test_a_file_called_minus(self):
        """It is reached by its path."""
        source = self.file("-", b"a file")
        self.assert_sent("./-", self.server.address, cwd=source.parent)
        self.assertEqual(self.server.published(), {b"-": hashlib.sha256(b"a file").hexdigest()})

    def test_an_input_that_cannot_be_read(self):
        """A folder."""
        folder = os.open(self.folder, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        status, stdout, stderr = self.send_input(None, self.server.address, stdin=folder)
        self.assertIn(status, (66, 74), stderr)
        self.assertEqual(stdout, "")
        self.assert_nothing_stored(self.server)


class BrokenConnectionTest(InputCase):
    def test_a_broken_chunk_is_sent_again_from_memory(self):
        for offset in (1000, MIB + 5000, 4 * MIB + 5000):
            with self.subTest(offset=offset), Proxy(self.server.port, Flip(UP, offset, 0x40)) as proxy:
                content = os.urandom(5 * MIB)
                status, stdout, stderr = self.send_input(content, "--json", proxy.address)
                receipt = json.loads(stdout.splitlines()[-1])
                self.assertTrue(proxy.done)
                self.assertEqual((status, receipt["event"]), (0, "receipt"), stderr)
                self.assertGreaterEqual(receipt["repairs"], 1)
                self.assertEqual(self.server.published(), {b"f": hashlib.sha256(content).hexdigest()})
                (self.server.directory / "f").unlink()

    def test_a_connection_that_breaks_is_a_clear_end(self):
        """The input cannot be read again: never is less than all of it published."""
        for reset in (False, True):
            with self.subTest(reset=reset), Proxy(self.server.port, Cut(UP, 3 * MIB, reset)) as proxy:
                content = os.urandom(5 * MIB)
                status, stdout, stderr = self.send_input(content, "--retries", "0", proxy.address)
                self.assertEqual((status, stdout), (75, ""), stderr)
                self.assertEqual(self.server.published(), {})

    def test_it_goes_on_where_memory_still_has_it_or_fails_clearly(self):
        """With retries, behind a proxy that takes one connection only, which then breaks at its receipt."""
        with Proxy(self.server.port, Cut(DOWN, 200, True)) as proxy:
            content = os.urandom(2 * MIB)
            status, stdout, stderr = self.send_input(content, "--retry-for", "1s", "--timeout", "2", proxy.address)
            self.assertEqual((status, stdout), (75, ""), stderr)
        self.assertIn(self.server.published(), ({}, {b"f": hashlib.sha256(content).hexdigest()}))


class EndlessInputTest(InputCase):
    def endless(self, address, *options):
        """The status and stderr of a `send` of an input that never ends."""
        yes = subprocess.Popen(["yes"], stdout=subprocess.PIPE)
        self.addCleanup(yes.wait)
        self.addCleanup(yes.kill)
        result = self.send_input(None, *options, address, stdin=yes.stdout)
        yes.stdout.close()
        return result

    def test_a_refusal_ends_it(self):
        """At once for a name that is taken by a folder, and in the middle."""
        (self.server.directory / "f").mkdir()
        self.assert_failed(self.endless(self.server.address), 73)

        def refuse(connection):
            offered(connection)
            connection.send(encode(ACCEPT, id=1, offset=0, digest=hashlib.sha256().digest()))
            connection.expect(CHUNK)
            connection.send(encode(REFUSE, id=1, code=36, message=b"full"))
            connection.drain()

        with FakeServer(refuse) as server:
            status, stdout, stderr = self.endless(server.address)
            self.assertEqual((status, stdout), (74, ""))
            self.assertIn("full", stderr)

    def test_a_server_that_goes_away_ends_it(self):
        def leave(connection):
            offered(connection)
            connection.send(encode(ACCEPT, id=1, offset=0, digest=hashlib.sha256().digest()))
            found = connection.expect(CHUNK)
            connection.send(encode(CONFIRM, id=1, offset=found.length))

        with FakeServer(leave) as server:
            status, stdout, stderr = self.endless(server.address, "--retries", "0")
            self.assertEqual((status, stdout), (75, ""), stderr)

    def test_an_input_that_says_nothing_does_not_hold_a_refusal_back(self):
        """The client ends although its input is open and silent."""
        (self.server.directory / "f").mkdir()
        silent, other = socket.socketpair()
        with silent, other:
            self.assert_failed(self.send_input(None, self.server.address, stdin=silent), 73)

    def test_a_signal_ends_it(self):
        """SIGINT while the input is open and silent: nothing is published or staged, and the server is free."""
        client = self.start("--json", self.server.address)
        client.stdin.write(b"x" * MIB)
        client.stdin.flush()
        self.assertIn(b"started", client.stdout.readline())
        client.send_signal(signal.SIGINT)
        self.assertIn(client.wait(PATIENCE), (130, -signal.SIGINT))
        client.communicate()
        self.assert_nothing_stored(self.server)
        self.assert_serves(self.server)
