"""A server that lies or refuses never gets the client to say that a file was stored."""

import json

from frames import CANCEL, CHUNK, ERROR, PREAMBLE, REFUSE, encode
from scripts import BIG, DATA, EXISTS, IO, MIB, PERMISSION, PROTOCOL, RETRY, SMALL, HostileServerCase
from scripts import accept, after_finish, after_offer, confirm, digest, instead_of_greeting, offered, receipt, rewind


class GoodServerTest(HostileServerCase):
    def test_the_played_server_can_be_good(self):
        """Else the failures of the others would prove nothing."""
        for content in (SMALL, BIG, b""):
            result = self.send(content, after_finish(receipt(content)))
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertEqual(result.stdout, f"{digest(content).hex()}  source\n")


class LyingServerTest(HostileServerCase):
    def test_a_receipt_for_something_else_is_not_believed(self):
        for content in (SMALL, BIG):
            cases = {
                "digest": after_finish(receipt(content, running=digest(b"other"))),
                "digest of nothing": after_finish(receipt(content, running=digest(b""))),
                "size": after_finish(receipt(content, size=len(content) - 1)),
                "size of 2^64-1": after_finish(receipt(content, size=2**64 - 1)),
                "path": after_finish(receipt(content, path=b"other")),
                "path outside": after_finish(receipt(content, path=b"../source")),
                "no path": after_finish(receipt(content, path=b"")),
                "path in another case": after_finish(receipt(content, path=b"Source")),
                "file id": after_finish(receipt(content, id=2)),
                "file id 0": after_finish(receipt(content, id=0)),
                "outcome": after_finish(receipt(content, outcome=7)),
                "a long path with escapes": after_finish(receipt(content, path=b"\x1b[2J\n" * 800)),
            }
            self.assert_each_fails(content, cases, DATA, PROTOCOL)

    def test_a_receipt_before_finish_is_not_believed(self):
        """The file is larger than what is under way unread: the client cannot have sent FINISH."""
        big = BIG * 10

        def in_the_middle(connection):
            offered(connection)
            connection.send(accept())
            connection.expect(CHUNK)
            connection.send(confirm(MIB), receipt(big))
            connection.drain()

        cases = {
            "instead of ACCEPT": after_offer(receipt(big)),
            "right behind ACCEPT": after_offer(accept(), receipt(big)),
            "after a chunk": in_the_middle,
        }
        self.assert_each_fails(big, cases, DATA, PROTOCOL)

    def test_confirmations_of_what_was_not_sent_are_not_believed(self):
        cases = {
            "behind the end": after_offer(accept(), confirm(len(BIG) + 1)),
            "2^64-1": after_offer(accept(), confirm(2**64 - 1)),
            "2^63": after_offer(accept(), confirm(2**63)),
            "not at a chunk's end": after_offer(accept(), confirm(1)),
            "nothing": after_offer(accept(), confirm(0)),
            "another file": after_offer(accept(), confirm(MIB, id=2)),
            "before ACCEPT": after_offer(confirm(MIB)),
        }
        self.assert_each_fails(BIG, cases, PROTOCOL)

    def test_offsets_that_go_backwards_are_not_believed(self):
        def twice(connection):
            offered(connection)
            connection.send(accept())
            for _ in range(2):
                connection.expect(CHUNK)
            connection.send(confirm(2 * MIB), confirm(MIB))
            connection.drain()

        self.assert_each_fails(BIG, {"2 MiB, then 1 MiB": twice}, PROTOCOL)

    def test_a_rewind_to_elsewhere_is_not_followed(self):
        cases = {
            "never confirmed": after_offer(accept(), rewind(MIB)),
            "behind the end": after_offer(accept(), rewind(len(BIG) + 1)),
            "2^64-1": after_offer(accept(), rewind(2**64 - 1)),
            "not at a chunk's end": after_offer(accept(), rewind(1)),
            "another file": after_offer(accept(), rewind(0, id=9)),
            "before ACCEPT": after_offer(rewind(0)),
        }
        self.assert_each_fails(BIG, cases, PROTOCOL)

    def test_a_rewind_before_what_was_confirmed_is_not_followed(self):
        def back(connection):
            offered(connection)
            connection.send(accept())
            connection.expect(CHUNK)
            connection.send(confirm(MIB), rewind(0))
            connection.drain()

        self.assert_each_fails(BIG, {"to 0": back}, PROTOCOL)

    def test_a_rewind_without_end_is_given_up(self):
        for content in (SMALL, BIG):
            rewinds = []

            def always(connection):
                offered(connection)
                connection.send(accept())
                while True:
                    found = connection.receive()
                    if found.kind == CHUNK and found.offset == 0:
                        rewinds.append(found.offset)
                        connection.send(rewind(0))

            self.assert_fails(self.send(content, always, "--timeout", "5"), DATA, PROTOCOL)
            self.assertLessEqual(len(rewinds), 10)

    def test_a_prefix_that_is_none_is_not_built_upon(self):
        over = {
            "one over the size": after_offer(accept(len(BIG) + 1, BIG)),
            "2^63": after_offer(accept(2**63)),
            "2^64-1": after_offer(accept(2**64 - 1)),
            "twice": after_offer(accept(), accept()),
            "another file": after_offer(accept(id=2)),
            "0 with another digest than that of nothing": after_offer(accept(running=bytes(32))),
        }
        self.assert_each_fails(BIG, over, PROTOCOL)
        small = {"a prefix of a file that may be sent at once": after_offer(accept(5, SMALL[:5]))}
        self.assert_each_fails(SMALL, small, PROTOCOL)

    def test_a_prefix_with_another_digest_is_sent_again_from_the_start(self):
        """Also where it has the full size: the client sends its own bytes, and believes only its own digest."""
        for offset in (1, MIB, len(BIG)):
            with self.subTest(offset=offset):
                offsets = []

                def play(connection):
                    offered(connection)
                    connection.send(accept(offset, running=bytes(32)))
                    while (found := connection.receive()).kind == CHUNK:
                        offsets.append(found.offset)
                        connection.send(confirm(found.offset + found.length))
                    connection.send(receipt(BIG, running=bytes(32)))
                    connection.drain()

                self.assert_fails(self.send(BIG, play, "--timeout", "5"), DATA, PROTOCOL)
                self.assertEqual(offsets[0], 0)

    def test_existing_content_that_differs_is_an_error(self):
        def play(connection):
            offered(connection)
            connection.send(accept(len(BIG), running=bytes(32)))
            self.assertEqual(connection.expect(CHUNK).offset, 0)
            connection.send(encode(REFUSE, id=1, code=33, message=b"exists"))
            connection.drain()

        self.assert_fails(self.send(BIG, play), EXISTS)


