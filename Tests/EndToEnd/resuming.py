"""What tests of interrupted uploads share: interruptions at a known place, servers that crash, and what is kept."""

import contextlib
import functools
import json
import os
import random
import signal

from relay import PAYLOAD, UP, Fault, Relay
from sending import Sending, SendCase
from support import run, sha256
from waiting import eventually

MIB = 1 << 20
RETRY = 75


class ResumeCase(SendCase):
    """A server that tests may kill and start anew, and what it keeps."""

    options = ()

    def setUp(self):
        super().setUp()
        self.server = self.serve(*self.options)
        self.kept = self.server.directory / ".fxfer" / "partials"

    def noise(self, name, size, seed=0):
        """A file of random bytes, the same each time."""
        return self.file(name, random.Random(f"{name} {size} {seed}").randbytes(size))

    def partials(self):
        """What `fxfer partials --json` says: name -> (verified, inUse)."""
        result = run("partials", str(self.server.directory), "--json")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        events = map(json.loads, result.stdout.splitlines())
        return {event["name"]: (event["verified"], event["inUse"]) for event in events}

    def leftovers(self):
        """All names in the server's own folder of partials."""
        return sorted(os.listdir(self.kept)) if self.kept.exists() else []

    def assert_left(self, expected):
        """The server comes to keep just this: name -> verified bytes."""
        expected = {name: (verified, False) for name, verified in expected.items()}
        with contextlib.suppress(AssertionError):
            eventually(lambda: self.partials() == expected, "the partials are as expected", patience=10)
        self.assertEqual(self.partials(), expected)

    def assert_only(self, published):
        """Published is this and nothing else (name -> source), and nothing is kept."""
        self.assertEqual(self.server.published(), {os.fsencode(k): sha256(v) for k, v in published.items()})
        eventually(lambda: not self.leftovers(), "nothing is kept any more")

    def relay(self, *faults, **options):
        relay = Relay(self.server.port, *faults, **options)
        self.relays.enter_context(relay)
        return relay

    @functools.cached_property
    def relays(self):
        """Those that are open; tests with very many close them now and then."""
        return self.enterContext(contextlib.ExitStack())

    def interrupt(self, source, at, name=None, options=()):
        """Sends `source` until `at` bytes of it have gone, and no more: what is whole of that is kept."""
        before = self.server.published()
        relay = self.relay(Fault(UP, PAYLOAD, at))
        name = name or source.name
        arguments = ["--retries", "0", "--as", name, *options, source, relay.address]
        self.assert_fails(RETRY, *arguments)
        self.assertEqual(relay.payload, at)
        self.assertEqual(self.server.published(), before)

    def crash(self, server=None):
        server = server or self.server
        server.process.send_signal(signal.SIGKILL)
        server.wait()

    def restart(self, *options):
        """A new server on the old one's port and directory."""
        options = options or self.options
        self.server = self.serve(*options, listen=self.server.address, directory=self.server.directory)

    def send_again(self, source, name=None, options=()):
        """The same upload once more, undisturbed: answers the offset where it went on, and its receipt."""
        relay = self.relay()
        client = Sending("--as", name or source.name, *options, os.fspath(source), relay.address)
        status, errors = client.wait()
        self.assertEqual(status, 0, errors)
        self.assertEqual(client.events[-1]["event"], "receipt", client.events)
        self.assertEqual(client.events[-1]["sha256"], sha256(source))
        self.assertEqual(self.server.published()[os.fsencode(name or source.name)], sha256(source))
        offset = source.stat().st_size - relay.payload
        self.assertIn([event["offset"] for event in events(client, "resumed")], ([], [offset]))
        return offset, client.events[-1]


def events(client, kind):
    return [event for event in client.events if event["event"] == kind]
