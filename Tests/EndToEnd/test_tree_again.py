"""Sending again sends only what is missing or differs."""

import json
import os

from proxy import UP, Proxy
from support import run, sha256
from trees import KIB, MIB, TreeCase, contents, date, payload, plant, snapshot

SIZES = {"empty": 0, "small": 10, "sub/small": 20, "sub/middle": 500 * KIB, "sub/large": 3 * MIB + 7}


class AgainCase(TreeCase):
    conflicts = "refuse"

    def setUp(self):
        super().setUp()
        plant(self.tree, {name: os.urandom(size) for name, size in SIZES.items()} | {"nothing": None})
        date(self.tree)
        self.server = self.serve("--on-conflict", self.conflicts)
        self.assertEqual(self.send_counted(), (0, sum(SIZES.values())))

    def send_counted(self, *options):
        """Sends the folder; answers the status, and how many bytes of files went over the connection."""
        with Proxy(self.server.port, keep=True) as proxy:
            result = run("send", "--json", "-q", *options, str(self.tree), proxy.address)
            sent = payload(proxy.passed[UP])
        self.events = [json.loads(line) for line in result.stdout.splitlines()]
        self.stderr = result.stderr
        return result.returncode, sent

    def ends(self):
        """What became of each file."""
        ends = {}
        for event in self.events:
            if event["event"] in ("receipt", "unchanged", "error"):
                name = event["name"].removeprefix("tree/")
                self.assertNotIn(name, ends, "told twice")
                ends[name] = event.get("outcome") or event.get("code") or event["event"]
        return ends

    def change(self, name, same_time=False):
        """Other content of the same size."""
        path = self.tree / name
        status = path.stat()
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        if same_time:
            os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
        return path

    def stored(self):
        return contents(self.server.directory / "tree")


class DigestTest(AgainCase):
    def test_nothing_is_sent_twice(self):
        before = snapshot(self.server.directory / "tree")
        for options in [(), ("--compare", "digest")]:
            self.assertEqual(self.send_counted(*options), (0, 0))
            self.assertEqual(self.ends(), dict.fromkeys(SIZES, "identical"))
            self.assertEqual(snapshot(self.server.directory / "tree"), before)

    def test_other_times_and_permissions_send_nothing(self):
        """They are no content."""
        date(self.tree, 1_600_000_000)
        self.assertEqual(self.send_counted(), (0, 0))
        self.assertEqual(self.ends(), dict.fromkeys(SIZES, "identical"))

    def test_only_what_is_missing_is_sent(self):
        for name in ("small", "sub/large"):
            (self.server.directory / "tree" / name).unlink()
        self.assertEqual(self.send_counted(), (0, SIZES["small"] + SIZES["sub/large"]))
        self.assertEqual(self.ends(), dict.fromkeys(SIZES, "identical") | {"small": "stored", "sub/large": "stored"})
        self.assertEqual(self.stored(), contents(self.tree))

    def test_what_differs_is_refused(self):
        """Also with equal size and time: the old files stay, the others count as sent."""
        old = self.stored()
        for name in ("small", "sub/middle", "sub/large"):
            self.change(name, same_time=True)
        status, _ = self.send_counted()
        self.assertEqual(status, 73)
        expected = {name: "exists" for name in ("small", "sub/middle", "sub/large")}
        self.assertEqual(self.ends(), dict.fromkeys(SIZES, "identical") | expected)
        self.assertEqual((self.stored(), self.server.partials()), (old, []))


class QuickTest(AgainCase):
    def test_nothing_is_sent_and_nothing_is_read(self):
        before = snapshot(self.server.directory / "tree")
        self.assertEqual(self.send_counted("--compare", "quick"), (0, 0))
        self.assertEqual(self.ends(), dict.fromkeys(SIZES, "unchanged"))
        self.assertEqual(snapshot(self.server.directory / "tree"), before)
        status, stdout, stderr = self.send("--compare", "quick", self.tree, self.server.address)
        self.assertEqual((status, stdout), (0, b""))
        self.assertIn(f"{len(SIZES)} unchanged", stderr.decode())

    def test_equal_size_and_time_is_taken_for_unchanged(self):
        old = self.stored()
        for name in ("small", "sub/middle", "sub/large"):
            self.change(name, same_time=True)
        self.assertEqual(self.send_counted("--compare", "quick"), (0, 0))
        self.assertEqual(self.ends(), dict.fromkeys(SIZES, "unchanged"))
        self.assertEqual(self.stored(), old)

    def test_another_time_or_size_is_looked_at(self):
        """Another time alone sends no content; other content is refused."""
        old = self.stored()
        os.utime(self.tree / "sub" / "large", ns=(0, 10**18))
        os.utime(self.tree / "empty", ns=(0, 10**18))
        self.change("small")
        with open(self.tree / "sub" / "middle", "ab") as file:
            file.write(b"more")
        status, _ = self.send_counted("--compare", "quick")
        self.assertEqual(status, 73)
        expected = {"sub/large": "identical", "empty": "identical", "small": "exists", "sub/middle": "exists"}
        self.assertEqual(self.ends(), dict.fromkeys(SIZES, "unchanged") | expected)
        self.assertEqual((self.stored(), self.server.partials()), (old, []))

    def test_one_nanosecond_is_another_time(self):
        path = self.change("small", same_time=True)
        time = path.stat().st_mtime_ns + 1
        os.utime(path, ns=(time, time))
        self.assertEqual(self.send_counted("--compare", "quick")[0], 73)
        self.assertEqual(self.ends(), dict.fromkeys(SIZES, "unchanged") | {"small": "exists"})

    def test_of_one_file_too(self):
        source = self.tree / "sub" / "large"
        result = run("send", "--json", "--compare", "quick", str(source), f"{self.server.address}/tree/sub")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(json.loads(result.stdout.splitlines()[-1])["event"], "unchanged")


class ReplaceTest(AgainCase):
    conflicts = "replace"

    def test_only_what_differs_is_sent_and_replaced(self):
        for name in ("small", "sub/large"):
            self.change(name, same_time=True)
        self.assertEqual(self.send_counted(), (0, SIZES["small"] + SIZES["sub/large"]))
        expected = {"small": "replaced", "sub/large": "replaced"}
        self.assertEqual(self.ends(), dict.fromkeys(SIZES, "identical") | expected)
        self.assertEqual(self.stored(), contents(self.tree))

    def test_quick_does_not_find_equal_size_and_time(self):
        old = sha256(self.server.directory / "tree" / "sub" / "large")
        self.change("sub/large", same_time=True)
        self.assertEqual(self.send_counted("--compare", "quick"), (0, 0))
        self.assertEqual(sha256(self.server.directory / "tree" / "sub" / "large"), old)


class KeepBothTest(AgainCase):
    conflicts = "keep-both"

    def test_the_third_time_nothing_more_is_stored(self):
        """A changed file is stored beside the old one; what is beside is recognised, too."""
        sent = self.change("small")
        self.assertEqual(self.send_counted()[0], 0)
        receipts = {event["name"] for event in self.events if event["event"] == "receipt"}
        self.assertIn("tree/small.1", receipts)
        self.assertEqual(sha256(self.server.directory / "tree" / "small.1"), sha256(sent))
        before = self.stored()
        self.assertEqual(self.send_counted()[0], 0)
        self.assertEqual(self.stored(), before)
