"""A byte that changes on the way back, and a stream that ends, anywhere: repaired, or nothing has changed."""

import random
import unittest
from concurrent.futures import ThreadPoolExecutor

from abuse import NO_CONTROLS
from proxy import DOWN, UP, Cut, Flip, Proxy
from sharing import ShareCase
from support import LONG, ONCE, figures, run

SEED = 20261128
#: In a short run not every offset is tried.
STEP = 1 if LONG else 5
CONTENT, OLD = random.Random(SEED).randbytes(300), b"old"


class GetDamageTest(ShareCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve("--share", "--log-level", "error")
        (self.server.directory / "f").write_bytes(CONTENT)
        self.random = random.Random(SEED)

    def play(self, number, fault):
        """One `get` of a folder of its own: its result, what is there then, and whether the fault has happened."""
        place = self.place / f"{number}"
        place.mkdir()
        (place / "f").write_bytes(OLD)
        with Proxy(self.server.port, fault) as proxy:
            result = run("get", *ONCE, "--timeout", "5", f"{proxy.address}/f", cwd=place)
        left = {path.name: path.read_bytes() for path in place.iterdir() if not path.name.startswith(".fxfer-")}
        return fault, result, left, proxy.done

    def check(self, faults):
        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(self.play, range(len(faults)), faults))
        whole = 0
        for fault, result, left, done in outcomes:
            with self.subTest(fault, seed=SEED):
                self.assertTrue(done)
                whole += result.returncode == 0
                if result.returncode == 0:
                    self.assertEqual(left, {"f": CONTENT})
                else:
                    self.assertIn(result.returncode, (64, 65, 66, 69, 73, 75, 76, 77), result)
                    self.assertRegex(result.stderr, rf"\A(fxfer: {NO_CONTROLS}\n)+\Z")
                    # It may have been published before the way back of its receipt broke.
                    self.assertIn(left, ({"f": OLD}, {"f": CONTENT}))
                    if fault.direction == DOWN:
                        self.assertEqual(left, {"f": OLD})
        figures(self.id(), faults=len(faults), succeeded=whole, failed=len(faults) - whole)
        self.assert_serves(self.server)
        self.assertEqual((self.server.directory / "f").read_bytes(), CONTENT)

    def lengths(self):
        with Proxy(self.server.port, keep=True) as proxy:
            self.assertEqual(run("get", f"{proxy.address}/f", "--output", str(self.folder / "clean")).returncode, 0)
        (self.folder / "clean").unlink()
        return {way: len(proxy.passed[way]) for way in (UP, DOWN)}

    def test_a_byte_flipped_anywhere(self):
        places = [(way, offset) for way, length in self.lengths().items() for offset in range(0, length, STEP)]
        self.check([Flip(way, offset, 1 << self.random.randrange(8)) for way, offset in places])

    def test_a_session_cut_anywhere(self):
        places = [(way, offset) for way, length in self.lengths().items() for offset in range(0, length, 2 * STEP)]
        self.check([Cut(way, offset, reset=self.random.random() < 0.5) for way, offset in places])


if __name__ == "__main__":
    unittest.main()
