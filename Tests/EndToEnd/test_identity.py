"""`fxfer identity`: a server's key, made once, shown by its fingerprint, and never replaced unasked."""

import base64
import json
import os
import shutil
import signal
import stat
import subprocess
import unittest

from support import FXFER, PATIENCE, Case, finish, run
from tracing import injected

NO_INPUT, CANNOT_CREATE, IO_ERROR, NOT_PERMITTED = 66, 73, 74, 77
FINGERPRINT = r"\ASHA256:[A-Za-z0-9+/]{43}\n\Z"
FILE = "identity.pem"


def openssl(*arguments, given=None):
    """What openssl(1) prints."""
    if not shutil.which("openssl"):
        raise unittest.SkipTest("openssl is not installed")
    command = ["openssl", *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=True, timeout=PATIENCE).stdout


class IdentityCase(Case):
    def setUp(self):
        super().setUp()
        self.directory = self.folder / "identity"
        self.path = self.directory / FILE

    def identity(self, *options, **keywords):
        return run("identity", "--identity", str(self.directory), *options, **keywords)

    def fingerprint(self):
        """The fingerprint of an identity that exists already."""
        result = self.identity()
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, FINGERPRINT)
        return result.stdout.strip()

    def made(self):
        """A new identity; its file's content."""
        self.assertEqual(self.identity().returncode, 0)
        return self.path.read_bytes()


