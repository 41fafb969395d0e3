"""Servers that stay for several transfers, and what they use for each.

CPU is read before and after a transfer: of each process that lives from its own clock (exact), of the children that
have ended from /proc/PID/stat (in steps of 10 ms). Peak memory is known at the end, as the most that a process of the
tree has had since the server was started; that is why servers are started anew for each case.
"""

import contextlib
import os
import signal
import socket
import time

from processes import RECEIVER, Command, Failure, deadline, eventually

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port):
    """Whether somebody listens there; seen without a connection, which would be served."""
    wanted = (f"0100007F:{port:04X}", f"00000000:{port:04X}")
    with open("/proc/net/tcp") as table:
        return any(line.split()[1] in wanted and line.split()[3] == "0A" for line in table)


def wait_for_port(program, port):
    """Returns when the program listens; throws what it said where it ended instead."""

    def look():
        if program.ended():
            program.wait()
            raise Failure(f"{program.name} does not serve: {program.last_words()}")
        return is_listening(port)

    eventually(look, f"{program.name} listens on port {port}")


class Daemon:
    """A server on `port` of 127.0.0.1, from its first readiness until `stop`; `workers` are children that stay."""

    def __init__(self, launcher, argv, port, workers=0):
        self._program = launcher.start(Command(RECEIVER, argv))
        self.pid, self.port = self._program.pid, port
        wait_for_port(self._program, port)
        self._processes = 1 + workers
        self.settle()

    def cpu(self):
        """Seconds of CPU that the server and all its children have used so far."""
        return sum(map(_cpu, self._tree()))

    def settle(self):
        """Returns when the children that serve a transfer have ended, and been counted."""
        name = self._program.name
        eventually(lambda: len(self._tree()) == self._processes, f"{name} has {self._processes} processes again")

    def stop(self):
        """Ends it; answers the peak memory of its largest process, in bytes."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        with deadline(60, f"the end of {self._program.name}"):
            peak = self._program.wait().peak
        self._program.signal(signal.SIGKILL)
        return peak

    def _tree(self):
        """The process and all that descend from it."""
        children = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                children.setdefault(int(_stat(name)[1]), []).append(int(name))
        found, new = set(), [self.pid]
        while new:
            found.update(new)
            new = [child for parent in new for child in children.get(parent, [])]
        return found


def _stat(pid):
    """The fields of /proc/PID/stat that follow the name: state, parent, …"""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()


def state(pid):
    """The letter by which ps(1) tells what a process does: S where it waits."""
    return _stat(pid)[0]


def clock(pid):
    """CPU seconds of a process that lives."""
    # The kernel's name of that clock: see clock_getcpuclockid(3).
    return time.clock_gettime(~pid << 3 | 2)


def _cpu(pid):
    """CPU seconds of a process, and of its children that have ended and that it has waited for."""
    try:
        waited_for = sum(map(int, _stat(pid)[13:15])) / TICKS
        return clock(pid) + waited_for
    except OSError:
        return 0.0
