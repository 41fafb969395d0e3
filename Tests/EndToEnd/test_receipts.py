"""`fxfer send --receipts`: proofs of what a server has stored, signed by its key, that anybody can verify."""

import json
import os
import random
import re
import resource
import subprocess

import wire
from receipts import Signer, escape, fingerprint as key_fingerprint, openssl, statement
from sending import SendCase
from support import FXFER, PATIENCE, run, sha256
from tracing import injected
from trust import fingerprint, make_token

USAGE, DATA, NO_INPUT, REFUSED, IO_ERROR, NOT_PERMITTED = 64, 65, 66, 73, 74, 77


class ReceiptCase(SendCase):
    def setUp(self):
        super().setUp()
        self.identity = self.folder / "identity"
        self.key = fingerprint(self.identity)
        self.receipts = self.folder / "receipts"

    def serve(self, *options, **keywords):
        return super().serve("--identity", str(self.identity), *options, **keywords)

    def kept(self):
        """The paths of all that is in the folder of the receipts, relative to it."""
        found = set()
        for folder, _, files in os.walk(os.fsencode(self.receipts)):
            found |= {os.path.relpath(os.path.join(folder, name), os.fsencode(self.receipts)) for name in files}
        return found

    def receipt(self, name):
        """The statement that is kept for a file, and its bytes."""
        content = (self.receipts / f"{name}.receipt.json").read_bytes()
        return json.loads(content), content

    def verify(self, *arguments):
        return run("receipt", "verify", *map(os.fsencode, arguments))

    def assert_proves(self, name, content, **expected):
        """The receipt is right: by its own words, by fxfer, and by openssl(1) with the key that the server shows."""
        values, line = self.receipt(name)
        expected = {"path": name, "size": len(content), "server": self.key, "durability": "durable"} | expected
        self.assertEqual({key: values[key] for key in expected}, expected)
        self.assertEqual(values["sha256"], wire.hashlib.sha256(content).hexdigest())
        self.assertRegex(values["time"], r"\A20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z\Z")
        self.assertEqual(line, json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n")
        path = self.receipts / f"{name}.receipt.json"
        result = self.verify("--server-key", self.key, path)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        level = f"{values['time']}, {values['durability']}"
        self.assertEqual(result.stdout, f"{name}: {len(content)} bytes, {values['sha256']}, {level}\n")
        public = self.folder / "public.pem"
        public.write_bytes(openssl("pkey", "-in", self.identity / "identity.pem", "-pubout"))
        self.assertEqual(run("identity", "--identity", str(self.identity), "--public-key").stdout, public.read_text())
        signature = self.receipts / f"{name}.receipt.sig"
        self.assertEqual(openssl("dgst", "-sha256", "-verify", public, "-signature", signature, path), b"Verified OK\n")


class KeepTest(ReceiptCase):
    def test_same_machine(self):
        """A file of any size gets its receipt, durable before its line is printed."""
        server = self.serve()
        for size in (0, 1, 3 << 20):
            content = os.urandom(size)
            source = self.file(f"f{size}", content)
            line = self.assert_sent("--receipts", self.receipts, source, server.address)
            self.assertEqual(line, f"{sha256(source)}  f{size}\n".encode())
            self.assert_proves(f"f{size}", content, outcome="stored")
        self.assertEqual(len(self.kept()), 6)

    def test_over_tls(self):
        """The same over TLS, with a token, and with everyone let in."""
        tokens, _ = make_token(self)
        for number, (options, of_client) in enumerate(
            [(["--token-file", tokens], ["--token-file", tokens]), (["--open"], [])]
        ):
            server = self.serve(*map(str, options), directory=self.folder / f"out{number}")
            content = os.urandom(2 << 20)
            source = self.file("f", content)
            arguments = ["--receipts", self.receipts, "--server-key", self.key, *of_client, source, server.address]
            self.assert_sent(*arguments)
            self.assert_proves("f", content)

    def test_own_certificate(self):
        """With --cert and --key that key signs."""
        signer = Signer(self.folder)
        server = SendCase.serve(self, "--cert", str(signer.certificate()), "--key", str(signer.file))
        key = key_fingerprint(signer.key)
        self.assert_sent("--receipts", self.receipts, "--server-key", key, self.file("f"), server.address)
        self.assertEqual(self.receipt("f")[0]["server"], key)
        self.assertEqual(self.verify("--server-key", key, self.receipts / "f.receipt.json").returncode, 0)

    def test_again(self):
        """What is there already gets a receipt that says so, in place of the old one."""
        server = self.serve("--on-conflict", "keep-both")
        source = self.file("f", b"one")
        self.assert_sent("--receipts", self.receipts, source, server.address)
        result = run("send", "--receipts", str(self.receipts), str(source), server.address)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_proves("f", b"one", outcome="identical")
        source.write_bytes(b"two")
        self.assertEqual(run("send", "--receipts", str(self.receipts), str(source), server.address).returncode, 0)
        self.assert_proves("f.1", b"two", outcome="stored")
        self.assert_proves("f", b"one", outcome="identical")
        self.assertEqual(len(self.kept()), 4)

    def test_replaced(self):
        server = self.serve("--on-conflict", "replace")
        source = self.file("f", b"one")
        self.assert_sent("--receipts", self.receipts, source, server.address)
        source.write_bytes(b"two")
        self.assert_sent("--receipts", self.receipts, source, server.address)
        self.assert_proves("f", b"two", outcome="replaced")

    def test_tree(self):
        """Each file of a folder gets one below the same folders; the folders get none."""
        server = self.serve()
        for number in range(300):
            self.file(f"tree/{number % 7}/{number}", b"%d" % number)
        (self.folder / "tree/empty").mkdir()
        result = run("send", "--receipts", str(self.receipts), str(self.folder / "tree"), server.address)
        self.assertEqual(result.returncode, 0, result.stderr)
        names = {name.removesuffix(b".receipt.json") for name in self.kept() if name.endswith(b".json")}
        self.assertEqual(names, set(server.published()))
        self.assertEqual(len(self.kept()), 600)
        self.assert_proves("tree/3/24", b"24")
        files = sorted(self.receipts.rglob("*.json"))
        self.assertEqual(self.verify("--server-key", self.key, *files).stdout.count("\n"), 300)

    def test_quick(self):
        """What is found unchanged by size and time alone gets none: nothing was read."""
        server = self.serve()
        source = self.file("tree/f")
        self.assertEqual(run("send", str(source.parent), server.address).returncode, 0)
        arguments = ["--receipts", str(self.receipts), "--compare", "quick", str(source.parent), server.address]
        self.assertEqual(run("send", *arguments).returncode, 0)
        self.assertEqual(self.kept(), set())

    def test_names(self):
        """Names are ASCII in a receipt, whatever their bytes are, and can be turned back into them."""
        server = self.serve()
        for name, text in [
            (b"a b", "a b"),
            ("ä".encode(), r"\xc3\xa4"),
            (b"\xff\xfe", r"\xff\xfe"),
            (b'quote"back\\slash', 'quote"back\\\\slash'),
            ("\u202ertl\u200b".encode(), r"\xe2\x80\xaertl\xe2\x80\x8b"),
        ]:
            with self.subTest(name):
                source = os.fsencode(self.folder) + b"/" + name
                with open(source, "wb") as file:
                    file.write(name)
                self.assert_sent("--receipts", self.receipts, source, server.address)
                path = os.fsencode(self.receipts) + b"/" + name + b".receipt.json"
                with open(path, "rb") as file:
                    self.assertEqual(json.load(file)["path"], text)
                result = self.verify("--server-key", self.key, path)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                # For a person, text of any language is shown as it is.
                shown = "\u00e4" if name == "\u00e4".encode() else text
                self.assertTrue(result.stdout.startswith(f"{shown}: {len(name)} bytes, "), result.stdout)

    def test_long_names(self):
        """Names that leave no room for an ending are cut at a character, and marked by the whole one's SHA-256."""
        server = self.serve()
        for name, kept in [("a" * 242, 242), ("b" * 243, 209), ("c" * 255, 209), ("d" + "\u00e4" * 127, 209), ("\u3042" * 85, 207)]:
            with self.subTest(name):
                self.assert_sent("--receipts", self.receipts, self.file(name), f"{server.address}/folder")
                whole = name.encode()
                mark = wire.hashlib.sha256(whole).hexdigest()[:32].encode()
                short = b"folder/" + (whole if kept == len(whole) else whole[:kept] + b"~" + mark)
                self.assertLessEqual({short + b".receipt.json", short + b".receipt.sig"}, self.kept())
                path = os.fsencode(self.receipts) + b"/" + short + b".receipt.json"
                result = self.verify("--server-key", self.key, path)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                with open(path, "rb") as file:
                    self.assertEqual(json.load(file)["path"], escape(b"folder/" + whole))
        self.assertEqual(len(self.kept()), 10)

    def test_more_folders_than_descriptors(self):
        """A tree of more folders than a process may open gets a receipt for each file."""
        server = self.serve()
        for number in range(400):
            self.file(f"tree/{number}/deeper/f", b"%d" % number)
        arguments = ["send", "--receipts", str(self.receipts), str(self.folder / "tree"), server.address]
        result = run(*arguments, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)))
        self.assertEqual(result.returncode, 0, result.stderr[-1000:])
        self.assertEqual(len(self.kept()), 800)
        self.assert_proves("tree/399/deeper/f", b"399")

    def test_leftovers(self):
        """What a killed client has left is removed when it has become old; whatever else is there stays."""
        server = self.serve()
        old, new = (self.receipts / "d" / f".fxfer-{digit * 32}.new" for digit in "0f")
        others = [self.receipts / "d" / name for name in (".fxfer-0.new", f".fxfer-{'0' * 32}.old")]
        old.parent.mkdir(parents=True)
        for path in (old, new, *others):
            path.write_bytes(b"left")
        for path in (old, *others):
            os.utime(path, (1, 1))
        self.assert_sent("--receipts", self.receipts, self.file("f"), f"{server.address}/d")
        self.assertEqual({path.name for path in (new, *others)} | {"f.receipt.json", "f.receipt.sig"}, set(os.listdir(old.parent)))

    def test_name_with_line_feed(self):
        """A name that the server refuses gets no receipt; the folder of the receipts may have any name."""
        server = self.serve()
        source = os.fsencode(self.folder) + b"/a\nb"
        with open(source, "wb") as file:
            file.write(b"content")
        self.receipts = self.folder / "line\nfeed"
        result = run("send", "--receipts", str(self.receipts), source, server.address)
        self.assertIn(result.returncode, (USAGE, REFUSED))
        self.assertEqual(self.kept(), set())
        self.assert_sent("--receipts", self.receipts, self.file("f"), server.address)
        self.assert_proves("f", b"content\n")

    def test_second_implementation(self):
        """A client that was written from the specification alone gets a signed receipt, where it asks for one."""
        server = self.serve()
        source = self.file("f", os.urandom(100_000))
        for capabilities in (0, wire.RECEIPTS):
            with wire.connect(server.port).greet(capabilities=capabilities) as connection, open(source, "rb") as file:
                name = b"f%d" % capabilities
                receipt = wire.upload(connection, name, file, {"size": 100_000})
                if not capabilities:
                    self.assertEqual((connection.terms.fields, receipt.fields), ({}, {}))
                    continue
                key, stored = connection.terms.fields[wire.RECEIPT_KEY], receipt.fields[wire.STORED_ENTRY]
                line = statement(key, name, receipt.size, receipt.digest, receipt.outcome, stored)
                public, signature = self.file("key.der", key), self.file("sig", receipt.fields[wire.SIGNATURE])
                arguments = ["-keyform", "DER", "-verify", public, "-signature", signature]
                self.assertEqual(openssl("dgst", "-sha256", *arguments, given=line), b"Verified OK\n")
                self.assertEqual(key_fingerprint(key), self.key)


