"""Clients that want one name at the same moment, readers while it is replaced, several that go on with one upload."""

import hashlib
import io
import os
import threading
import unittest

import wire
from abuse import AbuseCase, ReadServer, reset
from frames import ACCEPT, CANCEL, CHUNK, CONFIRM, FINISH, GET, OFFER, RECEIPT, REFUSE, SHARE, encode, offer
from support import LONG, PATIENCE, figures
from waiting import eventually

KIB, MIB = 1 << 10, 1 << 20
ROUNDS = 2000 if LONG else 100
TAKEN, BUSY = 33, 8


class OneNameTest(AbuseCase):
    """Two clients, that each have a connection, send different content under one name, again and again."""

    options = ("--keep-partials", "0")
    races = 0

    def race(self, ports, attributes, size, eager=False):
        """In each round both begin at once: one is stored, whole, and the other is told that the name is taken."""
        connections = [wire.connect(port).greet(64 * KIB) for port in ports]
        self.connections += connections
        won = [0, 0]
        self.races += 1
        for number in range(ROUNDS):
            path = b"race-%d/%d" % (self.races, number)
            contents = [os.urandom(size) for _ in connections]
            together = threading.Barrier(len(connections))
            outcomes = [None, None]

            def send(place):
                together.wait()
                while not isinstance(outcomes[place], wire.SimpleNamespace):
                    source = io.BytesIO(contents[place])
                    try:
                        outcomes[place] = wire.upload(connections[place], path, source, attributes, eager)
                    except wire.Refused as refusal:
                        outcomes[place] = refusal
                        if refusal.code != BUSY:
                            return

            threads = [threading.Thread(target=send, args=(place,)) for place in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE)
            with self.subTest(number):
                winners = [place for place in range(2) if not isinstance(outcomes[place], wire.Refused)]
                self.assertEqual(len(winners), 1, outcomes)
                winner, loser = winners[0], outcomes[1 - winners[0]]
                self.assertEqual(loser.code, TAKEN)
                digest = hashlib.sha256(contents[winner]).hexdigest()
                self.assertEqual((outcomes[winner].outcome, outcomes[winner].digest.hex()), (wire.STORED, digest))
                self.stored[path] = digest
                won[winner] += 1
        figures(self.id(), rounds=ROUNDS, won=won)
        self.assertEqual(self.server.published(), self.stored)

    def test_small_files(self):
        self.race([self.server.port] * 2, {"size": 1000}, 1000, eager=True)
        self.assert_harmless()

    def test_large_files(self):
        self.race([self.server.port] * 2, {"size": 200 * KIB}, 200 * KIB)
        self.assert_harmless()

    def test_files_of_unknown_size(self):
        self.race([self.server.port] * 2, {}, 100 * KIB)
        self.assert_harmless()

    def test_two_servers_of_one_directory(self):
        """No lock in memory is between them."""
        other = ReadServer(self.server.directory, *self.options)
        self.addCleanup(other.__exit__)
        self.race([self.server.port, other.port], {"size": 1000}, 1000, eager=True)
        self.race([self.server.port, other.port], {"size": 200 * KIB}, 200 * KIB)
        for connection in self.connections:
            connection.socket.close()
        self.assert_serves(other)
        self.assert_harmless()


