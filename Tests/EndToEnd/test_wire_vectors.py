"""The recorded client streams of testdata/wire, each against the real server, as their README.md says."""

import hashlib
import os
import re
import shutil
import socket

from abuse import AbuseCase, answers
from frames import RECEIPT, REFUSE, WELCOME
from support import ROOT

VECTORS = sorted(path for path in (ROOT / "testdata/wire").iterdir() if not path.name.startswith((".", "README")))


class Vector:
    def __init__(self, path):
        header, _, self.stream = path.read_bytes().partition(b"\n\n")
        self.name = path.name
        self.published = {}
        self.kept = {}
        self.folders = {}
        self.decay = []
        self.values = {}
        for line in header.decode("ascii").splitlines():
            key, _, value = line.partition(": ")
            if key in ("published", "kept"):
                digest, size, name = value.split(" ", 2)
                getattr(self, key)[unescape(name)] = (digest, int(size))
            elif key == "decay":
                offset, name = value.split(" ", 1)
                self.decay.append((int(offset), os.fsdecode(unescape(name))))
            elif key == "folder":
                self.folders[unescape(value)] = (hashlib.sha256().hexdigest(), 0)
            else:
                self.values[key] = value
        self.expect, _, code = self.values["expect"].partition(" ")
        self.code = int(code or 0)

    @property
    def receipts(self):
        return self.published | self.folders


def unescape(text):
    """The bytes of a path in a header."""

    def one(found):
        return b"\\" if found[1] == b"\\" else bytes([int(found[1][1:], 16)])

    return re.sub(rb"\\(\\|x[0-9a-fA-F]{2})", one, text.encode("ascii"))


class WireVectorsTest(AbuseCase):
    def play(self, stream, send):
        """Sends a stream and half-closes. Answers what the server says to its end."""
        connection = self.connect()
        try:
            send(connection, stream)
            connection.socket.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # The server has had enough already; what it said is read below.
        try:
            connection.expect_preamble()
            return answers(connection)
        except (EOFError, ConnectionError):
            return [], None
        finally:
            connection.socket.close()

    def check(self, vector, frames, error):
        refusals = {frame.code for frame in frames if frame.kind == REFUSE}
        receipts = {frame.path: (frame.digest.hex(), frame.size) for frame in frames if frame.kind == RECEIPT}
        if vector.expect == "error":
            self.assertEqual(getattr(error, "code", None), vector.code, error)
        elif vector.expect in ("ok", "refuse"):
            self.assertIsNone(error)
            self.assertEqual(refusals, {vector.code} if vector.code else set())
            self.assertEqual(receipts, {**vector.published, **vector.folders})
        self.assertLessEqual(receipts.items(), {**vector.published, **vector.folders}.items())
        for terms in [frame for frame in frames if frame.kind == WELCOME]:
            self.assertEqual(terms.largest_chunk, int(vector.values.get("chunk", terms.largest_chunk)))
            self.assertEqual(terms.files, int(vector.values.get("files-at-once", terms.files)))

    def assert_plays(self, send):
        self.assertGreater(len(VECTORS), 0)
        for path in VECTORS:
            with self.subTest(path.name):
                vector = Vector(path)
                self.start_over()
                self.prepare(vector)
                self.check(vector, *self.play(vector.stream, send))
                digests = {name: digest for name, (digest, _) in (vector.published | vector.kept).items()}
                for folder in vector.folders:
                    self.assertTrue((self.server.directory / os.fsdecode(folder)).is_dir())
                self.assert_harmless({**self.stored, **digests})

    def prepare(self, vector):
        """Has the directory as the vector wants it: the other vector's files, and what happened to them."""
        if "before" in vector.values:
            before = Vector(ROOT / "testdata/wire" / vector.values["before"])
            self.check(before, *self.play(before.stream, lambda connection, stream: connection.send(stream)))
        for offset, name in vector.decay:
            path = self.server.directory / name
            times = path.stat()
            with open(path, "r+b") as file:
                byte = os.pread(file.fileno(), 1, offset)[0]
                os.pwrite(file.fileno(), bytes([byte ^ 0xFF]), offset)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def start_over(self):
        """A vector starts from a directory without other vectors' files; one old file stays, to see that it does."""
        for entry in self.server.directory.iterdir():
            if entry.is_dir() and entry.name != ".fxfer":
                shutil.rmtree(entry)
            elif entry.is_file() and entry.name != "old":
                entry.unlink()

    def test_sent_at_once(self):
        self.assert_plays(lambda connection, stream: connection.send(stream))

    def test_sent_in_pieces_that_fit_nothing(self):
        def in_pieces(connection, stream):
            size = 1 if len(stream) < 2000 else 8191
            for start in range(0, len(stream), size):
                connection.send(stream[start : start + size])

        self.assert_plays(in_pieces)
