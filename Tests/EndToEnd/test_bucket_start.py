"""`fxfer serve --store`: what a store says when the server starts, and what the server says of it."""

import hashlib
import os
import signal
import subprocess

from buckets import KEY, MIB, BucketCase, environment
from fake_store import FakeStore, Fault, answer, cut, endless, flood, hang, vanish
from gate import Gate
from scraping import ask
from support import FXFER, PATIENCE, run
from waiting import eventually

USAGE, NO_INPUT, NO_CONNECTION, IO, NOT_PERMITTED = 64, 66, 69, 74, 77


class BucketStartTest(BucketCase):
    def fail(self, endpoint, *options, location="s3://files/in", key=KEY):
        """The status and last line of a server that does not start."""
        command = [FXFER, "serve", "--listen", "127.0.0.1:0", "--store", location, "--s3-endpoint", endpoint, *options]
        result = subprocess.run(
            command, env=environment(**key), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE
        )
        self.assertNotIn(KEY["AWS_SECRET_ACCESS_KEY"], result.stdout + result.stderr)
        *notices, error = result.stderr.splitlines()
        self.assertTrue(all("the object store has not answered yet" in notice for notice in notices), notices)
        self.assertRegex(error, "^fxfer: ")
        self.error = error
        return result.returncode

    def test_an_answer_that_forbids_it_ends_the_server_with_a_status_of_its_own(self):
        cases = {
            "wrong secret": (403, "SignatureDoesNotMatch", NOT_PERMITTED),
            "unknown key": (403, "InvalidAccessKeyId", NOT_PERMITTED),
            "clock": (403, "RequestTimeTooSkewed", NOT_PERMITTED),
            "no right": (403, "AccessDenied", NOT_PERMITTED),
            "no bucket": (404, "NoSuchBucket", NO_INPUT),
            "other region": (301, "PermanentRedirect", USAGE),
            "fault": (500, "InternalError", NO_CONNECTION),
            "overloaded": (503, "SlowDown", NO_CONNECTION),
        }
        for title, (status, code, expected) in cases.items():
            with self.subTest(title), FakeStore(Fault("GET", "list-type", answer(status, code))) as store:
                self.assertEqual(self.fail(store.endpoint), expected)
                self.assertEqual(store.objects, {})

    def test_a_store_that_gives_no_whole_answer_is_one_that_cannot_be_used(self):
        for title, action in {"silence": hang, "no end": endless, "vanishes": vanish, "cut": cut}.items():
            with self.subTest(title), FakeStore(Fault("GET", "list-type", action)) as store:
                self.assertEqual(self.fail(store.endpoint, "--s3-timeout", "1"), NO_CONNECTION)
        with self.subTest("floods"), FakeStore(Fault("GET", "list-type", flood)) as store:
            self.assertEqual(self.fail(store.endpoint, "--s3-timeout", "5"), IO)

    def test_nobody_there(self):
        with FakeStore() as store:
            endpoint = store.endpoint
        self.assertEqual(self.fail(endpoint), NO_CONNECTION)
        self.assertTrue(self.error.endswith(": it cannot be reached (Connection refused)"), self.error)
        self.assertEqual(self.fail("http://no-such-host.invalid"), NO_CONNECTION)
        self.assertTrue(self.error.endswith("(the host name cannot be resolved)"), self.error)

    def test_something_else_is_there(self):
        def web(handler):
            handler.reply(200, {}, b"<!DOCTYPE html>\n<html></html>")
            return True

        with FakeStore() as store:
            endpoint = store.endpoint.replace("http:", "https:")
            self.assertEqual(self.fail(endpoint), NO_CONNECTION)
            self.assertIn("it does not speak TLS; is it http:// in place of https://?", self.error)
        with FakeStore(Fault("GET", "list-type", web)) as store:
            self.assertEqual(self.fail(store.endpoint), IO)
            self.assertIn("is that an S3 server, and --s3-endpoint right?", self.error)

    def test_the_region_that_a_store_names_is_told(self):
        def elsewhere(handler):
            body = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"
            handler.reply(400, {}, body)
            return True

        with FakeStore(Fault("GET", "list-type", elsewhere)) as store:
            self.assertEqual(self.fail(store.endpoint), USAGE)
            self.assertIn("the bucket is in the region eu-west-1; name it by --s3-region", self.error)

    def test_a_store_that_ignores_a_condition_or_a_digest_is_not_served_from(self):
        def ignore(name):
            def act(handler):
                if name == "x-amz-content-sha256":
                    handler.headers.replace_header(name, hashlib.sha256(handler.body).hexdigest())
                else:
                    del handler.headers[name]
                return False

            return act

        for name in ("If-None-Match", "If-Match", "x-amz-content-sha256"):
            with self.subTest(name), FakeStore(Fault("PUT", "probes", ignore(name))) as store:
                self.assertEqual(self.fail(store.endpoint), IO)
                self.assertEqual(store.objects, {})

    def test_what_the_command_says_is_looked_at_first(self):
        with FakeStore() as store:
            self.assertEqual(self.fail(store.endpoint, key={}), NOT_PERMITTED)
            self.assertEqual(self.fail(store.endpoint, location="files"), USAGE)
            self.assertEqual(self.fail("ftp://127.0.0.1"), USAGE)
            self.assertEqual(store.requests, [])
        for options in (
            [],
            ["--dir", "a", "--store", "s3://files"],
            ["--dir", "s3://files"],
            ["--dir", "a", "--s3-timeout", "5"],
            ["--store", "s3://files/.fxfer"],
            ["--store", "s3://files/a/.fxfer/b"],
            ["--store", "s3://files//a"],
            ["--store", "s3://files", "--min-free-space", "1"],
        ):
            result = run("serve", "--listen", "127.0.0.1:0", *options)
            self.assertEqual(result.returncode, USAGE, options)

    def test_the_key_may_be_in_a_file(self):
        file = self.file("credentials", b"[other]\naws_access_key_id = a\naws_secret_access_key = b\n")
        with FakeStore() as store:
            key = {"AWS_SHARED_CREDENTIALS_FILE": os.fspath(file), "AWS_PROFILE": "other"}
            node = self.node("s3://files/in", store.endpoint, key=key)
            result = run("send", "--as", "f", os.fspath(self.file("f", b"content")), node.address)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertEqual(store.published(), {b"in/f": b"content"})

    def test_the_health_of_a_node_is_asked_for_at_the_port_of_its_metrics(self):
        with FakeStore() as store:
            node = self.node("s3://files/in", store.endpoint, "--metrics", "0", "--grace", "60")
            place = next(line for line in iter(node.process.stdout.readline, "") if line.startswith("metrics at"))
            port = int(place.split(":")[2].split("/")[0])
            self.assertEqual(self.health(port), (200, "serving\n"))
            store.faults.append(Fault("GET", "list-type", answer(403, "AccessDenied")))
            eventually(lambda: self.health(port) == (503, "store unreachable\n"), "the node tells of its store")
            store.faults.clear()
            eventually(lambda: self.health(port) == (200, "serving\n"), "the node tells that it is well again")
            with Gate(node.port, 3 * MIB) as gate:
                client = self.sending("--retries", "0", self.file("f", os.urandom(6 * MIB)), gate.address)
                gate.wait_until_held()
                node.process.send_signal(signal.SIGTERM)
                eventually(lambda: self.health(port) == (503, "draining\n"), "the node tells that it ends")
            client.wait()

    @staticmethod
    def health(port):
        answered = ask(port, "/healthz")
        return answered.status, answered.text


del BucketCase
