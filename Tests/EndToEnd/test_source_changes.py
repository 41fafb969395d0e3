"""A source that changes while it is sent is never a success: status 65, and nothing is published."""

import os
import unittest

from gate import Gate
from sending import SendCase
from support import sha256

MIB = 1 << 20
#: More than the client and the kernel's buffers take in while the gate holds the stream.
SIZE = 64 * MIB


class SourceChangesTest(SendCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.server.directory.joinpath("old").write_bytes(b"old")
        self.before = self.server.published()
        self.source = self.sparse("f", SIZE)

    def send_while(self, change):
        """Sends the file, and calls `change` when the server has got a part of it; answers status and last event."""
        with Gate(self.server.port, 3 * MIB + 100) as gate:
            client = self.sending(self.source, gate.address)
            gate.wait_until_held()
            self.assertLess(client.bytes_read(), SIZE - MIB)
            change()
            gate.open()
            status, _ = client.wait()
        return status, client.events[-1]

    def assert_changed(self, change):
        """The client notices the change and says so; nothing is published.

        What the server keeps of the old content is not mixed with the new: the next try stores the file as it is then.
        """
        status, event = self.send_while(change)
        self.assertEqual((status, event["event"], event.get("code")), (65, "error", "source-changed"), event)
        self.assertIn("change", event["message"])
        self.assertEqual(self.server.published(), self.before)
        if self.source.exists():
            self.assert_sent("--quiet", self.source, self.server.address)
            self.assert_nothing_stored(self.server, self.before | {b"f": sha256(self.source)})
        self.assert_serves(self.server)

    def write(self, offset, content=b"changed"):
        with open(self.source, "r+b") as file:
            file.seek(offset)
            file.write(content)

    def test_no_change(self):
        """Without a change, the same way ends well: what is tested here is not the gate."""
        self.assertEqual(self.send_while(lambda: None)[0], 0)

    def test_reading_is_no_change(self):
        """Another reader of the source is no change."""
        self.assertEqual(self.send_while(self.source.read_bytes)[0], 0)

    def test_grows(self):
        """It grows at its end."""
        self.assert_changed(lambda: self.write(SIZE))

    def test_shrinks(self):
        """It shrinks, but not below what was read."""
        self.assert_changed(lambda: os.truncate(self.source, SIZE - 1))

    def test_shrinks_below_what_was_sent(self):
        """It shrinks to nothing."""
        self.assert_changed(lambda: os.truncate(self.source, 0))

    def test_rewritten_before_it_is_read(self):
        """It is rewritten at the same size where the client has not read it yet."""
        self.assert_changed(lambda: self.write(SIZE - MIB))

    def test_rewritten_after_it_was_read(self):
        """It is rewritten at the same size where the client has read it already."""
        self.assert_changed(lambda: self.write(0))

    def test_rewritten_with_its_time_restored(self):
        """It is rewritten at the same size, and its old modification time is set again."""

        def change():
            stat = self.source.stat()
            self.write(SIZE - MIB)
            os.utime(self.source, ns=(stat.st_atime_ns, stat.st_mtime_ns))

        self.assert_changed(change)

    def test_replaced(self):
        """Another file takes its name."""
        self.assert_changed(lambda: self.sparse("other", SIZE).rename(self.source))

    def test_removed(self):
        """It is removed."""
        self.assert_changed(self.source.unlink)

    def test_others_are_sent(self):
        """The files before and behind it on the same command are stored; the status is still 65."""
        first, last = self.file("first"), self.file("last")
        with Gate(self.server.port, 3 * MIB) as gate:
            client = self.sending(first, self.source, last, gate.address)
            gate.wait_until_held()
            self.write(SIZE)
            gate.open()
            self.assertEqual(client.wait()[0], 65)
        self.assertEqual(sorted(self.server.published()), [b"first", b"last", b"old"])
        self.assertEqual({event["name"] for event in client.events if event["event"] == "receipt"}, {"first", "last"})


if __name__ == "__main__":
    unittest.main()
