"""What is kept of interrupted uploads: for how long, how much, who may go on with it, and `fxfer partials`."""

import os
import re
import signal
import unittest

from relay import PAYLOAD, UP, Fault
from resuming import MIB, RETRY, ResumeCase, events
from support import run, sha256
from waiting import eventually

SIZE = 5 * MIB + 77
NO_INPUT = 66
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


class ListTest(ResumeCase):
    """`fxfer partials DIR`"""

    def partials_text(self):
        result = run("partials", str(self.server.directory))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def test_nothing_is_listed_where_nothing_is_kept(self):
        self.assertEqual((self.partials_text(), self.partials()), ("", {}))
        self.assert_sent(self.noise("source", SIZE), self.server.address)
        self.assertEqual((self.partials_text(), self.partials()), ("", {}))

    def test_in_use_and_kept(self):
        source = self.noise("source", SIZE)
        relay = self.relay(Fault(UP, PAYLOAD, 3 * MIB + 5, holds=True))
        client = self.sending("--retries", "0", "--as", "a folder/n\\ame", source, relay.address)
        relay.wait_until_held()
        eventually(lambda: "in use" in self.partials_text(), "it is in use")
        self.assertRegex(self.partials_text(), rf"\A +[23]\.0 MiB of 5\.0 MiB  {TIME}  in use  a folder/n\\\\ame\n\Z")
        ((name, (_, in_use)),) = self.partials().items()
        self.assertEqual((name, in_use), ("a folder/n\\\\ame", True))
        relay.let_go()
        client.wait()
        self.assert_left({"a folder/n\\\\ame": 3 * MIB})
        self.assertRegex(self.partials_text(), rf"\A +3\.0 MiB of 5\.0 MiB  {TIME}  kept    a folder/n\\\\ame\n\Z")
        self.assertEqual(self.server.published(), {})

    def test_json(self):
        self.interrupt(self.noise("source", SIZE), 3 * MIB + 5)
        self.assert_left({"source": 3 * MIB})
        line = run("partials", "--json", str(self.server.directory)).stdout
        self.assertRegex(line, r'\A\{[^\n]*\}\n\Z')
        self.assertRegex(line, r'"written":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"')
        for part in ('"event":"partial"', f'"size":{SIZE}', f'"verified":{3 * MIB}', '"inUse":false'):
            self.assertIn(part, line)

    def test_several_are_sorted_by_name(self):
        for name in ("c", "a", "b"):
            self.interrupt(self.noise(name, SIZE), 2 * MIB + 5)
        self.assert_left({name: 2 * MIB for name in "abc"})
        self.assertEqual(list(self.partials()), ["a", "b", "c"])

    def test_what_is_no_directory_is_named(self):
        for path in (self.folder / "missing", self.file("a file")):
            result = run("partials", str(path))
            self.assertEqual((result.returncode, result.stdout), (NO_INPUT, ""))
            self.assertRegex(result.stderr, rf"\Afxfer: [^\n]*{re.escape(str(path))}[^\n]*\n\Z")

    def test_listing_makes_nothing(self):
        folder = self.folder / "empty"
        folder.mkdir()
        self.assertEqual(run("partials", str(folder)).returncode, 0)
        self.assertEqual(list(folder.iterdir()), [])

    def test_listing_all_the_time_does_not_disturb_uploads(self):
        """Who looks locks for a moment: no upload is refused for that."""
        clients = [self.sending("--retries", "0", self.noise(f"f{n}", SIZE), self.server.address) for n in range(6)]
        names = {f"f{n}" for n in range(6)}
        eventually(lambda: self.partials() is None or names <= set(os.listdir(self.server.directory)), "all are stored")
        for client in clients:
            self.assertEqual(client.wait()[0], 0, client.events)
        self.assert_only({f"f{n}": self.folder / f"f{n}" for n in range(6)})


class BoundsTest(ResumeCase):
    """How long and how much."""

    def test_none_is_kept_where_the_time_is_0(self):
        self.server = self.serve("--keep-partials", "0", directory=self.folder / "none")
        self.kept = self.server.directory / ".fxfer" / "partials"
        source = self.noise("source", SIZE)
        self.interrupt(source, 3 * MIB + 5)
        eventually(lambda: not self.leftovers(), "nothing is kept")
        self.assertEqual(self.send_again(source)[0], 0)
        self.assert_only({"source": source})

    def test_what_is_kept_expires(self):
        self.server = self.serve("--keep-partials", "1s", directory=self.folder / "short")
        self.kept = self.server.directory / ".fxfer" / "partials"
        source = self.noise("source", SIZE)
        self.interrupt(source, 3 * MIB + 5)
        eventually(lambda: not self.leftovers(), "it has expired", patience=120)
        self.assertEqual(self.send_again(source)[0], 0)

    def test_what_is_too_old_is_gone_when_a_server_starts(self):
        self.interrupt(self.noise("source", SIZE), 3 * MIB + 5)
        self.assert_left({"source": 3 * MIB})
        self.crash()
        self.restart("--keep-partials", "0")
        self.assertEqual(self.leftovers(), [])

    def test_only_the_newest_are_kept_where_all_together_are_too_much(self):
        self.server = self.serve("--max-partials", "5MiB", directory=self.folder / "little")
        self.kept = self.server.directory / ".fxfer" / "partials"
        for name in ("a", "b", "c"):
            self.interrupt(self.noise(name, SIZE), 2 * MIB + 5)
            eventually(lambda: self.partials().get(name) == (2 * MIB, False), "it is kept")
        self.assert_left({"b": 2 * MIB, "c": 2 * MIB})
        self.assertEqual(len(self.leftovers()), 4)
        self.assertEqual(self.send_again(self.folder / "b")[0], 2 * MIB)
        self.assertEqual(self.send_again(self.folder / "a")[0], 0)

    def test_one_that_is_too_large_alone_is_not_kept(self):
        self.server = self.serve("--max-partials", "2MiB", directory=self.folder / "little")
        self.kept = self.server.directory / ".fxfer" / "partials"
        self.interrupt(self.noise("source", SIZE), 3 * MIB + 5)
        eventually(lambda: not self.leftovers(), "nothing is kept")
        self.assertEqual(self.server.published(), {})


