"""What was kept is of another content than what is sent now: the two are never spliced."""

import os
import unittest

from relay import PAYLOAD, UP, Fault
from resuming import MIB, ResumeCase
from support import sha256

SIZE = 5 * MIB + 77
CHANGED, NO_INPUT = 65, 66


class ChangedSourceTest(ResumeCase):
    """What was kept is of another content: it is forgotten, never spliced."""

    def assert_from_start(self, source):
        self.assert_left({"source": 3 * MIB})
        self.assertEqual(self.send_again(source)[0], 0)
        self.assert_only({"source": source})

    def test_rewritten_at_the_same_size(self):
        self.interrupt(self.noise("source", SIZE), 3 * MIB + 5)
        self.assert_from_start(self.noise("source", SIZE, seed="changed"))

    def test_one_byte_at_the_start_changed(self):
        source = self.noise("source", SIZE)
        self.interrupt(source, 3 * MIB + 5)
        time = source.stat().st_mtime_ns
        with open(source, "r+b") as file:
            file.write(b"?")
        os.utime(source, ns=(time, time))
        self.assert_from_start(source)

    def test_longer(self):
        self.interrupt(self.noise("source", SIZE), 3 * MIB + 5)
        self.assert_from_start(self.noise("source", SIZE + MIB, seed="longer"))

    def test_longer_with_the_same_beginning_goes_on(self):
        source = self.noise("source", SIZE)
        self.interrupt(source, 3 * MIB + 5)
        self.assert_left({"source": 3 * MIB})
        with open(source, "ab") as file:
            file.write(b"more")
        self.assertEqual(self.send_again(source)[0], 3 * MIB)
        self.assert_only({"source": source})

    def test_shorter_than_what_is_kept(self):
        """Of a shorter file with the same beginning there may be a prefix; in any case the result is right."""
        content = self.noise("source", SIZE).read_bytes()
        for size in (3 * MIB - 1, 2 * MIB + 1):
            self.interrupt(self.file("source", content), 3 * MIB + 5)
            self.assert_left({"source": 3 * MIB})
            source = self.file("source", content[:size])
            offset, _ = self.send_again(source)
            self.assertIn(offset, (0, 2 * MIB))
            self.assert_only({"source": source})
            (self.server.directory / "source").unlink()

    def test_so_short_that_it_is_sent_without_asking(self):
        """Nothing of the old upload is kept once a file has the name."""
        self.interrupt(self.noise("source", SIZE), 3 * MIB + 5)
        self.assert_left({"source": 3 * MIB})
        source = self.noise("source", 1000)
        self.assertEqual(self.send_again(source)[0], 0)
        self.assertEqual(self.server.published(), {b"source": sha256(source)})
        self.assertEqual((self.partials(), self.leftovers()), ({}, []))

    def test_another_inode_with_the_same_content_goes_on(self):
        source = self.noise("source", SIZE)
        self.interrupt(source, 3 * MIB + 5)
        self.assert_left({"source": 3 * MIB})
        copy = self.file("copy", source.read_bytes())
        copy.replace(source)
        self.assertEqual(self.send_again(source)[0], 3 * MIB)

    def changed_while_broken(self, change, *statuses):
        """The source changes between two tries of one `send`. The old content or the new one is stored, whole, or
        nothing is, and the status says which."""
        source = self.noise("source", SIZE)
        relay = self.relay(Fault(UP, PAYLOAD, 3 * MIB + 5))
        client = self.sending(source, relay.address)
        client.wait_for("retry")
        right = [sha256(source)]
        change(source)
        right += [sha256(source)] if source.exists() else []
        status, errors = client.wait()
        if status == 0:
            self.assertIn(client.events[-1]["sha256"], right)
            self.assertEqual(self.server.published(), {b"source": client.events[-1]["sha256"]})
        else:
            self.assertIn(status, statuses, errors)
            self.assertEqual(self.server.published(), {})

    def test_rewritten_between_two_tries(self):
        self.changed_while_broken(lambda source: self.noise("source", SIZE, seed="changed"), CHANGED)

    def test_another_inode_between_two_tries(self):
        other = self.noise("other", SIZE - 1)
        self.changed_while_broken(other.replace, CHANGED)

    def test_removed_between_two_tries(self):
        self.changed_while_broken(os.unlink, CHANGED, NO_INPUT)

    def test_cut_short_between_two_tries(self):
        self.changed_while_broken(lambda source: os.truncate(source, MIB), CHANGED)


if __name__ == "__main__":
    unittest.main()
