"""Frames that break the protocol end the connection with ERROR, and nothing else happens."""

import hashlib
import io
import os
import socket
import struct
import zlib

import wire
from abuse import AbuseCase, answers
from frames import ACCEPT, ALIVE, BYE, CANCEL, CHUNK, CONFIRM, ERROR, FINISH, HELLO, OFFER, PREAMBLE, RECEIPT
from frames import LEVELS, RECEIPTS, REFUSE, REWIND, WELCOME, encode, field, frame, hello, offer

EMPTY = hashlib.sha256().digest()
FROM_CLIENTS = {
    OFFER: offer(1, b"name", size=10),
    CHUNK: wire.chunk(1, 0, b"content", hashlib.sha256(b"content").digest()),
    FINISH: encode(FINISH, id=1, size=0, digest=EMPTY),
    CANCEL: encode(CANCEL, id=1, code=40, message=b"why not"),
}
FROM_SERVERS = {
    WELCOME: encode(WELCOME, version=1, files=1, largest_chunk=65536, capabilities=0, nonce=bytes(32)),
    ACCEPT: encode(ACCEPT, id=1, offset=0, digest=EMPTY),
    CONFIRM: encode(CONFIRM, id=1, offset=0),
    REWIND: encode(REWIND, id=1, offset=0),
    REFUSE: encode(REFUSE, id=1, code=33, message=b"no"),
    RECEIPT: encode(RECEIPT, id=1, outcome=0, size=0, digest=EMPTY, path=b"name"),
}
UNKNOWN_CRITICAL = [0x00, 0x03, 0x06, 0x0F, 0x19, 0x20, 0x2F, 0x30, 0x7F]
UNKNOWN_OPTIONAL = [0x82, 0x83, 0xC0, 0xFF]


def header(length, kind, zero=b"\0\0\0", damage=0):
    start = struct.pack(">IB", length, kind) + zero
    return start + struct.pack(">I", zlib.crc32(start) ^ damage)


def body_of(bytes_of_a_frame):
    return bytes_of_a_frame[12:-4]


class HeaderTest(AbuseCase):
    """What is wrong with a frame whatever its type, as the first frame and after the greeting."""

    def assert_each_ends(self, cases, code):
        for title, bad in cases.items():
            with self.abuse(f"{title} instead of HELLO"):
                connection = self.connect()
                connection.send(PREAMBLE, bad)
                connection.expect_preamble()
                self.assert_ends_with(connection, code)
            with self.abuse(f"{title} after the greeting"):
                connection = self.greeted()
                connection.send(bad)
                self.assert_ends_with(connection, code)
            with self.abuse(f"{title} while a file is open"):
                connection = self.greeted()
                connection.send(offer(1, b"name", size=10), bad)
                self.assert_ends_with(connection, code)

    def test_a_body_over_the_limit_is_not_read(self):
        lengths = [65537, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1]
        both = [(length, kind) for length in lengths for kind in (HELLO, OFFER, 0xFF)]
        cases = {f"{length} bytes of {kind:#04x}": header(length, kind) for length, kind in both}
        self.assert_each_ends(cases, 3)

    def test_bytes_that_must_be_zero_are_zero(self):
        zeros = [b"\1\0\0", b"\0\1\0", b"\0\0\x80"]
        self.assert_each_ends({f"{zero}": header(0, ALIVE, zero) + bytes(4) for zero in zeros}, 1)

    def test_a_wrong_checksum_is_noticed(self):
        cases = {
            "header": header(0, ALIVE, damage=1) + bytes(4),
            "header of a long frame": header((1 << 32) - 1, OFFER, damage=1 << 31),
            "body": header(4, ALIVE) + b"abcd" + struct.pack(">I", zlib.crc32(b"abce")),
            "empty body": header(0, ALIVE) + b"\0\0\0\1",
            "unknown optional frame": header(4, 0xFF) + b"abcd" + bytes(4),
        }
        self.assert_each_ends(cases, 4)

    def test_an_unknown_critical_frame_is_an_error(self):
        self.assert_each_ends({f"{kind:#04x}": frame(kind) for kind in UNKNOWN_CRITICAL}, 1)

    def test_unknown_optional_frames_are_skipped(self):
        for kind in [ALIVE, *UNKNOWN_OPTIONAL]:
            with self.abuse(f"{kind:#04x}"):
                connection = self.greeted()
                body = b"" if kind == ALIVE else os.urandom(65536)
                for _ in range(3):
                    connection.send(frame(kind, body))
                self.assert_goes_on(connection)

    def test_optional_frames_may_be_between_those_of_a_file(self):
        connection = self.greeted()
        other = frame(0xFF, b"something new")
        digest = hashlib.sha256(b"content").digest()
        finish = encode(FINISH, id=1, size=7, digest=digest)
        parts = [offer(1, b"new", size=7), wire.chunk(1, 0, b"content", digest), finish]
        connection.send(other, other.join(parts), other)
        self.assertEqual([connection.receive().kind for _ in range(3)], [ACCEPT, CONFIRM, RECEIPT])
        self.assert_harmless({**self.stored, b"new": digest.hex()})

    def test_the_servers_own_frames_are_an_error(self):
        self.assert_each_ends({f"{kind:#04x}": bad for kind, bad in FROM_SERVERS.items()}, 1)