class TwoAtOnceTest(ResumeCase):
    """Two connections that send to one path: one has the partial, and nothing is mixed."""

    def start_slowly(self, source, *options):
        """A sender that takes some seconds, and has sent something."""
        client = self.sending("--limit-rate", "16MiB", *options, source, self.server.address)
        client.wait_for("progress")
        return client

    def test_both_end_with_the_right_file(self):
        source = self.noise("source", 64 * MIB)
        first = self.start_slowly(source)
        second = self.sending(source, self.server.address)
        self.assertEqual((second.wait()[0], first.wait()[0]), (0, 0))
        self.assertIn("busy", [event["code"] for event in events(second, "retry")])
        outcomes = [client.events[-1]["outcome"] for client in (first, second)]
        self.assertEqual(outcomes, ["stored", "identical"])
        self.assert_only({"source": source})

    def test_who_does_not_wait_is_told(self):
        source = self.noise("source", 48 * MIB)
        first = self.start_slowly(source)
        self.assert_fails(RETRY, "--retries", "0", source, self.server.address, naming=["source"])
        self.assertEqual(first.wait()[0], 0)
        self.assert_only({"source": source})

    def test_other_content_for_the_same_name_does_not_get_mixed_in(self):
        source, other = self.noise("source", 48 * MIB), self.noise("other", 48 * MIB)
        first = self.start_slowly(source)
        second = self.sending("--as", "source", other, self.server.address)
        self.assertEqual((second.wait()[0], first.wait()[0]), (73, 0))
        self.assert_only({"source": source})

    def test_who_is_silent_loses_it_to_who_is_not(self):
        """A client that died without a word stays connected: after some seconds another goes on with what it sent."""
        source = self.noise("source", 64 * MIB)
        first = self.start_slowly(source)
        first.process.send_signal(signal.SIGSTOP)
        second = self.sending(source, self.server.address)
        status, errors = second.wait()
        self.assertEqual((status, second.events[-1]["outcome"]), (0, "stored"), errors)
        self.assertEqual(self.server.published(), {b"source": sha256(source)})
        first.process.send_signal(signal.SIGCONT)
        status, errors = first.wait()
        self.assertEqual((status, first.events[-1]["outcome"]), (0, "identical"), errors)
        self.assert_only({"source": source})

    def test_who_is_silent_and_wakes_up_in_the_middle_writes_nothing_more(self):
        source, other = self.noise("source", 64 * MIB), self.noise("other", 64 * MIB)
        first = self.start_slowly(source, "--retries", "0")
        first.process.send_signal(signal.SIGSTOP)
        second = self.sending("--limit-rate", "16MiB", "--as", "source", other, self.server.address)
        second.wait_for("progress")
        first.process.send_signal(signal.SIGCONT)
        self.assertEqual(first.wait()[0], RETRY)
        self.assertEqual(second.wait()[0], 0)
        self.assert_only({"source": other})

    def test_another_servers_partial_is_left_alone_until_that_is_killed(self):
        """Two servers share a directory: the lock tells them apart, and does not outlive its owner."""
        source = self.noise("source", SIZE)
        relay = self.relay(Fault(UP, PAYLOAD, 3 * MIB + 5, holds=True))
        client = self.sending("--retries", "0", source, relay.address)
        relay.wait_until_held()
        eventually(lambda: self.partials().get("source", (0, 0))[0] >= 2 * MIB, "it is written down")
        other = self.serve(directory=self.server.directory)
        self.assertEqual(list(self.partials()), ["source"])
        self.assert_fails(RETRY, "--retries", "0", source, other.address, naming=["source"])
        self.crash()
        relay.let_go()
        client.wait()
        self.server = other
        self.assertIn(self.send_again(source)[0], (2 * MIB, 3 * MIB))
        self.assert_only({"source": source})


if __name__ == "__main__":
    unittest.main()
