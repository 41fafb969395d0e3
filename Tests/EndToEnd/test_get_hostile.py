"""A server that lies to `fxfer get` or `list` writes nothing that was not asked for, and never gets status 0."""

import contextlib
import hashlib
import os

from abuse import NO_CONTROLS
from fake_server import FakeServer
from frames import CANCEL, ENTRY, ERROR, OFFER, PREAMBLE, RECEIPT, PeerError, encode
from scripts import instead_of_greeting
from sharing import (
    GET, LIST, ShareCase, answering, entry, finish, listed, offered, one_chunk, welcome, whole,
)  # fmt: skip
from support import run
from trees import plant

IS_FOLDER = 41
CONTENT = b"what was asked for"
LARGE = bytes(range(256)) * (8 << 10)
FAILURES = (64, 65, 66, 70, 73, 74, 75, 76, 77)


class HostileCase(ShareCase):
    def setUp(self):
        super().setUp()
        plant(self.place, {"f": b"old", "other": b"other"})
        self.file("x", b"beside the folder")
        self.before = self.state()

    def assert_each_fails(self, cases, *statuses, options=(), name="f", outputs=(["--output", "-"], [])):
        """Nothing changes but for a part, the status is one of these, and each line of error is harmless."""
        for title, play in cases.items():
            for output in outputs:
                with self.subTest(title, output=output):
                    result = self.get_from(play, *options, *output, name=name)
                    self.assertIn(result.returncode, statuses or FAILURES, result.stderr)
                    self.assertRegex(result.stderr, rf"\A(fxfer: {NO_CONTROLS}\n)+\Z")
                    self.assertEqual(self.state(), self.before)
                    if not output:
                        self.assertEqual(result.stdout, "")


class GoodServerTest(HostileCase):
    def test_the_played_server_can_be_good(self):
        """Else the failures of the others would prove nothing."""
        result = self.get_from(answering(*whole(CONTENT)))
        self.assert_got(result, "f")
        self.assertEqual((self.place / "f").read_bytes(), CONTENT)
        result = self.get_from(answering(*whole(CONTENT)), "--output", "-")
        self.assertEqual((result.returncode, result.stdout), (0, CONTENT.decode()))


class OfferTest(HostileCase):
    def test_another_name(self):
        names = [b"other", b"../x", b"/etc/fxfer-was-here", b".", b"..", b"", b"F", b"f/", b"./f", b"f\0", b"sub/f"]
        names += [b".fxfer/f", b"\x1b[2Jf", b"f" * 5000]
        self.assert_each_fails({ascii(name[:20]): answering(*whole(CONTENT, name)) for name in names}, 76)

    def test_another_number(self):
        cases = {f"file {id}": answering(*whole(CONTENT, id=id)) for id in (0, 2, 2**32 - 1)}
        self.assert_each_fails(cases, 76)

    def test_more_than_was_asked_for(self):
        extra = whole(CONTENT, b"other", 2)
        self.assert_each_fails({"before": answering(*extra, *whole(CONTENT))}, 76)
        result = self.get_from(answering(*whole(CONTENT), *extra))
        self.assertEqual((self.place / "other").read_bytes(), b"other")
        names = [name for name in os.listdir(self.place) if not name.startswith(".fxfer-")]
        self.assertEqual(sorted(names), ["f", "other"])
        self.assertIn(result.returncode, (0, 76))

    def test_a_folder_or_unknown_flags(self):
        flags = ((9, 0), (8, 0), (9, 5), (64, 5))
        cases = {f"flags {flags}, size {size}": answering(offer_with(flags, size)) for flags, size in flags}
        self.assert_each_fails(cases, 76)

    def test_sizes_that_no_file_has(self):
        cases = {f"{size}": answering(offered(b"", size=size)) for size in (2**60 + 1, 2**63, 2**64 - 1)}
        self.assert_each_fails(cases, 65, 74, 75, 76)

    def test_a_second_offer_of_the_same(self):
        self.assert_each_fails({"twice": answering(offered(CONTENT), offered(CONTENT))}, 76)


def offer_with(flags, size):
    values = {"id": 1, "flags": flags, "permissions": 0o644, "size": size, "seconds": 0, "nanoseconds": 0}
    return encode(OFFER, **values, path=b"f")


