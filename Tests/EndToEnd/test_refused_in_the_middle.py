"""Who is refused in the middle of an upload reads why, also where the other end goes at once and the system resets."""

import array
import fcntl
import termios

import wire
from frames import CHUNK, ERROR, encode
from scripts import BIG, PERMISSION, RETRY, HostileServerCase, accept, offered
from trust import fingerprint, tls_server
from waiting import eventually

REASON = b"the reason is this"


def unread(stream):
    """How many bytes have come that nobody has read."""
    count = array.array("i", [0])
    fcntl.ioctl(stream, termios.FIONREAD, count)
    return count[0]


class PlayedServerTest(HostileServerCase):
    """A server that has taken some, says why it takes no more, and closes while the client sends on: what was not read
    makes TCP reset the connection behind the words."""

    def assert_reads_why(self, script_of, *options):
        for code, status in {5: PERMISSION, 7: RETRY}.items():
            for number in range(5):
                with self.subTest(code=code, number=number):
                    result = self.send(BIG * 8, script_of(code), "--timeout", "5", *options)
                    self.assert_fails(result, status)
                    self.assertIn(REASON.decode(), result.stderr)
                    self.assertNotIn("reset", result.stderr)

    def refuse(self, connection, code):
        offered(connection)
        connection.send(accept())
        connection.expect(CHUNK)
        eventually(lambda: unread(connection.socket) > 100_000, "the client sends on")
        connection.send(encode(ERROR, code=code, message=REASON))
        connection.socket.close()

    def test_in_the_clear(self):
        self.assert_reads_why(lambda code: lambda connection: self.refuse(connection, code))

    def test_inside_tls(self):
        identity = self.folder / "identity"
        key = fingerprint(identity)
        tls = tls_server(identity / "identity.pem")

        def script_of(code):
            def play(connection):
                self.refuse(wire.Connection(tls.wrap_socket(connection.socket, server_side=True)), code)

            return play

        self.assert_reads_why(script_of, "--server-key", key)
