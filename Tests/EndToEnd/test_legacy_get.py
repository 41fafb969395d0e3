"""`fxfer get --legacy`: the textbook's file client, whose result is never called verified."""

import hashlib
import json
import os
import unittest

from getting import GetCase
from legacy import NATIVE_PREAMBLE, ScriptedServer, peak_memory
from support import FXFER
from textbook import REQUEST, THANKS

MIB = 1 << 20


class GetTest(GetCase):
    def test_request(self):
        """The client says `Client connected` in one write, and nothing else."""
        with ScriptedServer([b"content\n", THANKS]) as server:
            self.assert_got(self.get(server.address), b"content\n")
        self.assertEqual(server.heard, REQUEST)

    def test_python_server(self):
        """From the textbook's own server, the file comes out as it went in."""
        content = os.urandom(300_000)
        self.file("served/pjfile1.txt", content)
        server = self.start_server("python", "file", cwd=self.folder / "served")
        self.assert_got(self.get(f"127.0.0.1:{server.port}"), content)
        self.assertEqual(server.end(), (0, [REQUEST], ""))

    def test_fxfer_server(self):
        """From `fxfer serve --legacy`, too, whatever the file holds; with --keep-trailer, the thanks come with it."""
        for number, content in enumerate(
            [b"", THANKS, THANKS * 3, b"a" + THANKS + b"b", THANKS[:-1], NATIVE_PREAMBLE + b"x", os.urandom(5 * MIB)]
        ):
            with self.subTest(size=len(content), begin=content[:20]):
                path = self.file(f"served{number}", content)
                server = self.serve("--legacy", str(path), directory=self.folder / f"out{number}")
                self.assert_got(self.get(server.address), content)
                self.assert_got(self.get(server.address, "--keep-trailer"), content + THANKS)
                self.assertEqual(self.stop(server).count("unverified"), 2)

    def test_as_the_python_client(self):
        """With --keep-trailer, the file is byte for byte what the textbook's client writes."""
        path = self.file("pjfile1.txt", b"line\n\xff\0" + THANKS + b"\nlast line without end")
        server = self.serve("--legacy", str(path))
        self.assert_got(self.get(server.address, "--keep-trailer"), path.read_bytes() + THANKS)
        other = self.folder / "python"
        other.mkdir()
        self.assertEqual(self.start_client("python", "file", server.port, cwd=other).end()[0], 0)
        self.assertEqual((other / "pjrecfile").read_bytes(), (self.place / "pjrecfile").read_bytes())

    def test_pieces(self):
        """However the stream is cut into pieces, the thanks are found at its end and nowhere else."""
        stream = THANKS[:10] + b"content" + THANKS + THANKS[:5]
        for script in (
            [THANKS],
            [THANKS[:1], THANKS[1:]],
            [b"content" + THANKS[:20], THANKS[20:]],
            [bytes([byte]) for byte in stream + THANKS],
            [stream, THANKS],
            [THANKS, THANKS],
        ):
            with self.subTest(len(script)):
                self.assert_got(self.get_from(script), b"".join(script).removesuffix(THANKS))

    def test_json(self):
        """--json gives one object, with `verified` false and the SHA-256 of what was written."""
        result = self.get_from([b"content\n", THANKS], "--json", "--output", "a b\\")
        self.assertEqual((result.returncode, result.stderr, result.stdout.count("\n")), (0, "", 1))
        self.assertEqual(
            json.loads(result.stdout),
            {
                "event": "received",
                "name": "a b\\\\",
                "size": 8,
                "sha256": hashlib.sha256(b"content\n").hexdigest(),
                "verified": False,
            },
        )

    def test_output(self):
        """--output names the file, in any folder and of any bytes; its line does nothing to a terminal."""
        (self.place / "sub").mkdir()
        for name in (b"f", b"sub/f", os.fsencode(self.place) + b"/g", b"\xff\xfe", b"a\x1b[31m\nb"):
            with self.subTest(name), ScriptedServer([b"content\n", THANKS]) as server:
                result = self.get(server.address, "--output", name)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertTrue(result.stdout.removesuffix("\n").isprintable(), result.stdout)
                with open(os.path.join(os.fsencode(self.place), name), "rb") as file:
                    self.assertEqual(file.read(), b"content\n")

    def test_replaces(self):
        """An old file is replaced by another one, in one step: who has it open still reads the old one."""
        path = self.place / "pjrecfile"
        path.write_bytes(b"old content, longer than the new one")
        with open(path, "rb") as reader:
            self.assert_got(self.get_from([b"new", THANKS]), b"new")
            self.assertEqual(reader.read(), b"old content, longer than the new one")

    def test_memory(self):
        """A large file does not fill the client's memory."""
        peaks = []

        def flood(stream):
            for _ in range(256):
                stream.sendall(bytes(MIB))
            peaks.append(peak_memory(client.pid))
            stream.sendall(THANKS)

        with ScriptedServer(flood) as server:
            client = self.start(FXFER, "get", "--legacy", server.address, cwd=self.place)
            status, _, errors = client.end()
        self.assertEqual((status, errors), (0, ""))
        self.assertEqual((self.place / "pjrecfile").stat().st_size, 256 * MIB)
        self.assertLess(peaks[0], 64 * MIB)


if __name__ == "__main__":
    unittest.main()
