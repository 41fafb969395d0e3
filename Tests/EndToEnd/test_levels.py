"""`fxfer send --require`: how far the server goes to keep a file before it says that it has it."""

import json
import os
import subprocess

import wire
from fake_server import FakeServer
from scripts import take_all
from sending import SendCase
from support import run, sha256
from test_ledger import entries
from tracing import Trace
from wire import LEVEL_REACHED, LEVELS, OFFER, RECEIPT, PeerError, encode, field

DATA, CANNOT_CREATE, NOT_PERMITTED = 65, 73, 77
MIB = 1 << 20
#: A file of each way of staging: in memory and then without a name; under a name; with a journal beside it.
SIZES = (0, 1000, 200_000, 3 * MIB + 5)
FLUSHES = ("fsync", "fdatasync", "syncfs", "sync_file_range")


class LevelCase(SendCase):
    def send(self, level, *arguments, options=()):
        """Sends at that level; answers the receipts by name."""
        result = run("send", "--json", "--require", level, *options, *map(str, arguments))
        self.assertEqual(result.returncode, 0, result.stderr)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        return {event["name"]: event for event in events if event["event"] == "receipt"}

    def sources(self):
        return [self.file(f"f{size}", os.urandom(size)) for size in SIZES]

    def assert_kept(self, level, receipts, server):
        """Each file is what the receipt says, and receipt and ledger name the level."""
        latest = {entry["path"]: entry for entry in entries(server.directory)}
        self.assertEqual(server.published(), {os.fsencode(name): receipt["sha256"] for name, receipt in receipts.items()})
        for name, receipt in receipts.items():
            self.assertEqual((receipt["durability"], latest[name]["durability"]), (level, level), name)
            self.assertEqual(latest[name]["sha256"], receipt["sha256"])

    def media_server(self, *options):
        """A server on a disk that gives files back, or the test is skipped."""
        server = self.serve(*options)
        probe = self.file("probe")
        result = run("send", "--require", "media", str(probe), server.address)
        if result.returncode == CANNOT_CREATE:
            self.skipTest(f"no disk to read again from: {result.stderr}")
        self.assertEqual(result.returncode, 0, result.stderr)
        (server.directory / "probe").unlink()
        return server


class VerifiedTest(LevelCase):
    def test_nothing_is_flushed(self):
        """Neither for files nor for folders, new ones, those that were there, or those that replace others."""
        server = self.serve("--on-conflict", "replace")
        sources = self.sources()
        (self.folder / "tree" / "below").mkdir(parents=True)
        (self.folder / "tree" / "below" / "leaf").write_bytes(b"leaf")
        with Trace(server.pid, f"--trace={','.join(FLUSHES)}") as trace:
            receipts = self.send("verified", *sources, server.address)
            self.assertEqual({receipt["outcome"] for receipt in receipts.values()}, {"stored"})
            again = self.send("verified", *sources, server.address, options=("--compare", "digest"))
            self.assertEqual({receipt["outcome"] for receipt in again.values()}, {"identical"})
            for source in sources:
                source.write_bytes(os.urandom(source.stat().st_size or 5))
            receipts |= self.send("verified", *sources, server.address)
            self.assertEqual({receipt["outcome"] for receipt in receipts.values()}, {"replaced"})
            self.send("verified", *sources, server.address, options=("--compare", "quick"))
            receipts |= self.send("verified", self.folder / "tree", server.address)
        self.assertEqual([call.text for call in trace.calls], [])
        self.assertEqual(len(receipts), len(SIZES) + 1)
        self.assert_kept("verified", receipts, server)

    def test_told(self):
        """The printed line is as ever; a remark beside it names the level, and with --quiet nothing does."""
        server = self.serve()
        source = self.file("f")
        for options, remark in (((), "fxfer: 'f' is kept at the level 'verified'\n"), (("--quiet",), "")):
            result = run("send", "--require", "verified", *options, str(source), server.address)
            self.assertEqual((result.returncode, result.stdout), (0, f"{sha256(source)}  f\n"))
            self.assertTrue(result.stderr.startswith(remark), result.stderr)
            self.assertEqual("level" in result.stderr, bool(remark))

    def test_more_is_made_of_it_later(self):
        """The ledger gets a new entry where the same file is sent at a higher level, and none at a lower one."""
        server = self.serve()
        source = self.file("f")
        for level, expected in (("verified", 1), ("verified", 1), ("durable", 2), ("durable", 2), ("verified", 2)):
            with Trace(server.pid, "--trace=fsync") as trace:
                receipts = self.send(level, source, server.address, options=("--compare", "digest"))
            self.assertEqual(receipts["f"]["durability"], level)
            self.assertEqual(len(entries(server.directory)), expected)
            self.assertEqual(bool(trace.of("fsync", on=f"<{server.directory}/f>")), level == "durable")

    def test_lines_of_a_server_that_is_killed(self):
        """What was written down without a flush does not stand in the next server's way."""
        server = self.serve()
        self.send("durable", self.file("a"), server.address)
        self.send("verified", self.file("b"), server.address)
        server.process.kill()
        server.wait()
        with self.serve() as again:
            self.send("durable", self.file("c"), again.address)
        levels = [entry["durability"] for entry in entries(server.directory)]
        self.assertEqual(levels, ["durable", "verified", "durable"])


