"""A side that may open only a few descriptors lives with that."""

import contextlib
import os
import resource
import select
import socket
import unittest

import wire
from abuse import ReadServer
from scripts import RETRY
from sending import SendCase
from support import ONCE, PATIENCE, run, sha256
from waiting import eventually

LIMIT = 48
#: How many connections are served at once: half of what the process does not need for itself; the rest is for files.
SERVED = (LIMIT - 14 - 3 * os.cpu_count()) // 2


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
        self.descriptors = self.server.descriptors()
        self.assert_serves(self.server)
        eventually(lambda: self.server.descriptors() <= self.descriptors, "the good client is gone")

    def connect_silently(self, connections, count):
        """So many connections that say nothing, closed with `connections`; the server has taken those it serves."""
        streams = [
            connections.enter_context(socket.create_connection(("127.0.0.1", self.server.port), PATIENCE))
            for _ in range(count)
        ]
        eventually(lambda: self.server.descriptors() >= self.descriptors + SERVED, "the connections are taken")
        return streams

    def assert_some_are_left(self):
        """Libraries find a descriptor when they need one; some end the process where they do not."""
        self.assertIsNone(self.server.process.poll())
        self.assertLess(len(os.listdir(f"/proc/{self.server.pid}/fd")), LIMIT)

    def assert_serves_again(self):
        """A good client gets its file through, once the server has noticed that the others are gone."""
        source = self.file("f", os.urandom(100))

        def is_served():
            result = run("send", *ONCE, "--quiet", str(source), self.server.address)
            self.assertIn(result.returncode, (0, RETRY), result.stderr)
            return result.returncode == 0

        eventually(is_served, "a good client is served")
        self.assert_nothing_stored(self.server, {b"f": sha256(source)})

    def test_silent_connections_do_not_end_the_server(self):
        """With as many silent connections as descriptors it lives on, and it serves once they are gone."""
        with contextlib.ExitStack() as connections:
            streams = self.connect_silently(connections, LIMIT)
            eventually(lambda: sum(map(has_ended, streams)) >= 4, "some connections are turned away")
            self.assert_some_are_left()
        self.assert_serves_again()
        eventually(lambda: self.server.descriptors() <= self.descriptors, "the descriptors are back")
        self.server.process.terminate()
        self.assertEqual(self.server.wait(), 0)

    def test_files_leave_descriptors_for_libraries(self):
        """Clients that open more files than there are descriptors are refused some of them, before none is left."""
        with contextlib.ExitStack() as connections:
            clients = [connections.enter_context(wire.connect(self.server.port)).greet() for _ in range(SERVED)]
            for number, client in enumerate(clients):
                client.send(wire.offer(client.next_id(), b"f%d" % number, size=1 << 30))
            answers = [client.receive() for client in clients]
            self.assertEqual({answer.kind for answer in answers}, {wire.ACCEPT, wire.REFUSE})
            self.assert_some_are_left()
            for client, answer in zip(clients, answers):
                client.send(wire.encode(wire.CANCEL, id=answer.id, code=1, message=b""))
        eventually(lambda: self.server.descriptors() <= self.descriptors, "the descriptors are back")
        self.assert_serves(self.server)

    def test_silent_connections_make_room(self):
        """While all places are taken by connections that say nothing, a good client is served."""
        with contextlib.ExitStack() as connections:
            self.connect_silently(connections, SERVED)
            self.assert_serves(self.server)

    def test_who_is_turned_away_hears_why(self):
        """While it has too many connections, a good client is told so and to try again (75)."""
        with contextlib.ExitStack() as connections:
            for _ in range(SERVED):
                connections.enter_context(wire.connect(self.server.port)).greet()
            self.assert_fails(RETRY, *ONCE, self.file("g"), self.server.address, naming=["too many connections"])
        self.assert_serves_again()


if __name__ == "__main__":
    unittest.main()
