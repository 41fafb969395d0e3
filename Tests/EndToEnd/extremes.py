"""Frames with extreme numbers, made from the table of fields: each number of a frame in turn, and all else right."""

import hashlib
import re
import struct

from frames import *

WIDTHS = {"B": 8, "H": 16, "I": 32, "Q": 64}
EMPTY = hashlib.sha256().digest()
EDGES = (0, 2**7, 2**8 - 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32)
EDGES += (2**60 + 1, 2**63 - 1, 2**63, 2**64 - 1)

#: For each type of frame one that means something where file 1 is `f`, of five bytes.
USUAL = {
    HELLO: {"lowest": 1, "highest": 1, "largest_chunk": 1 << 20, "capabilities": 0, "nonce": bytes(32)},
    WELCOME: {"version": 1, "files": 16, "largest_chunk": 1 << 20, "capabilities": 0, "nonce": bytes(32)},
    AUTH: {"proof": bytes(32)},
    ERROR: {"code": 9, "message": b"why"},
    BYE: {},
    OFFER: {"id": 1, "flags": 7, "permissions": 0o644, "size": 5, "seconds": 10**9, "nanoseconds": 1, "path": b"f"},
    ACCEPT: {"id": 1, "offset": 0, "digest": EMPTY},
    REFUSE: {"id": 1, "code": 33, "message": b"why"},
    CANCEL: {"id": 1, "code": 40, "message": b"why"},
    CHUNK: {"id": 1, "offset": 0, "length": 5},
    CONFIRM: {"id": 1, "offset": 5},
    REWIND: {"id": 1, "offset": 0},
    FINISH: {"id": 1, "size": 5, "digest": hashlib.sha256(b"12345").digest()},
    RECEIPT: {"id": 1, "outcome": 0, "size": 5, "digest": hashlib.sha256(b"12345").digest(), "path": b"f"},
    SAME: {"id": 1},
    REPAIR: {"id": 1},
    GET: {"id": 1, "path": b"f"},
    LIST: {"id": 1, "path": b""},
    ENTRY: {"id": 1, "entry": 0, "permissions": 0o644, "size": 5, "seconds": 10**9, "nanoseconds": 1, "name": b"f"},
    LISTED: {"id": 1, "code": 0, "message": b""},
    ALIVE: {},
    READING: {"id": 1, "length": 5},
}


def usual(kind, **changes):
    """A frame of that type as `USUAL` has it, with some values changed."""
    return encode(kind, **{**USUAL[kind], **changes})


def extreme_values(kind):
    """Each number in a body of that type, with each extreme value that it can hold but the usual one."""
    layout, names, tail = LAYOUTS[kind]
    codes = re.findall(r"\d+s|[A-Z]", layout.replace("x", ""), re.IGNORECASE)
    for name, code in zip(names.split(), codes, strict=True):
        if code == "q":
            values = (0, -1, -(2**31), 2**31, 2**62, -(2**62), 2**63 - 1, -(2**63))
        elif code in WIDTHS:
            values = [value for value in EDGES if value < 1 << WIDTHS[code]]
        else:
            continue  # A nonce, a proof or a digest, of which every value is possible.
        as_ever = USUAL[kind].get(name, len(USUAL[kind].get(tail, b"")))
        yield from ((name, value) for value in values if value != as_ever)


def lengths_of_fields(kind):
    """Bodies of that type with a field behind them that says to be longer than all that follows."""
    body = usual(kind)[12:-4]
    for tag in (0x8000, 0x8001, 0x8002, 0x8003, 0x8004, 0xFFFF):
        for length in (1, 2**15, 2**16 - 1):
            yield f"field {tag:#06x} of {length}", frame(kind, body + struct.pack(">HH", tag, length))


def lengths_of_body(kind):
    """Headers of that type, with right checksums, that announce bodies which are too long."""
    for length in (2**16 + 1, 2**24, 2**31 - 1, 2**31, 2**32 - 1):
        start = struct.pack(">IB3x", length, kind)
        yield f"body of {length}", start + struct.pack(">I", zlib.crc32(start))
