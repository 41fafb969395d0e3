"""The sending side of a file, written from WireProtocol.md alone."""

import hashlib
import os
import re

from frames import *

WINDOW = 64
WINDOW_OF_UNKNOWN_SIZE = 16
MOST_REWINDS = 8


def hash_prefix(connection, source, length):
    """SHA-256 of the next `length` bytes of `source`, or of those that there are, and how many these are."""
    state, left = hashlib.sha256(), length
    while left and (piece := source.read(min(left, DEFAULT_CHUNK))):
        state.update(piece)
        left -= len(piece)
        connection.stay_alive()
    return state, length - left


class Upload:
    """One file on its way, as its sender sees it. `attributes` are those of `offer`: size, modified, permissions, and
    the flags folder, waits and quick.

    An eager one does not wait for ACCEPT, which is allowed where size is known and not over one chunk.
    """

    def __init__(self, connection, path, source, attributes, eager=False):
        self.connection, self.path, self.source = connection, path, source
        self.attributes, self.eager = attributes, eager
        self.size = attributes.get("size")
        self.id = connection.next_id()
        self.found_at_first = self.fingerprint()
        self.sending = self.finished = self.accepted = self.is_same = False
        self.receipt = self.failure = None
        #: Where it went on after ACCEPT: over 0 where the receiver had a prefix of this very file.
        self.resumed = 0
        #: The beginning of the path that leads to a folder which the receiver does not have yet, where it says so.
        self.new_folder = None
        self.rewinds = {}

    @property
    def done(self):
        return bool(self.receipt or self.failure or self.is_same)

    @property
    def can_send(self):
        window = WINDOW_OF_UNKNOWN_SIZE if self.size is None else WINDOW
        return self.sending and not self.done and len(self.states) <= window

    @property
    def takes_prefix(self):
        """Whether the receiver may offer a prefix: not where the file could be sent without waiting for the answer."""
        if self.size is None or self.attributes.get("folder"):
            return False
        return self.size > self.connection.terms.largest_chunk or bool(self.attributes.get("waits"))

    @property
    def repairs(self):
        return sum(self.rewinds.values())

    def fingerprint(self):
        """What changes when somebody writes to the source."""
        try:
            status = os.fstat(self.source.fileno())
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns, status.st_ctime_ns

    def read(self, count):
        """Up to `count` bytes; fewer only at the end of the source."""
        pieces = []
        while count and (piece := self.source.read(count)):
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def offer(self):
        self.connection.send(offer(self.id, self.path, **self.attributes))
        if self.eager:
            self.go_on(0, hashlib.sha256())

    def go_on(self, offset, state):
        """Sends from `offset` on; `state` has hashed everything before."""
        self.source.seek(offset)
        self.offset = self.confirmed = offset
        self.state = state
        #: What a rewind may need: the hash state at the last confirmed offset, and behind each chunk sent since.
        self.states = {offset: state.copy()}
        self.sending, self.finished = True, False

    def step(self):
        """Sends the next chunk, or FINISH where nothing is left."""
        payload = self.read(self.connection.terms.largest_chunk)
        if payload:
            self.state.update(payload)
            self.send_chunk(payload)
            self.offset += len(payload)
            self.states[self.offset] = self.state.copy()
        elif self.fingerprint() != self.found_at_first:
            self.cancel(38, "the source changed")
        else:
            self.sending, self.finished = False, True
            self.connection.send(encode(FINISH, id=self.id, size=self.offset, digest=self.state.digest()))

    def send_chunk(self, payload):
        self.connection.send(chunk(self.id, self.offset, payload, self.state.digest()))

    def cancel(self, code, message):
        self.connection.send(encode(CANCEL, id=self.id, code=code, message=message.encode()))
        self.failure = Refused(code, message)

    def handle(self, answer):
        if self.done:
            return
        if answer.kind == ACCEPT:
            self.compare(answer)
        elif answer.kind == SAME and self.attributes.get("quick") and not self.accepted:
            self.is_same = True
        elif answer.kind == CONFIRM and self.accepted:
            require(answer.offset in self.states and answer.offset > self.confirmed, "CONFIRM of what was not sent")
            self.confirmed = answer.offset
            self.states = {offset: state for offset, state in self.states.items() if offset >= answer.offset}
        elif answer.kind == REWIND and self.accepted:
            require(answer.offset == self.confirmed, "REWIND to another place than the last that was confirmed")
            self.rewinds[answer.offset] = self.rewinds.get(answer.offset, 0) + 1
            if self.rewinds[answer.offset] > MOST_REWINDS:
                self.cancel(4, "data was damaged too often")
            else:
                self.go_on(answer.offset, self.states[answer.offset])
        elif answer.kind == REFUSE:
            message = answer.message.decode(errors="replace")
            self.cancel(answer.code, "refused")
            self.failure = Refused(answer.code, message)
        elif answer.kind == RECEIPT and self.accepted:
            self.check_receipt(answer)
            self.receipt = answer
        else:
            raise WireError(f"a frame of type {answer.kind:#04x} at the wrong time")

    def check_receipt(self, receipt):
        require(self.finished, "a receipt before FINISH")
        sent = (self.offset, self.state.digest())
        require((receipt.size, receipt.digest) == sent, "a receipt for something else")
        beside = re.fullmatch(re.escape(self.path) + rb"\.[0-9]{1,3}", receipt.path)
        require(receipt.path == self.path or beside, "a receipt for another name")
        outcomes = (STORED, IDENTICAL) if beside else (STORED, IDENTICAL, REPLACED)
        require(receipt.outcome in outcomes, f"a receipt with outcome {receipt.outcome}")

    def compare(self, answer):
        """ACCEPT: goes on behind the receiver's prefix if that is a prefix of this file, too."""
        require(not self.accepted, "a second ACCEPT")
        require(self.size is None or answer.offset <= self.size, "ACCEPT behind the end")
        require(answer.offset == 0 or self.takes_prefix, "ACCEPT of a prefix where none is allowed")
        require(answer.offset or answer.digest == hashlib.sha256().digest(), "ACCEPT of nothing with another digest")
        self.accepted = True
        if NEW_FOLDER in answer.fields:
            length = int.from_bytes(answer.fields[NEW_FOLDER])
            require(len(answer.fields[NEW_FOLDER]) == 2 and length < len(self.path), "no part of the path is that long")
            self.new_folder = self.path[:length]
        if self.eager:
            return
        state, length = hash_prefix(self.connection, self.source, answer.offset)
        if length == answer.offset and state.digest() == answer.digest:
            self.resumed = answer.offset
            self.go_on(answer.offset, state)
        else:
            self.go_on(0, hashlib.sha256())


def upload_all(connection, uploads):
    """Sends files side by side, a chunk of each in turn, until each has a receipt or a failure."""
    require(len(uploads) <= connection.terms.files, "more files at once than the server takes")
    by_id = {upload.id: upload for upload in uploads}
    for each in uploads:
        each.offer()
    while not all(each.done for each in uploads):
        for each in uploads:
            if each.can_send:
                each.step()
        if connection.has_input() or not any(each.can_send for each in uploads):
            answer = connection.receive()
            require(getattr(answer, "id", None) in by_id, "an answer for a file that was not offered")
            by_id[answer.id].handle(answer)


def upload(connection, path, source, attributes, eager=False):
    """Sends one file and answers its RECEIPT; raises `Refused` or `WireError`."""
    one = Upload(connection, path, source, attributes, eager)
    upload_all(connection, [one])
    if one.failure:
        raise one.failure
    return one.receipt