class NoReceiptTest(ReceiptCase):
    def test_server_that_cannot_sign(self):
        """By a key that is not on P-256 nothing is signed: the client says so and sends nothing; without it, it sends."""
        for curve in (None, "P-384"):
            with self.subTest(curve):
                signer = Signer(self.folder, "other", curve)
                server = SendCase.serve(self, "--cert", str(signer.certificate()), "--key", str(signer.file))
                source = self.file("f")
                self.assert_fails(
                    NOT_PERMITTED,
                    *("--receipts", self.receipts, source, server.address),
                    naming=["signs no receipts", "nothing was sent"],
                )
                self.assert_nothing_stored(server)
                self.assertEqual(self.kept(), set())
                self.assert_sent(source, server.address)
                self.stop(server)
                (server.directory / "f").unlink()

    def test_folder_that_cannot_be(self):
        """Where the receipts cannot be kept at all, nothing is sent."""
        server = self.serve()
        blocked = self.file("blocked", b"old")
        for place in (blocked, blocked / "below"):
            self.assert_fails(IO_ERROR, "--receipts", place, self.file("f"), server.address, naming=["blocked"])
        self.assert_nothing_stored(server)
        self.assertEqual(blocked.read_bytes(), b"old")

    def test_links_are_not_followed(self):
        """A link that was planted below the folder is no way out of it; the file is stored, and the failure is told."""
        server = self.serve()
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        self.receipts.mkdir()
        (self.receipts / "d").symlink_to(elsewhere)
        source = self.file("f")
        naming = ["'d/f'", "receipt", "symbolic link"]
        self.assert_fails(IO_ERROR, "--receipts", self.receipts, source, f"{server.address}/d", naming=naming)
        self.assertEqual(os.listdir(elsewhere), [])
        self.assertEqual(server.published(), {b"d/f": sha256(source)})
        victim = self.file("victim", b"old")
        for ending in ("json", "sig"):
            (self.receipts / f"f.receipt.{ending}").symlink_to(victim)
        self.assert_sent("--receipts", self.receipts, source, server.address)
        self.assertEqual(victim.read_bytes(), b"old")
        self.assert_proves("f", b"content\n")

    def test_one_of_several(self):
        """A receipt that cannot be written is the failure of its file alone; the others have theirs."""
        server = self.serve()
        (self.receipts / "b.receipt.json").mkdir(parents=True)
        sources = [self.file(name) for name in ("a", "b", "d")]
        result = run("send", "--receipts", str(self.receipts), *map(str, sources), server.address)
        self.assertEqual(result.returncode, IO_ERROR)
        self.assertEqual(sorted(re.findall(r"  (\w+)\n", result.stdout)), ["a", "d"])
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertIn("'b'", result.stderr)
        self.assertEqual(len(server.published()), 3)
        for name in ("a", "d"):
            self.assert_proves(name, b"content\n")
        self.assertEqual([name for name in self.kept() if b".fxfer" in name], [])


