"""Sizes and times as people write and read them."""

import argparse
import re

UNITS = ("", "K", "M", "G", "T")


def size(text):
    """Bytes: 4096, 64K, 512M, 4G (powers of 1024)."""
    found = re.fullmatch(r"(\d+)([KMGT]?)(?:iB|B)?", text.strip())
    if not found or int(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no size; write 4096, 64K, 512M or 4G")
    return int(found[1]) << 10 * UNITS.index(found[2])


def count(text):
    """A whole number above 0."""
    if not text.strip().isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no number above 0")
    return int(text)


def several(one):
    """A list of what `one` reads, between commas."""
    return lambda text: [one(part) for part in text.split(",")]


def size_text(number):
    """512 MiB, 4 KiB, 1 B; with a decimal where it is not whole."""
    unit = 0
    while number >= 1024 and unit < len(UNITS) - 1:
        number, unit = number / 1024, unit + 1
    digits = f"{number:.0f}" if number == int(number) else f"{number:.1f}"
    return f"{digits} {UNITS[unit]}{'iB' if unit else 'B'}"


def time_text(seconds):
    """Three digits, with the unit that fits: 1.23 s, 45.6 ms, 789 us."""
    for unit, name in ((1, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= unit:
            return f"{three_digits(seconds / unit)} {name}"
    return f"{three_digits(seconds / 1e-9)} ns"


def three_digits(number):
    """1.23, 12.3, 123, 1234."""
    return f"{number:.{max(0, 2 - len(str(int(number))) + 1)}f}"
