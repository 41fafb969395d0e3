"""Tokens: the proof on the wire, what is refused, and where tokens must never be seen."""

import hashlib
import os
import pathlib
import signal
import socket

import wire
from abuse import AbuseCase, answers
from fake_server import FakeServer
from sending import SendCase
from support import HOME, PATIENCE, run
from trust import make_token

VIOLATION, LIMIT, NOT_PERMITTED, BUSY = 1, 3, 5, 8


class ProofCase(AbuseCase):
    """A server that takes two tokens, `self.token` and `self.other`."""

    options_beside = ()

    def setUp(self):
        holder = SendCase()
        SendCase.setUp(holder)
        self.addCleanup(holder.doCleanups)
        path, tokens = make_token(holder, "alice", "bob:upload")
        self.path, self.token, self.other = path, tokens[0].encode(), tokens[1].encode()
        self.options = ("--token-file", str(path), *self.options_beside)
        os.environ["FXFER_TOKEN"] = tokens[0]
        self.addCleanup(os.environ.pop, "FXFER_TOKEN", None)
        super().setUp()

    def hello(self, capabilities=wire.PROOF, nonce=bytes(32)):
        return wire.PREAMBLE + wire.hello(capabilities=capabilities, nonce=nonce)

    def challenged(self, nonce=bytes(32)):
        """A connection that has got its WELCOME and owes the proof."""
        connection = self.connect()
        connection.send(self.hello(nonce=nonce))
        connection.expect_preamble()
        connection.terms = connection.expect(wire.WELCOME)
        self.assertEqual(connection.terms.capabilities, wire.PROOF)
        return connection

    def prove(self, token, connection, role=b"C", nonce=bytes(32), certificate=bytes(32)):
        return wire.encode(wire.AUTH, proof=wire.proof(token, role, nonce, connection.terms.nonce, certificate))

    def assert_wrong(self, *codes):
        connection = self.challenged()
        connection.send(self.prove(b"B" * 43, connection))
        frames, error = answers(connection)
        self.assertEqual(frames, [])
        self.assertIn(error and error.code, codes)
        connection.socket.close()
        return error.code

    def upload(self, connection, name=b"g"):
        digest = hashlib.sha256(b"12345").digest()
        connection.send(
            wire.offer(1, name, size=5), wire.chunk(1, 0, b"12345", digest), wire.encode(wire.FINISH, id=1, size=5, digest=digest)
        )


