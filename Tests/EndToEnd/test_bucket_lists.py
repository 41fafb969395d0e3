"""Lists of a store that never end, or of which single objects cannot be looked at."""

import os
import re
import time
import urllib.parse

import wire
from buckets import KEY, MIB, BucketCase, environment
from fake_store import FakeStore, Fault, Stored, document, hang
from frames import LIST, SHARE, encode
from support import run
from waiting import eventually

IO, TRY_AGAIN = 74, 75


def endless(token, key):
    """A fault: one page after the other, by `token(number)` and `key(number)`."""
    count = 0

    def act(handler):
        nonlocal count
        if handler.query.get("max-keys") != "1000":
            return False
        count += 1
        name = urllib.parse.quote(handler.query.get("prefix", "") + key(count))
        handler.reply(200, {}, document(
            "ListBucketResult",
            f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token(count)}</NextContinuationToken>"
            f"<Contents><Key>{name}</Key><Size>1</Size><LastModified>2026-11-28T21:00:00.000Z</LastModified>"
            "<ETag>a</ETag></Contents>",
        ))
        return True

    return act


#: Lists that go round in a circle.
CIRCLES = {
    "ever new tokens": (lambda number: f"t{number}", lambda _: "k"),
    "two tokens in turn": (lambda number: f"t{number % 2}", lambda _: "k"),
    "two keys in turn": (lambda number: f"t{number}", lambda number: f"k{number % 2}"),
}


class BucketListTest(BucketCase):
    def test_a_list_that_goes_round_in_a_circle_is_an_error(self):
        for title, (token, key) in CIRCLES.items():
            with self.subTest(title), FakeStore() as store:
                store.objects[b"k"] = Stored(b"1", {})
                node = self.node("s3://files", store.endpoint, "--share")
                store.faults.append(fault := Fault("GET", "list-type", endless(token, key)))
                self.assertIn(run("list", node.address).returncode, (IO, TRY_AGAIN))
                command = ["sums", "--store", "s3://files", "--s3-endpoint", store.endpoint]
                self.assertEqual(run(*command, env=environment(**KEY)).returncode, IO)
                self.assertLess(fault.struck, 20)

    def test_a_list_ends_with_the_client_that_asked_for_it(self):
        with FakeStore() as store:
            node = self.node("s3://files", store.endpoint, "--share")
            forever = endless(lambda number: f"t{number}", lambda number: f"k{number:09}")
            store.faults.append(fault := Fault("GET", "list-type", forever))
            with wire.dial(node.address, capabilities=SHARE) as connection:
                connection.send(encode(LIST, id=1, path=b""))
                eventually(lambda: fault.struck > 10, "pages are asked for")

            seen = []

            def has_ended():
                seen.append(fault.struck)
                return len(seen) >= 50 and seen[-50] == seen[-1]

            eventually(has_ended, "nobody asks for pages any more")
            store.faults.clear()
            self.assertEqual(run("list", node.address).returncode, 0)

    def test_many_pages(self):
        """Of files and folders, in order."""
        with FakeStore() as store:
            names = [f"{kind}{number:04}" for number in range(1300) for kind in ("a/x", "b", "c", "d")]
            for name in names:
                store.objects[name.replace("c", "c/").replace("d", "d-").encode()] = Stored(b"", {})
                if name[0] == "c":
                    store.objects[f"{name}/y".encode()] = Stored(b"", {})
            node = self.node("s3://files", store.endpoint, "--share")
            listed = run("list", node.address)
            self.assertEqual((listed.returncode, listed.stderr), (0, ""))
            top = {key.split(b"/")[0] for key in store.published()}
            self.assertGreater(len(top), 3000)
            self.assertEqual(listed.stdout.count("\n"), len(top))

    def test_an_object_that_cannot_be_looked_at_is_shown_as_the_list_has_it(self):
        def without_tag(handler):
            handler.reply(200, {"Content-Length": "1"}, b"")
            return True

        def refusal(handler):
            handler.reply(400, {}, b"")
            return True

        for action in (without_tag, refusal):
            with self.subTest(action.__name__), FakeStore() as store:
                for name, size in ((b"a", 1), (b"b", 22), (b"c", 333), (b"d/e", 4)):
                    store.objects[name] = Stored(bytes(size), {})
                node = self.node("s3://files", store.endpoint, "--share")
                store.faults += [Fault("HEAD", r"^b\?", action), Fault("HEAD", r"^d/\?", action)]
                listed = run("list", node.address)
                self.assertEqual((listed.returncode, listed.stderr), (0, ""))
                lines = [line.split() for line in listed.stdout.splitlines()]
                self.assertEqual([line[-1] for line in lines], ["a", "b", "c", "d/"])
                self.assertIn("22", lines[1])
                self.assertNotEqual(run("get", f"{node.address}/b", "--output", os.fspath(self.folder / "b")).returncode, 0)

    def test_what_has_no_date_in_a_list_is_not_taken_for_old(self):
        """A tail that belongs to none is removed some time, but not one of which nobody knows how old it is."""
        old = time.time() - 3 * 24 * 60 * 60
        tails = [b".fxfer/tails/" + digit * 32 for digit in (b"a", b"b")]

        def without_date(handler):
            status, headers, body = handler.list_objects()
            key = tails[0].decode()
            handler.reply(status, headers, re.sub(f"({key}.*?<LastModified>).*?<".encode(), rb"\1yesterday<", body))
            return True

        with FakeStore() as store:
            for key in tails:
                store.objects[key] = Stored(b"tail", {}, old)
            store.faults.append(Fault("GET", r"tails", without_date))
            self.node("s3://files", store.endpoint, "--keep-partials", "1")
            eventually(lambda: store.own("tails") == tails[:1], "the one that is old is removed")


class BucketPartsTest(BucketCase):
    def test_parts_that_cannot_be_are_no_end_of_the_server(self):
        """An upload goes on where the store tells of parts whose sizes together are beyond all numbers."""
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><Size>{1 << 60}</Size><ETag>a</ETag></Part>" for number in range(1, 19)
        )

        def huge(handler):
            handler.reply(200, {}, document("ListPartsResult", parts))
            return True

        with FakeStore() as store:
            source = self.file("large", os.urandom(13 * MIB))
            first = self.node("s3://files", store.endpoint)
            store.faults.append(Fault("PUT", "partNumber=3", hang))
            client = self.sending("--retries", "0", "--as", "f", source, first.address)
            eventually(lambda: store.parts_written() == 2, "two parts are written down")
            first.process.kill()
            client.wait()
            second = self.node("s3://files", store.endpoint)
            store.faults[:] = [huge_list := Fault("GET", "uploadId", huge)]
            result = run("send", "--retries", "0", "--as", "f", os.fspath(source), second.address)
            self.assertGreater(huge_list.struck, 0)
            self.assertNotEqual(result.returncode, 0)
            self.assertIsNone(second.process.poll())
            store.faults.clear()
            result = run("send", "--retries", "0", "--as", "f", os.fspath(source), second.address)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(store.published(), {b"f": source.read_bytes()})


del BucketCase
