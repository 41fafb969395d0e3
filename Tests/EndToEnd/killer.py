"""Kills a process when it makes its N-th system call of a kind, counted over all its threads; strace counts per thread.

    python3 killer.py PID CALL N
    python3 killer.py CALL N -- PROGRAM ARGUMENTS

The first prints `attached` when it watches, and ends with the process. The second runs a program, which ends with it,
and has its exit status, or 137 where it was killed.
"""

import contextlib
import ctypes
import os
import platform
import signal
import struct
import subprocess
import sys

#: Numbers of system calls: x86_64, aarch64.
CALLS = {
    "pwrite64": (18, 68),
    "flock": (73, 32),
    "fsync": (74, 82),
    "ftruncate": (77, 46),
    "fchmod": (91, 52),
    "mkdirat": (258, 34),
    "unlinkat": (263, 35),
    "renameat": (264, 38),
    "linkat": (265, 37),
    "utimensat": (280, 88),
    "renameat2": (316, 276),
    "openat2": (437, 437),
}
COLUMN = {"x86_64": 0, "aarch64": 1}.get(platform.machine())

SYSCALL, SEIZE, INTERRUPT, GET_SYSCALL_INFO = 24, 0x4206, 0x4207, 0x420E
TRACE_SYSGOOD, TRACE_CLONE, EXIT_KILL = 1, 8, 0x100000
KILLED = 128 + signal.SIGKILL
ALL_THREADS, EVENT_STOP, ENTRY = 0x40000000, 128, 1

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, thread, address=None, data=None):
    if libc.ptrace(request, thread, address, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def entered(thread):
    """The number of the call that the thread is about to make; None where it returns from one."""
    info = ctypes.create_string_buffer(88)
    ptrace(GET_SYSCALL_INFO, thread, len(info), ctypes.addressof(info))
    operation, number = struct.unpack_from("B23xQ", info)
    return number if operation == ENTRY else None


def watch(process, number, left):
    """Lets the process run on until it is about to make the call for the last of so many times, and kills it then.

    Answers its exit status where it ended before.
    """
    while True:
        thread, status = os.waitpid(-1, ALL_THREADS)
        if not os.WIFSTOPPED(status):
            if thread == process:
                return os.waitstatus_to_exitcode(status)
            continue
        stop, event = os.WSTOPSIG(status), status >> 16
        try:
            if stop == signal.SIGTRAP | 0x80 and entered(thread) == number:
                left -= 1
                if left == 0:
                    os.kill(process, signal.SIGKILL)
                    return KILLED
            own = event or stop == signal.SIGTRAP | 0x80
            ptrace(SYSCALL, thread, None, None if own else stop)
        except ProcessLookupError:
            pass  # It ends just now; the next status says so.


class Killer:
    """A killer beside the test, which watches `process` when this returns."""

    def __init__(self, process, call, number):
        command = [sys.executable, __file__, str(process), call, str(number)]
        self.program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.attached = self.program.stdout.readline() == "attached\n"

    def end(self):
        self.program.kill()
        self.program.wait()
        self.program.stdout.close()


def until_killed(call, number, *command):
    """The command that runs `command`, and kills it when it is about to make that call for the N-th time."""
    return [sys.executable, __file__, call, str(number), "--", *map(os.fsdecode, command)]


def attach(process, options=0):
    """Watches all threads. Some may end meanwhile; and those that a watched one makes meanwhile are watched already."""
    known = set()
    while new := set(map(int, os.listdir(f"/proc/{process}/task"))) - known:
        for thread in new:
            with contextlib.suppress(ProcessLookupError, *([PermissionError] if known else [])):
                ptrace(SEIZE, thread, None, TRACE_SYSGOOD | TRACE_CLONE | options)
                ptrace(INTERRUPT, thread)
        known |= new


def launch(command):
    """Starts a program under watch; answers its process."""
    reading, writing = os.pipe()
    if process := os.fork():
        attach(process, EXIT_KILL)
        os.write(writing, b"1")
        return process
    os.read(reading, 1)
    os.execvp(command[0], command)


def main(arguments):
    if "--" in arguments:
        call, number, _, *command = arguments
        status = watch(launch(command), CALLS[call][COLUMN], int(number))
        sys.exit(status if status >= 0 else 128 - status)
    process, call, number = arguments
    attach(int(process))
    print("attached", flush=True)
    watch(int(process), CALLS[call][COLUMN], int(number))


if __name__ == "__main__":
    main(sys.argv[1:])
