"""A client written from the specification alone gets its files across to the real server, whole or not at all."""

import hashlib
import io
import os
import random
import subprocess
import sys
import unittest

import wire
from support import PATIENCE, ROOT, Case, sha256

KIB, MIB = 1 << 10, 1 << 20
SIZES = [0, 1, 64 * KIB, MIB - 1, MIB, MIB + 1, 3 * MIB + 5]


def noise(size, seed=0):
    return random.Random(f"{size} {seed}").randbytes(size)


def digest(content):
    return hashlib.sha256(content).hexdigest()


class CountingUpload(wire.Upload):
    """Remembers the offset of each chunk that it sends."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.sent = []

    def send_chunk(self, payload):
        self.sent.append(self.offset)
        super().send_chunk(payload)


class DamagingUpload(CountingUpload):
    """Flips a bit of chosen chunks: `damage` maps an offset to how many times the chunk there is sent damaged."""

    damage = {}
    hit_digest = False

    def send_chunk(self, payload):
        left = self.damage.get(self.offset, 0)
        if not left:
            return super().send_chunk(payload)
        self.damage[self.offset] = left - 1
        self.sent.append(self.offset)
        running = bytearray(self.state.digest())
        payload = bytearray(payload)
        (running if self.hit_digest else payload)[0] ^= 1
        self.connection.send(wire.chunk(self.id, self.offset, payload, running))


class ClientCase(Case):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def connect(self, largest_chunk=wire.DEFAULT_CHUNK):
        connection = wire.connect(self.server.port, timeout=PATIENCE)
        self.addCleanup(connection.socket.close)
        return connection.greet(largest_chunk)

    def start(self, connection, path, content, kind=CountingUpload, known=True, **options):
        attributes = {"size": len(content)} if known else {}
        return kind(connection, path, io.BytesIO(content), attributes, **options)

    def finish(self, *uploads):
        wire.upload_all(uploads[0].connection, uploads)
        self.assertEqual(self.server.partials(), [])

    def assert_stored(self, upload, content, outcome=wire.STORED):
        self.assertIsNone(upload.failure)
        self.assertEqual(upload.receipt.outcome, outcome)
        self.assertEqual(self.server.published()[upload.path], digest(content))

    def assert_refused(self, upload, code, published):
        self.assertIsNone(upload.receipt)
        self.assertEqual(upload.failure.code, code)
        self.assertEqual(self.server.published(), published)


class PythonClientTest(ClientCase):
    def test_files_of_every_size_around_a_chunk_are_stored(self):
        for known in (True, False):
            for size in SIZES:
                with self.subTest(size=size, known=known):
                    content = noise(size)
                    one = self.start(self.connect(), f"{size}-{known}".encode(), content, known=known)
                    self.finish(one)
                    self.assert_stored(one, content)

    def test_a_file_of_at_most_one_chunk_may_be_sent_without_waiting(self):
        connection = self.connect()
        for size in (0, 1, MIB):
            with self.subTest(size=size):
                one = self.start(connection, str(size).encode(), noise(size), eager=True)
                self.finish(one)
                self.assert_stored(one, noise(size))
                again = self.start(connection, str(size).encode(), noise(size), eager=True)
                self.finish(again)
                self.assert_stored(again, noise(size), wire.IDENTICAL)

    def test_permissions_and_time_are_stored_and_a_folder_is_made(self):
        source = io.BytesIO(b"x")
        attributes = {"size": 1, "permissions": 0o640, "modified": 1_700_000_000_123_456_789}
        wire.upload(self.connect(), b"new/folder/name", source, attributes)
        status = os.stat(self.server.directory / "new/folder/name")
        self.assertEqual(status.st_mode & 0o7777, 0o640)
        self.assertEqual(status.st_mtime_ns, 1_700_000_000_123_456_789)

    def test_a_time_before_1970_is_stored(self):
        wire.upload(self.connect(), b"old", io.BytesIO(b"x"), {"size": 1, "modified": -1_500_000_000})
        self.assertEqual(os.stat(self.server.directory / "old").st_mtime_ns, -1_500_000_000)

    def test_files_may_be_interleaved(self):
        connection = self.connect(64 * KIB)
        contents = [noise(size) for size in (3 * MIB + 5, 0, MIB, 1, 64 * KIB + 1)][: connection.terms.files]
        uploads = [self.start(connection, b"%d" % n, content) for n, content in enumerate(contents)]
        self.finish(*uploads)
        for upload, content in zip(uploads, contents):
            self.assert_stored(upload, content)

    def test_as_many_files_as_the_server_allows_may_be_open(self):
        connection = self.connect()
        uploads = [self.start(connection, b"%d" % n, b"%d" % n) for n in range(connection.terms.files)]
        self.finish(*uploads)
        self.assertEqual(len(self.server.published()), connection.terms.files)

    def test_the_same_file_again_is_identical_and_its_data_is_not_sent_twice(self):
        connection = self.connect()
        for size in SIZES:
            with self.subTest(size=size):
                path, content = str(size).encode(), noise(size)
                self.finish(self.start(connection, path, content))
                again = self.start(connection, path, content)
                self.finish(again)
                self.assert_stored(again, content, wire.IDENTICAL)
                if size > MIB:
                    self.assertEqual(again.sent, [])
        self.assertEqual(self.server.published(), {str(size).encode(): digest(noise(size)) for size in SIZES})

    def test_the_same_file_of_unknown_size_again_is_identical(self):
        connection = self.connect()
        for size in SIZES:
            with self.subTest(size=size):
                path, content = str(size).encode(), noise(size)
                self.finish(self.start(connection, path, content))
                again = self.start(connection, path, content, known=False)
                self.finish(again)
                self.assert_stored(again, content, wire.IDENTICAL)

    def test_a_name_with_other_content_is_refused_and_the_connection_goes_on(self):
        connection = self.connect()
        for size in (0, 1, MIB + 1):
            for other in (0, 1, MIB + 1, MIB + 2):
                for known in (True, False):
                    with self.subTest(size=size, other=other, known=known):
                        path = f"{size}-{other}-{known}".encode()
                        self.finish(self.start(connection, path, noise(size)))
                        published = self.server.published()
                        if size == other == 0:
                            continue
                        one = self.start(connection, path, noise(other, "other"), known=known)
                        self.finish(one)
                        self.assert_refused(one, 33, published)

    def test_the_largest_chunk_is_moved_into_its_bounds(self):
        for wish, answer in [(0, 1 << 16), (1, 1 << 16), (1 << 16, 1 << 16), (1 << 20, 1 << 20)]:
            self.assertEqual(self.connect(wish).terms.largest_chunk, answer)
        for wish, answer in [((1 << 16) + 1, (1 << 16) + 1), (1 << 24, 1 << 24), ((1 << 32) - 1, 1 << 24)]:
            self.assertEqual(self.connect(wish).terms.largest_chunk, answer)

    def test_the_smallest_and_the_largest_chunks_work(self):
        small, large = 64 * KIB, 16 * MIB
        for largest, size in [(small, MIB + 1), (small, small), (large, large), (large, large + 1)]:
            with self.subTest(largest=largest, size=size):
                one = self.start(self.connect(largest), f"{largest}-{size}".encode(), noise(size))
                self.finish(one)
                self.assert_stored(one, noise(size))
                self.assertEqual(one.sent, list(range(0, size, largest)))

    def test_chunks_need_not_have_the_largest_length(self):
        connection = self.connect()
        connection.terms.largest_chunk = 7000
        one = self.start(connection, b"odd", noise(100_000))
        self.finish(one)
        self.assert_stored(one, noise(100_000))


class DamagedChunkTest(ClientCase):
    """A chunk that is damaged on purpose is asked for again."""

    def upload_damaged(self, size, damage, hit_digest=False, **options):
        path = os.urandom(8).hex().encode()
        one = self.start(self.connect(64 * KIB), path, noise(size), DamagingUpload, **options)
        one.damage, one.hit_digest = dict(damage), hit_digest
        self.finish(one)
        return one

    def test_a_damaged_chunk_is_repaired(self):
        last = 192 * KIB
        for hit_digest in (False, True):
            for damage in ({0: 1}, {64 * KIB: 1}, {last: 1}, {0: 8}, {last: 8}):
                with self.subTest(damage=damage, hit_digest=hit_digest):
                    one = self.upload_damaged(last + 5, damage, hit_digest=hit_digest)
                    self.assert_stored(one, noise(last + 5))
                    self.assertEqual(one.rewinds, damage)

    def test_a_file_with_every_chunk_damaged_is_repaired(self):
        """A damaged chunk behind one that is asked for again is discarded unseen: not each of them needs a repair."""
        size = 3 * MIB + 5
        one = self.upload_damaged(size, {offset: 1 for offset in range(0, size, 64 * KIB)}, known=False)
        self.assert_stored(one, noise(size))
        self.assertGreaterEqual(one.repairs, 1)

    def test_a_damaged_chunk_of_a_file_sent_without_waiting_is_repaired(self):
        one = self.upload_damaged(1000, {0: 3}, eager=True)
        self.assert_stored(one, noise(1000))
        self.assertEqual(one.repairs, 3)

    def test_a_chunk_that_is_always_damaged_is_given_up(self):
        for offset in (0, 64 * KIB):
            with self.subTest(offset=offset):
                one = self.upload_damaged(100 * KIB, {offset: 1000})
                self.assert_refused(one, 4, {})
                self.assertLessEqual(one.repairs, wire.MOST_REWINDS + 1)
        self.assert_serves(self.server)


class EndTest(ClientCase):
    def test_the_server_closes_its_side_after_bye(self):
        connection = self.connect()
        self.finish(self.start(connection, b"file", b"content"))
        connection.socket.settimeout(10)
        connection.send(wire.encode(wire.BYE))
        self.assertEqual(connection.socket.recv(1), b"")


class ProgramTest(Case):
    """`python3 wire.py FILE HOST:PORT [NAME]`"""

    def run_program(self, *arguments):
        program = [sys.executable, str(ROOT / "Tests/EndToEnd/wire.py"), *map(str, arguments)]
        return subprocess.run(program, capture_output=True, text=True, timeout=PATIENCE)

    def test_the_program_uploads_a_file_and_prints_its_digest(self):
        server, source = self.serve(), self.file("source", noise(3 * MIB + 5))
        for name in ("source", "other name"):
            result = self.run_program(source, server.address, *([] if name == "source" else [name]))
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertEqual(result.stdout, f"{sha256(source)}  {name}\n")
            self.assertEqual(server.published()[name.encode()], sha256(source))
        self.assertEqual(server.published(), {b"source": sha256(source), b"other name": sha256(source)})
        self.assertEqual(os.stat(server.directory / "source").st_mtime_ns, source.stat().st_mtime_ns)

    def test_the_program_fails_where_the_name_exists(self):
        server = self.serve()
        first, second = self.file("one/name", b"one"), self.file("two/name", b"two")
        self.assertEqual(self.run_program(first, server.address).returncode, 0)
        result = self.run_program(second, server.address)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("code 33", result.stderr)
        self.assertEqual(server.published(), {b"name": sha256(first)})


if __name__ == "__main__":
    unittest.main()