class BodyTest(AbuseCase):
    def ends(self, title, code, *parts):
        with self.abuse(title):
            connection = self.greeted()
            connection.send(*parts)
            self.assert_ends_with(connection, code)

    def test_a_body_that_ends_inside_its_fixed_part_is_an_error(self):
        for kind, whole in FROM_CLIENTS.items():
            body = body_of(whole)
            if kind == CHUNK:
                body = body[:16]
            for length in range(len(body)):
                with self.subTest(f"{length} bytes of {kind:#04x}"):
                    connection = self.greeted()
                    connection.send(b"" if kind == OFFER else FROM_CLIENTS[OFFER], frame(kind, body[:length]))
                    self.assert_ends_with(connection, 1)
        self.assert_harmless()

    def test_a_hello_that_ends_inside_its_fixed_part_is_an_error(self):
        for length in range(48):
            with self.subTest(length=length):
                connection = self.connect()
                connection.send(PREAMBLE, frame(HELLO, body_of(hello())[:length]))
                connection.expect_preamble()
                self.assert_ends_with(connection, 1)
        self.assert_harmless()

    def test_fields_are_skipped_or_an_error_as_their_tags_say(self):
        body = body_of(FROM_CLIENTS[OFFER])
        for tag in (0x8000, 0x8002, 0xFFFF):
            with self.abuse(f"optional {tag:#06x}"):
                connection = self.greeted()
                connection.send(frame(OFFER, body + field(tag, b"") + field(tag, bytes(60000))))
                self.assertEqual(connection.receive().kind, ACCEPT)
                connection.socket.close()
        for tag in (0x0000, 0x0001, 0x7FFF):
            self.ends(f"critical {tag:#06x}", 1, frame(OFFER, body + field(tag, b"x")))
            self.ends(f"critical {tag:#06x} second", 1, frame(OFFER, body + field(0x8000, b"x") + field(tag, b"x")))
        cut = [b"\x80", b"\x80\0", b"\x80\0\0", b"\x80\0\0\1", b"\x80\0\xff\xffxyz", field(0x8000, b"x") + b"\x80"]
        for rest in cut:
            self.ends(f"cut field {rest}", 1, frame(OFFER, body + rest))

    def test_frames_with_an_empty_body_have_an_empty_body(self):
        self.ends("BYE", 1, frame(BYE, b"x"))
        self.ends("ALIVE", 1, frame(ALIVE, b"x"))


