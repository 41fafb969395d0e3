"""`fxfer serve --store`: who has a name when uploads meet, and what arrives late: nobody has a receipt for what is not there."""

import os
import signal

from buckets import MIB, BucketCase
from fake_store import FakeStore, Fault, Hold, Late, Refusal, vanish
from support import PATIENCE, run
from waiting import eventually

EXISTS, TRY_AGAIN = 73, 75
COMPLETION = ("POST", r"^f\?uploadId")


class BucketClaimTest(BucketCase):
    def setUp(self):
        super().setUp()
        self.large = self.file("large", os.urandom(6 * MIB))
        self.small = self.file("small", os.urandom(1000))

    def start(self, source, node):
        return self.sending("--retries", "0", "--as", "f", source, node.address)

    def send(self, source, node):
        return run("send", "--retries", "0", "--as", "f", os.fspath(source), node.address)

    def nodes(self, store):
        return [self.node("s3://files", store.endpoint) for _ in range(2)]

    def hold(self, store, method, what):
        """Holds the next request of that kind; lets it go at the end of the test in any case."""
        hold = Hold()
        self.addCleanup(hold.released.set)
        store.faults.append(Fault(method, what, hold, times=1))
        return hold

    def assert_reached(self, hold):
        self.assertTrue(hold.reached.wait(PATIENCE), "nobody has asked for that")

    def start_completing(self, store, node):
        """Sends the large file; answers the client, and what holds the completion of its upload."""
        completion = self.hold(store, *COMPLETION)
        client = self.start(self.large, node)
        self.assert_reached(completion)
        return client, completion

    def assert_is_large(self, store):
        self.assertEqual(store.published(), {b"f": self.large.read_bytes()})
        self.assertEqual(len(store.own("ledger")), 1)
        self.assertEqual((store.own("uploads"), store.own("tails"), store.uploads), ([], [], {}))

    def test_a_small_file_that_comes_between_look_and_completion_is_not_taken_for_stored(self):
        with FakeStore() as store:
            first, second = self.nodes(store)
            large, completion = self.start_completing(store, first)
            look = self.hold(store, "GET", r"^\.fxfer/claims/")
            small = self.start(self.small, second)
            self.assert_reached(look)
            self.assertEqual(store.published(), {b"f": self.small.read_bytes()})
            completion.released.set()
            status, errors = large.wait()
            self.assertEqual(status, 0, errors)
            # Only now does the small one's node see the claim, which is done.
            look.released.set()
            self.assertEqual(small.wait()[0], EXISTS)
            self.assert_is_large(store)

    def test_what_is_about_to_be_overwritten_is_not_said_to_be_there(self):
        with FakeStore() as store:
            first, second = self.nodes(store)
            large, completion = self.start_completing(store, first)
            clients = [self.start(self.small, second)]
            eventually(lambda: store.published() != {}, "the small file is there")
            # The same content once more, and over another connection of the same node.
            clients += [self.start(self.small, node) for node in (first, second)]
            eventually(lambda: self.count(store, "GET", r"^f\?$") >= 2, "they have read what is there")
            completion.released.set()
            self.assertEqual(large.wait()[0], 0)
            self.assertEqual([client.wait()[0] for client in clients], [EXISTS] * 3)
            self.assert_is_large(store)

    @staticmethod
    def count(store, method, what):
        with store.lock:
            return sum(Fault(method, what, None).fits(*request) is not None for request in store.requests
                       if request[0] == method)

    def test_a_completion_that_was_given_up_and_comes_later_harms_nobody(self):
        for source in (self.small, self.file("other", os.urandom(6 * MIB + 5))):
            with self.subTest(source.name), FakeStore() as store:
                first, second = self.nodes(store)
                late = Late()
                store.faults += [Fault(*COMPLETION, late, times=1), Fault(*COMPLETION, vanish)]
                result = self.send(self.large, first)
                self.assertEqual(result.returncode, TRY_AGAIN, result.stderr)
                self.assertEqual(store.published(), {})
                store.faults.clear()
                # Nobody can tell whether it will be carried out: so it is, and the name is taken.
                self.assertEqual(self.send(source, second).returncode, EXISTS)
                with self.assertRaises(Refusal):
                    late.arrive()
                self.assertEqual(store.published(), {b"f": self.large.read_bytes()})
                again = self.send(self.large, second)
                self.assertEqual(again.returncode, 0, again.stderr)
                self.assertEqual(store.published(), {b"f": self.large.read_bytes()})

    def test_an_upload_is_not_given_up_by_others_while_it_is_being_completed(self):
        with FakeStore() as store:
            first, second = self.nodes(store)
            large, completion = self.start_completing(store, first)
            written = self.count(store, "PUT", r"^\.fxfer/uploads/")
            other = self.start(self.file("other", os.urandom(7 * MIB)), second)
            # Its owner is silent, so it is taken over, at the second request; and found to be claimed.
            eventually(lambda: self.count(store, "PUT", r"^\.fxfer/uploads/") > written + 1, "it is taken over")
            completion.released.set()
            self.assertEqual(large.wait()[0], 0)
            self.assertEqual(other.wait()[0], EXISTS)
            self.assertEqual(self.count(store, "DELETE", "uploadId"), 0)
            self.assertEqual(store.published(), {b"f": self.large.read_bytes()})

    def test_who_offers_what_another_goes_on_with_is_told_so_soon(self):
        """Also where nothing new is written down of it for long, but that it goes on."""
        with FakeStore() as store:
            first, second = self.nodes(store)
            part = self.hold(store, "PUT", r"^f\?partNumber=2")
            large = self.start(self.large, first)
            self.assert_reached(part)
            result = self.send(self.file("other", os.urandom(7 * MIB)), second)
            self.assertEqual(result.returncode, TRY_AGAIN, result.stderr)
            self.assertFalse(part.released.is_set())
            part.released.set()
            self.assertEqual(large.wait()[0], 0)
            self.assert_is_large(store)

    def test_who_was_overtaken_has_no_receipt_for_what_the_other_has_made_of_his_parts(self):
        """A node is stopped with one part in the store. Another goes on from that, with another rest."""
        content = self.large.read_bytes()
        other = self.file("other", content[: 5 * MIB + 300_000] + os.urandom(MIB - 300_000))
        os.utime(other, ns=(self.large.stat().st_atime_ns, self.large.stat().st_mtime_ns))
        with FakeStore() as store:
            first, second = self.nodes(store)
            part = self.hold(store, "PUT", r"^f\?partNumber=2")
            stopped = self.start(self.large, first)
            self.assert_reached(part)
            eventually(lambda: store.parts_written() == 1, "one part is written down")
            first.process.send_signal(signal.SIGSTOP)
            self.addCleanup(first.process.send_signal, signal.SIGCONT)
            part.released.set()
            result = run("send", "--as", "f", os.fspath(other), second.address)
            self.assertEqual((result.returncode, result.stderr), (0, "fxfer: 'f' goes on at 5.0 MiB, which is verified\n"))
            first.process.send_signal(signal.SIGCONT)
            self.assertNotEqual(stopped.wait()[0], 0)
            self.assertEqual(store.published(), {b"f": other.read_bytes()})
            self.assertEqual(self.send(self.large, first).returncode, EXISTS)


del BucketCase
