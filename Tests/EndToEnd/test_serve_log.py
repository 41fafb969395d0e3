"""The log of `fxfer serve` on stderr: one line a transfer, for people or for programs."""

import json
import os
import re
import unittest

from gate import Gate
from sending import SendCase
from support import PATIENCE, run, sha256

MIB = 1 << 20


class TextLogTest(SendCase):
    def lines(self, server):
        """The log's lines, each as a mapping of what it says."""
        return [self.fields(line) for line in self.stop(server).splitlines()]

    @staticmethod
    def fields(line):
        begin = re.match(r"\S+ (?P<level>\w+) fxfer:", line)
        values = re.findall(r' ([\w/]+)=("(?:[^"\\]|\\.)*"|\S*)', line[begin.end() :])
        return {"level": begin["level"]} | {key: value.strip('"') for key, value in values}

    def assert_peer(self, line):
        self.assertRegex(line["peer"], r"\A127\.0\.0\.1:\d+\Z")

    def test_stored(self):
        """A file that is stored: peer, name, bytes, seconds, MB/s, digest, outcome, on one line."""
        server = self.serve()
        source = self.file("f", os.urandom(3 * MIB))
        self.assert_sent(source, server.address)
        (line,) = self.lines(server)
        self.assert_peer(line)
        self.assertRegex(line["seconds"], r"\A\d+\.\d+\Z")
        self.assertRegex(line["MB/s"], r"\A\d+\.\d+\Z")
        expected = {"level": "info", "name": "f", "bytes": str(3 * MIB), "sha256": sha256(source), "outcome": "stored"}
        self.assertEqual({key: line.get(key) for key in expected}, expected)

    def test_identical(self):
        """A file that was there already says so."""
        server = self.serve()
        for _ in range(2):
            run("send", str(self.file("f")), server.address)
        self.assertEqual([line["outcome"] for line in self.lines(server)], ["stored", "identical"])

    def test_refused(self):
        """A file that is refused is one warning with the reason."""
        server = self.serve()
        server.directory.joinpath("f").write_bytes(b"old")
        self.assert_fails(73, self.file("f", os.urandom(2 * MIB)), server.address)
        (line,) = self.lines(server)
        self.assert_peer(line)
        self.assertEqual((line["level"], line["name"], line["outcome"]), ("warning", "f", "exists"))
        self.assertIn("reason", line)

    def test_broken_off(self):
        """A transfer that breaks off is one warning with the reason, and with how many bytes there were."""
        server = self.serve("--keep-partials", "0")
        with Gate(server.port, 2 * MIB) as gate:
            client = self.sending(self.sparse("f", 8 * MIB), gate.address)
            gate.wait_until_held()
            client.kill()
            gate.cut()
            self.assert_nothing_stored(server)
        (line,) = self.lines(server)
        self.assert_peer(line)
        self.assertEqual((line["level"], line["name"], line["outcome"]), ("warning", "f", "connection-lost"))
        self.assertIn("reason", line)
        self.assertIn("bytes", line)

    def test_each_has_one_line(self):
        """Many files on one connection: one line each."""
        server = self.serve()
        sources = [self.file(f"f{number}") for number in range(50)]
        self.assert_sent(*sources, server.address)
        self.assertEqual(sorted(line["name"] for line in self.lines(server)), sorted(path.name for path in sources))

    def test_names_stay_on_their_line(self):
        """A name that imitates the log, or acts on a terminal, is escaped; fields cannot be forged."""
        for log_format in ("text", "json"):
            with self.subTest(log_format):
                server = self.serve("--log-format", log_format, directory=self.folder / log_format)
                for name in (b"\xc2\x9b31m", b"\xff", "\u202e\u2028".encode(), b"back\\slash"):
                    self.assert_sent(self.file("f"), server.address, b"--as", name)
                log = self.stop(server)
                self.assertEqual(len(log.splitlines()), 4)
                self.assertTrue(log.replace("\n", "").isprintable(), log)
                for escaped in ("\\xc2\\x9b31m", "\\xff", "\\xe2\\x80\\xae\\xe2\\x80\\xa8", "back\\\\slash"):
                    self.assertIn(json.dumps(escaped)[1:-1] if log_format == "json" else escaped, log)

    def test_forged_fields(self):
        """A name with spaces and equal signs cannot be taken for other fields of a text line."""
        server = self.serve()
        name = "a outcome=identical peer=10.0.0.1:1 bytes=0"
        self.assert_sent(self.file("f"), server.address, "--as", name)
        (line,) = self.lines(server)
        self.assert_peer(line)
        self.assertEqual((line["outcome"], line["bytes"]), ("stored", str(len(b"content\n"))))

    def test_level(self):
        """--log-level drops what is below it."""
        for level, outcomes in (("info", ["stored", "exists"]), ("warning", ["exists"]), ("error", [])):
            with self.subTest(level):
                server = self.serve("--log-level", level, directory=self.folder / level)
                run("send", str(self.file("f", b"a")), server.address)
                run("send", str(self.file("f", b"b")), server.address)
                self.assertEqual([line["outcome"] for line in self.lines(server)], outcomes)

    def test_debug(self):
        """With the lowest level, too, names stay escaped and lines stay lines."""
        server = self.serve("--log-level", "trace")
        self.assert_sent(self.file("f"), server.address, b"--as", b"\xc2\x9b31m")
        log = self.stop(server)
        self.assertEqual(log.count("outcome=stored"), 1)
        self.assertTrue(log.replace("\n", "").isprintable(), log)


class JSONLogTest(SendCase):
    def test_fields(self):
        """Each line is one JSON object with the same fields, and time and level."""
        server = self.serve("--log-format", "json")
        source = self.file("f", os.urandom(2 * MIB))
        self.assert_sent(source, server.address)
        self.assert_fails(73, self.file("other/f", b"other"), server.address)
        stored, refused = [json.loads(line) for line in self.stop(server).splitlines()]
        for line, level in ((stored, "info"), (refused, "warning")):
            self.assertEqual((line["level"], line["name"]), (level, "f"))
            self.assertRegex(line["time"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
            self.assertRegex(line["peer"], r"\A127\.0\.0\.1:\d+\Z")
        self.assertEqual((stored["outcome"], refused["outcome"]), ("stored", "exists"))
        self.assertEqual((str(stored["bytes"]), stored["sha256"]), (str(2 * MIB), sha256(source)))
        self.assertGreater(float(stored["MB/s"]), 0)
        self.assertGreater(float(stored["seconds"]), 0)

    def test_error_at_the_start(self):
        """What ends the server at its start is one line on stderr, whatever the format."""
        result = run("serve", "--dir", str(self.file("f")), "--listen", "127.0.0.1:0", "--log-format", "json")
        self.assertEqual(result.returncode, 73)
        self.assertEqual(len(result.stderr.splitlines()), 1)


class ReaderTest(SendCase):
    def test_log_without_reader(self):
        """A server whose stderr and stdout nobody reads any more goes on serving."""
        server = self.serve()
        server.process.stderr.close()
        server.process.stdout.close()
        for _ in range(3):
            self.assert_serves(server)
        server.process.terminate()
        self.assertEqual(server.process.wait(timeout=PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()
