"""What was said last counts: receipts right before the end of a connection or of a server, and nothing waits behind."""

import hashlib
import signal
import socket
import subprocess
import unittest

import wire
from fake_server import FakeServer
from frames import ACCEPT, CONFIRM, ERROR, FINISH, RECEIPT, encode, offer
from scripts import RETRY, accept, confirm, receipt
from sending import SendCase
from support import FXFER, ONCE, PATIENCE, finish, run

SHUTTING_DOWN = 7
ROUNDS = 20


class LastWordsOfAServerTest(SendCase):
    """A played server that answers all files at once and ends the connection in the same breath."""

    def setUp(self):
        super().setUp()
        self.contents = {b"f%d" % number: b"content of %d\n" % number for number in range(5)}
        self.files = [str(self.file(name.decode(), content)) for name, content in self.contents.items()]
        error = encode(ERROR, code=SHUTTING_DOWN, message=b"the server is shutting down")
        self.tails = {"ERROR 7": error, "end of stream": b""}

    def take_and_leave(self, count, judged, tail):
        """Takes `count` files, and answers with the receipts of the first `judged` and with `tail`, in one write."""

        def play(connection):
            connection.welcome(files=64)
            names, finished = {}, []
            while len(finished) < count:
                found = connection.receive()
                names[found.id] = getattr(found, "path", names.get(found.id))
                if found.kind == FINISH:
                    finished.append(found.id)
            answers = b""
            for id in finished[:judged]:
                content = self.contents[names[id]]
                answers += accept(id=id) + confirm(len(content), id=id) + receipt(content, id=id, path=names[id])
            connection.send(answers + tail)
            connection.socket.shutdown(socket.SHUT_WR)
            connection.drain()

        return play

    def lines(self, names):
        return {f"{hashlib.sha256(self.contents[name]).hexdigest()}  {name.decode()}" for name in names}

    def test_receipts_right_before_the_end_count(self):
        """When every file has its receipt, the client says so and succeeds, however the connection ends behind it."""
        for title, tail in self.tails.items():
            for count in (1, 5):
                for number in range(ROUNDS):
                    with self.subTest(title, files=count, number=number):
                        with FakeServer(self.take_and_leave(count, count, tail)) as server:
                            result = run("send", *self.files[:count], server.address)
                        self.assertEqual((result.returncode, result.stderr), (0, ""))
                        self.assertEqual(set(result.stdout.splitlines()), self.lines(list(self.contents)[:count]))

    def test_the_files_without_receipt_fail(self):
        """Where two of five files have receipts, the client prints these two, and its status is that of the others."""
        for title, tail in self.tails.items():
            for number in range(ROUNDS // 4):
                with self.subTest(title, number=number):
                    with FakeServer(self.take_and_leave(5, 2, tail)) as server:
                        result = run("send", *ONCE, *self.files, server.address)
                    self.assertEqual(result.returncode, RETRY, result.stderr)
                    printed = set(result.stdout.splitlines())
                    self.assertEqual(len(printed), 2, result.stdout)
                    self.assertLessEqual(printed, self.lines(self.contents))


class LastReceiptsTest(SendCase):
    COUNT = 1500

    def test_whatever_is_published_has_its_receipt(self):
        """After SIGTERM without grace amid many small files, the published files are those with a receipt line."""
        files = [self.file(f"s{number}", b"%d" % number) for number in range(self.COUNT)]
        for number, before in enumerate((1, 2, 20, 70, 150)):
            with self.subTest(before=before):
                server = self.serve("--grace", "0", "--log-level", "error", directory=self.folder / f"out{number}")
                command = [FXFER, "send", *ONCE, "--quiet", *map(str, files), server.address]
                # Without a buffer: `communicate` would pass over what `readline` has read ahead.
                with subprocess.Popen(command, bufsize=0, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
                    lines = [client.stdout.readline() for _ in range(before)]
                    server.process.send_signal(signal.SIGTERM)
                    output, _ = finish(client)
                self.assertEqual(server.wait(), 0)
                self.assertEqual(client.returncode, RETRY)
                lines += output.splitlines(keepends=True)
                receipted = {name: digest.decode() for digest, name in (line.strip().split(b"  ", 1) for line in lines)}
                self.assertEqual(receipted, server.published())
                self.assertLess(len(receipted), self.COUNT)
                self.assert_nothing_stored(server, receipted)


class IdleClientTest(SendCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve("--grace", "1000")
        self.connection = wire.connect(self.server.port, timeout=PATIENCE).greet()
        self.addCleanup(self.connection.socket.close)

    def start(self):
        self.connection.send(offer(1, b"f", size=0))
        self.connection.expect(ACCEPT)

    def finish(self):
        empty = hashlib.sha256().digest()
        self.connection.send(encode(FINISH, id=1, size=0, digest=empty))
        self.connection.expect(RECEIPT)

    def assert_ends(self):
        """The client hears why, the server ends with status 0, and the file is there."""
        with self.assertRaises(wire.PeerError) as caught:
            self.connection.receive()
        self.assertEqual(caught.exception.code, SHUTTING_DOWN)
        self.connection.socket.close()
        self.assertEqual(self.server.wait(), 0)
        self.assert_nothing_stored(self.server, {b"f": hashlib.sha256().hexdigest()})

    def test_receipt_before_the_signal(self):
        """A client that has its receipt and idles when SIGTERM comes does not hold the server for the grace."""
        self.start()
        self.finish()
        self.server.process.terminate()
        self.assert_ends()

    def test_receipt_after_the_signal(self):
        """A client whose file is finished after SIGTERM and that idles then does not hold the server for the grace."""
        self.start()
        self.server.process.terminate()
        self.finish()
        self.assert_ends()

    def test_no_file(self):
        """A client that has only greeted does not hold the server for the grace."""
        self.server.process.terminate()
        with self.assertRaises(wire.PeerError) as caught:
            self.connection.receive()
        self.assertEqual(caught.exception.code, SHUTTING_DOWN)
        self.connection.socket.close()
        self.assertEqual(self.server.wait(), 0)
        self.assert_nothing_stored(self.server)


if __name__ == "__main__":
    unittest.main()