class MediaTest(LevelCase):
    def reads(self, trace, path):
        """The reads of the file after its folder was flushed."""
        flushed = trace.of("fsync", on=f"<{path.parent}>")
        self.assertTrue(flushed, "the folder was not flushed")
        return [call for call in trace.of("pread64", on=f"<{path}>") if call.begin > flushed[0].end]

    def test_read_again(self):
        """All of the file is read, after its folder is durable and before its line is in the ledger."""
        server = self.media_server()
        receipts = {}
        for source in self.sources():
            with Trace(server.pid, "--trace=fsync,pread64,pwrite64,openat2,fadvise64") as trace:
                receipts |= self.send("media", source, server.address)
            stored = server.directory / source.name
            reads = self.reads(trace, stored)
            self.assertEqual(sum(call.result for call in reads), source.stat().st_size)
            (line,) = trace.of("pwrite64", on="ledger.jsonl>")
            self.assertTrue(all(call.end < line.begin for call in reads))
            self.assertTrue(trace.of("fadvise64", on="POSIX_FADV_DONTNEED"))
        self.assert_kept("media", receipts, server)

    def test_what_is_there_already(self):
        """It is read again, too, and the ledger gets a line that says so."""
        server = self.media_server()
        for source in self.sources()[1:]:
            self.send("durable", source, server.address)
            count = len(entries(server.directory))
            for options in (("--compare", "digest"), ("--compare", "quick"), ()):
                with Trace(server.pid, "--trace=fsync,pread64") as trace:
                    receipts = self.send("media", source, server.address, options=options)
                self.assertEqual((receipts[source.name]["outcome"], receipts[source.name]["durability"]), ("identical", "media"))
                reads = self.reads(trace, server.directory / source.name)
                self.assertEqual(sum(call.result for call in reads), source.stat().st_size)
                self.assertEqual([entry["durability"] for entry in entries(server.directory)[count:]], ["media"])

    def test_folders(self):
        server = self.media_server()
        (self.folder / "tree" / "empty").mkdir(parents=True)
        (self.folder / "tree" / "leaf").write_bytes(b"leaf")
        receipts = self.send("media", self.folder / "tree", server.address)
        self.assertTrue((server.directory / "tree" / "empty").is_dir())
        self.assert_kept("media", receipts, server)

    def damage(self, server, name):
        """From now on what the server reads of that file begins with other bytes."""
        path = server.directory / name
        return Trace(server.pid, "--trace=pread64", "--inject=pread64:poke_exit=@arg2=5a5a5a5a5a5a5a5a", "-P", str(path))

    def assert_damaged(self, server, source, before, *options):
        written = len(entries(server.directory))
        with self.damage(server, source.name) as trace:
            self.assert_fails(DATA, "--require", "media", *options, source, server.address, naming=[source.name, "disk"])
        self.assertTrue(trace.calls, "nothing was read again")
        self.assert_nothing_stored(server, before)
        self.assertEqual(len(entries(server.directory)), written)

    def test_another_byte_comes_back(self):
        server = self.media_server()
        for source in self.sources()[1:]:
            self.assert_damaged(server, source, server.published())
        self.assert_serves(server)

    def test_the_replaced_file_comes_back(self):
        server = self.media_server("--on-conflict", "replace")
        for source in self.sources()[1:]:
            (server.directory / source.name).write_bytes(b"old")
            self.assert_damaged(server, source, server.published())
            self.assertEqual((server.directory / source.name).read_bytes(), b"old")

    def test_the_copy_beside_goes(self):
        server = self.media_server("--on-conflict", "keep-both")
        source = self.file("f", b"new")
        (server.directory / "f").write_bytes(b"old")
        before = server.published()
        with self.damage(server, "f.1") as trace:
            self.assert_fails(DATA, "--require", "media", source, server.address, naming=["f.1"])
        self.assertTrue(trace.calls)
        self.assert_nothing_stored(server, before)

    def test_unreadable(self):
        """A disk that does not give the file back at all."""
        server = self.media_server()
        for source in self.sources()[1:]:
            before = server.published()
            path = server.directory / source.name
            with Trace(server.pid, "--trace=pread64", "--inject=pread64:error=EIO", "-P", str(path)) as trace:
                self.assert_fails(74, "--require", "media", source, server.address, naming=[source.name])
            self.assertTrue(trace.calls)
            self.assert_nothing_stored(server, before)

    def test_damaged_file_that_was_there(self):
        """It is the sender's no more than anybody's: it stays, and does not count as stored."""
        server = self.media_server()
        source = self.file("f", os.urandom(1000))
        self.send("durable", source, server.address)
        before = server.published()
        # Compared first: only the last reading is disturbed.
        options = ("--trace=pread64", "--inject=pread64:poke_exit=@arg2=5a5a5a5a5a5a5a5a:when=2+", "-P", str(server.directory / "f"))
        with Trace(server.pid, *options) as trace:
            self.assert_fails(DATA, "--require", "media", "--compare", "digest", source, server.address, naming=["f"])
        self.assertGreater(len(trace.calls), 1)
        self.assert_nothing_stored(server, before)
        self.assertEqual([entry["durability"] for entry in entries(server.directory) if entry["path"] == "f"], ["durable"])


