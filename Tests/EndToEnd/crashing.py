"""What tests of processes that are killed share."""

import os
import pathlib
import shutil
import tempfile

from support import Case


class MemoryCase(Case):
    """In memory: what counts here is the order of calls, not the disk."""

    def setUp(self):
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fxfer-test-", dir=memory))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
