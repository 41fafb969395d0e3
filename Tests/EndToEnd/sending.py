"""`fxfer send --json` that runs beside the test, event by event."""

import json
import os
import pathlib
import re
import select
import subprocess
import tempfile

from support import FXFER, PATIENCE, Case, run
from waiting import eventually


class Sending:
    """A running `fxfer send --json`. `events` are those that were read so far."""

    def __init__(self, *arguments, **popen):
        self._errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [FXFER, "send", "--json", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            **popen,
        )
        self.pid = self.process.pid
        self.events = []
        #: The most memory in bytes that the client had when it wrote an event.
        self.peak_memory = 0
        self._rest = b""

    def next_event(self):
        """The next event; None at the end."""
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
            if not ready:
                raise AssertionError(f"no event in {PATIENCE} s after {self.events[-1:]}")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return None
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        self.events.append(json.loads(line))
        self._note_memory()
        return self.events[-1]

    def wait_for(self, kind):
        """Reads up to the next event of that kind and answers it."""
        while (event := self.next_event()) and event["event"] != kind:
            pass
        if not event:
            raise AssertionError(f"the client ended without an event '{kind}': {self.events[-1:]} {self.wait()}")
        return event

    def wait(self):
        """Reads to the end; answers status and stderr."""
        while self.next_event():
            pass
        self.process.stdout.close()
        status = self.process.wait(timeout=PATIENCE)
        self._errors.seek(0)
        with self._errors:
            return status, self._errors.read().decode()

    def kill(self):
        """Ends it as a crash would."""
        self.process.kill()
        self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()
        self._errors.close()

    def bytes_read(self):
        """How many bytes it has read so far, from any file."""
        return int(re.search(r"rchar: (\d+)", pathlib.Path(f"/proc/{self.pid}/io").read_text())[1])

    def _note_memory(self):
        # Not ru_maxrss: that includes what this test process had at the time of the fork.
        try:
            found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{self.pid}/status").read_text())
        except (ProcessLookupError, FileNotFoundError):  # It has ended; a poll may have taken note of that.
            found = None
        self.peak_memory = max(self.peak_memory, int(found[1]) * 1024 if found else 0)


class SendCase(Case):
    """What tests of `send` share."""

    def sparse(self, name, size, folder=None):
        """A file of that size without disk space of its own."""
        path = (folder or self.folder) / name
        with open(path, "wb") as file:
            file.truncate(size)
        return path

    def sending(self, *arguments, **popen):
        """A `send` beside the test that ends with it at the latest."""
        client = Sending(*map(os.fsencode, arguments), **popen)
        self.addCleanup(lambda: client.process.poll() is None and client.kill())
        return client

    def assert_sent(self, *arguments, **options):
        """`send` with these arguments succeeds in silence; answers its stdout as bytes."""
        result = run("send", *map(os.fsencode, arguments), text=False, **options)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        return result.stdout

    def assert_fails(self, status, *arguments, naming=(), **options):
        """`send` fails with that status, prints nothing to stdout, and one line to stderr that has each of `naming`."""
        result = run("send", *map(os.fsencode, arguments), **options)
        self.assertEqual((result.returncode, result.stdout), (status, ""), result.stderr)
        self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")
        for text in naming:
            self.assertIn(text, result.stderr)
        return result.stderr

    def assert_nothing_stored(self, server, before=()):
        """As in `Case`; the server may need a moment to clear up after a client that is gone already."""
        eventually(lambda: not server.partials(), "nothing is staged any more")
        super().assert_nothing_stored(server, before)

    @staticmethod
    def stop(server):
        """Ends the server as SIGTERM does; answers its log, but for the line that says so to clients still there."""
        server.process.terminate()
        server.wait()
        return "".join(line for line in server.log.splitlines(True) if "shutting down" not in line)
