"""Many clients at once: all are started, wait at a gate before they become what they are, and begin when it opens."""

import contextlib
import os

from daemons import clock, state
from processes import eventually

#: Opening a FIFO to read it waits until somebody writes. What the shell has used until then is not the client's.
SCRIPT = ': <"$0"; exec "$@"'


class Gate:
    """A FIFO at `path`."""

    def __init__(self, path):
        self._path = path
        os.mkfifo(path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.unlink(self._path)

    def before(self, command):
        """The command that waits here and then becomes the given one."""
        return ["sh", "-c", SCRIPT, self._path, *command]

    def gather(self, programs):
        """Returns when all of them wait, or have failed to."""
        for program in programs:
            eventually(lambda: state(program.pid) in "SZ", f"{program.name} waits for the others")
            with contextlib.suppress(OSError):
                program.used_before = clock(program.pid)

    @contextlib.contextmanager
    def opened(self):
        """In the block everyone passes."""
        # For both, so that it does not wait itself, even where nobody is there any more.
        descriptor = os.open(self._path, os.O_RDWR)
        try:
            yield
        finally:
            os.close(descriptor)
