"""The page on how fxfer is tested names tests that exist, and leaves none of these modules out that it should name."""

import re
import unittest

from support import ROOT

PAGE = ROOT / "Sources" / "Fxfer" / "Fxfer.docc" / "Proof.md"


class ProofPageTest(unittest.TestCase):
    def test_what_is_named_exists(self):
        modules = {path.stem.removeprefix("test_") for path in (ROOT / "Tests" / "EndToEnd").glob("test_*.py")}
        suites = {path.stem for path in (ROOT / "Tests").rglob("*Tests.swift")}
        rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and line.count("|") == 4]
        named = [name for row in rows for name in re.findall(r"`([A-Za-z_]+)`", row.split("|")[3])]
        self.assertGreater(len(named), 100)
        self.assertEqual([name for name in named if name not in modules | suites], [])


if __name__ == "__main__":
    unittest.main()
