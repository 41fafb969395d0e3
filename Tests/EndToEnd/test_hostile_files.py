"""A client that lies about a file, or sends its parts in the wrong order, gets nothing published."""

import hashlib
import io
import os
import stat

import wire
from abuse import AbuseCase, answers
from frames import ACCEPT, BYE, CANCEL, CHUNK, CONFIRM, FINISH, OFFER, RECEIPT, REFUSE, REWIND, encode, frame, offer

KIB, MIB = 1 << 10, 1 << 20


def running(content):
    return hashlib.sha256(content).digest()


def chunk(offset, content, before=b"", id=1):
    """CHUNK with the right digest."""
    return wire.chunk(id, offset, content, running(before + content))


def finish(content, id=1, size=None):
    return encode(FINISH, id=id, size=len(content) if size is None else size, digest=running(content))


class HostileFilesTest(AbuseCase):
    def open_file(self, size=None, path=b"name"):
        """A connection with one open file that the server has accepted."""
        connection = self.greeted(64 * KIB)
        connection.send(offer(1, path, size=size))
        self.assertEqual(connection.expect(ACCEPT).offset, 0)
        return connection

    def test_ids_grow(self):
        cases = {"zero": [0], "again": [1, 1], "smaller": [7, 3], "zero later": [1, 0], "last": [2**32 - 1, 1]}
        for title, ids in cases.items():
            with self.abuse(title):
                connection = self.greeted()
                connection.send(*[offer(id, b"name%d" % number, size=9) for number, id in enumerate(ids)])
                self.assert_ends_with(connection, 1)

    def test_an_id_is_not_used_again_when_its_file_is_done(self):
        with self.abuse("after CANCEL"):
            connection = self.open_file(9)
            connection.send(encode(CANCEL, id=1, code=40, message=b""), offer(1, b"other", size=9))
            self.assert_ends_with(connection, 1)

    def test_ids_may_leave_gaps(self):
        connection = self.greeted()
        for id in (5, 1000, 2**31, 2**32 - 1):
            connection.send(offer(id, b"name", size=9), encode(CANCEL, id=id, code=40, message=b""))
            self.assertEqual(connection.receive().id, id)

    def test_impossible_sizes_are_an_error_or_refused(self):
        for size in (2**60 + 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1):
            with self.abuse(f"{size}"):
                connection = self.greeted()
                connection.send(offer(1, b"name", size=size))
                self.assert_ends_with(connection, 3)

    def test_the_largest_size_may_be_announced(self):
        for size in (2**32 - 1, 2**32, 2**60):
            with self.abuse(f"{size}"):
                connection = self.greeted()
                connection.send(offer(1, b"name", size=size))
                answer = connection.receive()
                self.assertIn((answer.kind, getattr(answer, "code", 0)), [(ACCEPT, 0), (REFUSE, 35), (REFUSE, 36)])
                connection.socket.close()

    def test_unknown_flags_are_an_error(self):
        for flags in (0x08, 0x09, 0x80, 0xFF):
            with self.abuse(f"{flags:#04x}"):
                body = bytearray(offer(1, b"name", size=1)[12:-4])
                body[4] = flags
                connection = self.greeted()
                connection.send(frame(OFFER, bytes(body)))
                self.assert_ends_with(connection, 1)

    def test_too_many_open_files_are_an_error(self):
        with self.abuse("one more than allowed"):
            connection = self.greeted()
            for id in range(1, connection.terms.files + 2):
                connection.send(offer(id, b"%d" % id, size=5))
            self.assert_ends_with(connection, 3)

    def test_files_given_up_while_they_are_looked_at_are_not_open(self):
        """CANCEL closes a file, also where the receiver still reads one of that name to compare."""
        content = os.urandom(64 * MIB)
        (self.server.directory / "large").write_bytes(content)
        self.stored[b"large"] = running(content).hex()
        with self.abuse("as many as may be open, then one more"):
            connection = self.greeted()
            given_up = range(1, connection.terms.files + 1)
            for id in given_up:
                cancel = encode(CANCEL, id=id, code=40, message=b"")
                connection.send(offer(id, b"large", size=len(content)), cancel)
            connection.last_id = last = len(given_up) + 1
            connection.send(offer(last, b"one more", size=7))
            # An answer may have been on its way already when its file was given up.
            while (answer := connection.receive()).id != last:
                self.assertEqual((answer.kind, answer.id in given_up), (ACCEPT, True))
            self.assertEqual((answer.kind, answer.offset), (ACCEPT, 0))
            connection.send(chunk(0, b"content", id=last), finish(b"content", id=last))
            self.assertEqual(connection.expect(CONFIRM).id, last)
            receipt = connection.expect(RECEIPT)
            self.assertEqual((receipt.id, receipt.digest), (last, running(b"content")))
            (self.server.directory / "one more").unlink()
            self.assert_goes_on(connection)

    def test_modes_and_times_are_masked_and_clamped(self):
        second = 10**9
        times = {0: 0, 2**63 - 1: None, -(2**63): None, 2**62: None, -1: -1, 2**31: 2**31, 1 - 2**31: 1 - 2**31}
        expected = dict(self.stored)
        connection = self.greeted()
        for seconds, stored in times.items():
            for nanoseconds in (0, 999_999_999, 10**9, 2**32 - 1):
                for mode in (0o6777, 0o7000, 0xFFFF, 0o4755):
                    path = f"{seconds} {nanoseconds} {mode}".encode()
                    with self.subTest(path):
                        id = connection.next_id()
                        fixed = {"id": id, "flags": 7, "permissions": mode, "size": 0, "path": path}
                        connection.send(encode(OFFER, seconds=seconds, nanoseconds=nanoseconds, **fixed))
                        connection.expect(ACCEPT)
                        connection.send(finish(b"", id=id))
                        connection.expect(RECEIPT)
                        expected[path] = running(b"").hex()
                        status = os.stat(self.server.directory / os.fsdecode(path))
                        self.assertEqual(stat.S_IMODE(status.st_mode), mode & 0o777)
                        if stored is not None:
                            wanted = stored * second + min(nanoseconds, 999_999_999)
                            self.assertEqual(status.st_mtime_ns, wanted)
        os.chmod(self.server.directory, 0o755)
        for path in expected:
            os.chmod(os.path.join(os.fsencode(self.server.directory), path), 0o644)
        self.assert_harmless(expected)

    def test_chunks_that_do_not_follow_each_other_are_an_error(self):
        first = b"a" * 1000
        cases = {
            "gap at the start": [chunk(1, b"b")],
            "far gap": [chunk(2**60, b"b")],
            "gap": [chunk(0, first), chunk(1001, b"b", first)],
            "overlap": [chunk(0, first), chunk(999, b"bc", first[:999])],
            "duplicate": [chunk(0, first), chunk(0, first)],
            "backwards": [chunk(0, first), chunk(1000, first, first), chunk(1000, first, first)],
            "behind the announced size": [chunk(0, first), chunk(1000, b"b" * 1001, first)],
            "behind the announced end": [chunk(0, first), chunk(1000, first, first), chunk(2000, b"b", first * 2)],
            "another file's": [chunk(0, first, id=2)],
            "file 0's": [chunk(0, first, id=0)],
            "file 2^32-1's": [chunk(0, first, id=2**32 - 1)],
        }
        for title, parts in cases.items():
            with self.abuse(title):
                connection = self.open_file(2000)
                connection.send(*parts)
                self.assert_ends_with(connection, 1)

    def test_a_chunk_behind_every_possible_end_is_an_error(self):
        """It is at the wrong offset (1) and over the limit (3): the specification does not say which goes first."""
        for offset in (2**60, 2**63 - 1, 2**63, 2**64 - 10, 2**64 - 1):
            for size in (None, 2000):
                with self.abuse(f"{offset} of {size}"):
                    connection = self.open_file(size)
                    connection.send(chunk(offset, b"b" * 10))
                    frames, error = answers(connection)
                    self.assertEqual(frames, [])
                    self.assertIn(error.code, (1, 3))
                    connection.socket.close()

    def test_lengths_of_chunks_have_bounds(self):
        for length, code in [(0, 1), (64 * KIB + 1, 3), (16 * MIB, 3), (2**31 - 1, 3), (2**31, 3), (2**32 - 1, 3)]:
            for size in (None, 100 * MIB):
                with self.abuse(f"{length} of {size}"):
                    connection = self.open_file(size)
                    connection.send(encode(CHUNK, id=1, offset=0, length=length))
                    self.assert_ends_with(connection, code)

    def test_what_was_not_opened_cannot_be_finished_or_cancelled(self):
        for title, part in {"FINISH": finish(b""), "CANCEL": encode(CANCEL, id=1, code=40, message=b"")}.items():
            with self.abuse(title):
                connection = self.greeted()
                connection.send(part)
                self.assert_ends_with(connection, 1)

    def test_a_file_is_finished_once_and_nothing_is_added_to_it(self):
        for title, more in {"FINISH": finish(b"content"), "CHUNK": chunk(7, b"more", b"content")}.items():
            with self.subTest(title):
                path = title.encode()
                connection = self.open_file(path=path)
                connection.send(chunk(0, b"content"), finish(b"content"), more)
                self.assert_ends_with(connection, 1)
                self.stored.update({path: running(b"content").hex()} if path in self.server.published() else {})
                self.assert_harmless()

    def test_a_finish_that_does_not_fit_is_refused(self):
        whole = b"content"
        damaged = encode(FINISH, id=1, size=7, digest=running(b"other"))
        cases = {
            "wrong digest": (7, [chunk(0, whole), damaged]),
            "wrong digest, size not announced": (None, [chunk(0, whole), damaged]),
            "digest of zeros": (7, [chunk(0, whole), encode(FINISH, id=1, size=7, digest=bytes(32))]),
            "larger size": (None, [chunk(0, whole), finish(whole, size=8)]),
            "smaller size": (None, [chunk(0, whole), finish(whole, size=6)]),
            "huge size": (None, [chunk(0, whole), finish(whole, size=2**64 - 1)]),
            "fewer bytes than announced": (8, [chunk(0, whole), finish(whole)]),
            "fewer bytes than announced, as if all": (8, [chunk(0, whole), finish(whole + b"x")]),
            "no byte at all": (8, [finish(b"")]),
            "digest of nothing for an empty file": (0, [encode(FINISH, id=1, size=0, digest=bytes(32))]),
        }
        for title, (size, parts) in cases.items():
            with self.abuse(title):
                connection = self.open_file(size)
                connection.send(*parts)
                self.assert_refuses(connection, 1, 4)
                self.assert_goes_on(connection)

    def test_a_damaged_chunk_is_never_stored(self):
        cases = {
            "payload": wire.chunk(1, 0, b"conten!", running(b"content")),
            "digest": wire.chunk(1, 0, b"content", bytes(32)),
        }
        for title, bad in cases.items():
            with self.abuse(f"{title}, then FINISH as if nothing was"):
                connection = self.open_file(7)
                connection.send(bad, finish(b"content"))
                self.assertEqual(connection.expect(REWIND).offset, 0)
                connection.send(encode(CANCEL, id=1, code=4, message=b""))
                self.assert_goes_on_after(connection)
            with self.abuse(f"{title}, a hundred times"):
                connection = self.open_file(7)
                for _ in range(8):
                    connection.send(bad)
                    self.assertEqual(connection.expect(REWIND).offset, 0)
                connection.send(bad, bad, bad)
                answer = connection.receive()
                while answer.kind == REWIND:
                    answer = connection.receive()
                self.assertEqual((answer.kind, answer.code), (REFUSE, 4))

    def assert_goes_on_after(self, connection):
        connection.last_id = 1
        self.assert_goes_on(connection)

    def test_a_refused_file_is_thrown_away_until_it_is_cancelled(self):
        with self.abuse("chunks and FINISH after REFUSE"):
            connection = self.greeted()
            connection.send(offer(1, b"../name", size=7))
            self.assertEqual(connection.receive().kind, REFUSE)
            connection.send(chunk(0, b"content"), finish(b"content"), encode(CANCEL, id=1, code=32, message=b""))
            self.assert_goes_on_after(connection)

    def test_bye_with_an_open_file_stores_nothing(self):
        for parts in ([], [chunk(0, b"cont")], [chunk(0, b"content")]):
            with self.abuse(f"{len(parts)} chunks"):
                connection = self.open_file(7)
                connection.send(*parts, frame(BYE))
                connection.socket.close()

    def test_frames_after_bye_do_nothing(self):
        with self.abuse("OFFER after BYE"):
            connection = self.greeted()
            connection.send(frame(BYE), offer(1, b"late", size=7), chunk(0, b"content"), finish(b"content"))
            connection.socket.close()

    def test_content_is_never_taken_for_frames(self):
        """A file that holds a whole session, and that session's frames behind its bytes, are two things."""
        evil = offer(2, b"evil", size=0) + finish(b"", id=2) + frame(BYE)
        connection = self.greeted(64 * KIB)
        receipt = wire.upload(connection, b"frames", io.BytesIO(evil), {"size": len(evil)})
        self.assertEqual(receipt.digest, running(evil))
        (self.server.directory / "frames").unlink()
        with self.abuse("more bytes behind a chunk than announced"):
            connection = self.open_file(7)
            connection.send(chunk(0, b"content"), b"more content, no frame")
            self.assert_ends_with(connection, 4)

    def test_a_file_given_up_leaves_nothing(self):
        cases = {"at once": [], "after a chunk": [chunk(0, b"cont")], "after all": [chunk(0, b"content")]}
        for title, parts in cases.items():
            with self.abuse(title):
                connection = self.open_file(7)
                connection.send(*parts, encode(CANCEL, id=1, code=40, message=b"\x1b[2J\nx"))
                self.assertEqual([connection.receive().kind for _ in parts], [CONFIRM] * len(parts))
                self.assert_goes_on_after(connection)
