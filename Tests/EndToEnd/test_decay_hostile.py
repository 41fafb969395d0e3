"""Peers that speak of decay and repair what is not so: nothing but what was stored once takes the place of a file."""

import hashlib
import random
import struct

from abuse import AbuseCase
from frames import *
from scripts import BIG, DATA, MIB, PROTOCOL, HostileServerCase, after_finish, after_offer, offered, receipt
from storing import flip
from support import run

CONTENT = random.Random(5).randbytes(3 * MIB + 100)
EMPTY = hashlib.sha256().digest()


def digest(content):
    return hashlib.sha256(content).digest()


class HostileClients(AbuseCase):
    """The server's `big` has one damaged byte, in its second MiB."""

    def setUp(self):
        super().setUp()
        source = self.file("big", CONTENT)
        self.assertEqual(run("send", str(source), self.server.address).returncode, 0)
        source.unlink()
        flip(self.server.directory / "big", MIB + 7)
        self.damaged = (self.server.directory / "big").read_bytes()
        self.stored = self.server.published()

    def offered(self, id=1):
        """A connection on which ACCEPT has told of the decay."""
        connection = self.greeted()
        connection.last_id = id
        connection.send(offer(id, b"big", size=len(CONTENT)))
        accept = connection.receive()
        self.assertEqual((accept.kind, accept.offset, accept.digest), (ACCEPT, len(CONTENT), digest(self.damaged)))
        ranges = struct.pack(">QQ", MIB, 2 * MIB)
        self.assertEqual(accept.fields[DECAY], digest(CONTENT) + ranges)
        return connection

    def repairing(self, *parts):
        connection = self.offered()
        connection.send(encode(REPAIR, id=1), *parts)
        return connection

    def chunk(self, begin, end, content=CONTENT, running=None):
        return chunk(1, begin, content[begin:end], running or digest(CONTENT[:end]))

    def finish(self, content=CONTENT):
        return encode(FINISH, id=1, size=len(content), digest=digest(content))

    def test_out_of_order(self):
        repair = encode(REPAIR, id=1)
        with self.abuse("before any offer"):
            connection = self.greeted()
            connection.send(repair)
            self.assert_ends_with(connection, 1)
        with self.abuse("for a file that is not there"):
            connection = self.greeted()
            connection.send(offer(1, b"new", size=10), repair)
            self.assert_ends_with(connection, 1)
        with self.abuse("for a file that has not decayed"):
            connection = self.greeted()
            connection.send(offer(1, b"old", size=12, waits=True))
            self.assertNotIn(DECAY, connection.expect(ACCEPT).fields)
            connection.send(repair)
            self.assert_ends_with(connection, 1)
        for title, parts in {
            "twice": [repair, repair],
            "after a chunk": [repair, self.chunk(MIB, 2 * MIB), repair],
            "for another file": [encode(REPAIR, id=2)],
        }.items():
            with self.abuse(title):
                connection = self.offered()
                connection.send(*parts)
                self.assert_ends_with(connection, 1)

    def test_places_of_chunks(self):
        for title, parts in {
            "backwards": [self.chunk(MIB, 2 * MIB), self.chunk(0, MIB)],
            "overlapping": [self.chunk(MIB, 2 * MIB), self.chunk(2 * MIB - 1, 2 * MIB + 10)],
            "behind the end": [chunk(1, len(CONTENT) - 1, b"ab", EMPTY)],
            "far behind the end": [chunk(1, 1 << 60, b"ab", EMPTY)],
        }.items():
            with self.abuse(title):
                self.assert_ends_with(self.repairing(*parts), 1)

    def test_other_content_than_was_stored(self):
        other = bytearray(CONTENT)
        other[5] ^= 1
        for title, parts in {
            "another digest at the end": [self.chunk(MIB, 2 * MIB), self.finish(bytes(other))],
            "what is damaged": [self.finish(self.damaged)],
            "another size": [self.chunk(MIB, 2 * MIB), self.finish(CONTENT[:-1])],
        }.items():
            with self.abuse(title):
                connection = self.repairing(*parts)
                self.assert_refuses(connection, 1, 4)
                connection.socket.close()

    def test_nothing_is_sent_of_what_is_damaged(self):
        """Each time the server asks for what is missing; the ninth time it refuses."""
        with self.abuse("only FINISH"):
            connection = self.repairing(self.finish())
            for _ in range(8):
                self.assertEqual(connection.expect(REWIND).offset, 0)
                # Until a chunk comes at that place, nothing counts.
                connection.send(self.chunk(MIB, 2 * MIB), self.finish(), self.chunk(0, 100, running=EMPTY))
            self.assert_refuses(connection, 1, 4)
            connection.socket.close()

    def test_a_lie_about_a_chunk_is_asked_for_again_from_the_last_that_is_verified(self):
        connection = self.repairing(self.chunk(0, 10), self.chunk(MIB, 2 * MIB, running=EMPTY))
        self.assertEqual(connection.expect(CONFIRM).offset, 10)
        self.assertEqual(connection.expect(REWIND).offset, 10)
        connection.send(self.chunk(10, MIB), self.chunk(MIB, 2 * MIB), self.finish())
        self.assertEqual([connection.expect(CONFIRM).offset for _ in range(2)], [MIB, 2 * MIB])
        receipt = connection.expect(RECEIPT)
        self.assertEqual((receipt.outcome, receipt.digest), (REPLACED, digest(CONTENT)))
        self.assertEqual(receipt.fields[REPAIRED], struct.pack(">I", 1))
        self.assertEqual((self.server.directory / "big").read_bytes(), CONTENT)

    def test_who_does_not_know_the_field_starts_at_the_beginning_and_is_refused(self):
        with self.abuse("no REPAIR"):
            connection = self.offered()
            connection.send(self.chunk(0, MIB))
            self.assert_refuses(connection, 1, 33)
            connection.socket.close()

    def test_the_connection_is_cut(self):
        for parts in [[], [self.chunk(MIB, 2 * MIB)], [self.chunk(2 * MIB, 3 * MIB)[:-40]]]:
            with self.abuse(f"after {len(parts)} chunks"):
                self.repairing(*parts).socket.close()
        with self.abuse("cancelled"):
            connection = self.repairing(self.chunk(MIB, 2 * MIB), encode(CANCEL, id=1, code=40, message=b""))
            self.assertEqual(connection.expect(CONFIRM).offset, 2 * MIB)
            self.assert_goes_on(connection)
            connection.socket.close()
            self.stored = self.server.published()


