"""Every type of frame in every state of a connection: what is not due there ends it, and nothing is stored."""

import contextlib
import hashlib
import socket

import wire
from abuse import AbuseCase, answers
from extremes import USUAL, usual
from frames import ACCEPT, ALIVE, AUTH, BYE, CANCEL, CHUNK, CONFIRM, ENTRY, ERROR, FINISH, GET, HELLO, LAYOUTS, LIST
from frames import LISTED, OFFER, PREAMBLE, PROOF, READING, RECEIPT, REFUSE, REPAIR, REWIND, SHARE, WELCOME, chunk
from frames import encode, frame, hello, offer
from secured import TokenInTLS

CONTENT, DIGEST = b"12345", USUAL[FINISH]["digest"]
UNKNOWN_CRITICAL, UNKNOWN_OPTIONAL = 0x7F, 0xFF
KINDS = (*LAYOUTS, UNKNOWN_CRITICAL, UNKNOWN_OPTIONAL)
VIOLATION, NOT_PERMITTED = 1, 5
#: What a client may say at any time once it has greeted.
ALWAYS = {ERROR, BYE, ALIVE, UNKNOWN_OPTIONAL}
#: And where it has opened no file.
IDLE = ALWAYS | {OFFER, GET, LIST}


class FrameOrderTest(AbuseCase):
    options = ("--share",)
    token = None

    def setUp(self):
        super().setUp()
        self.file("out/f", CONTENT)
        self.file("out/folder/g", b"")
        self.stored = self.server.published()
        self.number = 0

    def name(self):
        """A new one each time: what one connection has open is not in the way of the next."""
        self.number += 1
        return b"n%d" % self.number

    def frame_of(self, kind):
        if kind in (UNKNOWN_CRITICAL, UNKNOWN_OPTIONAL):
            return frame(kind)
        if kind == CHUNK:
            return chunk(1, 0, CONTENT, DIGEST)
        return usual(kind, **{OFFER: {"path": self.name(), "id": 2}, GET: {"id": 2}}.get(kind, {}))

    # The states: each answers a connection in it.

    def said_preamble(self):
        connection = self.connect()
        connection.send(PREAMBLE)
        return connection

    def owing(self):
        """It has said that it has a token, and owes the proof."""
        connection = self.said_preamble()
        connection.send(hello(capabilities=SHARE | PROOF))
        connection.expect_preamble()
        connection.terms = connection.expect(WELCOME)
        return connection

    def greeted(self, largest_chunk=wire.DEFAULT_CHUNK):
        return self.connect().greet(largest_chunk, capabilities=SHARE, token=self.token)

    def offered(self):
        connection = self.greeted()
        connection.send(offer(1, self.name(), size=5, waits=True))
        connection.expect(ACCEPT)
        return connection

    def sent_chunk(self):
        connection = self.offered()
        connection.send(chunk(1, 0, CONTENT, DIGEST))
        connection.expect(CONFIRM)
        return connection

    def refused(self):
        connection = self.greeted()
        connection.send(offer(1, b"../f", size=5))
        connection.expect(REFUSE)
        return connection

    def stored_one(self):
        """It has its receipt."""
        connection = self.sent_chunk()
        connection.send(usual(FINISH))
        self.stored[connection.expect(RECEIPT).path] = DIGEST.hex()
        return connection

    def asked(self):
        connection = self.greeted()
        connection.send(usual(GET))
        connection.expect(OFFER)
        return connection

    def got(self):
        """It has the file, and owes the receipt."""
        connection = self.asked()
        connection.send(usual(ACCEPT))
        connection.expect(CHUNK)
        connection.expect(FINISH)
        return connection

    def got_all(self):
        connection = self.got()
        connection.send(usual(CONFIRM), usual(RECEIPT))
        return connection

    def listed(self):
        connection = self.greeted()
        connection.send(usual(LIST, path=b"folder"))
        connection.expect(ENTRY)
        connection.expect(LISTED)
        return connection

    def states(self):
        """State -> what goes on in it, and the code with which everything else ends the connection."""
        before = {self.owing: ({UNKNOWN_OPTIONAL}, NOT_PERMITTED)}
        if not self.token:
            before = {self.said_preamble: ({HELLO, UNKNOWN_OPTIONAL}, VIOLATION)}
        return before | {
            self.greeted: (IDLE, VIOLATION),
            self.offered: (IDLE | {CHUNK, FINISH, CANCEL}, VIOLATION),
            self.sent_chunk: (IDLE | {FINISH, CANCEL}, VIOLATION),
            self.refused: (IDLE | {CHUNK, FINISH, CANCEL, REPAIR}, VIOLATION),
            self.stored_one: (IDLE, VIOLATION),
            self.asked: (IDLE | {ACCEPT, REFUSE, READING}, VIOLATION),
            self.got: (IDLE | {CONFIRM, REWIND, REFUSE, RECEIPT, READING}, VIOLATION),
            self.got_all: (IDLE, VIOLATION),
            self.listed: (IDLE, VIOLATION),
        }

    def outcome(self, state, sent):
        """The frames that answer, and the code of ERROR or 0, where the client says no more."""
        connection = state()
        connection.send(sent)
        if self.token:  # TLS has no half of an end.
            connection.send(encode(BYE))
        else:
            connection.socket.shutdown(socket.SHUT_WR)
        found, error = [], None
        # Where the client has said nothing that counts the server says nothing either.
        with contextlib.suppress(EOFError):
            if connection.terms is None:
                connection.expect_preamble()
            found, error = answers(connection)
        connection.socket.close()
        return found, error.code if error else 0

    def test_every_frame_in_every_state(self):
        for state, (goes_on, code) in self.states().items():
            for kind in KINDS:
                with self.subTest(state.__name__, kind=f"{kind:#04x}"):
                    found, ended = self.outcome(state, self.frame_of(kind))
                    kinds = [each.kind for each in found]
                    if kind == UNKNOWN_CRITICAL and state == self.owing:
                        expected = VIOLATION
                    elif kind in goes_on and not (state == self.owing and self.token):
                        expected = 0
                    else:
                        expected = code
                    # BYE, which ends the connection of a token's client, is no proof either.
                    self.assertEqual(ended, expected, kinds)
                    self.assertNotIn(AUTH, kinds)
                    # One alone may store something: the end of a file of which everything is there.
                    is_end = (state, kind) == (self.sent_chunk, FINISH)
                    self.assertEqual(RECEIPT in kinds, is_end, kinds)
                    if is_end:
                        self.stored[found[-1].path] = DIGEST.hex()
            self.assert_harmless()

    def test_nothing_is_answered_after_goodbye(self):
        for kind in KINDS:
            with self.subTest(kind=f"{kind:#04x}"):
                connection = self.greeted()
                connection.send(encode(BYE), self.frame_of(kind))
                found, error = answers(connection)
                self.assertEqual((found, error), ([], None))
                connection.socket.close()
        self.assert_harmless()

    def test_every_frame_inside_a_chunk_is_content(self):
        """It is confirmed as such, and does nothing; given up then, nothing is left of it."""
        for kind in KINDS:
            with self.subTest(kind=f"{kind:#04x}"):
                inside = b"x" + self.frame_of(kind)
                connection = self.greeted()
                connection.send(offer(1, self.name(), size=len(inside), waits=True))
                connection.expect(ACCEPT)
                digest = hashlib.sha256(inside).digest()
                connection.send(chunk(1, 0, inside, digest)[: -len(digest) - len(inside) + 1])
                connection.send(inside[1:] + digest)
                self.assertEqual(connection.expect(CONFIRM).offset, len(inside))
                connection.send(usual(CANCEL), encode(BYE))
                self.assertEqual(answers(connection), ([], None))
                connection.socket.close()
        self.assert_harmless()


class WithTokenInTLSTest(TokenInTLS, FrameOrderTest):
    """The same inside TLS, where a proof comes first."""
