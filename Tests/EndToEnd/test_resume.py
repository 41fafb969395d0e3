"""An upload that breaks goes on from the last verified chunk: by itself, or when the same command is given again."""

import os
import subprocess
import unittest

import wire
from relay import DOWN, PAYLOAD, UP, Fault
from resuming import MIB, RETRY, ResumeCase, events
from sending import Sending
from support import run, sha256
from waiting import eventually

SIZE = 5 * MIB + 77


class BrokenConnectionTest(ResumeCase):
    """The connection breaks once; the same process goes on over another."""

    def send_through(self, *faults, source=None, options=()):
        """A `send --json` through connections with these faults: the client after its end, and the relay."""
        source = source or self.noise("source", SIZE)
        relay = self.relay(*faults)
        client = Sending(*options, os.fspath(source), relay.address)
        self.status, self.errors = client.wait()
        return client, relay

    def assert_goes_on(self, fault, offsets, outcomes=("stored",)):
        """After the fault there is one retry, which goes on at one of `offsets`; the receipt is right."""
        client, relay = self.send_through(fault)
        self.assertEqual(self.status, 0, self.errors)
        (retry,) = events(client, "retry")
        self.assertEqual((retry["attempt"], retry["attempts"], retry["pause"]), (1, 5, 1))
        self.assertIn(SIZE - relay.passages[1].payload[UP], offsets)
        receipt = client.events[-1]
        self.assertEqual((receipt["event"], receipt["sha256"]), ("receipt", sha256(self.folder / "source")))
        self.assertIn(receipt["outcome"], outcomes)
        self.assertEqual(len(events(client, "started")), 1)
        self.assertIn("trying again", self.errors)
        self.assert_only({"source": self.folder / "source"})

    def test_cut_in_a_chunk(self):
        self.assert_goes_on(Fault(UP, PAYLOAD, 3 * MIB + 500_000), [3 * MIB])

    def test_cut_at_the_end_of_a_chunks_payload(self):
        """The digest of the third chunk did not come: it is not verified."""
        self.assert_goes_on(Fault(UP, PAYLOAD, 3 * MIB), [2 * MIB])

    def test_cut_before_the_first_byte_of_a_chunk(self):
        self.assert_goes_on(Fault(UP, wire.CHUNK), [0])

    def test_reset_in_a_chunk(self):
        """With RST the system may throw away what had arrived: it goes on wherever the server had come to."""
        self.assert_goes_on(Fault(UP, PAYLOAD, 4 * MIB + 1, reset=True), [n * MIB for n in range(5)])

    def test_cut_before_accept(self):
        self.assert_goes_on(Fault(DOWN, wire.ACCEPT, before=True), [0])

    def test_cut_before_the_offer(self):
        self.assert_goes_on(Fault(UP, wire.OFFER, before=True), [0])

    def test_cut_after_hello(self):
        self.assert_goes_on(Fault(UP, wire.HELLO), [0])

    def test_cut_before_finish(self):
        self.assert_goes_on(Fault(UP, wire.FINISH, before=True), [SIZE])

    def test_cut_after_finish_before_the_receipt(self):
        """The file is published, and nobody knows: the next try finds it."""
        self.assert_goes_on(Fault(DOWN, wire.RECEIPT, before=True), [SIZE], ["identical"])

    def test_several_cuts_with_progress_between_them_are_no_reason_to_give_up(self):
        """Tries are counted from the last progress: there are more in all than are allowed in a row."""
        faults = [Fault(UP, PAYLOAD, MIB + 100) for _ in range(4)]
        client, relay = self.send_through(*faults, options=["--retries", "1"])
        self.assertEqual(self.status, 0, self.errors)
        self.assertEqual([each["attempt"] for each in events(client, "retry")], [1] * 4)
        self.assertEqual(relay.payload, SIZE + 4 * 100)
        self.assert_only({"source": self.folder / "source"})

    def test_of_several_files_only_what_is_missing_travels_again(self):
        sources = [self.noise(f"file-{n}", SIZE) for n in range(4)]
        relay = self.relay(Fault(UP, PAYLOAD, 2 * SIZE + 3 * MIB + 5))
        client = Sending(*map(os.fspath, sources), relay.address)
        status, errors = client.wait()
        self.assertEqual(status, 0, errors)
        self.assertEqual({each["name"] for each in events(client, "receipt")}, {source.name for source in sources})
        self.assertLessEqual(relay.payload, 4 * SIZE + MIB)
        self.assert_only({source.name: source for source in sources})

    def test_a_file_of_a_mebibyte_or_less_leaves_nothing(self):
        for size, at in [(MIB, MIB - 1), (1000, 500)]:
            source = self.noise(f"file-{size}", size)
            relay = self.relay(Fault(UP, PAYLOAD, at))
            self.assert_fails(RETRY, "--retries", "0", source, relay.address)
            eventually(lambda: not self.leftovers(), "nothing is kept")
            self.assertEqual(self.partials(), {})
        self.assertEqual(self.server.published(), {})

    def test_a_pipe_that_broke_is_stored_whole_or_not_at_all(self):
        """It can go on where all that was read is still in memory; else it fails, and nothing is published."""
        source = self.noise("source", 40 * MIB)
        for name, at in [("early", 100), ("later", 2 * MIB + 5), ("late", 30 * MIB + 5)]:
            with self.subTest(name):
                relay = self.relay(Fault(UP, PAYLOAD, at))
                with subprocess.Popen(["cat", str(source)], stdout=subprocess.PIPE) as cat:
                    result = run("send", "-", "--as", name, relay.address, stdin=cat.stdout)
                    cat.stdout.close()
                if result.returncode == 0:
                    self.assertEqual(result.stdout, f"{sha256(source)}  {name}\n")
                    self.assertEqual(self.server.published(), {name.encode(): sha256(source)})
                    (self.server.directory / name).unlink()
                else:
                    self.assertEqual((result.returncode, result.stdout), (RETRY, ""), result.stderr)
                    self.assertEqual(self.server.published(), {})
                eventually(lambda: not self.leftovers(), "nothing is kept")


