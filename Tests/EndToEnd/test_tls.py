"""TLS 1.3 on the server's port: who speaks it, who does not, and what certificates are believed."""

import os
import socket
import ssl
import subprocess

import wire
from fake_server import FakeServer
from proxy import DOWN, UP, Cut, Flip, Proxy
from sending import SendCase
from support import ONCE, PATIENCE, run, sha256
from trust import Authority, fingerprint, tls_server
from waiting import eventually


class TLSCase(SendCase):
    def setUp(self):
        super().setUp()
        self.source = self.file("f", os.urandom(3 << 20))
        self.identity = self.folder / "identity"

    def serve(self, *options, **keywords):
        return super().serve("--identity", str(self.identity), *options, **keywords)

    def key(self):
        return "--server-key", fingerprint(self.identity)


class VersionTest(TLSCase):
    def handshake(self, server, version):
        """What a client that speaks nothing but this version gets: the version agreed on, or None."""
        tls = wire.believing_any()
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        tls.maximum_version = tls.minimum_version = version
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as stream:
            try:
                with tls.wrap_socket(stream) as secure:
                    return secure.version()
            except (ssl.SSLError, ConnectionError):
                return None

    def test_nothing_but_1_3(self):
        """A client of TLS 1.2 is turned away in the handshake; one of 1.3 is served."""
        server = self.serve()
        self.assertIsNone(self.handshake(server, ssl.TLSVersion.TLSv1_2))
        self.assertEqual(self.handshake(server, ssl.TLSVersion.TLSv1_3), "TLSv1.3")
        self.assert_serves(server)

    def test_openssl_agrees(self):
        """openssl(1), told to speak any version, agrees on 1.3, and is refused with 1.2."""
        server = self.serve()
        for option, expected in (("-tls1_3", True), ("-tls1_2", False)):
            command = ["openssl", "s_client", "-connect", server.address, option]
            result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual("New, TLSv1.3, Cipher is TLS_AES" in result.stdout, expected, result.stdout)

    def test_client_wants_1_3(self):
        """The client does not speak 1.2 either, and says nothing to such a server."""
        fingerprint(self.identity)
        tls = tls_server(self.identity / "identity.pem")
        tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_2
        heard = []

        def script(connection):
            try:
                with tls.wrap_socket(connection.socket, server_side=True) as stream:
                    heard.append(stream.recv(1))
            except ssl.SSLError as error:
                heard.append(error.reason)

        with FakeServer(script) as server:
            line = self.assert_fails(76, self.source, server.address, *self.key(), naming=["TLS 1.3"])
        self.assertNotIn("Optional(", line)
        self.assertEqual(len(heard), 1)
        self.assertIsInstance(heard[0], str)


class TransferTest(TLSCase):
    def test_send_get_list(self):
        """Everything works inside TLS as it does outside."""
        server = self.serve("--share")
        big = self.file("big", os.urandom((40 << 20) + 7))
        self.assert_sent(self.source, big, server.address, *self.key())
        self.assertEqual(server.published(), {b"f": sha256(self.source), b"big": sha256(big)})
        result = run("get", f"{server.address}/big", "--output", str(self.folder / "got"), *self.key())
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(sha256(self.folder / "got"), sha256(big))
        result = run("list", server.address, *self.key())
        self.assertEqual(len(result.stdout.splitlines()), 2, result)
        self.assertLess(server.peak_memory(), 96 << 20)

    def test_second_implementation(self):
        """A client that was written from the specification alone speaks it, too."""
        server = self.serve()
        with wire.connect(server.port, tls=wire.believing_any()).greet() as connection, open(self.source, "rb") as file:
            receipt = wire.upload(connection, b"g", file, {"size": self.source.stat().st_size})
            self.assertEqual(receipt.digest.hex(), sha256(self.source))
            connection.send(wire.encode(wire.BYE))
        self.assertEqual(server.published(), {b"g": sha256(self.source)})

    def test_many_small(self):
        """A folder of small files goes through in one connection."""
        server = self.serve()
        for number in range(500):
            self.file(f"tree/{number % 7}/{number}", os.urandom(number))
        result = run("send", str(self.folder / "tree"), server.address, *self.key())
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(server.published()), 500)

    def test_web_client(self):
        """A web client that speaks TLS is told that this is no web server."""
        server = self.serve()
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as stream:
            with wire.believing_any().wrap_socket(stream) as secure:
                secure.sendall(b"GET / HTTP/1.1\r\n\r\n")
                self.assertIn(b"400 Bad Request", secure.makefile("rb").read())

    def test_nothing_inside(self):
        """TLS inside TLS, and silence after the handshake, harm nobody."""
        server = self.serve("--log-level", "debug")
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as stream:
            with wire.believing_any().wrap_socket(stream) as secure:
                secure.sendall(b"\x16\x03\x01\x02\x00")
                self.assertEqual(secure.recv(7)[:1], b"\x15")
        self.assert_serves(server)


