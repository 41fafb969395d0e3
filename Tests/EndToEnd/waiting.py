"""Waiting for something that no line and no exit announces: asked again and again until it holds, with a deadline."""

import select
import time

from support import PATIENCE


def eventually(condition, what, patience=PATIENCE):
    """Answers the first true value of `condition()`; fails with `what` where none comes in time."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"in {patience} s it did not happen: {what}")
        select.select([], [], [], 0.002)
    return value
