"""`fxfer serve` gives up what it does not need, on every thread, before it serves; and it tells where it cannot."""

import os
import pathlib
import re
import shutil
import unittest

from legacy import LegacyCase, download
from sending import SendCase
from support import run, sha256
from textbook import THANKS

NOT_PERMITTED = 77
INTERNAL = 70
NO_SANDBOX = "--no-sandbox"


def is_confined(server):
    """Whether each thread of the server gets no new privileges, and there are several; all of them or none."""
    statuses = [path.read_text() for path in pathlib.Path(f"/proc/{server.pid}/task").glob("*/status")]
    found = {re.search(r"NoNewPrivs:\s*(\d)", text)[1] for text in statuses}
    if len(statuses) < 3 or len(found) != 1:
        raise AssertionError(f"{len(statuses)} threads with NoNewPrivs {found}")
    return found == {"1"}


class ThreadsTest(SendCase):
    def test_all_threads(self):
        """Every thread of the server gets no new privileges, also those that came with its work."""
        server = self.serve()
        self.assert_serves(server)
        self.assertTrue(is_confined(server))
        self.assert_sent(self.file("f", os.urandom(5 << 20)), server.address)
        self.assertTrue(is_confined(server))
        self.assertEqual(self.stop(server).count(" warning "), 0)

    def test_capabilities(self):
        """Of root's capabilities it keeps those on files (numbers 0 to 4), and it gets none that its user lacks."""
        server = self.serve()
        self.assert_serves(server)
        own = pathlib.Path("/proc/self/status").read_text()
        for kind in ("Eff", "Prm"):
            before = int(re.search(rf"Cap{kind}:\s*([0-9a-f]+)", own)[1], 16)
            for path in pathlib.Path(f"/proc/{server.pid}/task").glob("*/status"):
                after = int(re.search(rf"Cap{kind}:\s*([0-9a-f]+)", path.read_text())[1], 16)
                self.assertEqual(f"{after:x}", f"{before & 0b11111:x}")

    def test_without(self):
        """With --no-sandbox it keeps them."""
        server = self.serve(NO_SANDBOX)
        self.assert_serves(server)
        self.assertFalse(is_confined(server))

    def test_work_of_all_kinds(self):
        """Folders, exchanged and kept names, lists and downloads are as without it."""
        server = self.serve("--share", "--on-conflict", "replace")
        for content in (b"old", b"new", os.urandom(3 << 20)):
            source = self.file("tree/a/b/f", content)
            self.assert_sent("--quiet", self.folder / "tree", server.address)
        self.assert_nothing_stored(server, {b"tree/a/b/f": sha256(source)})
        self.assertEqual(run("list", f"{server.address}/tree/a").returncode, 0)
        got = run("get", f"{server.address}/tree/a/b/f", "--output", str(self.folder / "got"))
        self.assertEqual((got.returncode, got.stderr), (0, ""))
        self.assertEqual(sha256(self.folder / "got"), sha256(source))


class FilesTest(LegacyCase):
    """What the server can open is seen by what it sends to the textbook's clients: --legacy names any file."""

    def setUp(self):
        super().setUp()
        self.path = self.file("shown/file", b"shown\n")
        self.secret = self.file("elsewhere/secret", b"secret\n")

    def replace_by(self, make):
        """Another file takes the place of the one that is sent, in one step."""
        new = self.path.with_name("new")
        make(new)
        new.replace(self.path)

    def test_replaced(self):
        """A new file in the place of FILE is sent, also one that is a link to a neighbour."""
        server = self.serve("--legacy", str(self.path))
        self.assertEqual(download(server.port), b"shown\n" + THANKS)
        self.replace_by(lambda new: new.write_bytes(b"new\n"))
        self.assertEqual(download(server.port), b"new\n" + THANKS)
        self.file("shown/neighbour", b"neighbour\n")
        self.replace_by(lambda new: new.symlink_to("neighbour"))
        self.assertEqual(download(server.port), b"neighbour\n" + THANKS)

    def test_file_that_is_a_link(self):
        """FILE that is a link is sent; so is what takes the place of the file to which it leads."""
        self.replace_by(lambda new: new.symlink_to(self.secret))
        server = self.serve("--legacy", str(self.path))
        self.assertEqual(download(server.port), b"secret\n" + THANKS)
        self.secret.unlink()
        self.secret.write_bytes(b"new\n")
        self.assertEqual(download(server.port), b"new\n" + THANKS)

    def test_link_to_elsewhere(self):
        """A link that leads out of what the server may read leads nowhere, to whomever the file belongs."""
        server = self.serve("--legacy", str(self.path))
        for target in (self.secret, "/etc/passwd", "/proc/self/root/etc/passwd"):
            with self.subTest(target):
                self.replace_by(lambda new: new.symlink_to(target))
                self.assertEqual(download(server.port), b"")
        self.assert_serves(server)
        log = self.stop(server)
        self.assertEqual(log.count("not sent to a textbook client"), 3)
        self.assertIn("ermission denied", log)

    def test_link_to_elsewhere_without(self):
        """With --no-sandbox the same link is followed."""
        server = self.serve("--legacy", str(self.path), NO_SANDBOX)
        self.replace_by(lambda new: new.symlink_to(self.secret))
        self.assertEqual(download(server.port), b"secret\n" + THANKS)


