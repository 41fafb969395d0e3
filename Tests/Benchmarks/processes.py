"""Programs that are measured: started, waited for with what they used, and ended in any case.

They are forked, not vforked: the kernel counts the memory that a process had before it became another program as that
program's own peak, and after a fork this is less. What remains of it is `memory_floor()`; no smaller peak can be seen.
"""

import atexit
import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass

from interrupts import held_back

subprocess._USE_VFORK = False
subprocess._USE_POSIX_SPAWN = False

SENDER, RECEIVER = "sender", "receiver"

#: What was started and has not ended, by process id.
_running = {}


class Failure(Exception):
    """A program did not do what it was started for."""


@dataclass
class Command:
    """One program of one end of a transfer; `stdin` and `stdout` are paths, or None for nothing."""

    end: str
    argv: list
    stdin: str | None = None
    stdout: str | None = None
    folder: str | None = None


@dataclass
class Usage:
    """What processes used: seconds of CPU in all, bytes of memory of the largest one."""

    cpu: float = 0.0
    peak: int = 0

    def add(self, other):
        self.cpu += other.cpu
        self.peak = max(self.peak, other.peak)


class Program:
    """A started command in a process group of its own; its errors go to the file `errors`.

    `argv` is what is started instead, where it becomes the command later, and has used CPU before.
    """

    def __init__(self, command, environment, errors, argv=None):
        self.command = command
        self.name = os.path.basename(command.argv[0])
        self.used_before = 0.0
        self._errors = errors
        with held_back(), contextlib.ExitStack() as files:
            self._process = subprocess.Popen(
                [os.fspath(argument) for argument in argv or command.argv],
                stdin=files.enter_context(open(command.stdin or os.devnull, "rb")),
                stdout=files.enter_context(open(command.stdout or os.devnull, "ab")),
                stderr=files.enter_context(open(errors, "wb")),
                cwd=command.folder,
                env=environment,
                process_group=0,
            )
            self.pid = self._process.pid
            _running[self.pid] = self

    def ended(self):
        """Whether it has ended by itself; it is still waited for after that."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None

    def wait(self):
        """Waits for the end, answers what it and all that it waited for used."""
        _, status, used = os.wait4(self.pid, 0)
        del _running[self.pid]
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return Usage(used.ru_utime + used.ru_stime - self.used_before, used.ru_maxrss * 1024)

    def check(self, allowed=(0,)):
        """Throws what it said unless its status, which `wait` has seen, is allowed."""
        if self._process.returncode in allowed:
            return
        raise Failure(f"{self.name} ended with status {self._process.returncode}: {self.last_words()}")

    def last_words(self):
        """The end of what it wrote to standard error, as one line."""
        with open(self._errors, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 400))
            return " / ".join(file.read().decode(errors="replace").split("\n")).strip(" /") or "no message"

    def signal(self, number):
        """Signals its process group; one that has gone already is well, too."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def kill(self):
        """Ends it and its process group at once, if it still is there."""
        if self.pid in _running:
            self.signal(signal.SIGKILL)
            self.wait()


@atexit.register
def kill_all():
    """Ends all programs that still run."""
    for program in list(_running.values()):
        program.kill()


class Launcher:
    """Starts commands with one environment; their errors are kept in `folder` while they run."""

    def __init__(self, folder, environment):
        self.environment = environment
        self._folder = folder
        self._count = 0

    def start(self, command, argv=None):
        """Starts it; see `Program`."""
        self._count += 1
        return Program(command, self.environment, self._folder / f"errors-{self._count}", argv)


def memory_floor():
    """The peak of a process that has done nothing since it was forked, in bytes."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    return os.wait4(child, 0)[2].ru_maxrss * 1024


@contextlib.contextmanager
def deadline(seconds, what):
    """Throws `Failure` where the block takes longer; for calls that wait in the main thread."""

    def late(*_):
        raise Failure(f"{what} took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def eventually(condition, what, patience=20):
    """Answers the first true value of `condition()`; throws `Failure` with `what` where none comes in time.

    Only for what nobody tells, as a port that begins to listen; nothing is measured meanwhile.
    """
    end = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() > end:
            raise Failure(f"in {patience} s it did not happen: {what}")
        time.sleep(0.002)
    return value
