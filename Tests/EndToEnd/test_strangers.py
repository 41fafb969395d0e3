"""What does not speak the protocol gets a word in its own, or none, and is sent away; only whole files are stored."""

import hashlib
import os
import random
import socket

import wire
from abuse import AbuseCase, answers, reset
from frames import ACCEPT, BYE, CONFIRM, FINISH, PREAMBLE, RECEIPT, encode, frame, hello, offer
from support import PATIENCE

LIMIT = 1 << 16


def session(path, content, size=None):
    """Everything that a client says to store a small file, cut where a frame or a part of CHUNK ends."""
    digest = hashlib.sha256(content).digest()
    chunk = wire.chunk(1, 0, content, digest)
    finish = encode(FINISH, id=1, size=len(content), digest=digest)
    greeting = [PREAMBLE, hello()]
    return greeting, [offer(1, path, size=len(content) if size is None else size), chunk, finish, frame(BYE)]


class StrangersTest(AbuseCase):
    def talk(self, *sent, ends=False):
        """Says something, and where it `ends` no more, and reads until the server ends the connection; never more than
        a little."""
        with socket.create_connection(("127.0.0.1", self.server.port), PATIENCE) as stream:
            answer = b""
            try:
                for part in sent:
                    stream.sendall(part)
                if ends:
                    stream.shutdown(socket.SHUT_WR)
                while piece := stream.recv(LIMIT):
                    answer += piece
                    self.assertLess(len(answer), LIMIT)
            except ConnectionError:
                pass
            return answer

    def test_a_web_browser_is_told_what_this_is(self):
        requests = [b"GET / HTTP/1.1", b"POST /upload HTTP/1.1", b"HEAD / HTTP/1.0", b"PUT /x HTTP/1.1"]
        for request in [*requests, b"OPTIONS * HTTP/1.1"]:
            with self.abuse(request):
                headers = b"\r\nHost: localhost\r\nContent-Length: 7\r\n\r\n"
                answer = self.talk(request + headers, b"content")
                self.assertRegex(answer, rb"\AHTTP/1\.1 400 ")
                self.assertIn(b"fxfer send", answer)

    def test_other_protocols_are_sent_away(self):
        greetings = {
            "SSH": b"SSH-2.0-OpenSSH_9.9\r\n",
            "old fxfer": b"Client connected",
            "SMTP": b"EHLO example.org\r\n",
            "empty line": b"\r\n\r\n\r\n",
            "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "proxy protocol": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
            "zeros": bytes(4096),
            "almost the preamble": PREAMBLE[:-1] + b"\r" + hello(),
            "preamble without its high bit": b"\x78" + PREAMBLE[1:] + hello(),
            "preamble converted to LF": PREAMBLE.replace(b"\r\n", b"\n") + hello(),
            "preamble converted to CRLF": PREAMBLE.replace(b"\x1a\n", b"\x1a\r\n") + hello(),
        }
        for title, greeting in greetings.items():
            with self.abuse(title):
                self.assertNotIn(PREAMBLE, self.talk(greeting))

    def test_garbage_is_sent_away(self):
        random_bytes = random.Random(14).randbytes
        for number in range(100):
            with self.subTest(number):
                self.talk(random_bytes(1 + number * 37))
                self.talk(PREAMBLE + random_bytes(16 + number * 37))
                self.talk(PREAMBLE + hello() + random_bytes(16 + number * 37))
        self.assert_harmless()

    def test_what_begins_like_tls_and_is_none_is_sent_away(self):
        """Records of impossible lengths and versions, of garbage, and an alert; each in the place of a ClientHello."""
        randomness = random.Random(15).randbytes
        for number in range(40):
            with self.subTest(number):
                # Of a record that is not complete the server would wait for the rest, up to its deadline.
                self.talk(b"\x16\x03" + randomness(3 + number * 41), ends=True)
                self.talk(b"\x16\x03\x01\xff\xff" + randomness(number * 41), ends=True)
                self.talk(b"\x16\x03\x01\x00\x2a\x01\x00\x00\x26\x03\x03" + randomness(36 + number))
        self.talk(b"\x15\x03\x01\x00\x02\x02\x28", ends=True)
        self.assert_harmless()

    def test_strangers_inside_tls(self):
        """They are sent away as in the clear."""
        almost = PREAMBLE[:-1] + b"\r" + hello()
        for greeting in (b"SSH-2.0-OpenSSH_9.9\r\n", bytes(4096), b"Client connected", almost):
            with self.abuse(greeting[:20]):
                with wire.connect(self.server.port, timeout=PATIENCE, tls=wire.believing_any()) as connection:
                    connection.send(greeting)
                    connection.socket.settimeout(PATIENCE)
                    self.assertNotIn(PREAMBLE, connection.socket.recv(LIMIT))

    def test_who_says_nothing_and_leaves_is_forgotten(self):
        for number in range(50):
            socket.create_connection(("127.0.0.1", self.server.port)).close()
            reset(socket.create_connection(("127.0.0.1", self.server.port)))
        self.assert_harmless()

    def stored_by(self, path, send):
        """The digests that a session stores when `send` sends its bytes."""
        greeting, rest = session(path, b"content of a small file" * 20)
        connection = self.connect()
        send(connection, b"".join(greeting), b"".join(rest))
        connection.expect_preamble()
        frames, error = answers_to_all(connection)
        self.assertIsNone(error)
        connection.socket.close()
        self.assertEqual([each.kind for each in frames][1:], [ACCEPT, CONFIRM, RECEIPT])
        return self.server.published()[path]

    def test_one_byte_a_segment_and_all_in_one_segment_are_the_same(self):
        def bytewise(connection, greeting, rest):
            for value in greeting + rest:
                connection.send(bytes([value]))

        def all_at_once(connection, greeting, rest):
            connection.send(greeting + rest)

        digests = {self.stored_by(b"bytewise", bytewise), self.stored_by(b"at once", all_at_once)}
        self.assertEqual(digests, {hashlib.sha256(b"content of a small file" * 20).hexdigest()})

    def test_a_session_cut_before_its_end_stores_nothing(self):
        """At every offset up to the end of FINISH, with FIN and with RST."""
        greeting, rest = session(b"cut", b"content")
        whole = b"".join(greeting + rest[:-1])
        for number, length in enumerate(range(len(whole))):
            with self.subTest(length=length):
                for end in (socket.socket.close, reset):
                    connection = self.connect()
                    connection.send(whole[:length])
                    end(connection.socket)
                self.assertNotIn(b"cut", self.server.published())
        self.assert_harmless()


