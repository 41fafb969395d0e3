"""A folder takes turns with a link that leads out, while files are sent, asked about, got, listed and verified."""

import contextlib
import hashlib
import io
import json
import os
import unittest

import wire
from abuse import AbuseCase
from flipping import flipping
from frames import ACCEPT, CANCEL, CHUNK, CONFIRM, FINISH, GET, OFFER, RECEIPT, SHARE, encode, offer
from sharing import ShareCase
from storing import LedgerCase
from support import LONG, Server, figures, run
from trees import contents, plant, snapshot
from waiting import eventually

MIB = 1 << 20
ROUNDS = 20_000 if LONG else 1000
TAKEN, CANNOT_CREATE, CALL_FAILED, NOT_READABLE = 33, 34, 37, 39
INSIDE, OUTSIDE = b"inside " * 1000, b"outside" * 1000


class ServerTest(AbuseCase):
    """Without the sandbox, which would keep the server in its directory whatever its file calls do.

    `spot` has other content within the directory than where the link leads to, under the same names.
    """

    options = ("--share", "--no-sandbox")

    def setUp(self):
        super().setUp()
        plant(self.folder / "elsewhere", {"f": OUTSIDE, "secret": b"secret", "big": b"x" * 3 * MIB})
        plant(self.server.directory / "spot", {"f": INSIDE, "g": INSIDE})
        self.elsewhere = snapshot(self.folder / "elsewhere")
        self.count = {}

    def flipping(self):
        return flipping(self.server.directory / "spot", "../elsewhere")

    def noted(self, outcome):
        self.count[outcome] = self.count.get(outcome, 0) + 1

    def assert_nothing_left_it(self, *both):
        """Nothing changed elsewhere, and the folder was met in both its forms."""
        self.assertEqual(snapshot(self.folder / "elsewhere"), self.elsewhere)
        figures(self.id(), rounds=ROUNDS, **{str(key): count for key, count in self.count.items()})
        for outcome in both:
            self.assertGreater(self.count.get(outcome, 0), 0, self.count)
        self.assert_serves(self.server)
        eventually(lambda: self.server.partials() == [], "nothing is staged any more")

    def test_sent(self):
        """Files of a byte, of a chunk and a bit, and of unknown size; from senders that wait, and that do not."""
        connection = self.greeted(1 << 16)
        kinds = [({"size": 1}, True), ({"size": 1}, False), ({"size": (1 << 16) + 1}, False), ({}, False)]
        with self.flipping():
            for number in range(ROUNDS):
                attributes, eager = kinds[number % 4]
                content = b"x" * attributes.get("size", 100)
                try:
                    wire.upload(connection, b"spot/%d" % number, io.BytesIO(content), attributes, eager)
                    self.noted("stored")
                except wire.Refused as refusal:
                    self.assertIn(refusal.code, (TAKEN, CANNOT_CREATE, CALL_FAILED))
                    self.noted("refused")
        self.assert_nothing_left_it("stored", "refused")
        names = {path for path in self.server.published() if path.startswith(b"spot/")}
        self.assertEqual(len(names), self.count["stored"] + 2)

    def test_asked_about(self):
        """A sender that asks what is there is never told of the file elsewhere: neither its digest nor its size."""
        connection = self.greeted()
        with self.flipping():
            for number in range(ROUNDS):
                # `f` has the same size in both places; `secret` and `big` are elsewhere only.
                name, size = [(b"f", len(OUTSIDE)), (b"secret", 6), (b"big", 3 * MIB)][number % 3]
                id = connection.next_id()
                connection.send(offer(id, b"spot/" + name, size=size, waits=True))
                answer = connection.receive()
                if answer.kind == ACCEPT:
                    digests = {0: hashlib.sha256().digest()}
                    if name == b"f":
                        digests[len(INSIDE)] = hashlib.sha256(INSIDE).digest()
                    self.assertEqual(answer.digest, digests.get(answer.offset))
                    self.noted("accepted" if answer.offset == 0 else "compared")
                else:
                    self.assertIn(answer.code, (TAKEN, CANNOT_CREATE, CALL_FAILED))
                    self.noted("refused")
                connection.send(encode(CANCEL, id=id, code=40, message=b""))
        connection.socket.close()
        self.assert_nothing_left_it("accepted", "compared", "refused")

    def test_got_and_listed(self):
        connection = self.connect().greet(capabilities=SHARE)
        with self.flipping():
            for number in range(ROUNDS):
                if number % 2:
                    try:
                        names = [entry.name for entry in wire.listing(connection, b"spot")]
                        self.assertEqual(names, [b"f", b"g"])
                        self.noted("listed")
                    except wire.Refused as refusal:
                        self.assertIn(refusal.code, (NOT_READABLE, CALL_FAILED))
                        self.noted("not listed")
                    continue
                id = connection.next_id()
                connection.send(encode(GET, id=id, path=b"spot/f"))
                answer = connection.receive()
                if answer.kind == CANCEL:
                    self.assertIn(answer.code, (NOT_READABLE, CALL_FAILED))
                    self.noted("not given")
                    continue
                self.assertEqual(answer.kind, OFFER)
                connection.send(encode(ACCEPT, id=id, offset=0, digest=hashlib.sha256().digest()))
                self.assertEqual(connection.expect(CHUNK).payload, INSIDE)
                end = connection.expect(FINISH)
                connection.send(encode(CONFIRM, id=id, offset=end.size))
                done = {"outcome": 0, "size": end.size, "digest": end.digest, "path": b"spot/f"}
                connection.send(encode(RECEIPT, id=id, **done))
                self.noted("given")
        connection.socket.close()
        self.assert_nothing_left_it("given", "not given", "listed", "not listed")

    def test_gone_on_with(self):
        """A part of `spot/new` is kept; whoever goes on with it stores it in the folder, or not at all."""
        content = os.urandom(MIB + 7)
        with self.flipping():
            for number in range(ROUNDS // 20):
                attributes, path = {"size": len(content)}, b"spot/new%d" % number
                connection = self.greeted(1 << 16)
                connection.send(offer(1, path, **attributes))
                if connection.receive().kind == ACCEPT:
                    state = hashlib.sha256(content[: 1 << 16])
                    connection.send(wire.chunk(1, 0, content[: 1 << 16], state.digest()))
                    connection.receive()
                connection.socket.close()
                try:
                    with self.greeted(1 << 16) as connection:
                        wire.upload(connection, path, io.BytesIO(content), attributes)
                    self.noted("stored")
                    self.assertEqual(hashlib.sha256(content).hexdigest(), self.digest_inside(path))
                except wire.Refused as refusal:
                    self.assertIn(refusal.code, (8, TAKEN, CANNOT_CREATE, CALL_FAILED))
                    self.noted("refused")
        self.assertEqual(snapshot(self.folder / "elsewhere"), self.elsewhere)
        self.assertGreater(self.count.get("stored", 0), 0, self.count)
        self.assert_serves(self.server)

    def digest_inside(self, path):
        """Of a file in the folder, whichever name that has just now."""
        name = path.split(b"/")[1]
        folders = [os.fsencode(self.server.directory) + each for each in (b"/spot/", b"/spot-other/")]

        def look():
            for folder in folders:
                # It may get its other name between two calls.
                with contextlib.suppress(FileNotFoundError):
                    if not os.path.islink(folder.rstrip(b"/")):
                        with open(folder + name, "rb") as file:
                            return hashlib.file_digest(file, "sha256").hexdigest()

        return eventually(look, "it is in the folder")


class VerifyTest(LedgerCase):
    def test_verified(self):
        """A file is as stored or missing, never another one: what the link leads to has other content."""
        for number in range(50):
            self.write(f"spot/{number}", INSIDE)
        with Server(self.out) as server:
            self.send(server, "spot")
        plant(self.root / "elsewhere", {str(number): OUTSIDE for number in range(50)})
        events = []
        with flipping(self.out / "spot", "../elsewhere"):
            for _ in range(300 if LONG else 20):
                result = run("verify", "--json", str(self.out))
                self.assertIn(result.returncode, (0, 65), result.stderr)
                events += [json.loads(line)["event"] for line in result.stdout.splitlines()]
        self.assertNotIn("changed", events)
        self.assertIn("missing", events)
        self.assertEqual(run("verify", str(self.out)).returncode, 0)


class GetTest(ShareCase):
    def test_written_here(self):
        """While a folder here takes turns with a link, `get` writes nothing where the link leads."""
        server = self.serve("--share")
        plant(server.directory / "tree", {f"sub/{number}": b"%d" % number for number in range(50)})
        plant(server.directory / "tree", {"big": bytes(MIB + 1), "sub/big": os.urandom(3 * MIB)})
        plant(self.folder / "elsewhere", {"0": b"old"})
        before, expected = snapshot(self.folder / "elsewhere"), contents(server.directory / "tree")
        plant(self.place / "tree" / "sub", {})
        statuses = []
        with flipping(self.place / "tree" / "sub", "../../elsewhere"):
            for _ in range(200 if LONG else 15):
                statuses.append(self.get("-q", f"{server.address}/tree").returncode)
        self.assertEqual(snapshot(self.folder / "elsewhere"), before)
        self.assertLessEqual(set(statuses), {0, 73, 74})
        self.assertEqual(self.get("-q", f"{server.address}/tree").returncode, 0)
        self.assertEqual(contents(self.place / "tree"), expected)


if __name__ == "__main__":
    unittest.main()