class CommandTest(IdentityCase):
    def test_made_once(self):
        first = self.identity()
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertRegex(first.stdout, FINGERPRINT)
        self.assertEqual(first.stderr, f"made a new identity in {self.directory}\n")
        self.assertEqual(self.fingerprint(), first.stdout.strip())
        self.assertEqual(os.listdir(self.directory), [FILE])
        self.assertEqual(stat.S_IMODE(self.directory.stat().st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_openssl_agrees(self):
        """Key and certificate belong together, and another program computes the same fingerprint."""
        self.made()
        public = openssl("x509", "-in", str(self.path), "-pubkey", "-noout")
        self.assertEqual(openssl("pkey", "-in", str(self.path), "-pubout"), public)
        der = openssl("pkey", "-pubin", "-outform", "DER", given=public)
        digest = base64.b64encode(openssl("dgst", "-sha256", "-binary", given=der)).decode().rstrip("=")
        self.assertEqual(self.fingerprint(), f"SHA256:{digest}")
        openssl("verify", "-CAfile", str(self.path), str(self.path))
        openssl("pkey", "-in", str(self.path), "-check", "-noout")
        text = openssl("x509", "-in", str(self.path), "-noout", "-text").decode()
        for words in ("Version: 3", "CN = fxfer", "prime256v1", "CA:FALSE", "DNS:fxfer", "ecdsa-with-SHA256", "9999"):
            self.assertIn(words, text)

    def test_certificate(self):
        """--certificate prints the certificate, and never the key."""
        self.made()
        result = self.identity("--certificate")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertNotIn("PRIVATE", result.stdout)
        self.assertIn(result.stdout, self.path.read_text())
        self.assertEqual(openssl("x509", given=result.stdout.encode()).decode(), result.stdout)

    def test_json(self):
        new, old = (json.loads(self.identity("--json").stdout) for _ in range(2))
        fingerprint = self.fingerprint()
        self.assertEqual(new, {"event": "identity", "fingerprint": fingerprint, "isNew": True})
        self.assertEqual(old, {"event": "identity", "fingerprint": fingerprint, "isNew": False})
        self.assertEqual(self.identity("--json", "--certificate").returncode, 64)

    def test_where_it_is(self):
        """Without --identity it is among the user's own state, by the XDG specification."""
        state, home = self.folder / "state", self.folder / "home"
        environment = {"PATH": os.environ["PATH"]}
        for extra, expected in [
            ({"XDG_STATE_HOME": str(state), "HOME": str(home)}, state / "fxfer"),
            ({"HOME": str(home)}, home / ".local" / "state" / "fxfer"),
            ({"XDG_STATE_HOME": "relative", "HOME": str(home)}, home / ".local" / "state" / "fxfer"),
        ]:
            with self.subTest(extra):
                result = run("identity", env=environment | extra, cwd=self.folder)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(os.listdir(expected), [FILE])
                shutil.rmtree(expected)
        result = run("identity", env=environment)
        self.assertEqual((result.returncode, result.stdout), (64, ""))
        self.assertIn("--identity", result.stderr)

    def test_name_that_is_no_text(self):
        name = os.fsencode(self.folder) + b"/\xff"
        result = run("identity", "--identity", name)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("\\xff", result.stderr)
        self.assertEqual(os.listdir(name), [FILE.encode()])

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            process = subprocess.run(
                [FXFER, "identity", "--identity", str(self.directory)],
                stdin=subprocess.DEVNULL,
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=PATIENCE,
            )
        self.assertEqual(process.returncode, IO_ERROR)


class RefusalTest(IdentityCase):
    def assert_refused(self, status, content=None):
        """It fails with one line on stderr that names the file, which is as before; the key is nowhere."""
        before = sorted(os.listdir(self.directory))
        result = self.identity()
        self.assertEqual((result.returncode, result.stdout), (status, ""), result.stderr)
        self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")
        self.assertIn(str(self.path), result.stderr)
        self.assertNotIn("PRIVATE", result.stderr)
        self.assertEqual(sorted(os.listdir(self.directory)), before)
        if content is not None:
            self.assertEqual(self.path.read_bytes(), content)

    def test_damaged(self):
        whole = self.made()
        key_end = whole.index(b"-----BEGIN CERTIFICATE")
        other = self.folder / "other"
        self.assertEqual(run("identity", "--identity", str(other)).returncode, 0)
        for content in [
            b"",
            b"garbage\n",
            whole[: key_end // 2],
            whole[:key_end],
            whole[key_end:],
            whole[:-30],
            whole[:key_end] + (other / FILE).read_bytes()[key_end:],
            whole.replace(b"A", b"B", 1) + b"\n",
            os.urandom(5000),
            whole + bytes(1 << 20),
        ]:
            with self.subTest(content[:80], length=len(content)):
                self.path.write_bytes(content)
                self.assert_refused(NO_INPUT, content)
        self.path.write_bytes(whole)
        self.fingerprint()

    def test_access_of_others(self):
        whole = self.made()
        for mode in (0o644, 0o640, 0o660, 0o602):
            with self.subTest(oct(mode)):
                self.path.chmod(mode)
                self.assert_refused(NOT_PERMITTED, whole)
                self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), mode)

    @unittest.skipUnless(os.geteuid() == 0, "only root can give files away")
    def test_owner(self):
        whole = self.made()
        os.chown(self.path, 12345, 0)
        self.assert_refused(NOT_PERMITTED, whole)

    def test_other_kinds(self):
        whole = self.made()
        target = self.path.rename(self.folder / "target")
        self.path.symlink_to(target)
        self.assert_refused(NOT_PERMITTED, whole)
        self.path.unlink()
        os.mkfifo(self.path, 0o600)
        self.assert_refused(NO_INPUT)
        self.path.unlink()
        self.path.mkdir()
        self.assert_refused(NO_INPUT)

    def test_no_directory(self):
        for directory in (self.file("file"), self.file("above") / "identity"):
            with self.subTest(directory):
                result = run("identity", "--identity", str(directory))
                self.assertEqual((result.returncode, result.stdout), (CANNOT_CREATE, ""))
                self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")


class MomentTest(IdentityCase):
    """Several at once, failures and death at each file call."""

    #: The calls by which an identity is made.
    CALLS = ("openat", "openat2", "mkdirat", "fchmod", "pwrite64", "fsync", "renameat2", "getdents64")
    #: More of one kind than making an identity takes.
    MOST = 200

    def test_two_at_once(self):
        for _ in range(10):
            shutil.rmtree(self.directory, ignore_errors=True)
            command = [FXFER, "identity", "--identity", str(self.directory)]
            pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            outputs = [finish(process) for process in [subprocess.Popen(command, **pipes) for _ in range(4)]]
            self.assertEqual({output for output, _ in outputs}, {f"{self.fingerprint()}\n"})
            self.assertEqual(sum("made a new identity" in errors for _, errors in outputs), 1)
            self.assertEqual(os.listdir(self.directory), [FILE])

    def disturbed(self, call, number, what):
        """Makes an identity with one of its calls disturbed; answers the result."""
        shutil.rmtree(self.directory, ignore_errors=True)
        wrapper = injected(f"{call}:{what}:when={number}")
        return subprocess.run(
            [*wrapper, FXFER, "identity", "--identity", str(self.directory)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def assert_whole_or_absent(self):
        """Where there is an identity, it is whole; in any case the next call has one, and nothing is left over."""
        before = self.path.read_bytes() if self.path.exists() else None
        result = self.identity()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual("made a new identity" in result.stderr, before is None)
        self.assertIn(before, (None, self.path.read_bytes()))
        if before is None:
            self.assertEqual(os.listdir(self.directory), [FILE])

    def test_killed_at_each_call(self):
        kills = dict.fromkeys(self.CALLS, 0)
        for call in self.CALLS:
            for number in range(1, self.MOST):
                with self.subTest(call=call, number=number):
                    result = self.disturbed(call, number, "signal=KILL")
                    was_killed = result.returncode == -signal.SIGKILL
                    self.assertTrue(was_killed or result.returncode == 0, result.stderr)
                    self.assert_whole_or_absent()
                if not was_killed:
                    break
                kills[call] += 1
            else:
                self.fail(f"{call} is called more than {self.MOST} times")
        for call in ("openat2", "pwrite64", "fsync", "renameat2"):
            self.assertGreater(kills[call], 0, call)

    def test_each_call_fails(self):
        """No disk space, or a broken disk: an error in one line, and no identity that is not whole."""
        for call, error, statuses in [
            ("pwrite64", "ENOSPC", (IO_ERROR,)),
            ("fsync", "EIO", (IO_ERROR,)),
            ("renameat2", "EIO", (IO_ERROR,)),
            ("mkdirat", "EACCES", (NOT_PERMITTED,)),
        ]:
            failures = 0
            for number in range(1, self.MOST):
                with self.subTest(call=call, number=number):
                    result = self.disturbed(call, number, f"error={error}")
                    if result.returncode == 0:
                        break
                    failures += 1
                    self.assertIn(result.returncode, statuses, result.stderr)
                    self.assertEqual(result.stdout, "")
                    self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")
                    if self.directory.exists():
                        self.assertIn(os.listdir(self.directory), ([], [FILE]))
                    self.assert_whole_or_absent()
            self.assertGreater(failures, 0, call)


if __name__ == "__main__":
    unittest.main()
