"""Extreme numbers in every field of every frame that a client may send: refused, or numbers like any other."""

import socket

import wire
from abuse import AbuseCase, answers
from extremes import USUAL, extreme_values, lengths_of_body, lengths_of_fields, usual
from frames import ACCEPT, CANCEL, CHUNK, CONFIRM, ERROR, FINISH, GET, HELLO, LIST, OFFER, PREAMBLE, READING, RECEIPT
from frames import REFUSE, REPAIR, REWIND, SHARE, chunk, offer
from secured import TokenInTLS

MIB = 1 << 20
VIOLATION, LIMIT, DAMAGED = 1, 3, 4
#: Which values of a field are like any other; each other one ends the connection.
ALLOWED = {
    (HELLO, "lowest"): lambda value: value <= 1,
    (HELLO, "highest"): lambda value: value >= 1,
    (HELLO, "largest_chunk"): lambda value: True,
    (HELLO, "capabilities"): lambda value: True,
    (ERROR, "code"): lambda value: True,
    (OFFER, "id"): lambda value: value >= 1,
    (OFFER, "flags"): lambda value: value == 0,
    (OFFER, "permissions"): lambda value: True,
    (OFFER, "size"): lambda value: value <= 2**60,
    (OFFER, "seconds"): lambda value: True,
    (OFFER, "nanoseconds"): lambda value: True,
    (CANCEL, "code"): lambda value: True,
    (REFUSE, "code"): lambda value: True,
    (GET, "id"): lambda value: value >= 1,
    (LIST, "id"): lambda value: True,
    (READING, "length"): lambda value: value <= 5,
}


class ExtremeNumbersTest(AbuseCase):
    """A server that shares its files. For each type of frame there is a moment at which it means something."""

    options = ("--share",)
    token = None

    def setUp(self):
        super().setUp()
        self.file("out/f", b"12345")
        self.stored = self.server.published()

    # The moments: each answers a connection.

    def said_preamble(self):
        connection = self.connect()
        connection.send(PREAMBLE)
        return connection

    def greeted(self, largest_chunk=wire.DEFAULT_CHUNK):
        return self.connect().greet(largest_chunk, capabilities=SHARE, token=self.token)

    def offered(self):
        connection = self.greeted()
        connection.send(offer(1, b"new", size=5, waits=True))
        connection.expect(ACCEPT)
        return connection

    def sent_chunk(self):
        connection = self.offered()
        connection.send(chunk(1, 0, b"12345", USUAL[FINISH]["digest"]))
        connection.expect(CONFIRM)
        return connection

    def asked(self):
        connection = self.greeted()
        connection.send(usual(GET))
        connection.expect(OFFER)
        return connection

    def got(self):
        """It has got the file, and owes the receipt."""
        connection = self.asked()
        connection.send(usual(ACCEPT))
        connection.expect(CHUNK)
        connection.expect(FINISH)
        return connection

    def moments(self):
        at_first = {} if self.token else {HELLO: self.said_preamble}
        return at_first | {
            **{ERROR: self.greeted, OFFER: self.greeted, GET: self.greeted, LIST: self.greeted},
            **{CHUNK: self.offered, CANCEL: self.offered, REPAIR: self.offered, FINISH: self.sent_chunk},
            **{ACCEPT: self.asked, REFUSE: self.asked, READING: self.asked},
            **{CONFIRM: self.got, REWIND: self.got, RECEIPT: self.got},
        }

    def outcome(self, moment, sent):
        """The frames that answer, and the code of ERROR or 0, where the client has nothing more to say."""
        connection = moment()
        if connection.terms is None:
            connection.terms = wire.SimpleNamespace(largest_chunk=1 << 24)
        connection.send(sent)
        if self.token is None:  # TLS has no half of an end.
            connection.socket.shutdown(socket.SHUT_WR)
        else:
            connection.send(wire.encode(wire.BYE))
        if moment == self.said_preamble:
            connection.expect_preamble()
        found, error = answers(connection)
        connection.socket.close()
        return found, error.code if error else 0

    def assert_each(self, cases):
        """Each of the cases: title, type, what is sent, the codes that may come. In the end no more memory is used."""
        peak, count, moments = self.server.peak_memory(), 0, self.moments()
        for title, kind, sent, codes in cases(moments):
            with self.subTest(f"{kind:#04x}: {title}"):
                found, code = self.outcome(moments[kind], sent)
                self.assertIn(code, codes)
                if (kind, code) == (FINISH, 0):
                    self.assertEqual([(each.kind, each.code) for each in found], [(REFUSE, DAMAGED)])
                self.assertFalse([each for each in found if each.kind == RECEIPT])
                count += 1
        self.assertGreater(count, 60)
        self.assertLess(self.server.peak_memory() - peak, 24 * MIB)
        self.assert_harmless()

    def test_every_number_of_every_frame(self):
        def cases(moments):
            for kind in moments:
                for name, value in extreme_values(kind):
                    allowed = ALLOWED.get((kind, name), lambda value: False)(value)
                    # FINISH that does not fit is refused, and the connection goes on.
                    codes = (0,) if allowed or (kind, name) == (FINISH, "size") else (VIOLATION, LIMIT)
                    if (kind, name) == (RECEIPT, "size"):
                        codes = (VIOLATION, DAMAGED)
                    changes = {name: value} | ({"path": b"new"} if kind == OFFER else {})
                    yield f"{name} {value}", kind, usual(kind, **changes), codes

        self.assert_each(cases)

    def test_every_length_of_a_field(self):
        def cases(moments):
            for kind in moments:
                for title, sent in lengths_of_fields(kind):
                    yield title, kind, sent, (VIOLATION,)

        self.assert_each(cases)

    def test_every_length_of_a_body(self):
        def cases(moments):
            for kind in moments:
                for title, sent in lengths_of_body(kind):
                    yield title, kind, sent, (LIMIT,)

        self.assert_each(cases)


class WithTokenInTLSTest(TokenInTLS, ExtremeNumbersTest):
    """The same inside TLS, behind a proof."""
