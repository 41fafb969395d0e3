"""`fxfer serve --store`, when the store fails while a file is on its way: nothing is lost, nothing is half there."""

import json
import os
import signal

from buckets import MIB, BucketCase
from fake_store import (
    FakeStore, Fault, Stored, answer, cut, damage, do_and_vanish, endless, flood, hang, vanish, wrong_tag,
)
from support import run

EXISTS, IO, TRY_AGAIN = 73, 74, 75
#: What can become of a request. Whether it may pass: then the sender is told to try again.
BAD = {
    "forbidden": (answer(403, "AccessDenied"), IO),
    "gone": (answer(404, "NoSuchBucket"), IO),
    "conflict": (answer(409, "OperationAborted"), IO),
    "fault": (answer(500, "InternalError"), TRY_AGAIN),
    "overloaded": (answer(503, "SlowDown"), TRY_AGAIN),
    "vanishes": (vanish, TRY_AGAIN),
    "silence": (hang, TRY_AGAIN),
    "no end": (endless, TRY_AGAIN),
    "floods": (flood, None),
    "cut": (cut, TRY_AGAIN),
    "damaged": (damage, IO),
}
#: Requests of an upload, by what they are for.
SMALL = {"object": ("PUT", r"^f\?$"), "ledger": ("PUT", r"^\.fxfer/ledger/")}
LARGE = {
    "record": ("PUT", r"^\.fxfer/uploads/"),
    "begin": ("POST", r"^f\?uploads"),
    "part": ("PUT", r"^f\?partNumber=2"),
    "claim": ("PUT", r"^\.fxfer/claims/"),
    "completion": ("POST", r"^f\?uploadId"),
    "ledger": ("PUT", r"^\.fxfer/ledger/"),
}
#: Before it the object is not there; after it, it is, whole.
AFTER = {"ledger"}
#: These take their time, so they befall some requests only.
SLOW = {"silence", "no end", "floods"}


