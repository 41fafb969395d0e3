"""What all black-box tests share: the built binary, a server in a temporary directory, and what must hold after.

The binary is $FXFER, or .build/release/fxfer of this checkout.
"""

import atexit
import contextlib
import hashlib
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FXFER = os.environ.get("FXFER", str(ROOT / ".build" / "release" / "fxfer"))
#: No event of a test takes longer than this many seconds on a slow machine; it is a bound, never a pause.
PATIENCE = 60
#: Long runs (FXFER_LONG=1) try everything that there is to try; others a part of it that takes seconds.
LONG = os.environ.get("FXFER_LONG") == "1"
#: For `send` and `get`, in tests of one connection that breaks: its end is what they want to see.
ONCE = ("--retries", "0")

#: Where the programs under test keep what they remember of servers, and servers their identity; never the user's own.
HOME = pathlib.Path(tempfile.mkdtemp(prefix="fxfer-home-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ.update(HOME=str(HOME), XDG_STATE_HOME=str(HOME / "state"), XDG_CONFIG_HOME=str(HOME / "config"))
os.environ.pop("FXFER_TOKEN", None)

# A shell has its background jobs ignore SIGINT, and whatever they start inherits that; the programs under test shall
# be as a user starts them.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def copy_for_others(folder):
    """A copy of the binary that other users can run, wherever the checkout is; `folder` is opened to them."""
    folder.chmod(0o755)
    binary = folder / "fxfer"
    if not binary.exists():
        shutil.copy(FXFER, binary)
    return binary


def run(*arguments, wrapper=(), binary=FXFER, **options):
    """Runs fxfer to its end, behind `wrapper`; stdout and stderr are text unless `text=False` is given."""
    options.setdefault("text", True)
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("timeout", PATIENCE)
    return subprocess.run([*wrapper, binary, *arguments], capture_output=True, **options)


def finish(process):
    """Waits for the end of a process, answers its stdout and stderr; one that hangs is killed, and the test fails."""
    try:
        return process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def figures(title, **numbers):
    """In long runs, one line on standard error of what was done and measured, for a report."""
    if LONG:
        print(f"{title}:", *(f"{name}={value}" for name, value in numbers.items()), file=sys.stderr, flush=True)


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Server:
    """`fxfer serve` on a free loopback port, into `directory`; stopped when the with block ends.

    Where that is None, the options say where to. Without `listen`, it is told of no address.
    """

    def __init__(self, directory, *options, listen="127.0.0.1:0", wrapper=(), binary=FXFER, **popen):
        self.directory = directory and pathlib.Path(directory)
        place = ["--dir", str(directory)] if directory else []
        self.process = subprocess.Popen(
            [*wrapper, binary, "serve", *place, *(["--listen", listen] if listen else []), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **popen,
        )
        self.log = ""
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        self.first_line = self.process.stdout.readline() if ready else ""
        found = re.fullmatch(r"listening on (.+):(\d+) \(pid (\d+)\)\n", self.first_line)
        if not found:
            self.process.kill()
            raise AssertionError(f"no server: {self.first_line!r} {self.process.communicate()[1]}")
        self.port = int(found[2])
        self.pid = int(found[3])
        self.address = f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.wait()

    def wait(self):
        """Waits for the server's end; its log is then in `log`. Answers the exit status."""
        if not self.process.stderr.closed:
            _, self.log = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode

    def published(self):
        """Every published file: path relative to the directory -> SHA-256. Paths are bytes."""
        found = {}
        root = os.path.realpath(os.fsencode(self.directory))
        # By descriptors: a published path may be longer than the system takes in one call.
        for folder, folders, files, descriptor in os.fwalk(root):
            inside = os.path.relpath(folder, root)
            if inside == b".":
                folders[:] = [name for name in folders if name != b".fxfer"]
            for name in files:
                with open(os.open(name, os.O_RDONLY, dir_fd=descriptor), "rb") as file:
                    path = os.path.normpath(os.path.join(inside, name))
                    found[path] = hashlib.file_digest(file, "sha256").hexdigest()
        return found

    def partials(self):
        """The names of what is staged or kept, whatever it is; a journal beside its partial is a part of that."""
        folder = self.directory / ".fxfer" / "partials"
        names = set(os.listdir(folder)) if folder.exists() else set()
        return sorted(names - {f"{name.removesuffix('.part')}.journal" for name in names if name.endswith(".part")})

    def descriptors(self):
        """How many sockets, files and pipes the server has open.

        Timers and event queues, which the system calls anonymous inodes, are the runtime's own: it makes each when it
        first needs it, which may be after the server said that it listens, and keeps it. Now and then it looks into
        /proc, too. No connection and no file has any of these.
        """
        folder, count = f"/proc/{self.pid}/fd", 0
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                count += not os.readlink(f"{folder}/{name}").startswith(("anon_inode:", "/proc/"))
        return count

    def peak_memory(self):
        """The most memory that the server has had, in bytes."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


class Case(unittest.TestCase):
    """A test with a temporary folder of its own in `self.folder`."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fxfer-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def file(self, name, content=b"content\n"):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def serve(self, *options, **keywords):
        """A server into `self.folder/out` that ends with the test."""
        server = Server(keywords.pop("directory", self.folder / "out"), *options, **keywords)
        stack = contextlib.ExitStack()
        stack.enter_context(server)
        self.addCleanup(stack.close)
        return server

    def assert_serves(self, server):
        """The server still takes a file from a good client."""
        name = f"still-serves-{os.urandom(4).hex()}"
        source = self.file(name, os.urandom(1000))
        result = run("send", str(source), server.address)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(server.published().get(name.encode()), sha256(source))
        (server.directory / name).unlink()

    def assert_nothing_stored(self, server, before=()):
        """What is published is `before` (a mapping, as `published()` gives it) and nothing is staged."""
        self.assertEqual(server.published(), dict(before))
        self.assertEqual(server.partials(), [])
