"""Kills a process at its N-th system call of a kind, or has that call fail, counted over all threads.

strace counts per thread, and pays for each run with a start. This one stays beside the process and is told what to do
by a piece of shared memory, which it answers in:

    python3 injector.py attach MEMORY PID
    python3 injector.py run MEMORY COMMAND...

The latter ends as the command does.
"""

import ctypes
import errno
import mmap
import os
import platform
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

#: Numbers of system calls: x86_64, aarch64.
CALLS = {
    "close": (3, 57),
    "fstat": (5, 80),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "flock": (73, 32),
    "fsync": (74, 82),
    "ftruncate": (77, 46),
    "fchmod": (91, 52),
    "fstatfs": (138, 44),
    "getdents64": (217, 61),
    "fadvise64": (221, 223),
    "mkdirat": (258, 34),
    "newfstatat": (262, 79),
    "unlinkat": (263, 35),
    "renameat": (264, 38),
    "linkat": (265, 37),
    "sync_file_range": (277, 84),
    "utimensat": (280, 88),
    "renameat2": (316, 276),
    "openat2": (437, 437),
    "faccessat2": (439, 439),
}
COLUMN = {"x86_64": 0, "aarch64": 1}.get(platform.machine())

#: What to do at a call instead of an error: kill the process; let it have half of what it asks for, or nothing of it.
KILL, SHORT, NOTHING = "kill", "short", "nothing"
ACTIONS = {KILL: 0, SHORT: -1, NOTHING: -2}

SYSCALL, SEIZE, INTERRUPT, POKE_REGISTER, GET_SYSCALL_INFO = 24, 0x4206, 0x4207, 6, 0x420E
TRACE_SYSGOOD, TRACE_CLONE, EXIT_KILL = 1, 8, 0x100000
ALL_THREADS, ENTRY, EXIT = 0x40000000, 1, 2
#: Where struct user of x86_64 has these registers: a call's third argument, its result, its number.
RDX, RAX, ORIG_RAX = 12 * 8, 10 * 8, 15 * 8

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, thread, address=None, data=None):
    if libc.ptrace(request, thread, address, data) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


class Memory:
    """What the test and the injector share. `left` is written last, and counts down to 0."""

    FIELDS = ("left", "number", "action", "struck", "again", "lasting")
    COUNTS, SCOPE, PATH = 64, 8192, 12288

    def __init__(self, file):
        with open(file, "r+b") as opened:
            self.bytes = mmap.mmap(opened.fileno(), 16384)

    def __getattr__(self, name):
        return struct.unpack_from("q", self.bytes, 8 * self.FIELDS.index(name))[0]

    def put(self, name, value):
        struct.pack_into("q", self.bytes, 8 * self.FIELDS.index(name), value)

    def count(self, number):
        return struct.unpack_from("q", self.bytes, self.COUNTS + 8 * number)[0]

    def put_count(self, number, value):
        struct.pack_into("q", self.bytes, self.COUNTS + 8 * number, value)

    def text(self, place):
        (length,) = struct.unpack_from("q", self.bytes, place)
        return os.fsdecode(self.bytes[place + 8 : place + 8 + length])

    def put_text(self, place, text):
        text = os.fsencode(text)[:4000]
        struct.pack_into(f"q{len(text)}s", self.bytes, place, len(text), text)


