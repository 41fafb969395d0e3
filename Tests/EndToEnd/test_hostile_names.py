"""Names that a hostile client makes up are refused, or are names like any other: nothing gets out of the directory."""

import hashlib
import io
import os

import wire
from abuse import AbuseCase
from flipping import flipping
from names import REFUSED, STORED
from support import sha256
from waiting import eventually


class HostileNamesTest(AbuseCase):
    def test_names_that_break_a_rule_are_refused_and_the_connection_goes_on(self):
        connection = self.greeted()
        for id, path in enumerate(REFUSED, 1):
            with self.abuse(path[:100]):
                connection.send(wire.offer(id, path, size=4))
                self.assert_refuses(connection, id, 32)
        self.assert_goes_on(connection)

    def test_a_long_name_does_not_make_a_longer_log_than_an_allowed_one_could(self):
        """An allowed name has 4,096 bytes, which may each be escaped with four characters, and is named twice."""
        connection = self.greeted()
        connection.send(wire.offer(1, b"x" * 65000, size=4))
        self.assert_refuses(connection, 1, 32)
        connection.socket.close()
        self.server.__exit__()
        self.assertLess(max(len(line) for line in self.server.log.splitlines()), 2 * 4 * 4096 + 1000)

    def test_content_that_is_sent_at_once_behind_a_bad_name_is_thrown_away(self):
        connection = self.greeted()
        digest = hashlib.sha256(b"evil").digest()
        for id, path in enumerate(REFUSED, 1):
            with self.abuse(path[:100]):
                finish = wire.encode(wire.FINISH, id=id, size=4, digest=digest)
                connection.send(wire.offer(id, path, size=4), wire.chunk(id, 0, b"evil", digest), finish)
                self.assert_refuses(connection, id, 32)
        self.assert_goes_on(connection)

    def test_other_names_are_stored_byte_for_byte(self):
        connection = self.greeted()
        expected = dict(self.stored)
        for path in STORED:
            with self.subTest(path[:100]):
                expected[path] = hashlib.sha256(path).hexdigest()
                receipt = wire.upload(connection, path, io.BytesIO(path), {"size": len(path)})
                self.assertEqual((receipt.path, receipt.outcome), (path, wire.STORED))
        self.assert_harmless(expected)

    def test_the_longest_name_is_stored(self):
        components = [b"l" * 63] * 63 + [b"l" * 64]
        path = b"/".join(components)
        self.assertEqual(len(path), 4096)
        receipt = wire.upload(self.greeted(), path, io.BytesIO(b"content"), {"size": 7})
        self.assertEqual(receipt.path, path)
        folder = os.open(self.server.directory, os.O_RDONLY)
        for component in components[:-1]:
            inner = os.open(component, os.O_RDONLY, dir_fd=folder)
            os.close(folder)
            folder = inner
        with open(os.open(components[-1], os.O_RDONLY, dir_fd=folder), "rb") as file:
            self.assertEqual(file.read(), b"content")
        os.close(folder)

    def test_a_name_of_each_single_byte_is_refused_or_stored(self):
        connection = self.greeted()
        expected = dict(self.stored)
        for value in range(256):
            path = b"%c" % value
            with self.subTest(path):
                if value < 0x20 or path in b"./\x7f":
                    id = connection.next_id()
                    connection.send(wire.offer(id, path, size=1))
                    self.assert_refuses(connection, id, 32)
                else:
                    wire.upload(connection, path, io.BytesIO(path), {"size": 1}, eager=True)
                    expected[path] = hashlib.sha256(path).hexdigest()
        self.assert_harmless(expected)

    def test_a_folder_is_not_a_file_and_a_file_is_not_a_folder(self):
        self.file("out/folder/file", b"in a folder\n")
        self.stored = self.server.published()
        connection = self.greeted()
        for path, codes in [(b"folder", (33, 34)), (b"old/x", (34,)), (b"folder/file/x/y", (34,))]:
            for known in (True, False):
                with self.abuse(path):
                    with self.assertRaises(wire.Refused) as raised:
                        wire.upload(connection, path, io.BytesIO(b"x"), {"size": 1} if known else {})
                    self.assertIn(raised.exception.code, codes)
        self.assert_goes_on(connection)


class PlantedLinksTest(AbuseCase):
    """Links in the directory, whoever has put them there, are not followed.

    The sandbox would keep the server in its directory in any case: this is what its file calls do without it.
    """

    options = ("--no-sandbox",)

    def setUp(self):
        super().setUp()
        (self.folder / "elsewhere").mkdir()
        (self.folder / "out/inside").mkdir()
        self.links = {
            "to-file": "../outside",
            "to-file-inside": "old",
            "to-folder": "../elsewhere",
            "to-folder-inside": "inside",
            "dangling": "../elsewhere/made",
            "loop": "loop",
            "to-self": ".",
            "absolute": str(self.folder / "elsewhere"),
        }
        for name, target in self.links.items():
            os.symlink(target, self.folder / "out" / name)
        self.before = self.tree()

    def tree(self):
        """Every name below the test's folder, and what it is."""
        found = {}
        for folder, folders, files in os.walk(self.folder):
            folders[:] = [name for name in folders if name != ".fxfer"]
            for name in [name for name in folders + files if not name.startswith("still-serves-")]:
                path = os.path.join(folder, name)
                found[path] = os.readlink(path) if os.path.islink(path) else os.path.isdir(path) or sha256(path)
        return found

    def assert_tree_unchanged(self):
        eventually(lambda: self.server.partials() == [], "nothing is staged any more")
        self.assertEqual(self.tree(), self.before)

    def test_a_link_is_neither_followed_nor_replaced(self):
        connection = self.greeted()
        paths = [os.fsencode(name) for name in self.links]
        for path in paths + [path + b"/x" for path in paths] + [path + b"/new/x" for path in paths]:
            for size in (0, 1, (1 << 20) + 1):
                with self.subTest(path=path, size=size):
                    with self.assertRaises(wire.Refused) as raised:
                        wire.upload(connection, path, io.BytesIO(bytes(size)), {"size": size})
                    self.assertIn(raised.exception.code, (33, 34))
                    self.assert_tree_unchanged()
        self.assert_goes_on(connection)

    def test_a_file_behind_a_link_is_not_told_about(self):
        """Not even whether its content is that of the client's."""
        connection = self.greeted()
        content = (self.folder / "outside").read_bytes()
        for known in (True, False):
            with self.subTest(known=known), self.assertRaises(wire.Refused):
                wire.upload(connection, b"to-file", io.BytesIO(content), {"size": len(content)} if known else {})
        self.assert_tree_unchanged()

    def test_nothing_gets_out_while_a_folder_and_a_link_take_turns(self):
        stored = refused = 0
        with flipping(self.folder / "out/spot", "../elsewhere"):
            connection = self.greeted()
            for number in range(2000):
                try:
                    wire.upload(connection, b"spot/%d" % number, io.BytesIO(b"x"), {"size": 1}, eager=True)
                    stored += 1
                except wire.Refused as refusal:
                    self.assertIn(refusal.code, (33, 34, 37))
                    refused += 1
        self.assertEqual(os.listdir(self.folder / "elsewhere"), [])
        self.assert_goes_on(self.greeted())
        self.assertGreater(stored, 0)
        self.assertGreater(refused, 0)
        self.assertEqual(self.server.partials(), [])