@unittest.skipUnless(shutil.which("strace"), "strace is not installed")
class KernelTest(SendCase):
    def strace(self, *options):
        """What to put before a command so that strace runs it. The process is the command's own."""
        self.trace = self.folder / f"trace-{os.urandom(4).hex()}"
        return ["strace", "-D", "-f", "-qq", "-o", str(self.trace), *options]

    def calls(self):
        """The lines of the trace so far."""
        return self.trace.read_text().splitlines()

    def test_order(self):
        """It listens before it enters the sandbox, and starts its first thread after."""
        server = self.serve(wrapper=self.strace("-e", "trace=listen,landlock_restrict_self,clone,clone3"))
        self.assert_serves(server)
        self.stop(server)
        names = [re.search(r"(\w+)\(", line)[1] for line in self.calls() if "(" in line]
        entered = names.index("landlock_restrict_self")
        self.assertEqual(names[:entered], ["listen"])
        self.assertRegex(names[entered + 1], "clone")

    def test_no_landlock(self):
        """A kernel without Landlock, with a switched-off or with an old one is told of in one line; the server serves."""
        for answer in ("error=ENOSYS", "error=EOPNOTSUPP", "retval=1"):
            with self.subTest(answer):
                server = self.serve(wrapper=self.strace("-e", f"inject=landlock_create_ruleset:{answer}"))
                self.assert_serves(server)
                log = self.stop(server)
                self.assertRegex(log, r"\Afxfer: no sandbox: [^\n]*Landlock[^\n]*\n")
                self.assertEqual(log.count("sandbox"), 1)

    def assert_not_served(self, status, inject):
        """With this fault there is no server: one line, nothing in the directory, and old files unchanged."""
        old = self.file("out/old", b"old")
        command = self.strace("-e", f"inject={inject}")
        result = run("serve", "--dir", str(old.parent), "--listen", "127.0.0.1:0", wrapper=command)
        self.assertEqual((result.returncode, result.stdout), (status, ""), result.stderr)
        self.assertRegex(result.stderr, r"\Afxfer: cannot enter the sandbox[^\n]*--no-sandbox\n\Z")
        self.assertEqual((os.listdir(old.parent), old.read_bytes()), (["old"], b"old"))
        self.assertTrue(any("INJECTED" in line for line in self.calls()))

    def test_refused(self):
        """A kernel that has Landlock and refuses it is the end (77): nobody is served without what was promised."""
        for inject in (
            "prctl:error=EPERM",
            "landlock_create_ruleset:error=EPERM",
            "landlock_create_ruleset:error=ENOMEM:when=2",
            "landlock_add_rule:error=EINVAL",
            "landlock_restrict_self:error=EPERM",
        ):
            with self.subTest(inject):
                self.assert_not_served(NOT_PERMITTED, inject)

    def test_threads_not_known(self):
        """Where it does not see that there is one thread, it is not served either (70)."""
        self.assert_not_served(INTERNAL, "getdents64:retval=0")


if __name__ == "__main__":
    unittest.main()
