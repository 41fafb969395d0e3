"""However the network cuts the streams of a connection, and glues them together, both ends come to the same."""

import hashlib
import os
import socket
import threading

import wire
from fake_server import FakeServer
from frames import ACCEPT, BYE, CHUNK, CONFIRM, FINISH, GET, OFFER, RECEIPT, SHARE, chunk, frame, offer
from extremes import USUAL, usual
from moments import CONTENT, all_sent
from sending import SendCase
from support import ONCE, PATIENCE, run, sha256
from trust import fingerprint, make_token


class Bytewise:
    """A proxy for one connection after the other that passes each byte in a segment of its own."""

    def __init__(self, port):
        self.server_port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.segments = 0
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(PATIENCE)
        self.listener.close()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, socket.create_connection(("127.0.0.1", self.server_port), PATIENCE) as server:
                back = threading.Thread(target=self.pass_on, args=(server, client))
                back.start()
                self.pass_on(client, server)
                back.join(PATIENCE)

    def pass_on(self, source, target):
        target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while data := source.recv(1 << 16):
                for value in data:
                    target.sendall(bytes([value]))
                    self.segments += 1
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # One side has gone.


class BytewiseTest(SendCase):
    def assert_works(self, server, *options):
        """A file goes there and comes back, and is listed."""
        source = self.file("f", os.urandom(3000))
        with Bytewise(server.port) as between:
            self.assertEqual(self.assert_sent(source, between.address, *options), b"%s  f\n" % sha256(source).encode())
            self.assertEqual(server.published(), {b"f": sha256(source)})
            result = run("get", f"{between.address}/f", "--output", str(self.folder / "got"), *options)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertEqual(sha256(self.folder / "got"), sha256(source))
            result = run("list", between.address, *options)
            self.assertEqual((result.returncode, result.stderr, len(result.stdout.splitlines())), (0, "", 1))
            self.assertGreater(between.segments, 2 * 3000)
        self.assert_nothing_stored(server, {b"f": sha256(source)})

    def test_in_the_clear(self):
        self.assert_works(self.serve("--share"))

    def test_with_a_token_inside_tls(self):
        path, _ = make_token(self)
        identity = self.folder / "identity"
        server = self.serve("--share", "--token-file", str(path), "--identity", str(identity))
        self.assert_works(server, "--token-file", str(path), "--server-key", fingerprint(identity))


class OneSegmentTest(SendCase):
    def test_all_answers_at_once(self):
        """Everything that a server says behind its greeting comes in one segment, and the end of the stream with it."""

        def play(connection):
            all_sent(connection)
            connection.send(usual(ACCEPT), usual(CONFIRM), usual(RECEIPT))
            connection.socket.shutdown(socket.SHUT_WR)
            connection.drain()

        with FakeServer(play) as server:
            output = self.assert_sent(*ONCE, self.file("f", CONTENT), server.address)
        self.assertEqual(output, b"%s  f\n" % hashlib.sha256(CONTENT).hexdigest().encode())

    def test_a_whole_file_at_once(self):
        """OFFER, CHUNK, FINISH and the end of the stream, before the client has accepted anything."""

        def play(connection):
            connection.welcome(capabilities=SHARE)
            connection.expect(GET)
            connection.send(usual(OFFER), chunk(1, 0, CONTENT, USUAL[FINISH]["digest"]), usual(FINISH))
            connection.drain()

        with FakeServer(play) as server:
            result = run("get", *ONCE, f"{server.address}/f", "--output", str(self.folder / "got"))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual((self.folder / "got").read_bytes(), CONTENT)

    def test_all_requests_at_once(self):
        """A client that sends a file and asks for another in one segment gets all its answers."""
        server = self.serve("--share")
        (server.directory / "f").write_bytes(CONTENT)
        digest = USUAL[FINISH]["digest"]
        sent = [offer(1, b"new", size=5), chunk(1, 0, CONTENT, digest), usual(FINISH), usual(GET)]
        with wire.connect(server.port).greet(capabilities=SHARE) as connection:
            connection.send(*sent)
            kinds = [connection.receive().kind for _ in range(6)]
            self.assertEqual(sorted(kinds), sorted([ACCEPT, CONFIRM, RECEIPT, OFFER, CHUNK, FINISH]))
            connection.send(usual(ACCEPT), usual(CONFIRM), usual(RECEIPT), frame(BYE))
            self.assertEqual(connection.socket.recv(1), b"")
        self.assert_nothing_stored(server, {b"f": digest.hex(), b"new": digest.hex()})
