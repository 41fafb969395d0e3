"""`fxfer list`: what is in a folder of a server, one line a name."""

import json
import os
import re
import socket

from fake_server import FakeServer
from sharing import LIST, MIB, ShareCase, answering, entry, listed, welcome
from support import LONG, figures, run
from trees import FOLDER, plant

LINE = re.compile(r"([-d][-rwx]{9}) +(-|\d+)  (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)  (.+)")


class ListTest(ShareCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve("--share")
        self.out = self.server.directory

    def list(self, folder="", *options):
        """The lines, of a list that succeeds."""
        result = run("list", *options, os.fsencode(f"{self.server.address}/{folder}"))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout.splitlines()

    def test_files_and_folders(self):
        plant(self.out, {"b": b"12345", "a/f": b"", "c": b""})
        (self.out / "b").chmod(0o4640)
        (self.out / "a").chmod(0o750)
        for name, time in {"a": 0, "b": 1_700_000_000, "c": -1}.items():
            os.utime(self.out / name, ns=(time * 10**9, time * 10**9))
        found = [LINE.fullmatch(line).groups() for line in self.list()]
        expected = [("drwxr-x---", "-", "1970-01-01 00:00:00", "a/"), ("-rw-r-----", "5", "2023-11-14 22:13:20", "b")]
        self.assertEqual(found, [*expected, ("-rw-r--r--", "0", "1969-12-31 23:59:59", "c")])
        self.assertEqual([LINE.fullmatch(line)[4] for line in self.list("a")], ["f"])

    def test_json(self):
        plant(self.out, {"b": b"12345", "a": FOLDER})
        os.utime(self.out / "b", ns=(0, 1_700_000_000 * 10**9))
        folder, file = map(json.loads, self.list("", "--json"))
        self.assertEqual((folder["name"], folder["kind"], folder["size"]), ("a", "folder", 0))
        values = {"size": 5, "mode": "0644", "modified": "2023-11-14T22:13:20Z"}
        self.assertEqual(file, {"event": "entry", "kind": "file", "name": "b"} | values)

    def test_names_are_escaped(self):
        names = {b"\xff": "\\xff", b"\xc2\x9b31m": "\\xc2\\x9b31m", b"a\\b": "a\\\\b"}
        names["\u202ex".encode()] = "\\xe2\\x80\\xaex"
        plant(self.out, {name: b"" for name in names})
        self.assertEqual({LINE.fullmatch(line)[4] for line in self.list()}, set(names.values()))
        self.assertEqual({json.loads(line)["name"] for line in self.list("", "--json")}, set(names.values()))

    def test_an_empty_folder(self):
        self.assertEqual(self.list(), [])
        plant(self.out, {"sub": FOLDER})
        self.assertEqual(self.list("sub"), [])

    def test_only_files_and_folders(self):
        """Links, FIFOs, sockets and the server's own folder are not there; names that cannot be got neither."""
        plant(self.out, {"f": b"", "sub": FOLDER, "bad\nname": b""})
        (self.out / "link").symlink_to("f")
        (self.out / "folder").symlink_to(self.folder)
        os.mkfifo(self.out / "fifo")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.out / "socket"))
            self.assertEqual([LINE.fullmatch(line)[4] for line in self.list()], ["f", "sub/"])

    def test_what_cannot_be_listed(self):
        plant(self.out, {"f": b""})
        plant(self.folder / "elsewhere", {"secret": b""})
        (self.out / "link").symlink_to(self.folder / "elsewhere")
        for name, statuses in {"nothing": [66], "f": [66], "f/x": [66], "link": [66], "link/x": [66]}.items():
            with self.subTest(name):
                self.assert_fails(run("list", f"{self.server.address}/{name}"), *statuses, naming=[f"'{name}'"])
        for name in (".fxfer", ".fxfer/partials", "..", "a/../..", "/etc"):
            with self.subTest(name):
                self.assert_fails(run("list", f"{self.server.address}/{name}"), 64, 66, 73)
        self.assert_serves(self.server)

    def test_many_entries(self):
        """(slow) 50,000, in a long run 100,000, in order, and the server stays small."""
        count = 100_000 if LONG else 50_000
        plant(self.out, {f"{number:06}": b"" for number in range(count)})
        names = [LINE.fullmatch(line)[4] for line in self.list()]
        self.assertEqual(names, [f"{number:06}" for number in range(count)])
        figures(self.id(), entries=count, peak_mib=self.server.peak_memory() >> 20)
        self.assertLessEqual(self.server.peak_memory(), 64 * MIB)

    def test_no_server(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self.assert_fails(run("list", f"127.0.0.1:{port}"), 69)


class HostileTest(ShareCase):
    def list_from(self, script, *options):
        with FakeServer(script) as server:
            return run("list", "--timeout", "5", *options, server.address)

    def test_the_played_server_can_be_good(self):
        result = self.list_from(answering(entry(b"a"), entry(b"b", True), listed(), to=LIST))
        self.assertEqual((result.returncode, result.stderr, len(result.stdout.splitlines())), (0, "", 2))

    def test_names_that_are_none(self):
        for name in (b"../x", b"..", b".", b"", b"/x", b"a/b", b"a\0", b"\x1b[2J", b"\n", b"x" * 256):
            with self.subTest(name[:10]):
                self.assert_fails(self.list_from(answering(entry(name), listed(), to=LIST)), 76)

    def test_extreme_values(self):
        """Are shown or refused; nothing traps."""
        for values in ({"seconds": 2**63 - 1}, {"seconds": -(2**63)}, {"size": 2**64 - 1}, {"permissions": 0xFFFF}):
            for options in ([], ["--json"]):
                with self.subTest(values, options=options):
                    result = self.list_from(answering(entry(b"a", **values), listed(), to=LIST), *options)
                    self.assertIn(result.returncode, (0, 76), result.stderr)

    def test_an_end_that_is_none(self):
        def leave(connection):
            welcome(connection)
            connection.expect(LIST)
            connection.send(entry(b"a"))

        self.assertEqual(self.list_from(leave).returncode, 75)
        for play in (answering(listed(id=2), to=LIST), answering(entry(b"a", id=7), listed(), to=LIST)):
            self.assert_fails(self.list_from(play), 76)
        self.assertEqual(self.list_from(answering(to=LIST), "--timeout", "1").returncode, 75)

    def test_entries_without_end(self):
        """The client's memory stays small, and it ends when its reader does."""
        sent = []

        def endless(connection):
            welcome(connection)
            connection.expect(LIST)
            for number in range(300):
                connection.send(*(entry(b"%06d%06d" % (number, each)) for each in range(1000)))
                sent.append(number)

        result = self.list_from(endless)
        self.assertEqual((result.returncode, len(sent)), (75, 300))
        self.assertEqual(len(result.stdout.splitlines()), 300_000)