class KeepingNothingTest(AbuseCase):
    options = ("--keep-partials", "0")

    def test_a_big_file_cut_in_the_middle_stores_nothing(self):
        piece = os.urandom(1 << 20)
        for end in (socket.socket.close, reset):
            for known in (True, False):
                with self.abuse(f"{end.__name__}, size known: {known}"):
                    connection = self.greeted()
                    connection.send(offer(1, b"big", size=10 << 20 if known else None))
                    connection.expect(ACCEPT)
                    digest = hashlib.sha256()
                    for number in range(5):
                        digest.update(piece)
                        connection.send(wire.chunk(1, number << 20, piece, digest.digest()))
                    self.assertEqual(connection.expect(CONFIRM).offset, 1 << 20)
                    connection.send(wire.chunk(1, 5 << 20, piece, bytes(32))[: 1 << 19])
                    end(connection.socket)

    def test_end_of_stream_instead_of_finish_stores_nothing(self):
        for size in (7, None):
            with self.abuse(f"size {size}"):
                connection = self.greeted()
                digest = hashlib.sha256(b"content").digest()
                name = b"name, size %s" % str(size).encode()
                connection.send(offer(1, name, size=size), wire.chunk(1, 0, b"content", digest))
                connection.socket.shutdown(socket.SHUT_WR)
                frames, _ = answers(connection)
                self.assertLessEqual({each.kind for each in frames}, {ACCEPT, CONFIRM})
                connection.socket.close()


def answers_to_all(connection):
    """As `answers`; the client has nothing more to say."""
    connection.socket.shutdown(socket.SHUT_WR)
    return answers(connection)
