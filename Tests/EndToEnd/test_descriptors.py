"""A side that may open only a few descriptors lives with that."""

import contextlib
import hashlib
import pathlib
import re
import resource
import select
import socket
import unittest

from abuse import ReadServer
from scripts import RETRY
from sending import SendCase
from support import PATIENCE, run
from waiting import eventually

LIMIT = 40


def limit_descriptors():
    """Runs in the new process before it becomes fxfer; the hard limit cannot be raised again."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))


def has_ended(stream):
    """Whether the other side has closed; what it said before is forgotten."""
    with contextlib.suppress(ConnectionError):
        while select.select([stream], [], [], 0)[0]:
            if not stream.recv(1 << 16):
                return True
        return False
    return True


class FewDescriptorsTest(SendCase):
    def setUp(self):
        super().setUp()
        self.server = ReadServer(self.folder / "out", preexec_fn=limit_descriptors)
        self.addCleanup(self.server.__exit__)
        self.assert_serves(self.server)
        self.descriptors = self.server.descriptors()

    def fill(self, connections):
        """As many silent connections as the server may have descriptors; returns when it has judged each."""
        streams = [
            connections.enter_context(socket.create_connection(("127.0.0.1", self.server.port), PATIENCE))
            for _ in range(LIMIT)
        ]
        eventually(lambda: sum(map(has_ended, streams)) >= LIMIT // 2, "half of the connections are turned away")
        return streams

    def test_silent_connections_do_not_end_the_server(self):
        """With as many silent connections as descriptors it lives on, and it serves once they are gone; three times."""
        for number in range(3):
            with self.subTest(number):
                with contextlib.ExitStack() as connections:
                    self.fill(connections)
                    self.assertIsNone(self.server.process.poll())
                    self.assertLess(self.server.descriptors(), LIMIT)
                eventually(lambda: self.server.descriptors() <= self.descriptors, "the descriptors are back")
                self.assert_serves(self.server)
        self.server.process.terminate()
        self.assertEqual(self.server.wait(), 0)
        self.assert_nothing_stored(self.server)

    def test_who_is_turned_away_hears_why(self):
        """While it has too many connections, a good client is told so and to try again (75)."""
        source = self.file("f")
        with contextlib.ExitStack() as connections:
            self.fill(connections)
            self.assert_fails(RETRY, source, self.server.address, naming=["too many connections"])
        eventually(lambda: self.server.descriptors() <= self.descriptors, "the descriptors are back")
        self.assert_nothing_stored(self.server)
        self.assert_sent(source, self.server.address)

    def test_many_files_with_few_descriptors(self):
        """A client with few descriptors sends many files to a server with few: all arrive."""
        files = [self.file(f"s{number}", b"%d" % number) for number in range(200)]
        self.assert_sent(*files, self.server.address, preexec_fn=limit_descriptors)
        expected = {file.name.encode(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        self.assert_nothing_stored(self.server, expected)


if __name__ == "__main__":
    unittest.main()