class RefusingServerTest(HostileServerCase):
    def refuse_in_the_middle(self, code, cancelled):
        def play(connection):
            offered(connection)
            connection.send(accept())
            connection.expect(CHUNK)
            connection.send(encode(REFUSE, id=1, code=code, message=b"the reason \x1b[2J is this"))
            while (found := connection.receive()).kind != CANCEL:
                pass
            cancelled.append(found.id)
            connection.drain()

        return play

    def test_a_refusal_in_the_middle_is_told_with_its_reason(self):
        for code, status in {33: EXISTS, 36: IO, 7: RETRY, 37: IO, 4: DATA}.items():
            with self.subTest(code=code):
                cancelled = []
                result = self.send(BIG, self.refuse_in_the_middle(code, cancelled), "--timeout", "5")
                self.assert_fails(result, status)
                self.assertIn("the reason", result.stderr)
                self.assertNotIn("reset", result.stderr)
                self.assertEqual(cancelled, [1])

    def test_a_refusal_of_an_unknown_code_is_a_failure(self):
        for code in (0, 1, 31, 41, 65535):
            with self.subTest(code=code):
                self.assert_fails(self.send(BIG, self.refuse_in_the_middle(code, []), "--timeout", "5"), *range(64, 78))

    def test_an_error_is_told_with_its_reason(self):
        statuses = {1: PROTOCOL, 2: PROTOCOL, 5: PERMISSION, 6: RETRY, 7: RETRY, 8: RETRY, 9: None, 65535: PROTOCOL}
        for code, status in statuses.items():
            for when, play in {
                "instead of WELCOME": lambda error: instead_of_greeting(PREAMBLE, error),
                "instead of ACCEPT": after_offer,
                "in the middle": lambda error: after_offer(accept(), error),
                "instead of RECEIPT": after_finish,
            }.items():
                with self.subTest(code=code, when=when):
                    result = self.send(BIG, play(encode(ERROR, code=code, message=b"the reason")), "--timeout", "5")
                    self.assert_fails(result, *([status] if status else range(64, 78)))
                    self.assertIn("the reason", result.stderr)

    def test_what_acts_on_a_terminal_is_escaped(self):
        texts = [b"\x1b[2J\x1b]0;title\x07", b"two\nlines\r\n", b"\x9b31m", b"\xc2\x9b31m", b"\xff\xfe", b""]
        texts += [b"\0", b"%s%n", "\u202e\u2066 right to left".encode(), "\u2028 line".encode()]
        for text in texts:
            error, refusal = encode(ERROR, code=5, message=text), encode(REFUSE, id=1, code=33, message=text)
            refused = [(after_offer(refusal), EXISTS), (after_finish(refusal), EXISTS)]
            for play, status in [(instead_of_greeting(PREAMBLE, error), PERMISSION), *refused]:
                with self.subTest(text[:30], status=status):
                    result = self.send(SMALL, play, "--timeout", "5")
                    self.assert_fails(result, status)
                    result = self.send(SMALL, play, "--timeout", "5", "--json")
                    self.assertEqual(result.returncode, status)
                    self.assertTrue(result.stdout.replace("\n", "").isprintable(), result.stdout)
                    events = [json.loads(line) for line in result.stdout.splitlines()]
                    self.assertEqual((events[-1]["event"], events[-1]["status"]), ("error", status))

    def test_a_long_text_is_still_one_line_and_cut(self):
        for text in (b"x" * 65000, b"\x1b" * 60000):
            error = encode(ERROR, code=5, message=text)
            with self.subTest(text[:5]):
                result = self.send(SMALL, instead_of_greeting(PREAMBLE, error), "--timeout", "5")
                self.assert_fails(result, PERMISSION)
                self.assertLess(len(result.stderr), 20_000)