class BucketFailureTest(BucketCase):
    def setUp(self):
        super().setUp()
        self.small = self.file("small", os.urandom(100_000))
        self.large = self.file("large", os.urandom(13 * MIB))

    def send(self, source, node, *options):
        return run("send", "--retries", "0", "--as", "f", *options, os.fspath(source), node.address)

    def with_fault(self, source, place, action, expected, title):
        """Sends while requests to that place fail; afterwards, when they do not."""
        method, what = place
        content = source.read_bytes()
        with FakeStore() as store:
            store.objects[b"before"] = before = Stored(b"before", {})
            node = self.node("s3://files", store.endpoint, "--s3-timeout", "1" if title in SLOW else "10")
            store.faults.append(fault := Fault(method, what, action))
            result = self.send(source, node)
            self.assertIs(store.objects.pop(b"before"), before)
            self.assertGreater(fault.struck, 0, title)
            if expected is None:
                self.assertIn(result.returncode, (IO, TRY_AGAIN), result.stderr)
            else:
                self.assertEqual(result.returncode, expected, result.stderr)
            self.assertEqual(result.stdout, "")
            self.assertNotIn("AWS_SECRET", result.stderr)
            yield store
            store.faults.clear()
            again = self.send(source, self.node("s3://files", store.endpoint) if title in SLOW else node)
            self.assertEqual(again.returncode, 0, again.stderr)
            self.assertEqual(store.published(), {b"f": content})
            self.assertEqual((store.own("uploads"), store.own("tails"), store.uploads), ([], [], {}))
            self.assertEqual(len(store.own("ledger")), 1)
            node.process.send_signal(signal.SIGKILL)
            node.wait()

    def check(self, source, places):
        for name, place in places.items():
            for title, (action, expected) in BAD.items():
                if title in SLOW and name not in ("object", "completion"):
                    continue
                if title == "damaged" and name == "begin":
                    continue  # It has no body.
                with self.subTest(f"{name}: {title}"):
                    for store in self.with_fault(source, place, action, expected, title):
                        if name in AFTER:
                            self.assertIn(store.published().get(b"f"), (None, source.read_bytes()))
                        else:
                            self.assertEqual(store.published(), {})

    def test_a_small_file(self):
        self.check(self.small, SMALL)

    def test_a_file_in_parts(self):
        # A claim or record that arrives changed is refused by the store, as is a part.
        self.check(self.large, LARGE)

    def test_a_condition_that_never_holds_is_the_end_of_waiting(self):
        """A store, or somebody between, that says 412 to whatever is asked."""
        for name, (source, place) in {
            **{f"small {k}": (self.small, v) for k, v in SMALL.items()},
            **{f"large {k}": (self.large, v) for k, v in LARGE.items()},
        }.items():
            with self.subTest(name), FakeStore(Fault(*place, answer(412, "PreconditionFailed"))) as store:
                node = self.node("s3://files", store.endpoint)
                result = self.send(source, node)
                self.assertIn(result.returncode, (EXISTS, IO, TRY_AGAIN), result.stderr)
                self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
                self.assertIn(store.published().get(b"f"), (None, source.read_bytes()) if "ledger" in name else (None,))
                store.faults.clear()
                again = self.send(source, node)
                self.assertEqual(again.returncode, 0, again.stderr)
                self.assertEqual(store.published(), {b"f": source.read_bytes()})

    def test_what_passes_is_tried_again_and_nobody_hears_of_it(self):
        places = {**{f"small {k}": (self.small, v) for k, v in SMALL.items()},
                  **{f"large {k}": (self.large, v) for k, v in LARGE.items()}}
        for name, (source, (method, what)) in places.items():
            for title in ("fault", "overloaded", "vanishes"):
                with self.subTest(f"{name}: {title}"), FakeStore() as store:
                    node = self.node("s3://files", store.endpoint)
                    store.faults.append(fault := Fault(method, what, BAD[title][0], times=2))
                    result = self.send(source, node)
                    self.assertEqual((result.returncode, result.stderr), (0, ""))
                    self.assertGreaterEqual(fault.struck, 3)
                    self.assertEqual(store.published(), {b"f": source.read_bytes()})
                    self.assertEqual(len(store.own("ledger")), 1)
                    self.assertEqual((store.own("uploads"), store.uploads), ([], {}))

    def test_what_is_done_and_not_answered_is_done_once(self):
        for name, (source, (method, what)) in {
            **{f"small {k}": (self.small, v) for k, v in SMALL.items()},
            **{f"large {k}": (self.large, v) for k, v in LARGE.items() if k != "begin"},
        }.items():
            with self.subTest(name), FakeStore() as store:
                node = self.node("s3://files", store.endpoint)
                store.faults.append(Fault(method, what, do_and_vanish, times=1))
                result = self.send(source, node, "--json")
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertIn('"outcome":"stored"', result.stdout)
                self.assertEqual(store.published(), {b"f": source.read_bytes()})
                self.assertEqual(len(store.own("ledger")), 1)

    def test_a_part_whose_tag_was_told_wrong_is_not_taken_at_completion(self):
        for tag in ('"00000000000000000000000000000000"', "", "a b"):
            with self.subTest(tag), FakeStore() as store:
                node = self.node("s3://files", store.endpoint)
                store.faults.append(Fault("PUT", r"^f\?partNumber=1", wrong_tag(tag)))
                result = self.send(self.large, node)
                self.assertIn(result.returncode, (IO, TRY_AGAIN), result.stderr)
                self.assertEqual(store.published(), {})
                store.faults.clear()
                self.assertEqual(self.send(self.large, node).returncode, 0)

    def test_an_error_behind_a_status_of_success_is_an_error(self):
        def act(handler):
            handler.reply(200, {}, b"<?xml version='1.0'?>\n<Error><Code>InternalError</Code></Error>")
            return True

        with FakeStore() as store:
            node = self.node("s3://files", store.endpoint)
            store.faults.append(Fault("POST", r"^f\?uploadId", act))
            self.assertEqual(self.send(self.large, node).returncode, TRY_AGAIN)
            self.assertEqual(store.published(), {})

    def test_objects_of_others_are_files_like_any_and_are_kept(self):
        with FakeStore() as store:
            foreign = {b"f": b"other", b"../x": b"1", b"a//b": b"2", b"n\x01": b"3", b"folder/": b"", b"\xc3\xa9": b"4"}
            for key, content in foreign.items():
                store.objects[key] = Stored(content, {})
            node = self.node("s3://files", store.endpoint, "--share", "--on-conflict", "refuse")
            for source in (self.small, self.large):
                self.assertEqual(self.send(source, node).returncode, 73)
            same = self.file("same", b"other")
            result = self.send(same, node)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(store.published(), foreign)
            listed = run("list", node.address)
            self.assertEqual(listed.returncode, 0, listed.stderr)
            self.assertEqual([line.split("  ")[-1] for line in listed.stdout.splitlines()], ["a/", "f", "folder/", "é"])
            # A file and a folder of one name are both there; nobody knows the time of a folder that only holds files.
            store.objects[b"f/g"] = Stored(b"5", {})
            listed = [json.loads(line) for line in run("list", "--json", node.address).stdout.splitlines()]
            found = [(entry["name"], entry["kind"], "modified" in entry) for entry in listed]
            folders = [("a", "folder", False), ("f", "folder", False), ("folder", "folder", False)]
            self.assertEqual([each for each in found if each[1] == "folder"], folders)
            self.assertEqual([each for each in found if each[1] == "file"], [("f", "file", True), ("é", "file", True)])

    def test_a_get_of_what_the_store_gives_wrong_is_no_success(self):
        for title, (action, _) in BAD.items():
            if title == "damaged":
                continue
            with self.subTest(title), FakeStore() as store:
                timeout = "1" if title in SLOW else "10"
                self.assertEqual(self.send(self.large, self.node("s3://files", store.endpoint)).returncode, 0)
                node = self.node("s3://files", store.endpoint, "--share", "--s3-timeout", timeout)
                store.faults.append(Fault("GET", r"^f\?$", action))
                target = self.folder / "got"
                result = run("get", "--retries", "0", f"{node.address}/f", "--output", os.fspath(target))
                self.assertNotEqual(result.returncode, 0)
                self.assertFalse(target.exists())
                store.faults.clear()
                result = run("get", f"{node.address}/f", "--output", os.fspath(target))
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(target.read_bytes(), self.large.read_bytes())
                target.unlink()

    def test_what_was_changed_behind_its_back_is_not_given_as_what_was_stored(self):
        with FakeStore() as store:
            node = self.node("s3://files", store.endpoint, "--share")
            self.assertEqual(self.send(self.small, node).returncode, 0)
            stored = store.objects[b"f"]
            stored.content = bytes([stored.content[0] ^ 1]) + stored.content[1:]
            target = self.folder / "got"
            result = run("get", "--retries", "0", f"{node.address}/f", "--output", os.fspath(target))
            self.assertEqual(result.returncode, 65, result.stderr)
            self.assertFalse(target.exists())

    def test_what_was_changed_behind_its_back_is_not_said_to_be_what_is_sent(self):
        """Whatever its metadata say: neither of what was stored there, nor of what is there now, is there a receipt."""
        for source in (self.small, self.large):
            with self.subTest(source.name), FakeStore() as store:
                node = self.node("s3://files", store.endpoint)
                self.assertEqual(self.send(source, node).returncode, 0)
                stored = store.objects[b"f"]
                damage = bytes([stored.content[0] ^ 1]) + stored.content[1:]
                stored.content = damage
                changed = self.file("changed", damage)
                for sent in (source, changed):
                    result = self.send(sent, node)
                    self.assertEqual(result.returncode, 73, result.stderr)
                self.assertEqual(store.published(), {b"f": damage})
                self.assertEqual(len(store.own("ledger")), 1)
                node = self.node("s3://files", store.endpoint, "--on-conflict", "replace")
                result = self.send(source, node)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertEqual(store.published(), {b"f": source.read_bytes()})

    def test_a_server_with_a_shorter_prefix_has_no_way_to_what_is_another_ones_own(self):
        with FakeStore() as store:
            inner = self.node("s3://files/in", store.endpoint)
            self.assertEqual(self.send(self.small, inner).returncode, 0)
            before = {key: stored.content for key, stored in store.objects.items()}
            ledger = next(key for key in before if b"/ledger/" in key).decode()
            outer = self.node("s3://files", store.endpoint, "--share")
            for name in ("in/.fxfer/ledger/x", ledger, ".fxfer/x", "in/.fxfer"):
                for source in (self.small, self.large):
                    result = run("send", "--retries", "0", "--as", name, os.fspath(source), outer.address)
                    self.assertNotEqual(result.returncode, 0, name)
            self.assertEqual(run("get", f"{outer.address}/{ledger}", "--output", os.fspath(self.folder / "got")).returncode, 66)
            self.assertEqual(run("list", f"{outer.address}/in/.fxfer").returncode, 66)
            self.assertNotIn(".fxfer", run("list", f"{outer.address}/in").stdout)
            after = {key: stored.content for key, stored in store.objects.items() if b"probes" not in key}
            self.assertEqual({key: after[key] for key in before}, before)
            self.assertEqual({key for key in after if key not in before}, set())


del BucketCase