class KeyTest(TLSCase):
    def test_right_and_wrong(self):
        """--server-key lets a server with that key through, and no other; malformed ones are a usage error."""
        server = self.serve()
        self.assert_sent(self.source, server.address, *self.key())
        (server.directory / "f").unlink()
        other = fingerprint(self.folder / "other")
        self.assert_fails(77, self.source, server.address, "--server-key", other, naming=[other, "nothing was sent"])
        self.assert_nothing_stored(server)
        for wrong in ("", "SHA256:", other[:-1], other + "A", other.replace("SHA256", "MD5"), other[7:]):
            with self.subTest(wrong):
                self.assert_fails(64, self.source, server.address, "--server-key", wrong)

    def test_plain_server(self):
        """A client that was given a key never talks to a server that speaks no TLS."""
        heard = []

        def script(connection):
            heard.append(connection.socket.recv(4096))
            connection.send(wire.PREAMBLE)

        with FakeServer(script) as server:
            self.assert_fails(76, self.source, server.address, *self.key(), naming=["does not speak TLS"])
        self.assertNotIn(b"FXF", heard[0])

    def test_no_identity(self):
        """A server for its own machine that has no place for an identity works without TLS, and says so; a client that
        speaks TLS is told by an alert."""
        blocked = self.file("blocked")
        environment = {**os.environ, "XDG_STATE_HOME": str(blocked)}
        server = SendCase.serve(self, env=environment)
        self.assert_serves(server)
        self.assert_fails(76, self.source, server.address, *self.key())
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as stream:
            with self.assertRaisesRegex(ssl.SSLError, "HANDSHAKE_FAILURE"):
                wire.believing_any().wrap_socket(stream)
        self.assert_serves(server)
        self.assertIn("TLS is off", self.stop(server))

    def test_no_identity_is_fatal(self):
        """Where others are to be let in, or the folder was named, there is no server without an identity."""
        blocked = self.file("blocked")
        out = self.folder / "out"
        for options in (("--open",), ("--identity", str(blocked))):
            with self.subTest(options):
                environment = {**os.environ, "XDG_STATE_HOME": str(blocked)}
                result = run("serve", "--dir", str(out), "--listen", "127.0.0.1:0", *options, env=environment)
                self.assertNotIn(result.returncode, (0, 70), result)
                self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")


class AuthorityTest(TLSCase):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder / "authority")

    def serve_with(self, host, **keywords):
        cert, key = self.authority.sign("server", host, **keywords)
        return SendCase.serve(self, "--cert", str(cert), "--key", str(key))

    def test_right_name(self):
        """A certificate for the host's name, or for its address, is believed."""
        for host, used in (("DNS:localhost", "localhost"), ("IP:127.0.0.1", "127.0.0.1")):
            with self.subTest(host):
                server = self.serve_with(host)
                self.assert_sent(self.source, f"{used}:{server.port}", "--ca", self.authority.file)
                self.assertEqual(server.published(), {b"f": sha256(self.source)})
                self.stop(server)
                (server.directory / "f").unlink()

    def test_not_believed(self):
        """Another name, another authority, and a certificate that has expired, are refused; nothing is stored."""
        other = Authority(self.folder / "other").file
        for host, days, authority in (
            ("DNS:example.org", 10, self.authority.file),
            ("IP:127.0.0.9", 10, self.authority.file),
            ("DNS:localhost", 10, other),
            ("DNS:localhost", -1, self.authority.file),
        ):
            for used in ("localhost", "127.0.0.1"):
                with self.subTest(f"{host} for {days} days by {authority}, used as {used}"):
                    server = self.serve_with(host, days=days)
                    self.assert_fails(77, self.source, f"{used}:{server.port}", "--ca", authority, naming=["certificate"])
                    self.assert_nothing_stored(server)
                    self.stop(server)

    def test_bad_files(self):
        """A file without certificates is an input error of the client; a key that fits no certificate, of the server."""
        server = self.serve_with("DNS:localhost")
        for name, content in (("empty", b""), ("garbage", b"no certificate\n")):
            path = self.file(name, content)
            self.assert_fails(66, self.source, f"localhost:{server.port}", "--ca", path, naming=[name])
        self.assert_fails(66, self.source, f"localhost:{server.port}", "--ca", self.folder / "missing")
        self.assert_nothing_stored(server)