class WireTest(ProofCase):
    def test_right(self):
        """Both sides prove the token; each of the server's tokens opens it."""
        for number, token in enumerate((self.token, self.other)):
            connection = self.connect().greet(token=token)
            name = b"g%d" % number
            self.upload(connection, name)
            while connection.receive().kind != wire.RECEIPT:
                pass
            self.assertIn(name, self.server.published())
            connection.socket.close()

    def test_wrong_proofs(self):
        """Every proof that is not the right one gets the same answer, whatever is wrong with it."""
        said = set()
        wrong = {
            "another token": lambda c: self.prove(b"A" * 43, c),
            "a part of the token": lambda c: self.prove(self.token[:-1], c),
            "an empty token": lambda c: self.prove(b"", c),
            "the server's role": lambda c: self.prove(self.token, c, role=b"S"),
            "another nonce": lambda c: self.prove(self.token, c, nonce=b"\1" * 32),
            "another certificate": lambda c: self.prove(self.token, c, certificate=b"\1" * 32),
            "zeros": lambda c: wire.encode(wire.AUTH, proof=bytes(32)),
        }
        for title, proof in wrong.items():
            with self.abuse(title):
                connection = self.challenged()
                connection.send(proof(connection))
                self.upload(connection)
                frames, error = answers(connection)
                self.assertEqual((frames, error and error.code), ([], NOT_PERMITTED))
                said.add(error.message)
        self.assertEqual(len(said), 1, said)

    def test_malformed(self):
        """A proof that is none: too short, too long, a megabyte, none at all."""
        for title, frame, code in (
            ("empty", wire.frame(wire.AUTH), VIOLATION),
            ("short", wire.frame(wire.AUTH, bytes(31)), VIOLATION),
            ("with more", wire.frame(wire.AUTH, bytes(33)), VIOLATION),
            ("a megabyte", wire.frame(wire.AUTH, bytes(1 << 20)), LIMIT),
        ):
            with self.abuse(title):
                connection = self.challenged()
                try:
                    connection.send(frame)
                except ConnectionError:
                    pass
                self.assert_ends_with(connection, code)

    def test_pipelined(self):
        """What comes before the proof is not acted on, whether the proof follows or not."""
        for title, frames in {
            "an offer": wire.offer(1, b"g", size=0),
            "an offer and a proof": wire.offer(1, b"g", size=0) + wire.frame(wire.AUTH, bytes(32)),
            "a listing": wire.encode(wire.LIST, id=1, path=b""),
            "a file": wire.encode(wire.GET, id=1, path=b"old"),
            "a second greeting": wire.hello(capabilities=wire.PROOF),
            "a chunk": wire.chunk(1, 0, b"x", bytes(32)),
            "goodbye": wire.encode(wire.BYE),
        }.items():
            with self.abuse(title):
                connection = self.connect()
                connection.send(self.hello() + frames)
                connection.expect_preamble()
                frames, error = answers(connection)
                self.assertEqual([frame.kind for frame in frames], [wire.WELCOME])
                self.assertEqual(error and error.code, NOT_PERMITTED)

    def test_without_token(self):
        """A client that has none is told what to do, and does not even get the terms."""
        with self.abuse("no token"):
            connection = self.connect()
            connection.send(self.hello(capabilities=wire.SHARE))
            connection.expect_preamble()
            frames, error = answers(connection)
            self.assertEqual((frames, error.code), ([], NOT_PERMITTED))
            self.assertIn("--token-file", error.message)

    def test_replay(self):
        """The bytes of a session that was let in open no other."""
        with self.abuse("replay"):
            first = self.challenged()
            recorded = self.prove(self.token, first)
            first.send(recorded)
            first.expect(wire.AUTH)
            second = self.challenged()
            second.send(recorded)
            self.assert_ends_with(second, NOT_PERMITTED)
            first.socket.close()

    def test_reflection(self):
        """The server's own proof is none of a client."""
        with self.abuse("reflection"):
            first = self.challenged()
            first.send(self.prove(self.token, first))
            answer = first.expect(wire.AUTH).proof
            second = self.challenged()
            second.send(wire.encode(wire.AUTH, proof=answer))
            self.assert_ends_with(second, NOT_PERMITTED)
            first.socket.close()

    def test_twice(self):
        """A second proof is out of order, even the right one."""
        with self.abuse("twice"):
            connection = self.challenged()
            proof = self.prove(self.token, connection)
            connection.send(proof, proof)
            connection.expect(wire.AUTH)
            self.assert_ends_with(connection, VIOLATION)

    def test_many_wrong(self):
        """Some wrong proofs from an address do not keep a good client there out."""
        for _ in range(4):
            self.assert_wrong(NOT_PERMITTED)
        self.assert_harmless()


class SlowedTest(ProofCase):
    options_beside = ("--handshake-timeout", "1s")

    def test_slowed_down(self):
        """Who goes on guessing waits longer and longer, until the wait is longer than a greeting may take; coming again,
        or many times at once, does not help; who has the right token is let in at once, also from the same address."""
        codes = [self.assert_wrong(NOT_PERMITTED, BUSY) for _ in range(6)]
        self.assertEqual(codes[:3], [NOT_PERMITTED] * 3)
        self.assertEqual(codes[-1], BUSY)
        waiting = [self.challenged() for _ in range(10)]
        for connection in waiting:
            connection.send(self.prove(b"B" * 43, connection))
        for connection in waiting:
            self.assert_ends_with(connection, BUSY)
        good = self.connect().greet(token=self.token)
        self.upload(good)
        while good.receive().kind != wire.RECEIPT:
            pass
        self.assertEqual(self.server.published(), self.stored | {b"g": hashlib.sha256(b"12345").hexdigest()})


