"""What fxfer teaches about itself."""

import shutil
import subprocess
import unittest

from support import FXFER, PATIENCE, Case, run


class HelpTest(Case):
    def help(self, *arguments):
        """The text of a help, which is a success and goes to stdout."""
        result = run(*arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def test_top(self):
        """The top help has the main commands as examples, and every exit status."""
        for arguments in (["--help"], ["-h"], ["help"], []):
            with self.subTest(arguments):
                text = self.help(*arguments)
                for example in ("fxfer serve --dir ./out", "fxfer send ", "fxfer demo"):
                    self.assertIn(example, text)
                for status in (0, 64, 65, 66, 69, 73, 74, 75, 76, 77):
                    self.assertRegex(text, rf"\b{status} \w")

    def test_commands(self):
        """The help of each command has an example and says what each of its options is for."""
        options = {
            "send": ["--as", "--timeout", "--quiet", "--json", "sha256sum", "3000", "[::1]"],
            "serve": ["--dir", "--listen", "--metrics", "--grace", "--log-level", "--log-format", "3000"],
            "demo": ["<file>"],
            "receipt": ["verify", "--receipts"],
            "identity": ["--certificate", "--public-key"],
        }
        for command, words in options.items():
            with self.subTest(command):
                text = self.help(command, "--help")
                self.assertEqual(self.help("help", command), text)
                self.assertRegex(text, rf"(?m)^  +fxfer {command}\b", "an example on a line of its own")
                for word in words:
                    self.assertIn(word, text)

    def test_values_by_their_names(self):
        """What an option can be, and is by default, stands there as it is written."""
        text = " ".join(self.help("send", "--help").split())
        self.assertIn("(values: verified, durable, media; default: durable)", text)
        for level in ("2", "Durable", ""):
            self.assertEqual(run("send", "--require", level, "f", "127.0.0.1:1").returncode, 64)

    def test_lines_are_short(self):
        """No line of a help is longer than 80 columns, but for the usage line."""
        for arguments in (["--help"], ["send", "--help"], ["serve", "--help"], ["demo", "--help"], ["receipt", "verify", "--help"]):
            with self.subTest(arguments):
                lines = [line for line in self.help(*arguments).splitlines() if not line.startswith("USAGE")]
                self.assertLessEqual(max(map(len, lines)), 80)

    def test_version(self):
        """--version is a version and nothing else."""
        self.assertRegex(self.help("--version"), r"\A\d+\.\d+\.\d+\n\Z")

    def test_unknown_command(self):
        """A command that does not exist is status 64, and the help is pointed to."""
        for arguments in (["nonsense"], ["--nonsense"], ["send"], ["serve"]):
            with self.subTest(arguments):
                result = run(*arguments)
                self.assertEqual((result.returncode, result.stdout), (64, ""))
                self.assertIn("--help", result.stderr)

    def test_completion(self):
        """Completion scripts for bash, zsh and fish know every command, and the shell takes them."""
        for shell in ("bash", "zsh", "fish"):
            with self.subTest(shell):
                script = self.help("--generate-completion-script", shell)
                for command in ("send", "serve", "demo"):
                    self.assertIn(command, script)
                if shutil.which(shell):
                    checked = subprocess.run(
                        [shell, "-n"], input=script, capture_output=True, text=True, timeout=PATIENCE
                    )
                    self.assertEqual((checked.returncode, checked.stderr), (0, ""))

    def test_bash_completes(self):
        """In bash, `fxfer s` completes to `send` and `serve`."""
        if not shutil.which("bash"):
            self.skipTest("bash is not installed")
        script = self.help("--generate-completion-script", "bash")
        driver = """
            COMP_WORDS=(fxfer s); COMP_CWORD=1; COMP_LINE='fxfer s'; COMP_POINT=7; COMP_TYPE=9; COMP_KEY=9
            $(complete -p fxfer | sed 's/.*-F \\([^ ]*\\).*/\\1/') fxfer s fxfer
            printf '%s\\n' "${COMPREPLY[@]}"
        """
        result = subprocess.run(["bash", "-c", script + driver], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(sorted(result.stdout.split()), ["send", "serve", "sums"], result.stderr)

    def test_closed_stdout(self):
        """A help whose reader is gone is no crash."""
        process = subprocess.Popen([FXFER, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.close()
        with process.stderr:
            self.assertNotIn(b"crash", process.stderr.read().lower())
        self.assertGreaterEqual(process.wait(timeout=PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()