class FaultTest(ReceiptCase):
    def fails_at(self, fault):
        """Whether the fault was met; then the file is stored, the failure is told, and the old receipt is as it was."""
        server = self.serve(directory=self.folder / "out")
        source = self.file("f", os.urandom(100))
        trace = self.folder / "trace"
        wrapper = [*injected(fault), "-o", str(trace), "--trace=fsync,renameat,pwrite64,openat2"]
        result = run("send", "--receipts", str(self.receipts), str(source), server.address, wrapper=wrapper)
        self.stop(server)
        (server.directory / "f").unlink()
        if "(INJECTED)" not in trace.read_text():
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            return False
        self.assertEqual((result.returncode, result.stdout), (IO_ERROR, ""), result.stderr)
        self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")
        return True

    def test_each_call(self):
        """Whichever call for a receipt fails, status 74 says so, no line claims it, and nothing is left beside."""
        self.assert_sent("--receipts", self.receipts, self.file("f", b"old"), (server := self.serve()).address)
        self.stop(server)
        (server.directory / "f").unlink()
        # Counted by thread. The first fsync of the first one is for the receipts' folder, before anything is sent; the
        # third of the one that writes is for the folder, behind the names.
        for call, error, numbers in [("pwrite64", "ENOSPC", (1, 2)), ("fsync", "EIO", (2,)), ("renameat", "EIO", (1,))]:
            for number in numbers:
                with self.subTest(call, number=number):
                    self.assertTrue(self.fails_at(f"{call}:error={error}:when={number}"))
                    self.assert_proves("f", b"old")
                    self.assertEqual(self.kept(), {b"f.receipt.json", b"f.receipt.sig"})

    def test_order(self):
        """Both files are durable before they get their names, their folder after that, and then the line is printed."""
        server = self.serve()
        trace = self.folder / "trace"
        wrapper = ["strace", "-f", "-y", "-o", str(trace), "--trace=fsync,renameat,write"]
        injected()
        out = self.folder / "stdout"
        with open(out, "wb") as stdout:
            command = [*wrapper, FXFER, "send", "--receipts", self.receipts, self.file("f"), server.address]
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=stdout, check=True, timeout=PATIENCE)
        text = trace.read_text()
        calls = [call for call in re.findall(r"(?:fsync|renameat|write)\(.*", text) if "receipts" in call or str(out) in call]
        # The folder's name is made durable before anything is sent, the folder itself last.
        kinds = [
            "file" if ".new>" in call else "name" if call.startswith("renameat") else "line" if str(out) in call else "folder"
            for call in calls
        ]
        self.assertEqual(kinds[-6:], ["file", "file", "name", "name", "folder", "line"], calls)


