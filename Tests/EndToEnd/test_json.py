"""`fxfer send --json`: one JSON object a line on stdout, for programs."""

import json
import os
import unittest

from sending import SendCase
from support import run, sha256

MIB = 1 << 20


class JSONTest(SendCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def send(self, *arguments):
        """The status and the events of a `send --json` to the server; every line is one JSON object."""
        result = run("send", "--json", *map(os.fsencode, arguments), self.server.address)
        self.assertTrue(result.stdout == "" or result.stdout.endswith("\n"))
        events = [json.loads(line) for line in result.stdout.splitlines()]
        return result.returncode, events, result.stderr

    def test_success(self):
        """A file that is stored gets `started`, `progress` with growing numbers, and `receipt`."""
        source = self.file("f", os.urandom(3 * MIB))
        status, events, stderr = self.send(source)
        self.assertEqual((status, stderr), (0, ""))
        self.assertEqual(events[0], {"event": "started", "name": "f", "size": 3 * MIB})
        receipt = {"event": "receipt", "name": "f", "size": 3 * MIB, "sha256": sha256(source)}
        self.assertEqual(events[-1], receipt | {"outcome": "stored", "repairs": 0, "durability": "durable"})
        progress = events[1:-1]
        self.assertTrue(progress)
        self.assertTrue(all(event.keys() == {"event", "name", "verified"} for event in progress))
        self.assertEqual({(event["event"], event["name"]) for event in progress}, {("progress", "f")})
        verified = [event["verified"] for event in progress]
        self.assertEqual(verified, sorted(verified))
        self.assertLessEqual(verified[-1], 3 * MIB)

    def test_progress_is_rare(self):
        """There are at most five progress events a second, and still several for a large file."""
        client = self.sending(self.sparse("f", 1 << 30), self.server.address)
        began = os.times().elapsed
        self.assertEqual(client.wait(), (0, ""))
        seconds = os.times().elapsed - began
        count = len([event for event in client.events if event["event"] == "progress"])
        self.assertLessEqual(count, 5 * seconds + 2)
        self.assertGreaterEqual(count, min(2, seconds))

    def test_identical(self):
        """A file that was there already has the outcome `identical`."""
        source = self.file("f")
        self.send(source)
        status, events, _ = self.send(source)
        self.assertEqual((status, events[-1]["event"], events[-1]["outcome"]), (0, "receipt", "identical"))
        self.assertEqual(events[-1]["sha256"], sha256(source))

    def test_names(self):
        """Names are escaped without loss: `\\xHH` for a byte that is no printable text, `\\\\` for a backslash."""
        names = {
            "é/ü".encode(): "é/ü",
            b"a\\b": "a\\\\b",
            b"\xff": "\\xff",
            b"\xc2\x9b": "\\xc2\\x9b",
            "\u202e".encode(): "\\xe2\\x80\\xae",
            b'"': '"',
        }
        for name, escaped in names.items():
            with self.subTest(name):
                status, events, stderr = self.send(self.file("f"), b"--as", name)
                self.assertEqual((status, stderr), (0, ""))
                self.assertEqual({event["name"] for event in events}, {escaped})
        self.assertEqual(set(self.server.published()), set(names))

    def test_several(self):
        """With several files, each event names its file; a failure is an `error` event beside the others' receipts."""
        self.send(self.file("b"))
        before = self.server.published()[b"b"]
        sources = [self.file("a"), self.file("b", b"other content"), self.file("c")]
        status, events, stderr = self.send(*sources)
        self.assertEqual(status, 73)
        ends = {event["name"]: event for event in events if event["event"] in ("receipt", "error")}
        kinds = {name: event["event"] for name, event in ends.items()}
        self.assertEqual(kinds, {"a": "receipt", "b": "error", "c": "receipt"})
        self.assertEqual(ends["b"].keys(), {"event", "name", "code", "message", "status"})
        self.assertEqual((ends["b"]["code"], ends["b"]["status"]), ("exists", 73))
        self.assertNotIn("\n", ends["b"]["message"])
        self.assertRegex(stderr, r"\Afxfer: [^\n]+\n\Z")
        self.assertEqual(self.server.published()[b"b"], before)

    def test_cannot_connect(self):
        """Where no connection can be made, one `error` event without a name says so with status 69."""
        self.stop(self.server)
        status, events, _ = self.send(self.file("f"), self.file("g"))
        self.assertEqual((status, len(events)), (69, 1))
        self.assertEqual(events[0].keys(), {"event", "code", "message", "status"})
        self.assertEqual((events[0]["event"], events[0]["code"], events[0]["status"]), ("error", "cannot-connect", 69))

    def test_no_input(self):
        """A source that cannot be sent has its `error` event, too: a program needs not read stderr."""
        status, events, _ = self.send(self.folder / "nothing")
        self.assertEqual(status, 66)
        found = [(event["event"], event["code"], event["status"]) for event in events]
        self.assertEqual(found, [("error", "no-input", 66)])
        self.assert_nothing_stored(self.server)

    def test_quiet(self):
        """--quiet leaves the events as they are."""
        status, events, stderr = self.send(self.file("f"), "--quiet")
        self.assertEqual((status, stderr, events[-1]["event"]), (0, "", "receipt"))


if __name__ == "__main__":
    unittest.main()
