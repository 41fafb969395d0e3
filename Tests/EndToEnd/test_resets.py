"""A hundred uploads whose connections are reset at random: what a sanitizer is to watch, see Tests/Sanitizers/run."""

import concurrent.futures
import os
import random
import unittest

from proxy import DOWN, UP, Cut, Proxy
from sending import SendCase
from support import ONCE, run, sha256
from waiting import eventually

UPLOADS = 100
#: How many clients there are at once.
LANES = 8
#: From the small files that are held in memory to those of which a part is kept for a later try.
SIZES = (100, 20_000, 200_000, 3 << 20)
#: An end of the connection: "try again" and, before anything was said, "cannot connect".
BROKEN = (69, 75)


class ResetTest(SendCase):
    def upload(self, server, source, cut):
        """Sends through a connection that is reset, and once more: answers the statuses."""
        with Proxy(server.port, cut) as proxy:
            first = run("send", *ONCE, str(source), proxy.address)
        second = run("send", str(source), server.address)
        return source, cut, first, second

    def test_random_resets(self):
        """Each upload is stored by its first try or a later one, and the server ends in order."""
        seed = int.from_bytes(os.urandom(4))
        print(f"seed {seed}", flush=True)
        dice = random.Random(seed)
        server = self.serve()
        self.assert_serves(server)
        descriptors = server.descriptors()
        jobs = []
        for number in range(UPLOADS):
            size = dice.choice(SIZES)
            source = self.file(f"f{number}", dice.randbytes(size))
            direction = dice.choice((UP, UP, UP, DOWN))
            jobs.append((source, Cut(direction, dice.randrange(size + 600 if direction == UP else 600), True)))
        with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
            results = list(pool.map(lambda job: self.upload(server, *job), jobs))
        for source, cut, first, second in results:
            self.assertIn(first.returncode, (0, *BROKEN), (cut, first.stderr))
            # It may have been stored by the first try, whose receipt was lost; or the server may not know yet that the
            # connection is gone, and is asked again.
            self.assertEqual(second.returncode, 0, (cut, second.stderr))
        self.assertGreater(sum(first.returncode != 0 for _, _, first, _ in results), UPLOADS // 4)
        self.assert_nothing_stored(server, {os.fsencode(source.name): sha256(source) for source, *_ in results})
        eventually(lambda: server.descriptors() <= descriptors, "the descriptors are back")
        server.process.terminate()
        # A sanitizer that has found something ends it with another status.
        self.assertEqual(server.wait(), 0, server.log)


if __name__ == "__main__":
    unittest.main()