class GreetingTest(AbuseCase):
    def assert_answers(self, sent, code):
        connection = self.connect()
        connection.send(PREAMBLE, sent)
        connection.expect_preamble()
        self.assert_ends_with(connection, code)

    def test_versions_without_a_common_one_are_refused(self):
        for lowest, highest in [(2, 2), (2, 65535), (65535, 65535), (0, 0)]:
            with self.abuse(f"{lowest} to {highest}"):
                self.assert_answers(hello(lowest=lowest, highest=highest), 2)

    def test_versions_in_the_wrong_order_are_an_error(self):
        for lowest, highest in [(2, 1), (1, 0), (65535, 0)]:
            with self.abuse(f"{lowest} to {highest}"):
                self.assert_answers(hello(lowest=lowest, highest=highest), 1)

    def test_the_common_version_is_chosen(self):
        for lowest, highest in [(0, 1), (1, 2), (0, 65535)]:
            with self.abuse(f"{lowest} to {highest}"):
                connection = self.connect()
                connection.send(PREAMBLE, hello(lowest=lowest, highest=highest))
                connection.expect_preamble()
                connection.terms = connection.expect(WELCOME)
                self.assertEqual(connection.terms.version, 1)
                self.assert_goes_on(connection)

    def test_unknown_capabilities_are_not_granted(self):
        connection = self.connect()
        wishes = {"largest_chunk": 1 << 20, "capabilities": (1 << 64) - 1, "nonce": bytes(32)}
        connection.send(PREAMBLE, encode(HELLO, lowest=1, highest=1, **wishes))
        connection.expect_preamble()
        # It does not share and takes no tokens; it can sign receipts.
        self.assertEqual(connection.expect(WELCOME).capabilities, RECEIPTS | LEVELS)

    def test_nonces_are_new_for_each_connection(self):
        self.assertEqual(len({self.greeted().terms.nonce for _ in range(20)}), 20)

    def test_frames_before_hello_are_an_error(self):
        for kind, early in {**FROM_CLIENTS, BYE: frame(BYE)}.items():
            with self.abuse(f"{kind:#04x}"):
                self.assert_answers(early + hello(), 1)

    def test_a_second_hello_is_an_error(self):
        for before in (b"", FROM_CLIENTS[OFFER]):
            with self.abuse(f"after {len(before)} bytes"):
                connection = self.greeted()
                connection.send(before, hello())
                self.assert_ends_with(connection, 1)

    def test_a_second_preamble_is_no_frame(self):
        with self.abuse("preamble"):
            connection = self.greeted()
            connection.send(PREAMBLE, hello())
            self.assertIsNotNone(answers(connection)[1])

    def test_a_client_that_ends_with_error_is_not_answered(self):
        for text in (b"goodbye", b"", b"\x1b[2J\n\xff", bytes(60000)):
            with self.abuse(text[:20]):
                connection = self.greeted()
                connection.send(FROM_CLIENTS[OFFER], encode(ERROR, code=9, message=text))
                connection.socket.shutdown(socket.SHUT_WR)
                frames, error = answers(connection)
                self.assertIsNone(error)
                self.assertLessEqual({each.kind for each in frames}, {ACCEPT})
                connection.socket.close()

    def test_error_from_a_client_ends_the_connection_from_both_sides(self):
        connection = self.greeted()
        connection.socket.settimeout(10)
        connection.send(FROM_CLIENTS[OFFER], encode(ERROR, code=9, message=b"goodbye"))
        frames, error = answers(connection)
        self.assertIsNone(error)
        connection.socket.close()
        self.assert_harmless()

    def test_an_empty_file_is_stored_after_all_this(self):
        receipt = wire.upload(self.greeted(), b"empty", io.BytesIO(), {"size": 0})
        self.assertEqual(receipt.size, 0)
        self.assert_harmless({**self.stored, b"empty": EMPTY.hex()})
