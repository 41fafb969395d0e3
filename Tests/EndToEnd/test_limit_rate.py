"""`--limit-rate`, at either end and in either direction: no faster, not even for a moment, and nothing is lost."""

import os
import socket
import threading
import time

from sending import SendCase
from support import PATIENCE, run, sha256

MIB = 1 << 20
SIZE = 2 * MIB


class Meter:
    """A proxy that notes when how many bytes come from the side that sends the file."""

    def __init__(self, port):
        self.notes = []
        self.port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.thread.join(PATIENCE)
        self.listener.close()

    def run(self):
        client, _ = self.listener.accept()
        with client, socket.create_connection(("127.0.0.1", self.port)) as server:
            back = threading.Thread(target=self.pump, args=(server, client), daemon=True)
            back.start()
            self.pump(client, server)
            back.join(PATIENCE)

    def pump(self, source, target):
        while data := source.recv(1 << 16):
            self.notes.append((time.monotonic(), len(data)))
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)

    def most_in_a_second(self):
        """The most bytes of any second, after a start of 0.2 s."""
        notes = [note for note in self.notes if note[0] >= self.notes[0][0] + 0.2]
        return max(sum(count for time, count in notes if begin <= time < begin + 1) for begin, _ in notes)


class LimitCase(SendCase):
    def setUp(self):
        super().setUp()
        self.source = self.file("f", os.urandom(SIZE))

    def assert_limited(self, command, port, *arguments, place, clients=1):
        """2 MiB at 1 MiB a second take 1.5 s at least, and no second has much more than its share."""
        with Meter(port) as meter:
            began = time.monotonic()
            result = run(*command, *(str(argument).format(address=meter.address) for argument in arguments))
            self.assertGreaterEqual(time.monotonic() - began, 1.5)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(sha256(place), sha256(self.source))
        return meter

    def test_a_sender(self):
        server = self.serve()
        for rate in ("1M", "1MiB", "1048576", "1024K"):
            with self.subTest(rate):
                arguments = ["--limit-rate", rate, self.source, "{address}"]
                meter = self.assert_limited(["send"], server.port, *arguments, place=server.directory / "f")
                self.assertLessEqual(meter.most_in_a_second(), 1.6 * MIB)
                (server.directory / "f").unlink()

    def test_a_receiving_server(self):
        """What it verifies is limited; some more may be in buffers on the way."""
        server = self.serve("--limit-rate", "1M")
        self.assert_limited(["send"], server.port, self.source, "{address}", place=server.directory / "f")

    def test_the_verified_progress_of_a_receiving_server(self):
        server = self.serve("--limit-rate", "1M")
        client = self.sending(self.file("large", os.urandom(4 * MIB)), server.address)
        notes = []
        while event := client.next_event():
            notes += [(time.monotonic(), event["verified"])] if event["event"] == "progress" else []
        self.assertEqual(client.wait(), (0, ""))
        windows = [(end[0] - begin[0], end[1] - begin[1]) for begin in notes for end in notes if end[0] > begin[0] + 1]
        for seconds, count in windows:
            self.assertLessEqual(count, (seconds + 1) * 1.5 * MIB)

    def test_a_sharing_server(self):
        server = self.serve("--share", "--limit-rate", "1M")
        (server.directory / "f").write_bytes(self.source.read_bytes())
        got = self.folder / "got"
        meter = self.assert_limited(["get"], server.port, "{address}/f", "--output", got, place=got)
        self.assertLessEqual(meter.most_in_a_second(), 1.6 * MIB)

    def test_a_getter(self):
        server = self.serve("--share")
        (server.directory / "f").write_bytes(self.source.read_bytes())
        got = self.folder / "got"
        self.assert_limited(["get", "--limit-rate", "1M"], server.port, "{address}/f", "--output", got, place=got)

    def test_many_small_files(self):
        """They have their share of the rate, too."""
        server = self.serve()
        folder = self.folder / "tree"
        folder.mkdir()
        for number in range(100):
            (folder / str(number)).write_bytes(os.urandom(20 << 10))
        began = time.monotonic()
        self.assert_sent("-q", "--limit-rate", "1M", folder, server.address)
        self.assertGreaterEqual(time.monotonic() - began, 1.2)
        self.assertEqual(len(server.published()), 100)

    def test_two_clients_of_a_server_share_the_rate(self):
        server = self.serve("--limit-rate", "1M")
        sources = [self.file(name, os.urandom(MIB)) for name in ("a", "b")]
        began = time.monotonic()
        clients = [self.sending(source, server.address) for source in sources]
        self.assertEqual([client.wait() for client in clients], [(0, "")] * 2)
        self.assertGreaterEqual(time.monotonic() - began, 1.2)

    def test_a_rate_that_makes_no_sense(self):
        server = self.serve()
        for rate in ("", "0", "-1", "fast", "1X", "99999999999999999999"):
            with self.subTest(rate):
                self.assert_fails(64, f"--limit-rate={rate}", self.source, server.address)
                self.assert_nothing_stored(server)

    def test_a_slow_rate_is_no_silence(self):
        """A time-out that is shorter than what a chunk takes does not end the transfer."""
        server = self.serve()
        source = self.file("slow", os.urandom(600 << 10))
        self.assert_sent("--limit-rate", "200K", "--timeout", "1", source, server.address)
        self.assertEqual(server.published(), {b"slow": sha256(source)})
