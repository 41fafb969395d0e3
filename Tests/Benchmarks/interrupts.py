"""Signals that end a run: they do so in order, and never between the start of a program and the note that it runs."""

import contextlib
import signal

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_held = False
_waiting = []


def install():
    """From now on SIGINT, SIGTERM and SIGHUP are a SystemExit with 128 and their number; a second one changes nothing."""
    for number in ENDING:
        signal.signal(number, _end)


@contextlib.contextmanager
def held_back():
    """A signal that comes in the block has its effect at the block's end."""
    global _held
    _held = True
    try:
        yield
    finally:
        _held = False
        if _waiting:
            raise SystemExit(128 + _waiting.pop())


def _end(number, _):
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)
    if _held:
        _waiting.append(number)
    else:
        raise SystemExit(128 + number)