class VerifyTest(ReceiptCase):
    def setUp(self):
        super().setUp()
        server = self.serve()
        self.assert_sent("--receipts", self.receipts, self.file("f"), server.address)
        self.json, self.signature = (self.receipts / f"f.receipt.{ending}" for ending in ("json", "sig"))

    def assert_refused(self, status, *arguments, naming=()):
        result = self.verify(*arguments)
        self.assertEqual((result.returncode, result.stdout), (status, ""), result.stderr)
        self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")
        for text in naming:
            self.assertIn(text, result.stderr)

    def test_any_key(self):
        """Without --server-key the key that signed is named, as one that nobody has vouched for."""
        result = self.verify(self.json)
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr, rf"\Afxfer: only the receipt's own key was checked, {re.escape(self.key)}.*\n\Z")

    def test_changed_bytes(self):
        generator = random.Random(7)
        for path in (self.json, self.signature):
            whole = path.read_bytes()
            for index in generator.sample(range(len(whole)), 40):
                changed = bytearray(whole)
                changed[index] ^= 1 << generator.randrange(8)
                path.write_bytes(changed)
                with self.subTest(path.name, index=index, byte=changed[index]):
                    self.assert_refused(DATA, self.json, naming=["f.receipt.json"])
            for other in (b"", whole[:-1], whole + b"\n", whole * 2):
                path.write_bytes(other)
                with self.subTest(path.name, length=len(other)):
                    self.assert_refused(DATA, self.json)
            path.write_bytes(whole)
        self.assertEqual(self.verify("--server-key", self.key, self.json).returncode, 0)

    def test_other_key(self):
        other = fingerprint(self.folder / "other")
        self.assert_refused(DATA, "--server-key", other, self.json, naming=[self.key, other])
        self.assert_refused(USAGE, "--server-key", "nonsense", self.json)

    def test_other_kinds_of_keys(self):
        """A receipt that names a key of RSA or P-384, and is signed by it, is none; one on P-256 is."""
        for curve, status in ((None, DATA), ("P-384", DATA), ("P-256", 0)):
            signer = Signer(self.folder, "other", curve)
            line = statement(signer.key, b"f", 8, wire.hashlib.sha256(b"content\n").digest())
            self.json.write_bytes(line)
            self.signature.write_bytes(signer.sign(line))
            with self.subTest(curve):
                self.assertEqual(self.verify(self.json).returncode, status)

    def test_missing(self):
        self.assert_refused(NO_INPUT, self.receipts / "g.receipt.json", naming=["g.receipt.json"])
        self.signature.unlink()
        self.assert_refused(NO_INPUT, self.json, naming=["f.receipt.sig"])
        self.assert_refused(USAGE, self.folder / "f")

    def test_several(self):
        """Each is named, right or not; the status is that of the first failure."""
        missing = self.receipts / "g.receipt.json"
        result = self.verify("--server-key", self.key, missing, self.json, self.folder / "f")
        self.assertEqual((result.returncode, result.stdout.count("\n"), result.stderr.count("\n")), (NO_INPUT, 1, 2))

    def test_json(self):
        values, _ = self.receipt("f")
        result = self.verify("--json", "--server-key", self.key, self.json, self.receipts / "g.receipt.json")
        good, bad = (json.loads(line) for line in result.stdout.splitlines())
        self.assertEqual(
            good,
            {
                **{"event": "receipt", "file": str(self.json), "name": "f", "key": self.key, "isKeyKnown": True},
                **{key: values[key] for key in ("size", "sha256", "time", "durability", "entry", "outcome")},
            },
        )
        self.assertEqual((bad["event"], bad["code"], bad["status"]), ("error", "no-input", NO_INPUT))


if __name__ == "__main__":
    import unittest

    unittest.main()
