"""Many clients at once, and several who want the same name."""

import os
import subprocess
import unittest

from gate import Gate
from sending import SendCase
from support import FXFER, finish, sha256
from waiting import eventually

MIB = 1 << 20
ROUNDS = 10
#: What a client says that finds its name taken by an upload that is not over yet; it tries again by itself then.
BUSY = r"fxfer: [^\n]+ over another connection; try again later; trying again in 1 s \(1 of 5\)\n"


class ConcurrencyTest(SendCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def start(self, source, *arguments):
        """A `send` that runs beside the test."""
        return subprocess.Popen(
            [FXFER, "send", source, self.server.address, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def end(client):
        """Status, stdout, stderr of a client."""
        output, errors = finish(client)
        return client.returncode, output, errors

    def test_many_clients(self):
        """Fifty clients at once all store their files, and no descriptor is lost."""
        descriptors = self.server.descriptors()
        self.assert_serves(self.server)
        sources = [self.file(f"f{number}", os.urandom(number * 37_000)) for number in range(50)]
        clients = [self.start(source) for source in sources]
        for client, source in zip(clients, sources):
            self.assertEqual(self.end(client), (0, f"{sha256(source)}  {source.name}\n", ""))
        self.assert_nothing_stored(self.server, {os.fsencode(path.name): sha256(path) for path in sources})
        self.assert_serves(self.server)
        eventually(lambda: self.server.descriptors() <= descriptors, "the descriptors are back")

    def assert_one_winner(self, results, sources, name):
        """One of the clients stored its file whole; each other one was told that the name is taken."""
        winner = self.server.published()[os.fsencode(name)]
        won = [source for source, (status, _, _) in zip(sources, results) if status == 0]
        self.assertEqual([sha256(source) for source in won], [winner])
        for status, output, errors in results:
            if status != 0:
                self.assertEqual((status, output), (73, ""), errors)
                self.assertRegex(errors, rf"\A({BUSY})*fxfer: [^\n]*'{name}'[^\n]*\n\Z")
        self.assertEqual(self.server.partials(), [])

    def test_one_name(self):
        """Two clients with different content for one name, again and again: one whole winner, the other told (73)."""
        small = [self.file("a/f", os.urandom(1000)), self.file("b/f", os.urandom(1000))]
        large = [self.file("c/f", os.urandom(2 * MIB)), self.file("d/f", os.urandom(2 * MIB))]
        for number in range(ROUNDS):
            with self.subTest(number):
                sources = large if number % 2 else small
                clients = [self.start(source, "--as", f"f{number}") for source in sources]
                self.assert_one_winner([self.end(client) for client in clients], sources, f"f{number}")
        self.assertEqual(len(self.server.published()), ROUNDS)
        self.assert_serves(self.server)

    def test_one_name_in_new_folders(self):
        """Clients that all need the same new folders make them together."""
        sources = [self.file(f"f{number}", os.urandom(1000)) for number in range(8)]
        for number in range(5):
            with self.subTest(number):
                clients = [self.start(source, "--as", f"{number}/a/b/c/{source.name}") for source in sources]
                self.assertEqual([self.end(client)[::2] for client in clients], [(0, "")] * len(sources))
        self.assertEqual(len(self.server.published()), 5 * len(sources))

    def test_same_content(self):
        """Two clients with the same content for one name both succeed."""
        source = self.file("f", os.urandom(2 * MIB))
        for number in range(10):
            with self.subTest(number):
                clients = [self.start(source, "--as", f"f{number}") for _ in range(2)]
                for client in clients:
                    status, output, _ = self.end(client)
                    self.assertEqual((status, output), (0, f"{sha256(source)}  f{number}\n"))
                self.assertEqual(self.server.published()[os.fsencode(f"f{number}")], sha256(source))

    def test_both_in_the_middle(self):
        """Two clients that were both accepted for one name and are both half-way: one whole winner, the other told."""
        sources = [self.file("a/f", os.urandom(3 * MIB)), self.file("b/f", os.urandom(3 * MIB))]
        with Gate(self.server.port, 2 * MIB) as gate:
            clients = [self.sending(source, gate.address) for source in sources]
            gate.wait_until_held(clients=2)
            gate.open()
            results = [client.wait() for client in clients]
        self.assertEqual(sorted(status for status, _ in results), [0, 73])
        winner = sources[[status for status, _ in results].index(0)]
        self.assertEqual(self.server.published(), {b"f": sha256(winner)})
        self.assert_nothing_stored(self.server, {b"f": sha256(winner)})
        self.assert_serves(self.server)

    def test_name_appears_in_the_middle(self):
        """A file that someone else makes in the server's directory while an upload is half-way is never overwritten."""
        with Gate(self.server.port, 2 * MIB) as gate:
            client = self.sending(self.file("f", os.urandom(3 * MIB)), gate.address)
            gate.wait_until_held()
            (self.server.directory / "f").write_bytes(b"someone else's")
            gate.open()
            status, _ = client.wait()
        self.assertEqual(status, 73)
        self.assertEqual((self.server.directory / "f").read_bytes(), b"someone else's")
        self.assertEqual(self.server.partials(), [])
        self.assert_serves(self.server)

    def test_no_reader_sees_a_part(self):
        """While it is sent, a file is not there under its name; then it is there whole."""
        source = self.file("f", os.urandom(3 * MIB))
        with Gate(self.server.port, 3 * MIB) as gate:
            client = self.sending(source, gate.address)
            gate.wait_until_held()
            self.assertEqual(self.server.published(), {})
            self.assertEqual(len(self.server.partials()), 1)
            gate.open()
            self.assertEqual(client.wait(), (0, ""))
        self.assert_nothing_stored(self.server, {b"f": sha256(source)})

    def test_a_held_client_holds_nobody(self):
        """Clients that stop half-way do not keep others from storing their files."""
        source = self.sparse("f", 8 * MIB)
        with Gate(self.server.port, MIB) as gate:
            held = [self.sending(source, gate.address, "--as", f"{number}") for number in range(20)]
            gate.wait_until_held(clients=20)
            self.assert_sent(self.file("g", os.urandom(3 * MIB)), self.server.address)
            gate.open()
            self.assertEqual([client.wait() for client in held], [(0, "")] * 20)
        self.assertEqual(len(self.server.published()), 21)


if __name__ == "__main__":
    unittest.main()
