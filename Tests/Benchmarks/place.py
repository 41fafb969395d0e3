"""Where a run works: one folder for sources, destinations and state, on the disk or tmpfs under test; removed after."""

import os
import pathlib
import shutil
import tempfile

from processes import Launcher, kill_all


class Place:
    """A temporary folder below `parent`, and the launcher of what works in it."""

    def __init__(self, parent):
        self.parent = parent
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="fxfer-compare-", dir=parent)).resolve()
        self.filesystem = filesystem(self.root)
        self._aside = 0
        home = self.folder("home")
        own = ("FXFER", "XDG_", "SSH_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        environment.update(HOME=str(home), LC_ALL="C")
        self.launcher = Launcher(self.folder("errors"), environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # After an interruption some may still be at work here.
        kill_all()
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def is_memory(self):
        return self.filesystem == "tmpfs"

    def folder(self, name):
        """A folder inside, made if needed."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def clear(self, folder, keep=(".fxfer",)):
        """Empties a folder that was received into. On a disk, folders in it are moved aside and removed at the end of all.

        ext4 without a journal goes through all the files that were deleted in the last minutes whenever it makes one:
        with 10,000 of them that is most of what would be measured.
        """
        if self.is_memory:
            return empty(folder, keep)
        for entry in os.scandir(folder):
            if entry.name not in keep and entry.is_dir(follow_symlinks=False):
                self._aside += 1
                os.rename(entry.path, self.folder("aside") / str(self._aside))
        empty(folder, keep)

    def rest(self):
        """On a disk: returns when all that was written is there, so that it does not burden who is measured next."""
        if not self.is_memory:
            os.sync()


def empty(folder, keep=(".fxfer",)):
    """Removes what is in a folder."""
    for entry in os.scandir(folder):
        if entry.name not in keep:
            shutil.rmtree(entry) if entry.is_dir(follow_symlinks=False) else os.unlink(entry)


def filesystem(folder):
    """The type of the file system that a folder is in, as mount(8) calls it."""
    device = os.stat(folder).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    with open("/proc/self/mountinfo") as mounts:
        for line in mounts:
            fields = line.split()
            if fields[2] == wanted:
                return fields[fields.index("-") + 1]
    return "unknown"
