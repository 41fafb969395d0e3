"""Legacy clients of `serve --legacy` are under the limits of all others: connections, time to greet, and pace."""

import unittest

import wire
from abuse import answers
from frames import PREAMBLE, hello
from legacy import LARGE, LegacyCase, connect, read_to_end, request
from support import PATIENCE
from textbook import REQUEST, THANKS
from waiting import eventually


class LegacyLimitsTest(LegacyCase):
    def setUp(self):
        super().setUp()
        book = self.sparse("book", LARGE)
        limits = ("--max-connections", "3", "--idle-timeout", "2", "--handshake-timeout", "2")
        self.server = self.serve("--legacy", str(book), *limits)
        self.before = self.server.descriptors()
        self.assert_serves(self.server)

    def await_free(self):
        eventually(lambda: self.server.descriptors() <= self.before, "their places are free again")

    def test_they_take_places(self):
        """Three that read nothing are all there can be; they are dropped when they have taken nothing for too long, and
        none gets the thanks, so that it can tell."""
        slow = [request(self.server.port, receive_buffer=4096) for _ in range(3)]
        for stream in slow:
            self.assertEqual(stream.recv(1), b"\0")
        native = wire.connect(self.server.port, timeout=PATIENCE)
        native.send(PREAMBLE, hello())
        native.expect_preamble()
        self.assertEqual(answers(native)[1].code, 8)
        native.socket.close()
        self.await_free()
        for stream in slow:
            with self.subTest(stream), stream:
                try:
                    self.assertNotIn(THANKS, read_to_end(stream))
                except ConnectionError:
                    pass  # With a reset it can tell, too.
        self.assert_serves(self.server)
        self.assertEqual(len(read_to_end(request(self.server.port))), LARGE + len(THANKS))

    def test_half_of_the_first_words(self):
        """Who does not come to the end of them is dropped at the deadline, and gets nothing of the file."""
        half = [connect(self.server.port) for _ in range(3)]
        for stream in half:
            stream.sendall(REQUEST[:-1])
        for stream in half:
            self.assertEqual(read_to_end(stream), b"")
        self.await_free()
        self.assert_serves(self.server)


if __name__ == "__main__":
    unittest.main()
