"""A name that is a folder at one moment and a link to elsewhere at the next, all the time."""

import contextlib
import ctypes
import os
import threading

AT_FDCWD, RENAME_EXCHANGE = -100, 2
libc = ctypes.CDLL(None, use_errno=True)


def exchange(one, other):
    """What is called `one` is called `other` and the reverse, in one step."""
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE):
        raise OSError(ctypes.get_errno(), "renameat2")


@contextlib.contextmanager
def flipping(folder, target):
    """`folder`, which is made where it is not there, and a link to `target` take turns under its name; in the end it is
    the folder."""
    folder.mkdir(exist_ok=True)
    other = folder.with_name(f"{folder.name}-other")
    os.symlink(target, other)
    ended = threading.Event()

    def take_turns():
        while not ended.is_set():
            exchange(folder, other)

    thread = threading.Thread(target=take_turns)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        if folder.is_symlink():
            exchange(folder, other)
        other.unlink()