class ContentTest(HostileCase):
    def test_content_that_is_not_what_was_announced(self):
        other = hashlib.sha256(b"other").digest()
        half = CONTENT[:5]
        cases = {
            "digest at the end": answering(offered(CONTENT), one_chunk(CONTENT), finish(CONTENT, digest=other)),
            "size at the end": answering(offered(CONTENT), one_chunk(CONTENT), finish(CONTENT, size=3)),
            "short": answering(offered(CONTENT), one_chunk(half), finish(half)),
            "short, with all's digest": answering(offered(CONTENT), one_chunk(half), finish(CONTENT)),
            "long": answering(offered(half), one_chunk(CONTENT), finish(CONTENT)),
            "at another place": answering(offered(CONTENT), one_chunk(CONTENT, offset=5), finish(CONTENT)),
            "finish alone": answering(offered(CONTENT), finish(CONTENT)),
            "twice": answering(offered(CONTENT), one_chunk(CONTENT), one_chunk(CONTENT), finish(CONTENT)),
            "without an offer": answering(one_chunk(CONTENT), finish(CONTENT)),
            "another file": answering(offered(CONTENT), one_chunk(CONTENT, id=2)),
        }
        self.assert_each_fails(cases, 65, 76)

    def test_a_chunk_whose_digest_is_always_wrong(self):
        def play(connection):
            welcome(connection)
            connection.expect(GET)
            connection.send(offered(CONTENT))
            for _ in range(20):
                connection.send(one_chunk(CONTENT, running=bytes(32)))
            connection.drain()

        self.assert_each_fails({"always": play}, 65, 75, 76)

    def test_a_file_without_end(self):
        """More than was announced is not taken, whatever the client would have room for."""

        def play(connection):
            welcome(connection)
            connection.expect(GET)
            state, place = hashlib.sha256(), 0
            connection.send(offered(b"", size=len(LARGE)))
            for _ in range(1000):
                state.update(LARGE[: 1 << 20])
                connection.send(one_chunk(LARGE[: 1 << 20], offset=place, running=state.digest()))
                place += 1 << 20

        self.assert_each_fails({"endless": play}, 75, 76)

    def test_silence_and_early_ends(self):
        def leave(*parts):
            def play(connection):
                welcome(connection)
                connection.expect(GET)
                connection.send(*parts)

            return play

        cases = {"before OFFER": leave(), "after OFFER": leave(offered(CONTENT))}
        cases["before FINISH"] = leave(offered(CONTENT), one_chunk(CONTENT))
        self.assert_each_fails(cases, 75)
        self.assert_each_fails({"silent": answering()}, 75, options=["--timeout", "1"])

    def test_answers_that_make_no_sense(self):
        cases = {
            "a receipt": answering(encode(RECEIPT, id=1, outcome=0, size=0, digest=bytes(32), path=b"f")),
            "a listing": answering(listed()),
            "an entry": answering(entry(b"x")),
            "a GET": answering(encode(GET, id=1, path=b"f")),
            "no greeting": instead_of_greeting(b"HTTP/1.1 200 OK\r\n\r\n"),
        }
        self.assert_each_fails(cases, 75, 76)