class Tracer:
    """Watches all threads of one process, in a process of its own."""

    def __init__(self, memory):
        self.memory = Memory(memory)
        self.numbers = {numbers[COLUMN] for numbers in CALLS.values()}
        self.fsync = CALLS["fsync"][COLUMN]
        self.results = {}  #: by thread, what its call is to answer
        self.victim = None  #: the file whose fsync failed

    def seize(self, thread, options=0):
        ptrace(SEIZE, thread, None, TRACE_SYSGOOD | TRACE_CLONE | options)
        ptrace(INTERRUPT, thread)

    def attach(self, process):
        self.process, seized = process, set()
        while new := {int(name) for name in os.listdir(f"/proc/{process}/task")} - seized:
            for thread in new:
                try:
                    self.seize(thread)
                except OSError as error:
                    # EPERM: it is seized already, as a thread of one that was.
                    if error.errno not in (errno.ESRCH, errno.EPERM) or not seized and error.errno == errno.EPERM:
                        raise
                seized.add(thread)

    def run(self, command):
        reader, writer = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            os.read(reader, 1)
            os.execvp(command[0], command)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _: os.kill(self.process, number))
        self.seize(self.process, EXIT_KILL)
        os.write(writer, b".")
        os.close(reader)
        os.close(writer)

    def watch(self):
        """Lets the process run until it ends; answers its status."""
        while True:
            thread, status = os.waitpid(-1, ALL_THREADS)
            if not os.WIFSTOPPED(status):
                if thread == self.process:
                    return status
                continue
            stop, event = os.WSTOPSIG(status), status >> 16
            try:
                if stop == signal.SIGTRAP | 0x80:
                    self.stopped(thread)
                own = event or stop == signal.SIGTRAP | 0x80
                ptrace(SYSCALL, thread, None, None if own else stop)
            except ProcessLookupError:
                pass  # It ends just now; the next status says so.

    def stopped(self, thread):
        info = ctypes.create_string_buffer(88)
        ptrace(GET_SYSCALL_INFO, thread, len(info), ctypes.addressof(info))
        operation, number, first, _, third = struct.unpack_from("B23xQQQQ", info)
        if operation == EXIT and thread in self.results:
            ptrace(POKE_REGISTER, thread, RAX, self.results.pop(thread))
        elif operation == ENTRY and number in self.numbers:
            self.entered(thread, number, ctypes.c_int(first).value, third)

    def entered(self, thread, number, descriptor, third):
        """The thread is about to make a call, on `descriptor` for all that are in the table."""
        memory = self.memory
        if not memory.struck:
            self.victim = None
        lasts = memory.struck and memory.lasting and number == memory.number
        if not memory.left and not lasts and not (number == self.fsync and self.victim):
            return
        link = f"/proc/{self.process}/fd/{descriptor}"
        try:
            path = os.readlink(link)
        except OSError:
            path = ""
        if not path.startswith(memory.text(Memory.SCOPE)):
            return
        if number == self.fsync and self.victim == identity(link):
            memory.put("again", memory.again + 1)
        if lasts:
            self.strike(thread, number, memory.action, third)
        if not memory.left:
            return
        memory.put_count(number, memory.count(number) + 1)
        if number != memory.number or memory.action == ACTIONS[SHORT] and third < 2:
            return
        memory.put("left", memory.left - 1)
        if memory.left == 0:
            memory.put_text(Memory.PATH, path)
            self.victim = identity(link) if number == self.fsync and os.path.isfile(link) else None
            self.strike(thread, number, memory.action, third)
            memory.put("struck", 1)

    def strike(self, thread, number, action, third):
        if action == ACTIONS[KILL]:
            os.kill(self.process, signal.SIGKILL)
        elif action < 0:
            ptrace(POKE_REGISTER, thread, RDX, third // 2 if action == ACTIONS[SHORT] else 0)
        else:
            # close(2) lets go of the descriptor whatever it answers; other calls that fail are not made.
            if number != CALLS["close"][COLUMN]:
                ptrace(POKE_REGISTER, thread, ORIG_RAX, -1)
            self.results[thread] = -action


def identity(link):
    status = os.stat(link)
    return status.st_dev, status.st_ino


class Injector:
    """Beside the test: watches `process`, or what is run behind `wrapper`. Counts calls on what is below `scope`."""

    def __init__(self, process=None, scope=""):
        if COLUMN is None:
            raise unittest.SkipTest("the numbers of this machine's system calls are not known")
        self.file = tempfile.NamedTemporaryFile(prefix="fxfer-injector-")
        self.file.truncate(16384)
        self.memory = Memory(self.file.name)
        self.memory.put_text(Memory.SCOPE, scope and os.path.realpath(scope))
        self.wrapper = [sys.executable, "-S", "-E", __file__, "run", self.file.name]
        self.program = None
        if process:
            command = [sys.executable, "-S", "-E", __file__, "attach", self.file.name, str(process)]
            self.program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            if self.program.stdout.readline() != "attached\n":
                self.close()
                raise unittest.SkipTest("this system does not let a process be watched")

    def arm(self, call, action, number, lasting=False):
        """The `number`-th call from now on fails with that error (`"EIO"`), or what else `action` says.

        With `lasting`, so do all later ones, until it is disarmed.
        """
        if COLUMN != 0 and action != KILL:
            raise unittest.SkipTest("calls can be made to fail on x86_64 only")
        self.memory.put("left", 0)
        self.memory.bytes[8:8192] = bytes(8184)
        self.memory.put("number", CALLS[call][COLUMN] if call else -1)
        self.memory.put("action", ACTIONS[action] if action in ACTIONS else getattr(errno, action))
        self.memory.put("lasting", lasting)
        self.memory.put("left", number)

    def disarm(self):
        """Answers whether it has struck."""
        self.memory.put("left", 0)
        self.memory.put("lasting", 0)
        return bool(self.memory.struck)

    def count(self):
        """From now on nothing happens, but calls are counted."""
        self.arm(None, KILL, 1)

    @property
    def counts(self):
        """How often each call was made since it was armed, up to the one that failed."""
        return {call: self.memory.count(numbers[COLUMN]) for call, numbers in CALLS.items()}

    @property
    def struck(self):
        return bool(self.memory.struck)

    @property
    def path(self):
        """Of what the call was about that failed."""
        return self.memory.text(Memory.PATH)

    @property
    def again(self):
        """How often fsync was called on a file for which it had failed."""
        return self.memory.again

    def close(self):
        if self.program:
            self.program.kill()
            self.program.wait()
            self.program.stdout.close()
        self.file.close()


def main(mode, memory, *rest):
    tracer = Tracer(memory)
    if mode == "attach":
        tracer.attach(int(rest[0]))
        print("attached", flush=True)
    else:
        tracer.run(rest)
    status = os.waitstatus_to_exitcode(tracer.watch())
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main(*sys.argv[1:])