class RefusedTest(LevelCase):
    def test_in_memory(self):
        """A file system without a disk is told when the file is offered; nothing is sent or stored."""
        folder = self.folder / "out"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=64m", "fxfer-test", folder]
        if (mounted := subprocess.run(command, capture_output=True, text=True)).returncode != 0:
            self.skipTest(f"a file system cannot be mounted here: {mounted.stderr}")
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        server = self.serve()
        for source in self.sources():
            line = self.assert_fails(CANNOT_CREATE, "--require", "media", source, server.address, naming=[source.name, "media"])
            self.assertIn("disk", line)
            self.assert_nothing_stored(server)
        self.assertEqual(entries(folder), [])
        self.assert_serves(server)

    def play(self, granted=0, fields=b""):
        """A server that takes the file `f`, if it is offered, and sends RECEIPT with these fields."""
        self.offers = []

        def script(connection):
            connection.welcome(capabilities=granted)
            try:
                self.offers.append(connection.expect(OFFER))
            except PeerError:
                return
            take_all(connection)
            facts = {"path": b"f", "size": 8, "digest": wire.hashlib.sha256(b"content\n").digest()}
            connection.send(encode(RECEIPT, id=1, outcome=0, **facts, fields=fields))
            connection.drain()

        return FakeServer(script)

    def play_to(self, level, **server):
        with self.play(**server) as played:
            return run("send", "--require", level, "--retries", "0", str(self.file("f")), played.address)

    def test_a_server_without_levels(self):
        """It is sent nothing that has to reach the medium; what it does in any case is enough for less."""
        result = self.play_to("media")
        self.assertEqual((result.returncode, result.stdout), (NOT_PERMITTED, ""))
        self.assertRegex(result.stderr, r"\Afxfer: [^\n]*'media'[^\n]*\n\Z")
        self.assertEqual(self.offers, [])
        for level in ("verified", "durable"):
            result = self.play_to(level)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertEqual([offer.fields for offer in self.offers], [{}])

    def test_less_than_required(self):
        """A receipt of a lower level, or of none that is known, does not count."""
        for level, fields, status in [
            ("media", b"", DATA),
            ("media", field(LEVEL_REACHED, b"\2"), DATA),
            ("media", field(LEVEL_REACHED, b"\1"), DATA),
            ("media", field(LEVEL_REACHED, b"\3"), 0),
            ("verified", b"", 0),
            ("verified", field(LEVEL_REACHED, b"\1"), 0),
            ("verified", field(LEVEL_REACHED, b"\0"), 76),
            ("media", field(LEVEL_REACHED, b"\4"), 76),
            ("media", field(LEVEL_REACHED, b""), 76),
            ("media", field(LEVEL_REACHED, b"\3\3"), 76),
        ]:
            with self.subTest(level, fields=fields):
                result = self.play_to(level, granted=LEVELS, fields=fields)
                self.assertEqual(result.returncode, status, result.stderr)
                self.assertEqual(bool(result.stdout), status == 0)
        result = self.play_to("durable", fields=field(LEVEL_REACHED, b"\1"))
        self.assertEqual((result.returncode, result.stdout), (DATA, ""))

    def test_unknown_level_on_the_command_line(self):
        result = run("send", "--require", "paper", str(self.file("f")), "127.0.0.1:1")
        self.assertEqual((result.returncode, result.stdout), (64, ""))


class SignedTest(LevelCase):
    def test_levels_are_signed(self):
        server = self.media_server("--identity", str(self.folder / "identity"))
        for level in ("verified", "durable", "media"):
            source = self.file(f"{level}.bin", os.urandom(100_000))
            receipts = self.folder / "receipts"
            self.send(level, source, server.address, options=("--receipts", str(receipts)))
            path = receipts / f"{source.name}.receipt.json"
            statement = json.loads(path.read_bytes())
            (entry,) = (entry for entry in entries(server.directory) if entry["path"] == source.name)
            self.assertEqual((statement["durability"], entry["durability"]), (level, level))
            self.assertEqual(statement["entry"], entry["hash"])
            result = run("receipt", "verify", str(path))
            self.assertEqual((result.returncode, result.stdout.split(", ")[-1]), (0, f"{level}\n"))


if __name__ == "__main__":
    import unittest

    unittest.main()