class ClientTest(SendCase):
    def setUp(self):
        super().setUp()
        self.source = self.file("f", os.urandom(1 << 20))
        self.path, tokens = make_token(self)
        self.token = tokens[0]

    def test_server_without_token(self):
        """A server that wants no proof, or cannot prove itself, gets no file."""
        heard = []

        def last_words(connection):
            try:
                heard.append(connection.receive().kind)
            except wire.PeerError as error:
                heard.append(error.code)

        def lax(connection):
            connection.welcome()
            last_words(connection)

        def false(connection):
            connection.welcome(capabilities=wire.PROOF)
            connection.expect(wire.AUTH)
            connection.send(wire.encode(wire.AUTH, proof=bytes(32)))
            last_words(connection)

        for script, saying in ((lax, "takes no token"), (false, "does not know the token")):
            with self.subTest(saying), FakeServer(script) as server:
                arguments = (self.source, server.address, "--token-file", self.path)
                self.assertNotIn(self.token, self.assert_fails(77, *arguments, naming=[saying]))
        self.assertEqual(heard, [NOT_PERMITTED, NOT_PERMITTED])

    def test_reflected(self):
        """A server that sends the client's own proof back is not believed."""

        def mirror(connection):
            connection.welcome(capabilities=wire.PROOF)
            proof = connection.expect(wire.AUTH).proof
            connection.send(wire.encode(wire.AUTH, proof=proof))
            with self.assertRaises(wire.PeerError):
                connection.receive()

        with FakeServer(mirror) as server:
            self.assert_fails(77, self.source, server.address, "--token-file", self.path)

    def test_bad_files(self):
        """A token that cannot be used is an error before anything is sent, and is not quoted."""
        with FakeServer(lambda connection: connection.receive()) as server:
            for name, content, status in (
                ("empty", b"", {64, 66}),
                ("blank", b"\n# nothing\n", {64, 66}),
                ("two", f"a:{self.token}\nb:{self.token[::-1]}\n".encode(), {64, 66}),
                ("short", b"tooshort\n", {64, 66}),
                ("megabyte", self.token.encode() * 25_000, {64, 66}),
                ("binary", os.urandom(100), {64, 66}),
            ):
                with self.subTest(name):
                    path = self.file(name, content)
                    path.chmod(0o600)
                    result = run("send", str(self.source), server.address, "--token-file", str(path))
                    self.assertIn(result.returncode, status, result)
                    self.assertRegex(result.stderr, r"\Afxfer: [^\n]{1,400}\n\Z")
                    self.assertNotIn(self.token, result.stderr)
            for value in ("", "short", self.token + " ", "x" * 1_000_00):
                result = run("send", str(self.source), server.address, env={**os.environ, "FXFER_TOKEN": value})
                self.assertIn(result.returncode, {64, 66}, result)
            readable = self.file("readable", self.token.encode() + b"\n")
            readable.chmod(0o644)
            self.assert_fails(77, self.source, server.address, "--token-file", readable, naming=["chmod"])
            self.assertEqual(server.clients, 0)


class SecrecyTest(SendCase):
    def test_seen_nowhere(self):
        """Tokens and the server's key are in no log, no error, no process list and no file but their own."""
        path, tokens = make_token(self, "alice", "bob")
        identity = self.folder / "identity"
        server = self.serve("--token-file", str(path), "--identity", str(identity), "--log-level", "trace", "--share")
        source = self.file("f", os.urandom(3 << 20))
        mine = self.file("mine", f"{tokens[0]}\n".encode())
        mine.chmod(0o600)
        said = []
        client = self.sending(str(source), server.address, "--token-file", str(mine))
        client.next_event()
        said += [pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode() for pid in (client.pid, server.pid)]
        status, errors = client.wait()
        self.assertEqual(status, 0, errors)
        said += [errors, str(client.events)]
        for token in (tokens[1], tokens[1][:-2], tokens[0]):
            result = run("list", server.address, "--json", env={**os.environ, "FXFER_TOKEN": token})
            said += [result.stdout, result.stderr]
        said.append(self.stop(server))
        key = (identity / "identity.pem").read_text().split("-----")[2].split()[1]
        for folder in (server.directory, HOME):
            for file in folder.rglob("*"):
                if file.is_file() and file != identity / "identity.pem":
                    said.append(file.read_bytes().decode("latin-1"))
        for secret in (*tokens, key):
            self.assertFalse([text for text in said if secret in text])