def decayed(*ranges, of=BIG, stored=BIG, offset=None):
    """ACCEPT of something else that is as long, and what is told about its decay."""
    told = digest(stored) + b"".join(struct.pack(">QQ", *pair) for pair in ranges)
    offset = len(of) if offset is None else offset
    found = digest(b"something else") if offset else EMPTY
    return encode(ACCEPT, id=1, offset=offset, digest=found, fields=field(DECAY, told))


class HostileServers(HostileServerCase):
    """The client's file is `BIG`, of 5 MiB."""

    def test_decay_that_cannot_be(self):
        end = len(BIG)
        self.assert_each_fails(
            BIG,
            {
                "no range": after_offer(decayed()),
                "an empty range": after_offer(decayed((5, 5))),
                "a range backwards": after_offer(decayed((5, 4))),
                "ranges that overlap": after_offer(decayed((0, 10), (9, 20))),
                "ranges that touch": after_offer(decayed((0, 10), (10, 20))),
                "ranges out of order": after_offer(decayed((30, 40), (10, 20))),
                "behind the end": after_offer(decayed((end - 1, end + 1))),
                "2^64-1": after_offer(decayed((0, (1 << 64) - 1))),
                "too many": after_offer(decayed(*((2 * n, 2 * n + 1) for n in range(501)))),
                "half a range": after_offer(encode(ACCEPT, id=1, offset=end, digest=EMPTY, fields=field(DECAY, bytes(40)))),
                "of a part": after_offer(decayed((0, 10), offset=MIB)),
                "of nothing": after_offer(decayed((0, 10), offset=0)),
            },
            PROTOCOL,
        )

    def play(self, *ranges, answer, stored=BIG):
        """Tells of decay, takes what the client sends up to FINISH, answers with `answer(found)` to each chunk."""
        self.seen = []

        def script(connection):
            offered(connection)
            connection.send(decayed(*ranges, stored=stored))
            while (found := connection.receive()).kind != FINISH:
                self.seen.append((found.kind, getattr(found, "offset", None), getattr(found, "length", None)))
                if found.kind == CHUNK:
                    assert found.running == digest(BIG[: found.offset + found.length])
                    connection.send(*answer(found))
            self.seen.append((FINISH, found.size, found.digest))
            connection.send(receipt(BIG, outcome=REPLACED))
            connection.drain()

        return script

    def test_only_the_ranges_are_sent(self):
        confirm = lambda found: [encode(CONFIRM, id=1, offset=found.offset + found.length)]
        result = self.send(BIG, self.play((3, 10), (MIB, 2 * MIB + 1), answer=confirm))
        self.assertEqual(result.returncode, 0, result.stderr)
        finish = (FINISH, len(BIG), digest(BIG))
        chunks = [(CHUNK, 3, 7), (CHUNK, MIB, MIB), (CHUNK, 2 * MIB, 1)]
        self.assertEqual(self.seen, [(REPAIR, None, None), *chunks, finish])
        result = self.send(BIG, self.play((3, 10), answer=confirm, stored=b"other"))
        self.assertEqual(self.seen[0], (CHUNK, 0, MIB), "what was stored is not what the client has")

    def test_answers_that_are_out_of_order(self):
        for title, frames in {
            "CONFIRM of a gap": [encode(CONFIRM, id=1, offset=MIB)],
            "CONFIRM of half a chunk": [encode(CONFIRM, id=1, offset=MIB + 1)],
            "CONFIRM of the end": [encode(CONFIRM, id=1, offset=len(BIG))],
            "REWIND to the chunk": [encode(REWIND, id=1, offset=MIB)],
            "ACCEPT again": [decayed((0, 10))],
            "REWIND to somewhere": [encode(REWIND, id=1, offset=7)],
        }.items():
            with self.subTest(title):
                script = self.play((MIB, 2 * MIB), answer=lambda _: frames)
                self.assert_fails(self.send(BIG, script, "--timeout", "5"), PROTOCOL, DATA)

    def test_a_server_that_wants_the_same_again_and_again_is_given_up(self):
        chunks = []

        def script(connection):
            offered(connection)
            connection.send(decayed((MIB, 2 * MIB)))
            connection.expect(REPAIR)
            while (found := connection.receive()).kind != CANCEL:
                if found.kind == CHUNK:
                    chunks.append((found.offset, found.length))
                    if found.offset == 0 or len(chunks) == 1:
                        connection.send(encode(REWIND, id=1, offset=0))
            self.assertEqual(found.code, 4)
            connection.drain()

        self.assert_fails(self.send(BIG, script), DATA)
        # From where it asks, everything up to the end of the range.
        self.assertEqual(chunks[:3], [(MIB, MIB), (0, MIB), (MIB, MIB)])
        self.assertEqual(chunks.count((0, MIB)), 8)

    def test_a_receipt_for_what_was_not_sent(self):
        other = bytes(len(BIG))
        self.assert_each_fails(BIG, {"digest": after_finish(receipt(other), first=decayed((0, 10)))}, DATA, PROTOCOL)
