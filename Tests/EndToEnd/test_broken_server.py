"""A server that breaks the protocol, is silent or goes away: the client ends in time, with one line."""

import os
import pathlib
import re
import select
import subprocess

from abuse import reset
from fake_server import FakeServer
from frames import ACCEPT, ALIVE, CHUNK, OFFER, PREAMBLE, RECEIPT, WELCOME, encode, field, frame, hello
from support import FXFER, ONCE, PATIENCE, finish
from scripts import BIG, DATA, MIB, PROTOCOL, RETRY, SMALL, UNAVAILABLE, HostileServerCase
from scripts import accept, after_finish, after_offer, instead_of_greeting, offered, receipt, take_all


def welcome(**changes):
    terms = {"version": 1, "files": 16, "largest_chunk": MIB, "capabilities": 0, "nonce": bytes(32)}
    return encode(WELCOME, **{**terms, **changes})


class BrokenServerTest(HostileServerCase):
    def test_what_is_no_fxfer_server_is_told(self):
        cases = {
            "HTTP": instead_of_greeting(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            "SSH": instead_of_greeting(b"SSH-2.0-OpenSSH_9.9\r\n"),
            "SMTP": instead_of_greeting(b"220 mail.example.org ESMTP\r\n"),
            "zeros": instead_of_greeting(bytes(100_000)),
            "garbage": instead_of_greeting(os.urandom(100_000)),
            "almost the preamble": instead_of_greeting(PREAMBLE[:-1] + b"\r" + welcome()),
            "the client's own words": instead_of_greeting(PREAMBLE + hello()),
        }
        self.assert_each_fails(SMALL, cases, PROTOCOL)

    def test_impossible_terms_are_not_accepted(self):
        cases = {
            "version 0": welcome(version=0),
            "version 2": welcome(version=2),
            "version 65535": welcome(version=65535),
            "no files": welcome(files=0),
            "chunks of 0": welcome(largest_chunk=0),
            "chunks of 65535": welcome(largest_chunk=65535),
            "chunks of 16 MiB + 1": welcome(largest_chunk=16 * MIB + 1),
            "chunks of 2^32-1": welcome(largest_chunk=2**32 - 1),
            "unknown critical field": frame(WELCOME, welcome()[12:-4] + field(1, b"x")),
        }
        plays = {title: instead_of_greeting(PREAMBLE, terms) for title, terms in cases.items()}
        self.assert_each_fails(BIG, plays, PROTOCOL)

    def test_broken_frames_end_the_session(self):
        header = bytearray(accept()[:12])
        header[11] ^= 1
        body = bytearray(accept())
        body[-1] ^= 1
        damaged = {"header": bytes(header), "body": bytes(body)}
        broken = {
            "unknown critical": frame(0x7F),
            "a client's": encode(OFFER, id=1, flags=0, permissions=0, size=0, seconds=0, nanoseconds=0, path=b"x"),
            "chunk": encode(CHUNK, id=1, offset=0, length=5) + b"12345" + bytes(32),
            "second WELCOME": welcome(),
            "short body": frame(ACCEPT, accept()[12:-5]),
            "huge body": frame(ACCEPT, bytes(65537)),
        }
        for after in (after_offer, after_finish):
            self.assert_each_fails(BIG, {title: after(bad) for title, bad in damaged.items()}, DATA, PROTOCOL)
            self.assert_each_fails(BIG, {title: after(bad) for title, bad in broken.items()}, PROTOCOL)

    def test_optional_frames_and_fields_are_skipped(self):
        extra = frame(ALIVE) + frame(0xFF, os.urandom(65536)) + frame(ALIVE)
        end = receipt(BIG)[12:-4] + field(0x8001, b"news")
        result = self.send(BIG, after_finish(extra, frame(RECEIPT, end), first=extra + accept()))
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_a_server_that_leaves_may_be_tried_again(self):
        def leaves(connection):
            pass

        def resets(connection):
            reset(connection.socket)

        def leaves_after_reading(connection):
            connection.read(10)

        def leaves_after_welcome(connection):
            connection.welcome()

        def leaves_after_offer(connection):
            offered(connection)

        def resets_after_offer(connection):
            offered(connection)
            reset(connection.socket)

        def leaves_in_the_middle(connection):
            offered(connection)
            connection.send(accept())
            connection.expect(CHUNK)

        def leaves_before_the_receipt(connection):
            offered(connection)
            take_all(connection)

        def leaves_in_the_receipt(connection):
            offered(connection)
            take_all(connection)
            connection.send(receipt(BIG)[:-1])

        cases = [leaves, leaves_after_reading, leaves_after_welcome, leaves_after_offer, resets_after_offer]
        cases += [leaves_in_the_middle, leaves_before_the_receipt, leaves_in_the_receipt]
        self.assert_each_fails(BIG, {play.__name__: play for play in cases}, RETRY)
        # This one may come so early that the client has not noticed yet that it was connected.
        self.assert_each_fails(BIG, {"resets": resets}, RETRY, UNAVAILABLE)

    def test_a_server_that_nobody_runs_cannot_be_connected(self):
        with FakeServer(lambda connection: None) as server:
            address = server.address
        source = self.file("source", SMALL)
        result = subprocess.run([FXFER, "send", str(source), address], capture_output=True, text=True, timeout=PATIENCE)
        self.assert_fails(result, UNAVAILABLE)

    def test_a_silent_server_is_given_up_in_time(self):
        def silent(connection):
            connection.drain()

        def silent_in_the_preamble(connection):
            connection.send(PREAMBLE[:4])
            connection.drain()

        def silent_after_welcome(connection):
            connection.welcome()
            connection.drain()

        def silent_in_a_frame(connection):
            offered(connection)
            connection.send(accept()[:-1])
            connection.drain()

        def silent_after_accept(connection):
            offered(connection)
            connection.send(accept())
            connection.drain()

        def silent_before_the_receipt(connection):
            offered(connection)
            take_all(connection)
            connection.drain()

        cases = [silent, silent_in_the_preamble, silent_after_welcome, silent_in_a_frame, silent_after_accept]
        cases.append(silent_before_the_receipt)
        self.assert_each_fails(BIG, {play.__name__: play for play in cases}, RETRY, options=("--timeout", "1"))


def peak_memory(process):
    """The most memory that a running process has had, in bytes; 0 where it has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{process.pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


class GreedyServerTest(HostileServerCase):
    def send_slowly(self, source, script, timeout):
        """Runs the client as `self.client`, so that the script can look at it."""
        with FakeServer(script) as server:
            command = [FXFER, "send", *ONCE, "--timeout", str(timeout), str(source), server.address]
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            with subprocess.Popen(command, **pipes) as self.client:
                output, errors = finish(self.client)
        return subprocess.CompletedProcess(command, self.client.returncode, output, errors)

    def test_a_server_that_never_reads_is_given_up_and_not_buffered_for(self):
        """A file of 300 MiB, and a server that accepts it and reads no byte of it."""
        source = self.file("source", b"")
        os.truncate(source, 300 * MIB)

        def play(connection):
            offered(connection)
            connection.send(accept())
            while self.client.poll() is None:
                peaks.append(peak_memory(self.client))
                select.select([], [], [], 0.02)

        peaks = []
        self.assert_fails(self.send_slowly(source, play, timeout=1), RETRY)
        self.assertGreater(max(peaks), MIB)
        self.assertLess(max(peaks), 150 * MIB)

    def test_a_server_that_floods_is_not_buffered_for(self):
        """300 MiB of optional frames that say nothing, while the client waits for ACCEPT."""

        def play(connection):
            offered(connection)
            for _ in range(100):
                connection.send(frame(0xFF, bytes(65536)) * 48)
                peaks.append(peak_memory(self.client))
            connection.send(accept(2**64 - 1))
            connection.drain()

        peaks = []
        source = self.file("source", BIG)
        self.assert_fails(self.send_slowly(source, play, timeout=20), PROTOCOL)
        self.assertGreater(max(peaks), MIB)
        self.assertLess(max(peaks), 150 * MIB)
