"""Somebody does something to a decayed file while it is repaired: what is his is never lost."""

import contextlib
import json
import os
import shutil
import signal
import threading
import unittest

from fake_server import FakeServer
from sharing import answering, finish, offered, whole
from storing import entries, flip
from support import Server, run
from test_decay import DAMAGED, MIB, DecayCase
from tracing import injected
from waiting import eventually


class FromAServerWithTheSameDamage(DecayCase):
    """The same content as here makes nothing right: what was stored counts."""

    def verify(self, address, *lines):
        before, ledger = self.server.published(), entries(self.out)
        result = run("verify", "--repair-from", address, str(self.out))
        self.assertEqual((result.returncode, result.stderr), (DAMAGED, ""), result.stdout)
        for line in lines:
            self.assertIn(line, result.stdout.splitlines())
        self.assertEqual((self.server.published(), entries(self.out)), (before, ledger))
        self.assertEqual(self.leftovers(), [])
        self.assertEqual(run("verify", str(self.out)).returncode, DAMAGED)

    def test_a_copy_of_the_damaged_file(self):
        flip(self.out / "big", 2 * MIB)
        flip(self.out / "small", 2)
        mirror = self.folder / "mirror"
        shutil.copytree(self.out, mirror, ignore=shutil.ignore_patterns(".fxfer"))
        said = "the other server's file is not what was stored here"
        with Server(mirror, "--share") as other:
            self.verify(other.address, *(f"not repaired: {name}: {said}" for name in ["big", "small"]))

    def test_a_server_that_says_what_it_was_told(self):
        flip(self.out / "small", 2)
        damaged = (self.out / "small").read_bytes()
        other = damaged[:-1] + bytes([damaged[-1] ^ 1])
        for title, parts in {
            "the digest of ACCEPT": [offered(damaged, b"small"), finish(damaged)],
            "the damaged content": whole(damaged, b"small"),
            "other content": whole(other, b"small"),
            "other content that ends as what is here": [*whole(other, b"small")[:-1], finish(damaged)],
        }.items():
            with self.subTest(title), FakeServer(answering(*parts)) as server:
                self.verify(server.address)


@unittest.skipUnless(shutil.which("strace"), "strace is not installed")
class WhileItIsRepaired(DecayCase):
    """Shortly before the repaired copy takes the name, which a slow disk gives time for."""

    slow = "renameat2:delay_enter=1000000"

    def setUp(self):
        super().setUp()
        flip(self.out / "big", 7)
        self.mirror = self.folder / "mirror"
        self.mirror.mkdir()
        shutil.copy(self.big, self.mirror / "big")
        self.mine = os.urandom(self.big.stat().st_size)

    def wait_for_copy(self):
        """The copy has the times of the file, which it gets last; what remains is a flush, and the name."""
        modified = (self.out / "big").stat().st_mtime_ns

        def is_ready():
            with contextlib.suppress(FileNotFoundError):  # A copy that is done with.
                return any((self.kept / name).stat().st_mtime_ns == modified for name in self.leftovers())

        eventually(is_ready, "the repaired copy is ready to take the name")

    def rewrite(self):
        with open(self.out / "big", "r+b") as file:
            file.write(self.mine)

    def append(self):
        with open(self.out / "big", "ab") as file:
            file.write(b"mine")

    def remove(self):
        (self.out / "big").unlink()

    def link(self):
        self.remove()
        (self.out / "big").symlink_to(self.small)

    def rename(self):
        (self.folder / "mine").write_bytes(self.mine)
        os.rename(self.folder / "mine", self.out / "big")

    def state(self):
        path = self.out / "big"
        if path.is_symlink():
            return os.readlink(path)
        return path.read_bytes() if path.exists() else None

    def during(self, change, work):
        """Does the change during the work; what was there after the change has to be there in the end."""
        found = {}

        def meanwhile():
            self.wait_for_copy()
            change()
            found["state"] = self.state()

        thread = threading.Thread(target=meanwhile)
        thread.start()
        result = work()
        thread.join()
        self.assertEqual(self.state(), found["state"])
        self.assertEqual(self.leftovers(), [])
        return result

    def test_what_is_repaired_from_another_server(self):
        changes = [self.rewrite, self.append, self.rename, self.link, self.remove]
        with Server(self.mirror, "--share") as other:
            for change in changes:
                with self.subTest(change.__name__):
                    ledger = entries(self.out)
                    arguments = ["verify", "--repair-from", other.address, str(self.out)]
                    result = self.during(change, lambda: run(*arguments, wrapper=injected(self.slow)))
                    self.assertEqual(result.returncode, DAMAGED, result.stdout)
                    self.assertIn("not repaired: big: ", result.stdout)
                    self.assertEqual(entries(self.out), ledger)
                self.store_decayed_again()

    def test_what_is_sent(self):
        for change in [self.rewrite, self.append, self.rename, self.link]:
            with self.subTest(change.__name__), Server(self.out, wrapper=injected(self.slow)) as server:
                try:
                    result = self.during(change, lambda: run("send", "--json", str(self.big), server.address))
                    self.assertEqual(result.returncode, 73, result.stdout)
                    self.assertEqual(json.loads(result.stdout.splitlines()[-1])["code"], "exists")
                finally:
                    # strace passes on no signal to the server that it has started.
                    os.kill(server.pid, signal.SIGTERM)
            self.store_decayed_again()

    def store_decayed_again(self):
        (self.out / "big").unlink(missing_ok=True)
        self.assertEqual(run("send", str(self.big), self.server.address).returncode, 0)
        flip(self.out / "big", 7)


if __name__ == "__main__":
    unittest.main()