class TreeTest(HostileCase):
    """The server says that it is a folder."""

    def folder_of(self, *parts):
        def play(connection):
            welcome(connection)
            connection.expect(GET)
            connection.send(encode(CANCEL, id=1, code=IS_FOLDER, message=b"a folder"))
            connection.expect(LIST)
            connection.send(*parts)
            # The client ends the connection, or asks for what is in the folder, which it is not told any more.
            with contextlib.suppress(PeerError):
                connection.receive()

        return play

    def test_names_of_entries_that_lead_elsewhere(self):
        names = [b"../x", b"..", b".", b"", b"/x", b"a/b", b"a\0", b"\x1b[2J", b"\n", b"x" * 256]
        for folder in (False, True):
            cases = {f"{ascii(name[:10])} {folder}": self.folder_of(entry(name, folder), listed()) for name in names}
            # A folder is never written to standard output, so it is not even listed for that.
            self.assert_each_fails(cases, 76, name="g", outputs=[[]])

    def test_entries_that_are_neither_file_nor_folder(self):
        """There is no frame for a link: what is called one is an error before a file could go through it."""
        odd = {kind: {"entry": kind} for kind in (2, 3, 0x80, 0xFF)}
        values = {"id": 1, "permissions": 0o777, "size": 0, "seconds": 0, "nanoseconds": 0}
        link = {kind: encode(ENTRY, **values, **changes, name=b"a") for kind, changes in odd.items()}
        cases = {f"kind {kind}": self.folder_of(sent, entry(b"b"), listed()) for kind, sent in link.items()}
        self.assert_each_fails(cases, 76, name="g", outputs=[[], ["--output", "h"]])

    def test_other_files_than_those_of_the_listing(self):
        """For each file the client asks by its path, and takes no other one in its place."""

        def answers(path):
            def play(connection):
                welcome(connection)
                connection.expect(GET)
                connection.send(encode(CANCEL, id=1, code=IS_FOLDER, message=b"a folder"))
                connection.expect(LIST)
                connection.send(entry(b"a"), listed())
                asked = connection.expect(GET)
                self.assertEqual(asked.path, b"g/a")
                connection.send(*whole(CONTENT, path, asked.id))
                connection.drain()

            return play

        paths = [b"g/b", b"a", b"g/../x", b"../x", b"g", b"f", b"g/a/b", b"/g/a", b"other"]
        before = self.before
        # Its own folder was asked for, and may be there; nothing is in it.
        for path in paths:
            with self.subTest(path):
                result = self.get_from(answers(path), name="g")
                self.assertEqual((result.returncode, result.stdout), (76, ""), result.stderr)
                new = self.state().items() - before.items()
                self.assertLessEqual(new, {(b"place/g", ("0755", "d"))} | self.places())
                self.assertEqual((self.place / "f").read_bytes(), b"old")

    def places(self):
        """The folders' own lines, which change their time alone."""
        return {item for item in self.state().items() if item[1][1] == "d"}

    def test_a_folder_in_place_of_a_file_that_was_named(self):
        """With --output, a server that calls the file a folder writes nothing over what is there."""
        victim = self.file("place/victim", b"mine")
        self.before = self.state()
        for name in (b"victim", b"authorized_keys"):

            def play(connection):
                self.folder_of(entry(name), listed())(connection)
                connection.send(*whole(b"not mine", b"g/" + name, 2))
                connection.drain()

            with self.subTest(name):
                result = self.get_from(play, "--output", str(victim), name="g")
                self.assertEqual((result.returncode, result.stdout), (73, ""), result.stderr)
                self.assertRegex(result.stderr, rf"\A(fxfer: {NO_CONTROLS}\n)+\Z")
                self.assertEqual(self.state(), self.before)

    def test_entries_that_come_twice(self):
        cases = {
            "two files": self.folder_of(entry(b"a"), entry(b"a"), listed()),
            "a file and a folder": self.folder_of(entry(b"a"), entry(b"a", True), listed()),
        }
        for title, play in cases.items():
            with self.subTest(title):
                self.assertNotEqual(self.get_from(play, name="g").returncode, 0)
                self.assertEqual((self.place / "f").read_bytes(), b"old")


class TextTest(HostileCase):
    def test_what_acts_on_a_terminal_is_escaped(self):
        texts = [b"\x1b[2J\x1b]0;title\x07", b"two\nlines\r\n", b"\x9b31m", b"\xc2\x9b31m", b"\xff\xfe", b""]
        texts += [b"\0", b"%s%n", "\u202e\u2066 right to left".encode(), b"x" * 60000]
        for text in texts:
            cases = {
                f"{text[:9]} CANCEL": answering(encode(CANCEL, id=1, code=39, message=text)),
                f"{text[:9]} ERROR": answering(encode(ERROR, code=5, message=text)),
                f"{text[:9]} first": instead_of_greeting(PREAMBLE, encode(ERROR, code=5, message=text)),
            }
            self.assert_each_fails(cases)
            for part in (listed(code=39, message=text), encode(ERROR, code=5, message=text)):
                with self.subTest(text[:9]), FakeServer(answering(part, to=LIST)) as server:
                    self.assert_fails(run("list", server.address, "--timeout", "5"), *FAILURES)

    def test_a_busy_server_is_not_asked_for_ever(self):
        def busy(connection):
            welcome(connection)
            connection.expect(GET)
            connection.send(encode(CANCEL, id=1, code=8, message=b"busy"))
            connection.drain()

        self.assert_each_fails({"busy": busy}, 75)