class ReaderTest(AbuseCase):
    options = ("--share", "--on-conflict", "replace")

    def test_getting_while_it_is_replaced(self):
        """Who gets a file gets the old or the new one, whole, or is told that it changed; never a mixture."""
        size = 3 * MIB
        versions = [bytes([65 + number]) * size for number in range(4)]
        digests = {hashlib.sha256(version).digest() for version in versions}
        (self.server.directory / "f").write_bytes(versions[0])
        ended, failures, got = threading.Event(), [], {"whole": 0, "cancelled": 0}

        def get():
            connection = self.connect().greet(capabilities=SHARE)
            try:
                while not ended.is_set():
                    digest = self.get_once(connection)
                    if digest and digest not in digests:
                        failures.append(digest)
                    got["whole" if digest else "cancelled"] += 1
            except Exception as failure:
                failures.append(failure)
            connection.socket.close()

        readers = [threading.Thread(target=get) for _ in range(2)]
        for reader in readers:
            reader.start()
        writer = self.greeted()
        for number in range(600 if LONG else 40):
            wire.upload(writer, b"f", io.BytesIO(versions[number % 4]), {"size": size})
        ended.set()
        for reader in readers:
            reader.join(PATIENCE)
        writer.socket.close()
        self.assertEqual(failures, [])
        self.assertGreater(got["whole"], 5)
        figures(self.id(), replaced=600 if LONG else 40, **got)
        (self.server.directory / "f").unlink()
        self.assert_harmless()

    def get_once(self, connection):
        """The digest of what came, which is that which the server names; None where it was cancelled."""
        id = connection.next_id()
        connection.send(encode(GET, id=id, path=b"f"))
        answer, state = connection.receive(), hashlib.sha256()
        if answer.kind == CANCEL:
            return None
        self.assertEqual(answer.kind, OFFER)
        connection.send(encode(ACCEPT, id=id, offset=0, digest=state.digest()))
        while (answer := connection.receive()).kind == CHUNK:
            state.update(answer.payload)
            self.assertEqual(answer.running, state.digest())
            connection.send(encode(CONFIRM, id=id, offset=answer.offset + answer.length))
        if answer.kind == CANCEL:
            return None
        self.assertEqual((answer.kind, answer.digest), (FINISH, state.digest()))
        connection.send(encode(RECEIPT, id=id, outcome=0, size=answer.size, digest=answer.digest, path=b"f"))
        return answer.digest


class OneUploadTest(AbuseCase):
    def setUp(self):
        super().setUp()
        self.content = os.urandom(4 * MIB)
        connection = self.greeted()
        connection.send(offer(1, b"kept", size=len(self.content)))
        connection.expect(ACCEPT)
        for end in (MIB, 2 * MIB):
            part = self.content[end - MIB : end]
            connection.send(wire.chunk(1, end - MIB, part, hashlib.sha256(self.content[:end]).digest()))
            connection.expect(CONFIRM)
        reset(connection.socket)
        eventually(lambda: len(self.server.partials()) == 1, "it is kept")

    def offer_at_once(self, count):
        """So many new connections that offer the rest at the same moment; answers them with what each was told."""
        connections = [self.greeted() for _ in range(count)]
        for connection in connections:
            connection.send(offer(1, b"kept", size=len(self.content)))
        return [(connection, connection.receive()) for connection in connections]

    def test_one_of_ten_goes_on(self):
        """The others are told that it is busy. Whoever has it may be killed, and another goes on at the same place."""
        for round in range(20 if LONG else 5):
            with self.subTest(round):
                told = eventually(self.one_accepted, "one is accepted")
                ((holder, answer),) = [each for each in told if each[1].kind == ACCEPT]
                self.assertEqual(answer.offset, 2 * MIB)
                self.assertEqual(answer.digest, hashlib.sha256(self.content[: 2 * MIB]).digest())
                for connection, refusal in told:
                    if connection is not holder:
                        self.assertEqual((refusal.kind, refusal.code), (REFUSE, BUSY))
                        connection.socket.close()
                self.assertNotIn(b"kept", self.server.published())
                reset(holder.socket)
        told = eventually(self.one_accepted, "one is accepted")
        ((holder, _),) = [each for each in told if each[1].kind == ACCEPT]
        for end in (3 * MIB, 4 * MIB):
            part = self.content[end - MIB : end]
            holder.send(wire.chunk(1, end - MIB, part, hashlib.sha256(self.content[:end]).digest()))
            self.assertEqual(holder.expect(CONFIRM).offset, end)
        digest = hashlib.sha256(self.content).digest()
        holder.send(encode(FINISH, id=1, size=len(self.content), digest=digest))
        self.assertEqual(holder.expect(RECEIPT).digest, digest)
        for connection, _ in told:
            connection.socket.close()
        self.assert_harmless({**self.stored, b"kept": digest.hex()})

    def one_accepted(self):
        """Ten offer it; None where the server has not noticed yet that the last holder is gone."""
        told = self.offer_at_once(10)
        kinds = [answer.kind for _, answer in told]
        self.assertLessEqual(kinds.count(ACCEPT), 1)
        if ACCEPT in kinds:
            return told
        for connection, _ in told:
            connection.socket.close()
        return None


if __name__ == "__main__":
    unittest.main()