class SameCommandAgainTest(ResumeCase):
    def test_it_goes_on_and_only_the_rest_travels(self):
        source = self.noise("source", SIZE)
        self.interrupt(source, 3 * MIB + 5)
        self.assert_left({"source": 3 * MIB})
        offset, receipt = self.send_again(source)
        self.assertEqual((offset, receipt["outcome"], receipt["repairs"]), (3 * MIB, "stored", 0))
        self.assert_only({"source": source})

    def test_it_says_so_each_time(self):
        """On stderr, and with --json in an event between `started` and `receipt`."""
        for number in range(6):
            with self.subTest(number):
                source = self.noise(f"source-{number}", SIZE)
                self.interrupt(source, 3 * MIB + 5)
                self.assert_left({source.name: 3 * MIB})
                client = self.sending(source, self.server.address)
                status, errors = client.wait()
                self.assertEqual(status, 0, errors)
                resumed = {"event": "resumed", "name": source.name, "offset": 3 * MIB}
                self.assertEqual(events(client, "resumed"), [resumed])
                self.assertRegex(errors, r"\Afxfer: [^\n]*3\.0 MiB[^\n]*\n\Z")

    def test_resume_at_the_first_chunk_and_at_the_last_byte(self):
        for size, place in [(5 * MIB, MIB), (2 * MIB + 1, 2 * MIB)]:
            with self.subTest(size=size, place=place):
                source = self.noise(f"{size}-{place}", size)
                relay = self.relay(Fault(UP, PAYLOAD, place + 1, holds=True))
                client = self.sending("--retries", "0", source, relay.address)
                relay.wait_until_held()
                relay.let_go()
                self.assertEqual(client.wait()[0], RETRY)
                self.assert_left({source.name: place})
                self.assertEqual(self.send_again(source)[0], place)
                self.assertEqual(self.leftovers(), [])

    def partials_of(self, source):
        """So many bytes of it are kept; it is not in use any more."""

        def kept():
            verified, in_use = self.partials().get(source.name, (0, True))
            return not in_use and verified

        return eventually(kept, "it is kept")

    def test_permissions_and_time_are_those_of_the_last_try(self):
        source = self.noise("source", SIZE)
        self.interrupt(source, 3 * MIB + 5)
        source.chmod(0o604)
        os.utime(source, ns=(0, 1_600_000_000_123_456_789))
        self.assertEqual(self.send_again(source)[0], 3 * MIB)
        status = (self.server.directory / "source").stat()
        self.assertEqual((status.st_mode & 0o7777, status.st_mtime_ns), (0o604, 1_600_000_000_123_456_789))

    def test_with_a_rate_limit_other_chunks_are_sent_and_it_goes_on_all_the_same(self):
        source = self.noise("source", SIZE)
        self.interrupt(source, 2 * MIB + 5, options=["--limit-rate", "20MiB"])
        verified = self.partials_of(source)
        self.assertGreater(verified, MIB)
        self.assertEqual(self.send_again(source)[0], verified)
        self.assert_only({"source": source})

    def test_another_name_has_nothing_to_go_on_from(self):
        source = self.noise("source", SIZE)
        self.interrupt(source, 3 * MIB + 5)
        self.assertEqual(self.send_again(source, name="other")[0], 0)
        self.assert_left({"source": 3 * MIB})

    def test_a_name_that_was_taken_meanwhile_is_refused(self):
        source = self.noise("source", SIZE)
        self.interrupt(source, 3 * MIB + 5)
        (self.server.directory / "source").write_bytes(b"somebody else's")
        before = self.server.published()
        self.assert_fails(73, source, self.server.address, naming=["source"])
        self.assertEqual(self.server.published(), before)


if __name__ == "__main__":
    unittest.main()
