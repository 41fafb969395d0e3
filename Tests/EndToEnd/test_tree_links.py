"""What `fxfer send` makes of links, FIFOs, sockets and devices in a folder: each is named, nothing else suffers."""

import os
import socket
import stat

from trees import TreeCase, contents, plant

SKIPPED = "fxfer: '{}' is {} and was skipped"


class LinkCase(TreeCase):
    def setUp(self):
        super().setUp()
        plant(self.tree, {"a": b"a", "sub/b": b"b", "z": b"z"})
        plant(self.folder / "outside", {"secret": b"secret"})
        self.server = self.serve()
        self.plain = contents(self.tree)
        self.secret = self.plain | {b"link": contents(self.folder / "outside")[b"secret"]}

    def stored(self):
        return contents(self.server.directory / "tree")

    def assert_skips(self, skipped, *options):
        """All but these is stored; each of these, a path and what it is, is named."""
        status, _, stderr = self.send(*options, self.tree, self.server.address)
        lines = stderr.decode().splitlines()
        self.assertEqual(status, 0, lines)
        self.assertEqual(sorted(lines[:-1]), sorted(SKIPPED.format(self.tree / path, what) for path, what in skipped))
        self.assertRegex(lines[-1], rf"3 stored, {len(skipped)} skipped;")
        self.assertEqual(self.stored(), self.plain)


class SkippingTest(LinkCase):
    def test_links_are_skipped_and_named(self):
        """To a file, to a folder, to nothing, to itself, back up: none is followed."""
        links = {"file": "../outside/secret", "folder": "../outside", "nothing": "gone", "itself": "itself"}
        links |= {"sub/up": "..", "absolute": "/etc/hostname"}
        for path, target in links.items():
            (self.tree / path).symlink_to(target)
        self.assert_skips([(path, "a symbolic link") for path in links])

    def test_fifos_and_sockets_are_skipped_and_named(self):
        """They are not opened: a FIFO without a writer would block."""
        os.mkfifo(self.tree / "sub" / "fifo")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.tree / "sock"))
            self.assert_skips([("sub/fifo", "a FIFO"), ("sock", "a socket")])

    def test_devices_are_skipped_and_named(self):
        try:
            os.mknod(self.tree / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        except PermissionError:
            self.skipTest("may not make a device")
        self.assert_skips([("null", "a device")])

    def test_they_are_events(self):
        (self.tree / "link").symlink_to("a")
        client = self.sending("-q", self.tree, self.server.address)
        skipped = client.wait_for("skipped")
        self.assertEqual(client.wait(), (0, ""))
        self.assertEqual(skipped, {"event": "skipped", "source": f"{self.tree}/link", "reason": "a symbolic link"})
        self.assertEqual(self.stored(), self.plain)

    def test_quiet_does_not_name_them(self):
        (self.tree / "link").symlink_to("a")
        self.assert_sent("-q", self.tree, self.server.address)
        self.assertEqual(self.stored(), self.plain)


class FollowingTest(LinkCase):
    def follow(self):
        return self.send("--links", "follow", self.tree, self.server.address)

    def test_what_links_lead_to_is_stored(self):
        """Files and folders, as files and folders; a folder that two links lead to twice."""
        for name in ("one", "two"):
            (self.tree / name).symlink_to("../outside")
        (self.tree / "link").symlink_to("../outside/secret")
        self.assert_sent("-q", "--links", "follow", self.tree, self.server.address)
        secret = self.secret[b"link"]
        expected = self.secret | {b"one": "d", b"two": "d", b"one/secret": secret, b"two/secret": secret}
        self.assertEqual(self.stored(), expected)
        self.assertFalse((self.server.directory / "tree" / "link").is_symlink())

    def test_a_loop_is_a_failure_that_is_named(self):
        """The folder that a link leads back to is not sent within itself; the rest is."""
        (self.tree / "sub" / "up").symlink_to("..")
        (self.tree / "sub" / "here").symlink_to(".")
        status, _, stderr = self.follow()
        self.assertEqual(status, 66)
        self.assert_lists(stderr, f"'{self.tree}/sub/up'", f"'{self.tree}/sub/here'")
        self.assertEqual(self.stored(), self.plain)

    def test_a_loop_over_two_links(self):
        """Of two folders with links to each other each comes once within the other."""
        plant(self.tree, {"x/f": b"x", "y/f": b"y"})
        (self.tree / "x" / "y").symlink_to("../y")
        (self.tree / "y" / "x").symlink_to("../x")
        status, _, stderr = self.follow()
        self.assertEqual(status, 66)
        self.assert_lists(stderr, f"'{self.tree}/x/y/x'", f"'{self.tree}/y/x/y'")
        files = {path for path, what in self.stored().items() if what != "d"}
        self.assertEqual(files, {b"a", b"sub/b", b"z", b"x/f", b"x/y/f", b"y/f", b"y/x/f"})

    def test_a_link_to_nothing_is_a_failure_that_is_named(self):
        (self.tree / "nothing").symlink_to("gone")
        (self.tree / "itself").symlink_to("itself")
        status, _, stderr = self.follow()
        self.assertEqual(status, 66)
        self.assert_lists(stderr, f"'{self.tree}/nothing'", f"'{self.tree}/itself'")
        self.assertEqual(self.stored(), self.plain)

    def test_a_link_to_a_fifo_is_skipped_as_one(self):
        os.mkfifo(self.folder / "fifo")
        (self.tree / "link").symlink_to("../fifo")
        self.assert_skips([("link", "a FIFO")], "--links", "follow")