class PlaceTest(SendCase):
    def test_secrets_in_the_directory(self):
        """A server whose key or tokens lie where its clients reach does not start, by whatever path they are named."""
        out = self.folder / "out"
        out.mkdir()
        path, _ = make_token(self, file="out/tokens")
        (self.folder / "link").symlink_to(out)
        for options in (
            ("--token-file", str(path)),
            ("--token-file", str(self.folder / "link" / "tokens")),
            ("--identity", str(out / "deep" / "identity")),
            ("--identity", str(self.folder / "link" / "deep")),
            ("--identity", str(out)),
        ):
            with self.subTest(options):
                result = run("serve", "--dir", str(out), "--listen", "127.0.0.1:0", *options)
                self.assertEqual(os.listdir(out), ["tokens"])
                self.assertEqual((result.returncode, result.stdout), (64, ""), result)
                self.assertRegex(result.stderr, r"\Afxfer: [^\n]+ lies in the directory that is served[^\n]+\n\Z")


class HangupTest(SendCase):
    def test_without_tokens(self):
        """SIGHUP ends a server without tokens as SIGTERM does: transfers in flight end before it."""
        server = self.serve()
        big = self.sparse("big", 64 << 20)
        client = self.sending(big, server.address, "--limit-rate", "32M")
        client.wait_for("progress")
        os.kill(server.pid, signal.SIGHUP)
        status, errors = client.wait()
        self.assertEqual(status, 0, errors)
        self.assertEqual(server.wait(), 0)

    def test_with_a_manager(self):
        """Where a service manager asks for a reload, there is nothing to read, and the server goes on."""
        path = str(self.folder / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            notices.bind(path)
            notices.settimeout(PATIENCE)
            server = self.serve(env={**os.environ, "NOTIFY_SOCKET": path})
            self.assertIn(b"READY=1", notices.recv(4096))
            os.kill(server.pid, signal.SIGHUP)
            self.assertIn(b"RELOADING=1", notices.recv(4096))
            self.assertEqual(notices.recv(4096), b"READY=1")
            self.assert_serves(server)


class MistakeTest(SendCase):
    def test_token_as_argument(self):
        """A token in the wrong place of a command is not repeated, and its owner is told what to do."""
        token = run("token").stdout.strip()
        out = self.folder / "out"
        source = str(self.file("f"))
        for arguments in (
            ("send", source, "localhost:1", "--token-file", token),
            ("send", source, "localhost:1", "--token-file", f"alice:{token}"),
            ("send", source, "localhost:1", "--server-key", token),
            ("serve", "--dir", str(out), "--listen", "127.0.0.1:0", "--token-file", token),
        ):
            with self.subTest(arguments):
                result = run(*arguments)
                self.assertEqual(result.returncode, 64, result)
                self.assertNotIn(token, result.stderr)
        self.assertFalse(out.exists())


class ReloadTest(SendCase):
    def setUp(self):
        super().setUp()
        self.path, (self.old,) = make_token(self)
        self.server = self.serve("--token-file", str(self.path))
        self.lines = self.server.process.stderr

    def reload(self, text):
        """Writes the file as an editor does, and has it read again; answers the log's line about it."""
        fresh = self.path.with_name("fresh")
        fresh.write_text(text)
        fresh.chmod(0o600)
        fresh.rename(self.path)
        os.kill(self.server.pid, signal.SIGHUP)
        while "tokens" not in (line := self.lines.readline()):
            self.assertTrue(line, "the log ended")
        return line

    def test_pipe(self):
        """A FIFO that has taken the file's place is not waited for: the old tokens stay, and the server ends in order."""
        self.path.unlink()
        os.mkfifo(self.path, 0o600)
        os.kill(self.server.pid, signal.SIGHUP)
        self.assertIn("old ones stay", self.lines.readline())
        self.assertEqual(self.status(self.old), 0)
        self.server.process.terminate()
        self.assertEqual(self.server.wait(), 0)

    def status(self, token):
        return run("send", str(self.file("f")), self.server.address, env={**os.environ, "FXFER_TOKEN": token}).returncode

    def test_sighup(self):
        """After SIGHUP the new tokens count, and only those; a file that cannot be read changes nothing."""
        new = run("token", "carol").stdout.strip()
        token = new.split(":")[1]
        self.assertEqual((self.status(self.old), self.status(token)), (0, 77))
        self.assertIn("read again", self.reload(new + "\n"))
        self.assertEqual((self.status(self.old), self.status(token)), (77, 0))
        line = self.reload("broken\n")
        self.assertIn("old ones stay", line)
        self.assertNotIn("broken", line)
        self.assertEqual(self.status(token), 0)
