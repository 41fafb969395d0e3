"""How often an upload that breaks is tried again, and what it finds when the server was killed meanwhile."""

import socket
import unittest

import wire
from relay import PAYLOAD, UP, Fault
from resuming import MIB, RETRY, ResumeCase, events
from support import sha256
from waiting import eventually

SIZE = 5 * MIB + 77
UNAVAILABLE = 69


class TriesTest(ResumeCase):
    """How often and how long."""

    def test_without_retries_it_fails_at_once(self):
        source = self.noise("source", SIZE)
        relay = self.relay(Fault(UP, PAYLOAD, 3 * MIB + 5))
        client = self.sending("--retries", "0", source, relay.address)
        status, errors = client.wait()
        self.assertEqual((status, events(client, "retry"), len(relay.passages)), (RETRY, [], 1))
        self.assertRegex(errors, r"\Afxfer: [^\n]+\n\Z")
        self.assertEqual(self.server.published(), {})

    def test_a_server_that_never_comes_back_is_tried_as_often_as_allowed(self):
        source = self.noise("source", SIZE)
        relay = self.relay(Fault(UP, PAYLOAD, 3 * MIB + 5, holds=True))
        client = self.sending("--retries", "2", source, relay.address)
        relay.wait_until_held()
        self.crash()
        relay.let_go()
        status, errors = client.wait()
        tries = [(each["attempt"], each["attempts"], each["pause"]) for each in events(client, "retry")]
        self.assertEqual(tries, [(1, 2, 1), (2, 2, 2)])
        self.assertIn(status, (UNAVAILABLE, RETRY))
        self.assertEqual(events(client, "error")[-1]["status"], status)
        self.assertIn(relay.address, errors)
        self.assertEqual(self.server.published(), {})

    def test_a_server_that_cannot_be_reached_at_all_is_not_tried_again(self):
        source = self.noise("source", SIZE)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = f"127.0.0.1:{listener.getsockname()[1]}"
        client = self.sending(source, address)
        status, errors = client.wait()
        self.assertEqual((status, events(client, "retry")), (UNAVAILABLE, []))
        self.assertIn(address, errors)

    def test_retry_for_bounds_the_time(self):
        """With a second to go on there is one try after a second, and none after the next two."""
        source = self.noise("source", SIZE)
        faults = [Fault(UP, wire.OFFER, before=True) for _ in range(9)]
        relay = self.relay(*faults)
        client = self.sending("--retry-for", "2s", "--retries", "9", source, relay.address)
        status, _ = client.wait()
        self.assertEqual((status, len(events(client, "retry")), len(relay.passages)), (RETRY, 1, 2))
        self.assertEqual(self.server.published(), {})

    def test_a_failure_that_trying_again_does_not_mend_is_not_tried_again(self):
        self.file("out/source", b"other")
        client = self.sending(self.noise("source", SIZE), self.server.address)
        status, _ = client.wait()
        self.assertEqual((status, events(client, "retry")), (73, []))
        self.assertEqual(self.server.published(), {b"source": sha256(self.folder / "out/source")})


class CrashedServerTest(ResumeCase):
    """The server is killed and started anew on the same port and directory."""

    def test_the_client_goes_on_by_itself(self):
        source = self.noise("source", SIZE)
        relay = self.relay(Fault(UP, PAYLOAD, 3 * MIB + 5, holds=True))
        client = self.sending(source, relay.address)
        relay.wait_until_held()
        self.assert_kept_in_use(2 * MIB)
        self.crash()
        self.assertEqual(self.server.published(), {})
        self.restart()
        relay.let_go()
        status, errors = client.wait()
        self.assertEqual(status, 0, errors)
        self.assertIn(SIZE - relay.passages[-1].payload[UP], (2 * MIB, 3 * MIB))
        self.assert_only({"source": source})

    def assert_kept_in_use(self, verified):
        """At least so much is in the journal: the last verified chunk may get there with the next one."""

        def is_kept():
            kept, in_use = self.partials().get("source", (0, False))
            return kept >= verified and in_use

        eventually(is_kept, "it is written down", patience=10)

    def test_the_same_command_again_goes_on(self):
        source = self.noise("source", SIZE)
        self.interrupt(source, 3 * MIB + 5)
        self.assert_left({"source": 3 * MIB})
        self.crash()
        self.restart()
        self.assert_left({"source": 3 * MIB})
        self.assertEqual(self.send_again(source)[0], 3 * MIB)
        self.assert_only({"source": source})

    def test_everything_is_there_but_the_name(self):
        """Killed between the last chunk and publishing: nothing, or almost nothing, travels again."""
        source = self.noise("source", 4 * MIB)
        relay = self.relay(Fault(UP, wire.FINISH, before=True, holds=True))
        client = self.sending("--retries", "0", source, relay.address)
        relay.wait_until_held()
        self.assert_kept_in_use(3 * MIB)
        self.crash()
        relay.let_go()
        self.assertEqual(client.wait()[0], RETRY)
        self.restart()
        self.assertEqual(self.server.published(), {})
        self.assertIn(self.send_again(source)[0], (3 * MIB, 4 * MIB))
        self.assert_only({"source": source})

    def test_what_a_stopped_server_had_is_kept(self):
        """SIGTERM, twice, in the middle of an upload: what is verified is kept as after a crash."""
        source = self.noise("source", SIZE)
        relay = self.relay(Fault(UP, PAYLOAD, 3 * MIB + 5, holds=True))
        client = self.sending("--retries", "0", source, relay.address)
        relay.wait_until_held()
        self.assert_kept_in_use(2 * MIB)
        self.server.process.terminate()
        eventually(lambda: not self.accepts_connections(), "it has stopped listening")
        self.server.process.terminate()
        self.server.wait()
        relay.let_go()
        self.assertEqual(client.wait()[0], RETRY)
        self.restart()
        self.assertIn(self.send_again(source)[0], (2 * MIB, 3 * MIB))
        self.assert_only({"source": source})

    def accepts_connections(self):
        try:
            socket.create_connection(("127.0.0.1", self.server.port), 1).close()
        except OSError:
            return False
        return True


if __name__ == "__main__":
    unittest.main()
