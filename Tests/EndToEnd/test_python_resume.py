"""A client written from the specification alone goes on where an earlier try was broken off, in both directions."""

import io
import os
import random
import socket
import subprocess
import sys
import unittest

import wire
from abuse import ReadServer, reset
from relay import DOWN, PAYLOAD, UP, Fault
from resuming import MIB, ResumeCase
from support import PATIENCE, ROOT, run, sha256
from waiting import eventually

SIZE = 7 * MIB + 321
PROGRAM = str(ROOT / "Tests/EndToEnd/wire.py")


class PythonCase(ResumeCase):
    def python(self, *arguments):
        """Runs `wire.py`; answers status, stdout and stderr."""
        command = [sys.executable, PROGRAM, *map(str, arguments)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        return result.returncode, result.stdout, result.stderr

    def connect(self, **greeting):
        connection = wire.connect(self.server.port, timeout=PATIENCE)
        self.addCleanup(connection.socket.close)
        return connection.greet(**greeting)

    def upload(self, source, **attributes):
        """An upload that is offered and accepted."""
        file = open(source, "rb")
        self.addCleanup(file.close)
        attributes.setdefault("size", source.stat().st_size)
        one = wire.Upload(self.connect(), os.fsencode(source.name), file, attributes)
        return one


class PythonUploadTest(PythonCase):
    def test_what_python_broke_off_it_goes_on_with(self):
        source = self.noise("source", SIZE)
        relay = self.relay(Fault(UP, PAYLOAD, 3 * MIB + 5))
        self.assertEqual(self.python(source, relay.address)[:2], (1, ""))
        self.assert_left({"source": 3 * MIB})
        self.assertEqual(self.server.published(), {})
        again = self.relay()
        self.assertEqual(self.python(source, again.address), (0, f"{sha256(source)}  source\n", ""))
        self.assertEqual(again.payload, SIZE - 3 * MIB)
        self.assert_only({"source": source})

    def test_what_python_broke_off_fxfer_goes_on_with(self):
        source = self.noise("source", SIZE)
        relay = self.relay(Fault(UP, PAYLOAD, 2 * MIB))
        self.assertEqual(self.python(source, relay.address)[0], 1)
        self.assertEqual(self.server.published(), {})
        offset, _ = self.send_again(source)
        # The second chunk's payload had arrived, not its digest.
        self.assertEqual(offset, MIB)
        self.assert_only({"source": source})

    def test_what_fxfer_broke_off_python_goes_on_with(self):
        source = self.noise("source", SIZE)
        self.interrupt(source, 5 * MIB + 1)
        self.assert_left({"source": 5 * MIB})
        relay = self.relay()
        self.assertEqual(self.python(source, relay.address), (0, f"{sha256(source)}  source\n", ""))
        self.assertEqual(relay.payload, SIZE - 5 * MIB)
        self.assert_only({"source": source})

    def test_python_does_not_go_on_with_another_files_prefix(self):
        source = self.noise("source", SIZE)
        self.interrupt(source, 5 * MIB + 1)
        other = self.noise("source", SIZE, seed="other")
        self.assert_left({"source": 5 * MIB})
        relay = self.relay()
        self.assertEqual(self.python(other, relay.address), (0, f"{sha256(other)}  source\n", ""))
        self.assertEqual(relay.payload, SIZE)
        self.assert_only({"source": other})

    def test_a_file_of_any_size_in_any_chunks_goes_on(self):
        """Whatever the chunks were that were verified, the next try may use others."""
        content, left = random.Random(1).randbytes(SIZE), {}
        for number, (first, second) in enumerate([(1 << 16, 1 << 24), (1 << 24, 1 << 16), (100_000, 1 << 20)]):
            with self.subTest(first=first, second=second):
                name = b"file-%d" % number
                one = wire.Upload(self.connect(largest_chunk=first), name, io.BytesIO(content), {"size": SIZE})
                one.offer()
                one.handle(one.connection.expect(wire.ACCEPT))
                while one.offset < min(5 * MIB, SIZE - 1 if first < SIZE else 0):
                    one.step()
                    one.handle(one.connection.expect(wire.CONFIRM))
                one.connection.socket.close()
                left[name.decode()] = one.confirmed
                self.assert_left({name: verified for name, verified in left.items() if verified})
                again = wire.Upload(self.connect(largest_chunk=second), name, io.BytesIO(content), {"size": SIZE})
                wire.upload_all(again.connection, [again])
                # A file of at most one chunk might have been sent without waiting: no prefix is offered.
                self.assertEqual(again.resumed, one.confirmed if second < SIZE else 0)
                self.assertIsNone(again.failure)
                del left[name.decode()]
                self.assertEqual(self.partials(), {})

    def test_a_sender_that_waits_is_offered_the_prefix_of_a_file_of_one_chunk(self):
        content = random.Random(2).randbytes(SIZE)
        one = wire.Upload(self.connect(), b"file", io.BytesIO(content), {"size": SIZE})
        one.offer()
        one.handle(one.connection.expect(wire.ACCEPT))
        one.step()
        one.handle(one.connection.expect(wire.CONFIRM))
        one.connection.socket.close()
        self.assert_left({"file": MIB})
        attributes = {"size": SIZE, "waits": True}
        again = wire.Upload(self.connect(largest_chunk=1 << 24), b"file", io.BytesIO(content), attributes)
        wire.upload_all(again.connection, [again])
        self.assertEqual((again.resumed, again.failure), (MIB, None))


class PythonFlagsTest(PythonCase):
    """Comparison, folders, and the outcomes that a receipt may have."""

    def test_the_same_size_and_time_is_same_and_not_read(self):
        source = self.noise("source", SIZE)
        quick = {"modified": source.stat().st_mtime_ns, "waits": True, "quick": True}
        first = self.upload(source, **quick)
        wire.upload_all(first.connection, [first])
        self.assertTrue(first.receipt and not first.is_same)
        second = self.upload(source, **quick)
        wire.upload_all(second.connection, [second])
        self.assertTrue(second.is_same and not second.receipt)
        quick["modified"] += 1
        third = self.upload(source, **quick)
        wire.upload_all(third.connection, [third])
        self.assertEqual((third.is_same, third.receipt.outcome), (False, wire.IDENTICAL))
        self.assert_only({"source": source})

    def test_a_folder_is_made_and_is_like_that_then(self):
        for outcome in (wire.STORED, wire.IDENTICAL):
            attributes = {"size": 0, "modified": 1_700_000_000 * 10**9, "permissions": 0o750, "folder": True}
            one = wire.Upload(self.connect(), b"a/folder", io.BytesIO(), attributes, eager=True)
            wire.upload_all(one.connection, [one])
            self.assertIsNone(one.failure)
            self.assertEqual(one.receipt.outcome, outcome)
        status = (self.server.directory / "a/folder").stat()
        self.assertEqual((status.st_mode & 0o777, status.st_mtime), (0o750, 1_700_000_000))

    def test_a_new_folder_is_told(self):
        for new_folder in (b"a", None):
            attributes = {"size": 1, "waits": True}
            one = wire.Upload(self.connect(), b"a/b/%d" % bool(new_folder), io.BytesIO(b"x"), attributes)
            wire.upload_all(one.connection, [one])
            self.assertEqual((one.new_folder, one.failure), (new_folder, None))

    def test_a_replaced_file_has_outcome_2_and_a_kept_one_another_name(self):
        for policy, outcome, path in [("replace", wire.REPLACED, b"source"), ("keep-both", wire.STORED, b"source.1")]:
            with self.subTest(policy):
                self.server = self.serve("--on-conflict", policy, directory=self.folder / policy)
                old, new = self.noise("old/source", SIZE), self.noise("new/source", SIZE)
                for source in (old, new):
                    one = self.upload(source)
                    wire.upload_all(one.connection, [one])
                self.assertIsNone(one.failure)
                self.assertEqual((one.receipt.outcome, one.receipt.path), (outcome, path))
                self.assertEqual(self.server.published()[path], sha256(new))


class PythonGetTest(PythonCase):
    options = ("--share",)

    def setUp(self):
        super().setUp()
        self.shared = self.noise("out/folder/shared", SIZE)
        os.utime(self.shared, ns=(0, 1_700_000_000_123_456_789))
        self.shared.chmod(0o640)
        self.output = self.folder / "copy"
        self.part = self.folder / "copy.part"

    def assert_got(self, address):
        result = self.python("--get", "folder/shared", address, self.output)
        self.assertEqual(result, (0, f"{sha256(self.shared)}  {self.output}\n", ""))
        self.assertEqual(sha256(self.output), sha256(self.shared))
        self.assertEqual(self.output.stat().st_mtime_ns, self.shared.stat().st_mtime_ns)
        self.assertEqual(self.output.stat().st_mode, self.shared.stat().st_mode)
        self.assertEqual([name for name in os.listdir(self.folder) if name.startswith("copy")], ["copy"])

    def test_python_gets_files_of_every_size(self):
        for size in (0, 1, MIB, MIB + 1, SIZE):
            with self.subTest(size):
                self.shared = self.noise("out/folder/shared", size)
                self.assert_got(self.server.address)

    def test_what_python_did_not_get_it_goes_on_with(self):
        relay = self.relay(Fault(DOWN, PAYLOAD, 4 * MIB + 7))
        self.assertEqual(self.python("--get", "folder/shared", relay.address, self.output)[:2], (1, ""))
        self.assertFalse(self.output.exists())
        self.assertTrue(self.part.exists())
        again = self.relay()
        self.assert_got(again.address)
        self.assertEqual(again.passages[0].payload[DOWN], SIZE - 4 * MIB)

    def test_a_file_that_was_changed_meanwhile_is_got_from_its_start(self):
        relay = self.relay(Fault(DOWN, PAYLOAD, 4 * MIB + 7))
        self.python("--get", "folder/shared", relay.address, self.output)
        for size in (SIZE, SIZE - 1, 2 * MIB):
            self.shared = self.noise("out/folder/shared", size, seed="changed")
            again = self.relay(Fault(DOWN, PAYLOAD, MIB + 1))
            self.assertEqual(self.python("--get", "folder/shared", again.address, self.output)[0], 1)
            self.assertEqual(again.passages[0].payload[DOWN], MIB + 1)
            self.assertFalse(self.output.exists())
        self.assert_got(self.server.address)

    def test_a_partial_that_was_altered_is_not_spliced(self):
        relay = self.relay(Fault(DOWN, PAYLOAD, 4 * MIB + 7))
        self.python("--get", "folder/shared", relay.address, self.output)
        with open(self.part, "r+b") as file:
            file.seek(MIB)
            file.write(b"altered")
        again = self.relay()
        self.assert_got(again.address)
        self.assertEqual(again.passages[0].payload[DOWN], SIZE)

    def test_what_python_broke_off_does_not_disturb_fxfer_get(self):
        relay = self.relay(Fault(DOWN, PAYLOAD, 4 * MIB + 7))
        self.python("--get", "folder/shared", relay.address, self.output)
        result = run("get", f"{self.server.address}/folder/shared", "--output", str(self.output))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(sha256(self.output), sha256(self.shared))

    def test_what_is_not_there_or_a_folder_is_not_got(self):
        before = os.listdir(self.folder)
        for name, code in [("missing", 39), ("folder", 41), ("folder/shared/x", 39), ("../copy", 32), ("", 32)]:
            with self.subTest(name):
                status, stdout, stderr = self.python("--get", name, self.server.address, self.output)
                self.assertEqual((status, stdout), (1, ""))
                self.assertIn(f"code {code}", stderr)
        self.assertEqual(os.listdir(self.folder), before)

    def test_a_damaged_chunk_is_asked_for_again(self):
        class Damaged(wire.Download):
            damage = {2 * MIB: 3, SIZE // MIB * MIB: 1}

            def take_chunk(self, frame):
                # Only where it is looked at: what is in flight behind a damaged chunk is thrown away unread.
                if frame.offset == getattr(self, "verified", None) and self.damage.get(frame.offset, 0):
                    self.damage[frame.offset] -= 1
                    frame.payload = b"?" + frame.payload[1:]
                super().take_chunk(frame)

        one = Damaged(self.connect(capabilities=wire.SHARE), b"folder/shared", self.output)
        one.run()
        self.assertEqual(one.repairs, 4)
        self.assertEqual(sha256(self.output), sha256(self.shared))

    def test_a_client_that_goes_away_in_the_middle_leaves_nothing_behind(self):
        """However it ends, and whether or not all was sent already: its connection and the file are closed, and the
        server ends when it is told to."""
        ends = {
            "half-closed": lambda stream: stream.shutdown(socket.SHUT_WR),
            "closed": lambda stream: stream.close(),
            "reset": reset,
        }
        for title, end in ends.items():
            for chunks in (0, 1, SIZE // MIB + 1):
                with self.subTest(title, chunks=chunks):
                    server = ReadServer(self.server.directory, "--share")
                    self.addCleanup(server.wait)
                    self.addCleanup(server.process.kill)
                    descriptors = server.descriptors()
                    connection = wire.connect(server.port).greet(capabilities=wire.SHARE)
                    connection.send(wire.encode(wire.GET, id=1, path=b"folder/shared"))
                    connection.expect(wire.OFFER)
                    nothing = wire.hashlib.sha256().digest()
                    connection.send(wire.encode(wire.ACCEPT, id=1, offset=0, digest=nothing))
                    for _ in range(chunks):
                        connection.expect(wire.CHUNK)
                    end(connection.socket)
                    self.addCleanup(connection.socket.close)
                    eventually(lambda: server.descriptors() <= descriptors, "the descriptors are back", patience=30)
                    server.process.terminate()
                    self.assertEqual(server.process.wait(30), 0)

    def test_a_server_that_does_not_share_is_named(self):
        server = self.serve(directory=self.folder / "private")
        for arguments in (["--get", "x", server.address, self.output], ["--list", server.address]):
            status, stdout, stderr = self.python(*arguments)
            self.assertEqual((status, stdout), (1, ""))
            self.assertIn("does not share", stderr)

    def test_a_folder_is_listed(self):
        (self.server.directory / "link").symlink_to("folder")
        for name in (b"b", b"\xff", b"a"):
            with open(os.path.join(os.fsencode(self.server.directory), name), "wb") as file:
                file.write(name)
        status, stdout, stderr = self.python("--list", self.server.address)
        self.assertEqual((status, stderr), (0, ""))
        names = [text.split()[-1] for text in stdout.splitlines()]
        self.assertEqual(names, ["a", "b", "folder", "\\udcff"])
        status, stdout, _ = self.python("--list", self.server.address, "folder")
        self.assertEqual(stdout, f"-rw-r----- {SIZE:>14} 1700000000 shared\n")
        status, stdout, stderr = self.python("--list", self.server.address, "missing")
        self.assertEqual((status, stdout), (1, ""))
        self.assertIn("code 39", stderr)


if __name__ == "__main__":
    unittest.main()
