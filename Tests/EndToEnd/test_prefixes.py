"""A prefix of any length, in either direction: gone on with where it is proven, else begun anew, never spliced."""

import hashlib
import os
import unittest

import wire
from abuse import AbuseCase, reset
from frames import ACCEPT, CHUNK, CONFIRM, FINISH, GET, OFFER, RECEIPT, SHARE, encode, offer
from scripts import BIG, HostileServerCase, accept, confirm, offered, receipt
from waiting import eventually

KIB, MIB = 1 << 10, 1 << 20


def lengths(size):
    """Those at which a prefix has been taken for something else before."""
    return (0, 1, KIB, 64 * KIB - 1, 64 * KIB, MIB, size - 1, size)


def digest(content):
    return hashlib.sha256(content).digest()


class SendingTest(HostileServerCase):
    """A server that says to have a prefix of what `send` sends."""

    def test_a_prefix_that_is_one(self):
        for length in lengths(len(BIG)):
            with self.subTest(length):
                offsets = []

                def play(connection):
                    offered(connection)
                    connection.send(accept(length, BIG[:length]))
                    while (found := connection.receive()).kind == CHUNK:
                        offsets.append(found.offset)
                        self.assertEqual(found.running, digest(BIG[: found.offset + found.length]))
                        connection.send(confirm(found.offset + found.length))
                    connection.send(receipt(BIG))
                    connection.drain()

                result = self.send(BIG, play)
                self.assertEqual((result.returncode, result.stdout), (0, f"{digest(BIG).hex()}  source\n"))
                self.assertEqual(offsets[:1], [length] if length < len(BIG) else [])


class GettingTest(AbuseCase):
    """A client that says to have a prefix of what it gets."""

    options = ("--share",)

    def setUp(self):
        super().setUp()
        self.content = os.urandom(3 * MIB)
        self.file("out/f", self.content)
        self.stored = self.server.published()

    def begin(self, offset, running):
        """The next frame behind ACCEPT."""
        connection = self.connect().greet(capabilities=SHARE)
        connection.send(encode(GET, id=1, path=b"f"))
        self.assertEqual(connection.expect(OFFER).size, len(self.content))
        connection.send(encode(ACCEPT, id=1, offset=offset, digest=running))
        return connection, connection.receive()

    def test_proven_or_not(self):
        for length in lengths(len(self.content)):
            with self.subTest(length):
                connection, found = self.begin(length, digest(self.content[:length]))
                if length == len(self.content):
                    self.assertEqual((found.kind, found.digest), (FINISH, digest(self.content)))
                else:
                    self.assertEqual((found.kind, found.offset), (CHUNK, length))
                    self.assertEqual(found.running, digest(self.content[: length + found.length]))
                connection.socket.close()
            if length:
                with self.subTest(length, proven=False):
                    connection, found = self.begin(length, digest(b"another"))
                    self.assertEqual((found.kind, found.offset), (CHUNK, 0))
                    connection.socket.close()
        for length in (len(self.content) + 1, 2**63, 2**64 - 1):
            with self.subTest(length), self.assertRaises(wire.PeerError) as raised:
                self.begin(length, digest(self.content))
            self.assertEqual(raised.exception.code, 1)
        for connection in self.connections:
            connection.socket.close()
        self.assert_harmless()


class KeptTest(AbuseCase):
    """What a server has kept of an upload that broke off behind so many bytes."""

    def test_kept(self):
        content = os.urandom(3 * MIB)
        for number, length in enumerate(lengths(len(content))):
            with self.subTest(length):
                path = b"f%d" % number
                connection = self.greeted()
                connection.send(offer(1, path, size=len(content)))
                self.assertEqual(connection.expect(ACCEPT).offset, 0)
                for begin in range(0, length, MIB):
                    end = min(begin + MIB, length)
                    connection.send(wire.chunk(1, begin, content[begin:end], digest(content[:end])))
                    self.assertEqual(connection.expect(CONFIRM).offset, end)
                reset(connection.socket)
                connection = eventually(lambda: self.next_try(path, len(content)), "the first one is gone")
                answer = connection.accepted
                self.assertEqual((answer.offset, answer.digest), (length, digest(content[:length])))
                # What was kept and what is sent now are never one file, where they do not fit together.
                if length and number % 2:
                    other = os.urandom(MIB)
                    connection.send(wire.chunk(1, 0, other, digest(other)))
                    self.assertEqual(connection.expect(CONFIRM).offset, MIB)
                    content = other + content[MIB:]
                    length = MIB
                for begin in range(length, len(content), MIB):
                    end = min(begin + MIB, len(content))
                    connection.send(wire.chunk(1, begin, content[begin:end], digest(content[:end])))
                    self.assertEqual(connection.expect(CONFIRM).offset, end)
                connection.send(encode(FINISH, id=1, size=len(content), digest=digest(content)))
                self.assertEqual(connection.expect(RECEIPT).digest, digest(content))
                connection.socket.close()
                self.stored[path] = digest(content).hex()
        self.assert_harmless()

    def next_try(self, path, size):
        connection = self.greeted()
        connection.send(offer(1, path, size=size))
        connection.accepted = connection.receive()
        if connection.accepted.kind == ACCEPT:
            return connection
        connection.socket.close()
        return None


if __name__ == "__main__":
    unittest.main()
