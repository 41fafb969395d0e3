"""`fxfer get` of files: the right content under the right name, or nothing changed and a clear failure."""

import hashlib
import json
import os
import socket
import subprocess

from proxy import DOWN, Cut, Flip, Proxy
from sharing import MIB, ShareCase, answering, finish, offered, one_chunk
from support import FXFER, run, sha256
from trees import plant

SIZES = {"empty": 0, "small": 10, "middle": 500 << 10, "large": 3 * MIB + 1}


class GetCase(ShareCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve("--share")
        self.out = self.server.directory
        plant(self.out, {name: os.urandom(size) for name, size in SIZES.items()})
        plant(self.out, {"sub/f": b"f", b"\xff": b"not UTF-8", ".hidden": b"h"})
        self.address = self.server.address


class ContentTest(GetCase):
    def test_files_of_all_sizes(self):
        """With content, time and permissions; the line printed is one for sha256sum."""
        for name in SIZES:
            with self.subTest(name):
                (self.out / name).chmod(0o640)
                os.utime(self.out / name, ns=(0, 10**18 + 123_456_789))
                result = self.get(f"{self.address}/{name}")
                self.assert_got(result, name)
                self.assertEqual(result.stdout[:64], sha256(self.out / name))
                got = self.place / name
                self.assertEqual(sha256(got), sha256(self.out / name))
                self.assertEqual((got.stat().st_mode & 0o7777, got.stat().st_mtime_ns), (0o640, 10**18 + 123_456_789))
        self.assertEqual(sorted(os.listdir(self.place)), sorted(SIZES))

    def test_several(self):
        names = [*SIZES, "sub/f", b"\xff", ".hidden"]
        result = self.get(*(os.fsencode(self.address) + b"/" + os.fsencode(name) for name in names), text=False)
        self.assertEqual((result.returncode, result.stderr, len(result.stdout.splitlines())), (0, b"", len(names)))
        for name in names:
            got = os.path.join(os.fsencode(self.place), os.path.basename(os.fsencode(name)))
            self.assertEqual(sha256(got), sha256(os.path.join(os.fsencode(self.out), os.fsencode(name))))
        self.assertEqual(len(os.listdir(self.place)), len(names))

    def test_into_a_folder_or_under_a_name(self):
        (self.place / "folder").mkdir()
        places = {"folder": "folder/f", "folder/": "folder/f", "new": "new", "folder/x": "folder/x"}
        for output, place in places.items():
            with self.subTest(output):
                self.assertEqual(self.get(f"{self.address}/sub/f", "--output", output).returncode, 0)
                self.assertEqual((self.place / place).read_bytes(), b"f")

    def test_two_of_one_name_are_refused(self):
        plant(self.out, {"other/f": b"other"})
        self.assert_fails(self.get(f"{self.address}/sub/f", f"{self.address}/other/f"), 64, naming=["'f'"])
        self.assert_fails(self.get(f"{self.address}/sub/f", f"{self.address}/small", "--output", "new"), 64)
        self.assert_fails(self.get(f"{self.address}/sub/f", "--output", "no/such"), 73)
        self.assertEqual(os.listdir(self.place), [])

    def test_json(self):
        result = self.get("--json", f"{self.address}/large")
        events = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual(events[0], {"event": "started", "name": "large", "size": SIZES["large"]})
        self.assertEqual({event["event"] for event in events[1:-1]}, {"progress"})
        self.assertEqual((events[-1]["outcome"], events[-1]["sha256"]), ("stored", sha256(self.out / "large")))

    def test_an_old_file_is_replaced(self):
        for name in SIZES:
            with self.subTest(name):
                (self.place / name).write_bytes(b"old")
                self.assert_got(self.get(f"{self.address}/{name}"), name)
                self.assertEqual(sha256(self.place / name), sha256(self.out / name))
        self.assertEqual(self.parts(), [])

    def test_other_things_are_not_replaced(self):
        """A folder is where it goes into, or in the way; a link and a FIFO stay."""
        target = self.file("target", b"target")
        (self.place / "small").symlink_to(target)
        (self.place / "large").mkdir()
        os.mkfifo(self.place / "middle")
        before = self.state()
        for name in ("small", "large", "middle"):
            with self.subTest(name):
                self.assert_fails(self.get(f"{self.address}/{name}"), 73)
                self.assertEqual(self.state(), before)
        self.assertEqual(target.read_bytes(), b"target")


class PipeTest(GetCase):
    def test_standard_output_gets_the_content_and_nothing_else(self):
        for name in SIZES:
            with self.subTest(name):
                result = self.get(f"{self.address}/{name}", "--output", "-", text=False)
                self.assertEqual((result.returncode, result.stderr), (0, b""))
                self.assertEqual(result.stdout, (self.out / name).read_bytes())
        self.assertEqual(os.listdir(self.place), [])

    def test_a_server_that_cheats_is_told_by_the_status(self):
        """Only what was verified is written."""
        content = b"content"
        cases = {
            "wrong digest at the end": [offered(content), one_chunk(content), finish(content, digest=bytes(32))],
            "short": [offered(content), one_chunk(content[:3]), finish(content[:3])],
            "nothing": [offered(content)],
        }
        for title, parts in cases.items():
            with self.subTest(title):
                result = self.get_from(answering(*parts), "--output", "-")
                self.assertIn(result.returncode, (65, 75, 76), result.stderr)
                self.assertTrue(content.decode().startswith(result.stdout))
                self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")

    def test_a_reader_that_goes_away_ends_it(self):
        client = subprocess.Popen([FXFER, "get", f"{self.address}/large", "--output", "-"], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)  # fmt: skip
        client.stdout.read(1)
        client.stdout.close()
        stderr = client.stderr.read()
        client.stderr.close()
        self.assertNotEqual(client.wait(), 0, stderr)
        self.assert_serves(self.server)


class BrokenConnectionTest(GetCase):
    def test_a_second_run_goes_on_where_the_first_broke(self):
        """The part lies beside, the old file stays until then, and nothing else is left in the end."""
        plant(self.out, {"f": os.urandom(20 * MIB)})
        (self.place / "f").write_bytes(b"old")
        with Proxy(self.server.port, Cut(DOWN, 10 * MIB, reset=True)) as proxy:
            result = self.get("--retries", "0", f"{proxy.address}/f")
        self.assert_fails(result, 75)
        self.assertEqual((self.place / "f").read_bytes(), b"old")
        self.assertTrue(any(part.endswith(b".part") for part in self.parts()), self.parts())
        result = self.get("--json", f"{self.address}/f")
        events = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual(result.returncode, 0, result.stderr)
        resumed = [event["offset"] for event in events if event["event"] == "resumed"]
        self.assertEqual(len(resumed), 1)
        self.assertGreaterEqual(resumed[0], 5 * MIB)
        self.assertEqual(sha256(self.place / "f"), sha256(self.out / "f"))
        self.assertEqual(os.listdir(self.place), ["f"])

    def test_a_part_of_another_content_is_not_built_upon(self):
        plant(self.out, {"f": os.urandom(20 * MIB)})
        with Proxy(self.server.port, Cut(DOWN, 10 * MIB, reset=True)) as proxy:
            self.assert_fails(self.get("--retries", "0", f"{proxy.address}/f"), 75)
        plant(self.out, {"f": os.urandom(20 * MIB)})
        self.assertEqual(self.get(f"{self.address}/f").returncode, 0)
        self.assertEqual(sha256(self.place / "f"), sha256(self.out / "f"))
        self.assertEqual(os.listdir(self.place), ["f"])

    def test_a_damaged_part_is_repaired(self):
        for name, offset in {"large": 2 * MIB, "middle": 100_000}.items():
            with self.subTest(name), Proxy(self.server.port, Flip(DOWN, offset, 1)) as proxy:
                self.assertEqual(self.get("-q", f"{proxy.address}/{name}").returncode, 0)
                self.assertTrue(proxy.done)
                self.assertEqual(sha256(self.place / name), sha256(self.out / name))


class RefusedTest(GetCase):
    def test_a_server_that_does_not_share(self):
        server = self.serve(directory=self.folder / "private")
        plant(server.directory, {"f": b"secret"})
        (self.place / "f").write_bytes(b"old")
        self.assert_fails(self.get(f"{server.address}/f"), 77, naming=["--share"])
        self.assert_fails(run("list", server.address), 77, naming=["--share"])
        self.assertEqual((self.place / "f").read_bytes(), b"old")
        self.assert_serves(server)

    def test_what_is_not_there_or_not_shared(self):
        """Links are not followed, also on the way; nothing but files and folders is opened."""
        secret = self.file("secret", b"secret")
        (self.out / "link").symlink_to(secret)
        (self.out / "up").symlink_to("..")
        (self.out / "inside").symlink_to("small")
        (self.out / "loop").symlink_to("loop")
        os.mkfifo(self.out / "fifo")
        names = ["nothing", "sub/nothing", "small/x", "link", "up", "up/secret", "inside", "loop", "fifo"]
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.out / "socket"))
            before = self.state()
            for name in [*names, "socket"]:
                with self.subTest(name):
                    (self.place / os.path.basename(name)).write_bytes(b"old")
                    self.assert_fails(self.get(f"{self.address}/{name}"), 66, naming=[f"'{name}'"])
                    self.assertEqual((self.place / os.path.basename(name)).read_bytes(), b"old")
                    (self.place / os.path.basename(name)).unlink()
        self.assertEqual(self.state(), before)
        for name in ("link", "up", "inside", "loop", "fifo", "socket"):
            (self.out / name).unlink()
        self.assert_serves(self.server)

    def test_names_that_no_server_may_take(self):
        for name in ("../secret", "/etc/passwd", "sub/../small", ".fxfer", ".fxfer/partials", "a\nb", "."):
            with self.subTest(name):
                self.assert_fails(self.get(f"{self.address}/{name}"), 64, 66, 73)
        self.assertEqual(os.listdir(self.place), [])

    def test_a_missing_one_does_not_stop_the_others(self):
        result = self.get(f"{self.address}/small", f"{self.address}/nothing", f"{self.address}/large")
        self.assertEqual((result.returncode, len(result.stdout.splitlines())), (66, 2))
        self.assertEqual(sorted(os.listdir(self.place)), ["large", "small"])
        self.assertEqual(hashlib.sha256((self.place / "large").read_bytes()).hexdigest(), sha256(self.out / "large"))
