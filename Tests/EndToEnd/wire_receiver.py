"""The receiving side of a file, and what a client asks a server for, written from WireProtocol.md alone.

A file that is not complete is kept beside the one that it is to become, with a small state: `FILE.part` has the bytes,
`FILE.part.json` the path at the server and how many of the bytes are verified.
"""

import hashlib
import json
import os
import stat
from types import SimpleNamespace

from frames import *
from wire_sender import MOST_REWINDS, hash_prefix


class Partial:
    """What earlier tries have brought of the file that is to be at `output`, open for more."""

    def __init__(self, output, path):
        self.output, self.path = output, path
        self.name, self.state_name = output + b".part", output + b".part.json"
        self.file = os.fdopen(os.open(self.name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b")

    def verified(self):
        """How many bytes a try of this path had verified."""
        try:
            with open(self.state_name, "rb") as file:
                state = json.load(file)
            return int(state["verified"]) if state["path"] == self.path.hex() else 0
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return 0

    def note(self, verified):
        """Writes down what is verified; what is behind it counts for nothing any more."""
        with open(self.state_name, "w") as file:
            json.dump({"path": self.path.hex(), "verified": verified}, file)

    def publish(self, size, attributes):
        """Makes it durable and gives it its name in one step; answers the outcome."""
        self.file.truncate(size)
        self.file.flush()
        if attributes.flags & HAS_PERMISSIONS:
            os.fchmod(self.file.fileno(), attributes.permissions & 0o777)
        if attributes.flags & HAS_TIME:
            time = attributes.seconds * 10**9 + min(attributes.nanoseconds, 999_999_999)
            os.utime(self.file.fileno(), ns=(time, time))
        os.fsync(self.file.fileno())
        outcome = REPLACED if os.path.lexists(self.output) else STORED
        os.rename(self.name, self.output)
        self.forget_state()
        folder = os.open(os.path.dirname(self.output) or b".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return outcome

    def forget_state(self):
        if os.path.lexists(self.state_name):
            os.unlink(self.state_name)

    def close(self, keep):
        self.file.close()
        if not keep:
            self.forget_state()
            if os.path.lexists(self.name):
                os.unlink(self.name)


class Download:
    """One file on its way, as its receiver sees it. It replaces what is at `output`."""

    def __init__(self, connection, path, output):
        self.connection, self.path = connection, path
        self.id = connection.next_id()
        self.partial = Partial(os.fsencode(output), path)
        self.receipt = None
        self.rewinds = {}
        #: Where the sender went on; over 0 where it had what an earlier try has brought, too.
        self.resumed = 0

    def run(self):
        """Asks for the file and takes it; answers outcome and digest. What is verified is kept if it fails."""
        try:
            self.connection.send(encode(GET, id=self.id, path=self.path))
            self.take_offer(self.connection.receive())
            while not self.receipt:
                self.handle(self.connection.receive())
            return self.receipt
        finally:
            if not self.partial.file.closed:
                self.partial.close(keep=getattr(self, "verified", 0) > 0 or self.partial.verified() > 0)

    @property
    def repairs(self):
        return sum(self.rewinds.values())

    def take_offer(self, answer):
        self.check_cancelled(answer)
        require(answer.kind == OFFER and answer.id == self.id, "an answer to something else")
        require(answer.path == self.path, "another file than the one that was asked for")
        require(answer.flags < 1 << 6 and not answer.flags & FOLDER, "an offer that makes no sense")
        require(answer.size <= 1 << 60, "an impossible size")
        self.attributes = answer
        self.size = answer.size if answer.flags & HAS_SIZE else None
        verified = self.partial.verified() if self.may_have_prefix() else 0
        self.partial.file.seek(0)
        state, offset = hash_prefix(self.connection, self.partial.file, verified)
        #: Where the sender may begin, and with which digest before it.
        self.places = {0: hashlib.sha256(), offset: state}
        self.rewinding = False
        self.connection.send(encode(ACCEPT, id=self.id, offset=offset, digest=state.digest()))

    def may_have_prefix(self):
        """No prefix is offered of a file that the sender may send without waiting, nor of more than there is."""
        if self.size is None or self.partial.verified() > self.size:
            return False
        return self.size > self.connection.terms.largest_chunk or bool(self.attributes.flags & WAITS)

    def handle(self, frame):
        self.check_cancelled(frame)
        require(getattr(frame, "id", None) == self.id, "a frame of a file that is not open")
        if frame.kind == CHUNK:
            self.take_chunk(frame)
        elif frame.kind == FINISH:
            self.finish(frame)
        else:
            raise WireError(f"a frame of type {frame.kind:#04x} at the wrong time")

    def check_cancelled(self, frame):
        if frame.kind == CANCEL and frame.id == self.id:
            raise Refused(frame.code, frame.message.decode(errors="replace"))

    def begin(self, offset):
        """The first CHUNK, or FINISH, tells whether the sender has what is here, too."""
        require(offset in self.places, "a chunk at another offset than expected")
        self.verified = self.resumed = offset
        self.state = self.places[offset]
        self.places = None
        self.partial.note(offset)

    def take_chunk(self, frame):
        if self.places:
            self.begin(frame.offset)
        if self.rewinding and frame.offset > self.verified:
            return
        require(frame.offset == self.verified, "a chunk at another offset than expected")
        end = frame.offset + frame.length
        require(end <= (1 << 60 if self.size is None else self.size), "a chunk behind the end")
        state = self.state.copy()
        state.update(frame.payload)
        if state.digest() != frame.running:
            return self.rewind()
        self.partial.file.seek(frame.offset)
        self.partial.file.write(frame.payload)
        self.partial.file.flush()
        self.partial.note(end)
        self.verified, self.state, self.rewinding = end, state, False
        self.connection.send(encode(CONFIRM, id=self.id, offset=end))

    def rewind(self):
        self.rewinding = True
        self.rewinds[self.verified] = self.rewinds.get(self.verified, 0) + 1
        if self.rewinds[self.verified] > MOST_REWINDS:
            self.refuse(4, "data was damaged too often")
        self.connection.send(encode(REWIND, id=self.id, offset=self.verified))

    def finish(self, frame):
        if self.places:
            self.begin(frame.size if frame.size in self.places else 0)
        if self.rewinding:
            return
        same = (frame.size, frame.digest) == (self.verified, self.state.digest())
        if not same or self.size not in (None, frame.size):
            self.refuse(4, "the end does not fit what came before it")
        outcome = self.partial.publish(frame.size, self.attributes)
        self.partial.file.close()
        fields = {"size": frame.size, "digest": frame.digest, "path": self.path}
        self.connection.send(encode(RECEIPT, id=self.id, outcome=outcome, **fields))
        self.receipt = SimpleNamespace(outcome=outcome, **fields)

    def refuse(self, code, message):
        """Gives the file up and waits for the sender's CANCEL, which is all that counts now."""
        self.connection.send(encode(REFUSE, id=self.id, code=code, message=message.encode()))
        while (frame := self.connection.receive()).kind != CANCEL or frame.id != self.id:
            pass
        raise Refused(code, message)


def listing(connection, folder=b""):
    """The entries of a folder of the server, in the order in which they came; each has entry (0 file, 1 folder),
    permissions, size, seconds, nanoseconds and name."""
    id = connection.next_id()
    connection.send(encode(LIST, id=id, path=folder))
    entries = []
    while (answer := connection.receive()).kind == ENTRY:
        require(answer.id == id, "an entry of another listing")
        require(answer.entry in (0, 1), "an entry that is neither file nor folder")
        require(answer.entry == 0 or answer.size == 0, "a folder with a size")
        require(is_component(answer.name), "an entry with an impossible name")
        entries.append(answer)
    require(answer.kind == LISTED and answer.id == id, "an answer to something else")
    if answer.code:
        raise Refused(answer.code, answer.message.decode(errors="replace"))
    require([entry.name for entry in entries] == sorted({entry.name for entry in entries}), "names out of order")
    return entries


def is_component(name):
    """Whether a path may have such a component."""
    return 1 <= len(name) <= 255 and name not in (b".", b"..") and not any(b < 32 or b in b"\x7f/" for b in name)


def line(entry):
    """An entry as a line for a person."""
    kind = stat.S_IFDIR if entry.entry else stat.S_IFREG
    name = os.fsdecode(entry.name).encode(errors="backslashreplace").decode()
    return f"{stat.filemode(kind | entry.permissions & 0o777)} {entry.size:>14} {entry.seconds} {name}"
