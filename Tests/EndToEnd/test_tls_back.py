"""TLS on the way back, and proofs that were made for another connection."""

import os
import socket
import ssl
import threading
import unittest

import wire
from abuse import AbuseCase
from fake_server import FakeServer
from frames import AUTH, PREAMBLE, PROOF, WELCOME, encode, hello
from proxy import DOWN, Cut, Flip, Proxy
from secured import TokenInTLS
from sharing import ShareCase
from support import ONCE, run
from trees import plant
from trust import fingerprint, make_token, tls_server
from wire_connection import proof

MIB = 1 << 20
NOT_PERMITTED = 5
PERMISSION = 77


class TruncationTest(ShareCase):
    def setUp(self):
        super().setUp()
        identity = self.folder / "identity"
        self.server = self.serve("--share", "--identity", str(identity))
        self.key = ("--server-key", fingerprint(identity))
        plant(self.server.directory, {"f": os.urandom(3 * MIB), "folder/a": b"", "folder/b": b""})
        plant(self.place, {"f": b"old"})
        self.before = self.state()

    def begin(self):
        """Forgets what earlier tries have brought."""
        for part in self.place.glob(".fxfer-*"):
            part.unlink()

    def length(self, command, *arguments):
        """How much the server says in all, inside TLS, and to which the status belongs."""
        with Proxy(self.server.port, keep=True) as proxy:
            result = run(command, f"{proxy.address}/{arguments[0]}", *arguments[1:], *self.key)
        self.assertEqual(result.returncode, 0, result.stderr)
        return len(proxy.passed[DOWN])

    def test_a_file_that_is_cut(self):
        """TCP's end without TLS's, anywhere before the last byte of FINISH: no success, and the old file stays."""
        whole = self.length("get", "f", "--output", str(self.folder / "measured"))
        (self.folder / "measured").unlink()
        places = [10, 1000, 5000, MIB, 2 * MIB + 77, whole - 400, whole - 150]
        # A server waits two seconds for the end of TLS where that of TCP has come: so two of these are enough.
        for offset, reset in [*((place, True) for place in places), (2 * MIB + 77, False), (whole - 150, False)]:
            with self.subTest(offset=offset, reset=reset):
                self.begin()
                with Proxy(self.server.port, Cut(DOWN, offset, reset)) as proxy:
                    result = self.get(*ONCE, f"{proxy.address}/f", *self.key)
                self.assertTrue(proxy.done)
                self.assert_fails(result, 69, 75)
                self.assertEqual(self.state(), self.before)

    def test_a_listing_that_is_cut(self):
        whole = self.length("list", "folder")
        for offset, reset in [(10, True), (whole - 120, True), (whole - 60, True), (whole - 60, False)]:
            with self.subTest(offset=offset, reset=reset):
                with Proxy(self.server.port, Cut(DOWN, offset, reset)) as proxy:
                    result = run("list", f"{proxy.address}/folder", *self.key)
                self.assertTrue(proxy.done)
                self.assertIn(result.returncode, (69, 75), result)

    def test_a_byte_that_is_changed(self):
        for offset in (5000, MIB, 2 * MIB + 77):
            self.begin()
            with self.subTest(offset=offset), Proxy(self.server.port, Flip(DOWN, offset, 1)) as proxy:
                self.assert_fails(self.get(*ONCE, f"{proxy.address}/f", *self.key), 75, 76)
                self.assertEqual(self.state(), self.before)


class ProofInTLSTest(TokenInTLS, AbuseCase):
    def challenged(self, nonce=bytes(32)):
        connection = self.connect()
        connection.send(PREAMBLE, hello(capabilities=PROOF, nonce=nonce))
        connection.expect_preamble()
        connection.terms = connection.expect(WELCOME)
        return connection

    def proof(self, connection, certificate, nonce=bytes(32)):
        return encode(AUTH, proof=proof(self.token, b"C", nonce, connection.terms.nonce, certificate))

    def test_bound_to_the_certificate(self):
        """One that was made in the clear, or for another certificate, is none inside TLS."""
        for title, certificate in {"clear": bytes(32), "another": b"\x01" * 32}.items():
            with self.abuse(title):
                connection = self.challenged()
                connection.send(self.proof(connection, certificate))
                self.assert_ends_with(connection, NOT_PERMITTED)
        connection = self.challenged()
        connection.send(self.proof(connection, connection.certificate))
        connection.expect(AUTH)
        connection.socket.close()

    def test_replayed(self):
        """The bytes of a proof that was accepted are refused in every other connection, inside TLS and in the clear."""
        first = self.challenged()
        recorded = self.proof(first, first.certificate)
        first.send(recorded)
        first.expect(AUTH)
        with self.abuse("inside TLS"):
            second = self.challenged()
            second.send(recorded)
            self.assert_ends_with(second, NOT_PERMITTED)
            first.socket.close()
        with self.abuse("in the clear"):
            plain = wire.connect(self.server.port)
            plain.send(PREAMBLE, hello(capabilities=PROOF, nonce=bytes(32)))
            plain.expect_preamble()
            plain.expect(WELCOME)
            plain.send(recorded)
            self.assert_ends_with(plain, NOT_PERMITTED)


class RelayedTest(ShareCase):
    """Someone between, who has a certificate of his own that the client believes, passes everything on."""

    def test_relayed(self):
        """The client's proof is for his certificate, and so none at the server; he gets neither a file nor an offer."""
        path, _ = make_token(self)
        server = self.serve("--share", "--token-file", str(path), "--identity", str(self.folder / "identity"))
        plant(server.directory, {"f": b"secret"})
        his_key = fingerprint(self.folder / "his")
        his = tls_server(self.folder / "his" / "identity.pem")
        heard = [0, 0]

        def between(connection):
            with his.wrap_socket(connection.socket, server_side=True) as client:
                with socket.create_connection(("127.0.0.1", server.port)) as plain:
                    with wire.believing_any().wrap_socket(plain) as onward:
                        back = threading.Thread(target=pump, args=(onward, client, heard, 1))
                        back.start()
                        pump(client, onward, heard, 0)
                        back.join()

        source = self.file("source", os.urandom(MIB))
        options = (*ONCE, "--token-file", str(path), "--server-key", his_key)
        for command in (["send", str(source)], ["get"], ["list"]):
            with self.subTest(command[0]), FakeServer(between) as relay:
                once = options[2:] if command[0] == "list" else options
                place = relay.address if command[0] != "get" else f"{relay.address}/f"
                result = run(*command, place, *once, cwd=self.place)
                self.assertEqual((result.returncode, result.stdout), (PERMISSION, ""), result.stderr)
        # Three greetings and proofs, and what answers them: no file has begun.
        self.assertLess(heard[0], 3 * 300)
        self.assertLess(heard[1], 3 * 300)
        self.assertEqual(set(server.published()), {b"f"})
        self.assertEqual(os.listdir(self.place), [])


def pump(source, target, heard, direction):
    try:
        while data := source.recv(1 << 16):
            heard[direction] += len(data)
            target.sendall(data)
    except (OSError, ssl.SSLError):
        pass
    for stream in (source, target):
        try:
            stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


if __name__ == "__main__":
    unittest.main()
