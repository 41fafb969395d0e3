"""The frames of the wire protocol, written from WireProtocol.md alone: bytes to values and back."""

import os
import struct
import zlib
from types import SimpleNamespace

PREAMBLE = b"\xf8FXF\r\n\x1a\n"
LARGEST_BODY = 65536
DEFAULT_CHUNK = 1 << 20
STORED, IDENTICAL, REPLACED = 0, 1, 2
#: The capability that HELLO asks for and WELCOME grants: GET and LIST are answered.
SHARE = 0x01
#: The client has a token, and both sides prove by AUTH that they know it.
PROOF = 0x02
#: The client wants signed receipts, and the server signs them.
RECEIPTS = 0x04
#: The client says how durable each file has to become.
LEVELS = 0x08
#: Flags of OFFER: what is known, and what it is about.
HAS_SIZE, HAS_TIME, HAS_PERMISSIONS, FOLDER, WAITS, QUICK = (1 << bit for bit in range(6))
#: The field of ACCEPT that tells how much of the path leads to a folder that is new.
NEW_FOLDER = 0x8001
#: The field of WELCOME with the key that signs receipts, and those of RECEIPT: when and how durably, and the signature.
RECEIPT_KEY, STORED_ENTRY, SIGNATURE = 0x8001, 0x8001, 0x8002
#: The field of OFFER with the level that is required, and that of RECEIPT with the one that was reached.
LEVEL_REQUIRED, LEVEL_REACHED = 0x8001, 0x8003
#: The field of ACCEPT that tells how a stored file has decayed, and that of RECEIPT with how much was repaired.
DECAY, REPAIRED = 0x8002, 0x8004

HELLO, WELCOME, AUTH, ERROR, BYE = 0x01, 0x02, 0x03, 0x04, 0x05
OFFER, ACCEPT, REFUSE, CANCEL, CHUNK, CONFIRM, REWIND, FINISH, RECEIPT, SAME, REPAIR = range(0x10, 0x1B)
GET, LIST, ENTRY, LISTED = range(0x20, 0x24)
ALIVE, READING = 0x80, 0x81

#: Type of frame -> how its fixed part is packed, the names of what is in it, and what follows with a length before it.
LAYOUTS = {
    HELLO: (">HHIQ32s", "lowest highest largest_chunk capabilities nonce", None),
    WELCOME: (">HHIQ32s", "version files largest_chunk capabilities nonce", None),
    AUTH: (">32s", "proof", None),
    ERROR: (">HH", "code length", "message"),
    BYE: (">", "", None),
    OFFER: (">IBxHQqIH", "id flags permissions size seconds nanoseconds length", "path"),
    ACCEPT: (">IQ32s", "id offset digest", None),
    REFUSE: (">IHH", "id code length", "message"),
    CANCEL: (">IHH", "id code length", "message"),
    CHUNK: (">IQI", "id offset length", None),
    CONFIRM: (">IQ", "id offset", None),
    REWIND: (">IQ", "id offset", None),
    FINISH: (">IQ32s", "id size digest", None),
    RECEIPT: (">IB3xQ32sH", "id outcome size digest length", "path"),
    SAME: (">I", "id", None),
    REPAIR: (">I", "id", None),
    GET: (">IH", "id length", "path"),
    LIST: (">IH", "id length", "path"),
    ENTRY: (">IBxHQqIH", "id entry permissions size seconds nanoseconds length", "name"),
    LISTED: (">IHH", "id code length", "message"),
    ALIVE: (">", "", None),
    READING: (">IQ", "id length", None),
}


class WireError(Exception):
    """The connection cannot go on."""


class PeerError(WireError):
    """The other side ended the connection with ERROR, or refused a file."""

    def __init__(self, code, message):
        super().__init__(f"code {code}: {ascii(message)}")
        self.code, self.message = code, message


class Refused(PeerError):
    """The receiver refused one file; the connection goes on."""


def require(condition, complaint):
    if not condition:
        raise WireError(complaint)


def frame(kind, body=b""):
    """The bytes of a frame with any type and body."""
    header = struct.pack(">IB3x", len(body), kind)
    return header + struct.pack(">I", zlib.crc32(header)) + body + struct.pack(">I", zlib.crc32(body))


def field(tag, value):
    return struct.pack(">HH", tag, len(value)) + value


def encode(kind, fields=b"", **values):
    """The bytes of a frame of a known type: `encode(CONFIRM, id=1, offset=65536)`."""
    layout, names, tail = LAYOUTS[kind]
    last = values.get(tail, b"")
    values.setdefault("length", len(last))
    return frame(kind, struct.pack(layout, *(values[name] for name in names.split())) + last + fields)


def decode(kind, body):
    """What a body says, or None where the type is unknown and may be skipped."""
    if kind not in LAYOUTS:
        require(kind & 0x80, f"unknown frame of type {kind:#04x}")
        return None
    layout, names, tail = LAYOUTS[kind]
    end = struct.calcsize(layout)
    require(len(body) >= end, "the body ends inside its fixed part")
    values = struct.unpack(layout, body[:end])
    require(struct.pack(layout, *values) == body[:end], "bytes that must be zero are not")
    found = SimpleNamespace(kind=kind, **dict(zip(names.split(), values)))
    if tail:
        require(len(body) >= end + found.length, "the body ends inside its fixed part")
        setattr(found, tail, body[end : end + found.length])
        end += found.length
    found.fields = {}
    while end < len(body):
        require(len(body) >= end + 4, "the body ends inside a field")
        tag, length = struct.unpack(">HH", body[end : end + 4])
        require(tag & 0x8000, f"unknown field {tag:#06x}")
        require(len(body) >= end + 4 + length, "the body ends inside a field")
        found.fields[tag] = body[end + 4 : end + 4 + length]
        end += 4 + length
    return found


def chunk(id, offset, payload, digest):
    """The bytes of a CHUNK and of what follows it."""
    return encode(CHUNK, id=id, offset=offset, length=len(payload)) + payload + digest


def hello(largest_chunk=DEFAULT_CHUNK, lowest=1, highest=1, capabilities=0, nonce=None):
    wishes = {"largest_chunk": largest_chunk, "capabilities": capabilities, "nonce": nonce or os.urandom(32)}
    return encode(HELLO, lowest=lowest, highest=highest, **wishes)


def offer(id, path, size=None, modified=None, permissions=None, folder=False, waits=False, quick=False):
    """The bytes of OFFER; `modified` is in nanoseconds since 1970."""
    known = (size is not None, modified is not None, permissions is not None)
    flags = sum(bool(flag) << bit for bit, flag in enumerate((*known, folder, waits, quick)))
    seconds, nanoseconds = divmod(modified or 0, 10**9)
    return encode(
        OFFER,
        **{"id": id, "flags": flags, "permissions": permissions or 0, "size": size or 0},
        **{"seconds": seconds, "nanoseconds": nanoseconds, "path": path},
    )
