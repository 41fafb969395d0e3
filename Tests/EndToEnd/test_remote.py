"""Two machines: TLS between them, the server's identity, tokens, and someone who stands between."""

import os
import pathlib
import re
import subprocess
import sys

from machines import HERE, THERE, MachinesCase
from support import HOME, PATIENCE, sha256
from trust import fingerprint, make_token

FINGERPRINT = r"SHA256:[A-Za-z0-9+/]{43}"
KNOWN_HOSTS = HOME / "config" / "fxfer" / "known_hosts"


class RemoteCase(MachinesCase):
    def setUp(self):
        super().setUp()
        KNOWN_HOSTS.unlink(missing_ok=True)
        self.source = self.file("f", os.urandom(3 << 20))
        self.identity = self.folder / "identity"

    def serve_here(self, *options, **keywords):
        return super().serve_here("--identity", str(self.identity), *options, **keywords)

    def token(self, line="alice"):
        """A token file of one line; answers its path and the token."""
        path, tokens = make_token(self, line, file=f"token-{line.split(':')[0]}")
        return path, tokens[0]

    def send(self, server, *arguments, host=HERE, **options):
        """`send` from there."""
        return self.run_on(self.there, "send", self.source, f"{host}:{server.port}", *arguments, **options)

    def assert_let_in(self, server, *arguments, name="f", **options):
        result = self.send(server, "--as", name, *arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(server.published()[name.encode()], sha256(self.source))
        return result.stderr

    def assert_refused(self, server, *arguments, saying, stored=(), **options):
        """Status 77, one line that has each of `saying`; nothing was stored."""
        result = self.send(server, *arguments, **options)
        self.assertEqual((result.returncode, result.stdout), (77, ""), result.stderr)
        self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")
        for text in saying:
            self.assertIn(text, result.stderr)
        self.assert_nothing_stored(server, stored)
        return result.stderr

    def fingerprint(self, identity=None):
        return fingerprint(identity or self.identity)


class FirstContactTest(RemoteCase):
    def test_pinned(self):
        """The first contact is told, with the key, and remembered; the next one is silent."""
        server = self.serve_here("--open")
        remark = self.assert_let_in(server)
        place = f"{HERE}:{server.port}"
        self.assertRegex(remark, rf"\Afxfer: first contact with {place}: its key is {FINGERPRINT}[^\n]+\n\Z")
        self.assertIn(self.fingerprint(), remark)
        self.assertEqual(KNOWN_HOSTS.read_text(), f"{place} {self.fingerprint()}\n")
        self.assertEqual(KNOWN_HOSTS.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.assert_let_in(server, name="second"), "")

    def test_quiet_and_json(self):
        """--quiet leaves the remark out only where the server has proven itself; --json has an event for it."""
        path, _ = self.token()
        server = self.serve_here("--token-file", str(path), directory=self.folder / "proven")
        self.assertEqual(self.assert_let_in(server, "--quiet", "--token-file", path), "")
        self.stop(server)
        server = self.serve_here("--open")
        self.assertIn("first contact", self.assert_let_in(server, "--quiet"))
        KNOWN_HOSTS.unlink()
        result = self.send(server, "--json", "--as", "second")
        self.assertRegex(result.stdout, r'\A\{"event":"first-contact","key":"SHA256:[^"]+","proven":false,')

    def test_changed(self):
        """A server with another key is a hard stop that tells what was and what is, and where to look; no data goes."""
        server = self.serve_here("--open")
        self.assert_let_in(server)
        known = KNOWN_HOSTS.read_text()
        old = self.fingerprint()
        port = server.port
        self.stop(server)
        (self.identity / "identity.pem").rename(self.folder / "old.pem")
        keywords = {"wrapper": self.on(self.here), "directory": self.folder / "other"}
        server = self.serve("--identity", str(self.identity), "--open", listen=f"0.0.0.0:{port}", **keywords)
        new = self.fingerprint()
        self.assertNotEqual(old, new)
        self.assert_refused(server, saying=["CHANGED", old, new, "line 1", str(KNOWN_HOSTS)])
        self.assertEqual(KNOWN_HOSTS.read_text(), known)

    def test_server_key(self):
        """--server-key knows the server beforehand: nothing is remembered; another key is refused."""
        server = self.serve_here("--open")
        self.assertEqual(self.assert_let_in(server, "--server-key", self.fingerprint()), "")
        self.assertFalse(KNOWN_HOSTS.exists())
        other = self.fingerprint(self.folder / "other-identity")
        (server.directory / "f").unlink()
        self.assert_refused(server, "--server-key", other, saying=[other, self.fingerprint()])

    def test_cannot_remember(self):
        """Where the key cannot be remembered the transfer goes on, and that is told."""
        server = self.serve_here("--open")
        blocked = self.file("not-a-folder")
        environment = {**os.environ, "XDG_CONFIG_HOME": str(blocked)}
        self.assertIn("cannot be remembered", self.assert_let_in(server, env=environment))


class BoundaryTest(RemoteCase):
    def test_who_may(self):
        """The start tells who may do what; a remote client of a server for its own machine is told what to do."""
        server = self.serve_here()
        self.assertIn("from this machine only", server.process.stdout.readline())
        self.assert_refused(server, saying=["own machine", "--token-file", "--open"])
        self.assertFalse(KNOWN_HOSTS.exists())

    def test_plaintext(self):
        """Bytes leave a machine in the clear only where both ends want it."""
        server = self.serve_here("--open")
        self.assertIn("everyone", server.process.stdout.readline())
        self.assertIn(self.fingerprint(), server.process.stdout.readline())
        self.assert_refused(server, "--plaintext", saying=["TLS", "--allow-plaintext"])
        self.stop(server)
        server = self.serve_here("--open", "--allow-plaintext", directory=self.folder / "plain")
        self.assertEqual(self.assert_let_in(server, "--plaintext"), "")
        self.assertFalse(KNOWN_HOSTS.exists())
        self.assertIn("first contact", self.assert_let_in(server, name="with-tls"))

    def test_no_downgrade(self):
        """A client that wants TLS says nothing to a server that does not speak it."""
        script = (
            "import socket;"
            "l=socket.create_server(('192.0.2.1',0));print(l.getsockname()[1],flush=True);"
            "s,_=l.accept();s.settimeout(60);d=s.recv(4096);s.sendall(b'\\xf8FXF\\r\\n\\x1a\\n'+bytes(64));"
            "more=b'x'\n"
            "while more:\n"
            " more=s.recv(4096);d+=more\n"
            "print(d[:3].hex(),b'FXF' in d,flush=True)"
        )
        command = self.on(self.here, sys.executable, "-c", script)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            port = int(server.stdout.readline())
            result = self.run_on(self.there, "send", self.source, f"{HERE}:{port}")
            self.assertEqual((result.returncode, result.stdout), (76, ""), result.stderr)
            self.assertIn("does not speak TLS", result.stderr)
            self.assertRegex(server.stdout.readline(), r"\A1603\d\d False\n\Z")

    def test_legacy_from_elsewhere(self):
        """A textbook client from another machine gets its file only where everyone may have it in the clear."""
        legacy = self.file("book", b"from the book\n")
        for options, is_served in (
            ((), False),
            (("--open",), False),
            (("--open", "--allow-plaintext"), True),
            (("--token-file", str(self.token()[0]), "--allow-plaintext"), False),
        ):
            with self.subTest(options):
                server = self.serve_here("--legacy", str(legacy), *options, directory=self.folder / "out-legacy")
                script = (
                    "import socket,sys;s=socket.create_connection((sys.argv[1],int(sys.argv[2])),60);"
                    "s.sendall(b'Client connected');print(s.makefile('rb').read().decode())"
                )
                command = self.on(self.there, sys.executable, "-c", script, HERE, str(server.port))
                result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
                self.assertEqual("from the book" in result.stdout, is_served, result)
                self.assertEqual("fxfer: this server" in result.stdout, not is_served, result)
                self.stop(server)


class TokenTest(RemoteCase):
    def test_token(self):
        """Who has the token is let in, and the server is proven by it; the log has the token's name."""
        path, token = self.token("alice")
        server = self.serve_here("--token-file", str(path))
        self.assertIn("alice (upload)", server.process.stdout.readline())
        self.assertIn("proven that it knows the token", self.assert_let_in(server, "--token-file", path))
        environment = {**os.environ, "FXFER_TOKEN": token}
        self.assertEqual(self.assert_let_in(server, name="second", env=environment), "")
        log = self.stop(server)
        self.assertEqual(len(re.findall(r" stored .*token=alice", log)), 2, log)
        self.assertNotIn(token, log)

    def test_wrong_token(self):
        """A wrong token, a part of the right one, or none: status 77, one message, nothing is stored or remembered."""
        path, token = self.token()
        server = self.serve_here("--token-file", str(path))
        said = set()
        for wrong in (self.token("bob")[1], token[:-1], token + "A"):
            environment = {**os.environ, "FXFER_TOKEN": wrong}
            said.add(self.assert_refused(server, saying=["token"], env=environment))
        self.assertEqual(len(said), 1, said)
        self.assert_refused(server, saying=["--token-file", "FXFER_TOKEN"])
        self.assertFalse(KNOWN_HOSTS.exists())

    def test_server_without_token(self):
        """A client with a token does not trust a server that takes none."""
        server = self.serve_here("--open")
        self.assert_refused(server, "--token-file", self.token()[0], saying=["takes no token"])
        self.assertFalse(KNOWN_HOSTS.exists())


class InterceptorTest(RemoteCase):
    def setUp(self):
        super().setUp()
        self.false_identity = self.folder / "false"
        self.fingerprint(self.false_identity)

    def intercept(self, server):
        """Someone who stands between on the way to the server; answers his port, and a function for his next line."""
        script = pathlib.Path(__file__).with_name("interceptor.py")
        command = self.on(
            self.here, sys.executable, script, HERE, self.false_identity / "identity.pem", str(server.port)
        )
        between = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(between.stdout.close)
        self.addCleanup(between.wait)
        self.addCleanup(between.kill)
        return int(between.stdout.readline()), between.stdout.readline

    def send_through(self, port, *arguments):
        return self.run_on(self.there, "send", self.source, f"{HERE}:{port}", *arguments)

    def assert_stopped(self, server, result, saying):
        self.assertEqual((result.returncode, result.stdout), (77, ""), result.stderr)
        self.assertIn(saying, result.stderr)
        self.assert_nothing_stored(server)

    def test_he_works(self):
        """Without a token or pin he gets through, as with SSH: so that the other tests here can fail."""
        server = self.serve_here("--open")
        port, line = self.intercept(server)
        result = self.send_through(port)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreater(int(line().split()[0]), 3 << 20)

    def test_token(self):
        """With a token he gets no further than the greeting: the proofs do not fit, in either direction."""
        path, _ = self.token()
        server = self.serve_here("--token-file", str(path))
        port, line = self.intercept(server)
        self.assert_stopped(server, self.send_through(port, "--token-file", path), "token")
        self.assertLess(int(line().split()[0]), 300)
        self.assertFalse(KNOWN_HOSTS.exists())
        self.assertIn("not-permitted", self.stop(server))

    def test_pin(self):
        """With a pin, by option or by an earlier contact, he gets no byte."""
        server = self.serve_here("--open")
        port, line = self.intercept(server)
        key = self.fingerprint()
        self.assert_stopped(server, self.send_through(port, "--server-key", key), key)
        self.assertEqual(line(), "0 0\n")
        KNOWN_HOSTS.parent.mkdir(parents=True, exist_ok=True)
        KNOWN_HOSTS.write_text(f"{HERE}:{port} {key}\n")
        self.assert_stopped(server, self.send_through(port), "CHANGED")
        self.assertEqual(line(), "0 0\n")



class WayBackTest(RemoteCase):
    def test_rights(self):
        """A token gives the rights that are written behind it, and no others."""
        for rights in ("upload", "read", "list", "read,list"):
            with self.subTest(rights):
                path, _ = self.token(f"alice:{rights}")
                out = self.folder / f"out-{rights}"
                out.mkdir()
                (out / "old").write_bytes(b"old content\n")
                server = self.serve_here("--share", "--token-file", str(path), directory=out)
                place = f"{HERE}:{server.port}"
                options = ("--token-file", path)
                results = {
                    "upload": self.send(server, *options),
                    "read": self.run_on(self.there, "get", f"{place}/old", "--output", self.folder / "got", *options),
                    "list": self.run_on(self.there, "list", place, *options),
                }
                for right, result in results.items():
                    expected = 0 if right in rights.split(",") else 77
                    self.assertEqual(result.returncode, expected, (right, result.stderr))
                    self.assertEqual("does not allow" in result.stderr, expected != 0, result.stderr)
                self.assertEqual(b"f" in server.published(), rights == "upload")
                self.stop(server)
