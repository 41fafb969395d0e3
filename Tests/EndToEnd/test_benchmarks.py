"""The script that compares fxfer with other programs: that it measures, checks and reports, never how fast it was."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from xml.etree import ElementTree

from support import FXFER, PATIENCE, ROOT, Case
from waiting import eventually

COMPARE = str(ROOT / "Tests" / "Benchmarks" / "compare")
TINY = ("--size", "8M", "--files", "120", "--clients", "3", "--crowd", "5", "--repeat", "1")
#: Enough for all cases on a slow machine.
LONG = 5 * PATIENCE
MEMORY = "/dev/shm"
PEERS = "fxfer fxfer-tls reference rsync rsync-nodelay rsync-fsync scp curl nc nc-tee tar".split()


@unittest.skipUnless(os.access(MEMORY, os.W_OK), f"no {MEMORY} here")
class CompareCase(Case):
    def setUp(self):
        super().setUp()
        self.work = tempfile.mkdtemp(prefix="fxfer-test-", dir=MEMORY)
        self.addCleanup(shutil.rmtree, self.work, ignore_errors=True)
        self.json, self.svg = self.folder / "result.json", self.folder / "result.svg"

    def command(self, *options):
        return [sys.executable, COMPARE, "--fxfer", FXFER, "--dir", self.work, *TINY, *options]

    def compare(self, *options, **keywords):
        """Runs it to its end: answers the process, and what is in the JSON file."""
        command = self.command("--json", str(self.json), "--svg", str(self.svg), *options)
        keywords = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": LONG, **keywords}
        result = subprocess.run(command, **keywords)
        self.assertTrue(self.json.exists(), result.stderr)
        return result, json.loads(self.json.read_text())

    def assert_clean(self):
        """Nothing is left of the run: neither its folder nor a process that works in it."""
        self.assertEqual(os.listdir(self.work), [])
        self.assertEqual(processes_with(self.work), [])

    def drawn(self):
        """All texts of the picture."""
        root = ElementTree.parse(self.svg).getroot()
        return [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]


class CompareTest(CompareCase):
    def test_all_cases_with_whatever_is_installed(self):
        # Only root's account is known to have a shell, which scp needs.
        left_out = () if os.geteuid() == 0 else ("scp",)
        result, found = self.compare("--peers", ",".join(name for name in PEERS if name not in left_out))
        self.assertEqual(result.returncode, 0, result.stderr)
        failed = [entry for entry in found["results"] if "failure" in entry]
        self.assertEqual(failed, [])
        for name in ("file", "tree", "clients", "byte", "resume", "crowd"):
            entries = {entry["peer"]: entry for entry in found["results"] if entry["case"] == name}
            self.assertLessEqual({"fxfer", "fxfer-tls"}, set(entries), name)
            for entry in entries.values():
                self.assertEqual((len(entry["seconds"]), entry["filesystem"]), (1, "tmpfs"))
                self.assertGreater(entry["median"], 0)
                for end in ("sender", "receiver"):
                    self.assertGreater(entry[end]["peakBytes"], 0, (name, entry["peer"], end))
        self.assertEqual({entry["bytes"] for entry in found["results"] if entry["case"] == "resume"}, {8 << 20})
        for skipped in found["skipped"]:
            self.assertIn(f"{skipped['peer']} is skipped: ", result.stderr)
        self.assertIn("one file of 8 MiB, on tmpfs", result.stdout)
        self.assertIn("targets (two cores)", result.stdout)
        self.assertTrue(found["targets"])
        self.assertIn("120 files of 4 KiB, on tmpfs", self.drawn())
        self.assert_clean()

    def test_what_is_not_installed_is_skipped_and_said_so(self):
        result, found = self.compare("--case", "byte", env={**os.environ, "PATH": str(self.folder)})
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual({entry["peer"] for entry in found["results"]}, {"fxfer", "fxfer-tls"})
        self.assertLessEqual({"reference", "scp", "curl", "nc", "tar"}, {entry["peer"] for entry in found["skipped"]})
        self.assertRegex(result.stderr, r"nc is skipped: nc, .* not found \(apt-get install .*netcat-openbsd.*\)")
        self.assert_clean()

    def test_growth(self):
        options = ("--growth", "--size", "1M,2M", "--files", "10,20", "--clients", "1,2", "--peers", "fxfer,fxfer-tls")
        result, found = self.compare(*options)
        self.assertEqual(result.returncode, 0, result.stderr)
        points = {(entry["axis"], entry["value"]) for entry in found["results"] if "seconds" in entry}
        sizes, counts = {("bytes", 1 << 20), ("bytes", 2 << 20)}, {("files", 10), ("files", 20)}
        self.assertEqual(points, sizes | counts | {("clients", 1), ("clients", 2)})
        self.assertIn("time a client, over clients", self.drawn())
        self.assert_clean()

    def test_a_program_that_stores_something_else_has_failed(self):
        """Where what was stored is damaged before the client's end, the time of that is no result."""
        wrapper = self.folder / "damaging"
        wrapper.write_text(
            f'#!{sys.executable}\nimport glob, os, subprocess, sys\n'
            f'if sys.argv[1] != "send":\n'
            f'    os.execv("{FXFER}", ["{FXFER}", *sys.argv[1:]])\n'
            f'status = subprocess.run(["{FXFER}", *sys.argv[1:]]).returncode\n'
            f'for path in glob.glob("{self.work}/*/received/fxfer/file"):\n'
            f'    open(path, "r+b").write(b"other")\n'
            f'sys.exit(status)\n'
        )
        wrapper.chmod(0o755)
        result, found = self.compare("--case", "file", "--peers", "fxfer", "--fxfer", str(wrapper))
        self.assertEqual(result.returncode, 1)
        self.assertEqual([entry.get("failure") for entry in found["results"]], ["'file' arrived with other content"])
        self.assert_clean()

    def test_an_interrupt_ends_all_that_was_started(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number.name):
                command = self.command("--case", "file", "--peers", "fxfer", "--repeat", "100000")
                with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                    self.addCleanup(process.kill)
                    eventually(lambda: processes_with(self.work, "serve"), "the server runs")
                    process.send_signal(number)
                    self.assertEqual(process.wait(PATIENCE), 128 + number)
                self.assert_clean()


def processes_with(folder, *words):
    """The processes, but for the script, whose command lines name a folder's content and all the words."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = os.fsdecode(file.read()).split("\0")
        except OSError:
            continue
        if any(part.startswith(f"{folder}/") for part in line) and all(word in line for word in words):
            found.append(int(pid))
    return found


if __name__ == "__main__":
    unittest.main()