class HarmTest(TLSCase):
    def test_bytes_changed_on_the_way(self):
        """A byte that is changed on the way is found by TLS: the transfer breaks, goes on, and is right."""
        server = self.serve()
        for offset in (600_000, 2_000_000):
            with self.subTest(offset), Proxy(server.port, Flip(UP, offset, 1)) as proxy:
                result = run("send", str(self.source), proxy.address, *self.key(), *ONCE, "--as", f"f{offset}")
                self.assertTrue(proxy.done)
                self.assertEqual(result.returncode, 75, result.stderr)
                self.assertNotIn(b"f%d" % offset, server.published())
        with Proxy(server.port, Flip(DOWN, 100, 1)) as proxy:
            result = run("send", str(self.source), proxy.address, *self.key(), *ONCE, "--as", "never")
            self.assertNotEqual(result.returncode, 0)
        self.assertNotIn(b"never", server.published())
        self.assert_serves(server)

    def test_truncation(self):
        """A stream that ends without TLS's own end is no end: nothing is published."""
        server = self.serve()
        for offset in (500, 600_000, 3 << 20):
            for reset in (False, True):
                with self.subTest(offset, reset=reset), Proxy(server.port, Cut(UP, offset, reset)) as proxy:
                    name = f"f{offset}{reset}"
                    result = run("send", str(self.source), proxy.address, *self.key(), *ONCE, "--as", name)
                    self.assertTrue(proxy.done)
                    self.assertEqual((result.returncode, result.stdout), (75, ""), result.stderr)
                    self.assertEqual(server.published(), {})
        self.assert_serves(server)

    def test_end_without_close_notify(self):
        """All bytes but the last frame, then TCP's end without TLS's: not published, and the log says nothing is."""
        server = self.serve()
        with wire.connect(server.port, tls=wire.believing_any()).greet() as connection:
            connection.send(wire.offer(connection.next_id(), b"g", size=5))
            connection.expect(wire.ACCEPT)
            digest = wire.hashlib.sha256(b"12345").digest()
            connection.send(wire.chunk(1, 0, b"12345", digest))
            connection.expect(wire.CONFIRM)
            # Past the TLS layer: what it has not been told it cannot say goodbye for.
            os.close(connection.socket.detach())
        eventually(lambda: server.partials() == [], "nothing is staged any more")
        self.assertEqual(server.published(), {})
        self.assert_serves(server)

    def test_silent_handshakes(self):
        """Clients that begin a handshake and say no more hold nobody up, and their descriptors come back."""
        server = self.serve()
        before = server.descriptors()
        hello = ssl.MemoryBIO()
        engine = wire.believing_any().wrap_bio(ssl.MemoryBIO(), hello)
        try:
            engine.do_handshake()
        except ssl.SSLWantReadError:
            pass
        bytes_of_hello = hello.read()
        streams = [socket.create_connection(("127.0.0.1", server.port), PATIENCE) for _ in range(100)]
        for number, stream in enumerate(streams):
            stream.sendall(bytes_of_hello[: number * len(bytes_of_hello) // 99])
        self.assert_serves(server)
        self.assert_sent(self.source, server.address, *self.key())
        for stream in streams:
            stream.close()
        eventually(lambda: server.descriptors() <= before, "the descriptors are back")
