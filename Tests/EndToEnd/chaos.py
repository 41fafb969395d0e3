"""A proxy that does whatever a bad network can do to a connection, as a seed says.

What it does depends on the seed and on the place in each stream, never on time or on how the bytes are cut into
segments: so a failure can be played again.

    python3 chaos.py SEED SERVER_PORT

stands before that server, for trying by hand; it prints where it listens.
"""

import contextlib
import ctypes
import enum
import math
import random
import select
import socket
import sys
import threading
from dataclasses import dataclass

from relay import DOWN, UP, Relay
from support import PATIENCE

KIB = 1 << 10


class Kind(enum.StrEnum):
    """What happens to a stream."""

    # The bytes change.
    FLIP, DROP, REPEAT, SWAP = "flip", "drop", "repeat", "swap"
    # The connection ends: FIN to both sides, FIN to one, RST to both.
    CUT, HALF, RESET = "cut", "half", "reset"
    # Silence that only time-outs end: bytes are read and forgotten, or not read any more.
    STALL, WALL = "stall", "wall"
    # Nothing changes but times and segments.
    DELAY, THROTTLE, SPLIT = "delay", "throttle", "split"


HARMLESS = (Kind.DELAY, Kind.THROTTLE, Kind.SPLIT)
#: How often each comes. Silence costs the time of a time-out, so it is rare.
HARMS = {
    **{Kind.FLIP: 10, Kind.DROP: 4, Kind.REPEAT: 4, Kind.SWAP: 3},
    **{Kind.CUT: 3, Kind.HALF: 2, Kind.RESET: 4, Kind.STALL: 0.7, Kind.WALL: 0.5},
}
#: How many bytes are struck at most; what is not here happens between two bytes.
LONGEST = {
    **{Kind.FLIP: 1, Kind.DROP: 64 * KIB, Kind.REPEAT: 64 * KIB, Kind.SWAP: 64 * KIB},
    **{Kind.THROTTLE: 32 * KIB, Kind.SPLIT: 2 * KIB},
}

libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Harm:
    """What happens to `length` bytes of one direction from `offset` on; `value` is what else the kind needs."""

    kind: Kind
    offset: int
    length: int
    value: int

    @property
    def end(self):
        return self.offset + self.length


def between(chance, least, most):
    """A number of any magnitude: small ones are as likely as large ones."""
    return min(most, int(math.exp(chance.uniform(math.log(least), math.log(most + 1)))))


def make_plan(seed, number, lengths, harmless=False):
    """What happens to the `number`-th connection: a list of harms for each direction, in order, none over another.

    `lengths` are about how many bytes go in each direction.
    """
    chance = random.Random(f"{seed} {number}")
    found = {UP: [], DOWN: []}
    for _ in range(chance.choice((1, 1, 1, 1, 2, 2, 4))):
        kind = chance.choices(list(HARMS), HARMS.values())[0]
        add_harm(chance, found, HARMLESS[0] if harmless else kind, lengths)
    for _ in range(chance.randrange(1 if harmless else 0, 4)):
        add_harm(chance, found, chance.choice(HARMLESS), lengths)
    return {direction: in_order(harms) for direction, harms in found.items()}


def add_harm(chance, found, kind, lengths):
    direction = chance.choice((UP, DOWN))
    most = lengths[direction]
    # Half of them anywhere, half of them rather at the beginning, where the stream is about more than content.
    offset = chance.randrange(most) if chance.random() < 0.5 else between(chance, 1, most) - 1
    length = between(chance, 1, LONGEST[kind]) if kind in LONGEST else 0
    values = {Kind.FLIP: 1 << chance.randrange(8), Kind.THROTTLE: between(chance, 64, 4 * KIB)}
    value = values.get(kind, chance.randrange(1, 4))
    found[direction].append(Harm(kind, offset, length * 2 if kind == Kind.SWAP else length, value))


def in_order(harms):
    """Each begins behind the end of the one before; those that cannot are left out."""
    kept, end = [], 0
    for harm in sorted(harms, key=lambda harm: harm.offset):
        if harm.offset >= end:
            kept.append(harm)
            end = harm.end
    return kept


class Mangler:
    """One direction of a stream. Takes bytes and answers what to do: a list of pairs, a kind and bytes or a value.

    `None` as a kind is for bytes that simply pass; SPLIT and THROTTLE come with bytes, too.
    """

    def __init__(self, harms):
        self.harms, self.position, self.held = list(harms), 0, b""
        #: What has happened so far.
        self.done = []

    def next(self):
        self.done.append(self.harms.pop(0))
        return self.done[-1]

    def feed(self, data):
        done = self.events()
        while data:
            harm = self.harms[0] if self.harms else None
            until = harm.offset if harm and self.position < harm.offset else harm.end if harm else math.inf
            piece = data[: int(min(len(data), until - self.position))]
            data = data[len(piece) :]
            inside = harm is not None and self.position >= harm.offset
            self.position += len(piece)
            done += self.strike(harm, piece) if inside else [(None, piece)]
            done += self.events()
        return [(kind, value) for kind, value in done if value]

    def events(self):
        """What happens between two bytes at this place."""
        found = []
        while self.harms and self.harms[0].length == 0 and self.harms[0].offset == self.position:
            harm = self.next()
            found.append((harm.kind, harm.value))
        return found

    def strike(self, harm, piece):
        is_last = self.position == harm.end
        if is_last:
            self.next()
        if harm.kind in (Kind.REPEAT, Kind.SWAP):
            self.held += piece
        held = self.held
        if is_last:
            self.held = b""
        match harm.kind:
            case Kind.FLIP:
                return [(None, bytes([piece[0] ^ harm.value]))]
            case Kind.DROP:
                return []
            case Kind.REPEAT:
                return [(None, piece), (None, held * harm.value if is_last else b"")]
            case Kind.SWAP:
                return [(None, held[len(held) // 2 :] + held[: len(held) // 2] if is_last else b"")]
            case Kind.THROTTLE:
                return [(Kind.THROTTLE, piece[at : at + harm.value]) for at in range(0, len(piece), harm.value)]
            case Kind.SPLIT:
                return [(Kind.SPLIT, piece)]

    def finish(self):
        """At the end of the stream: what was to be swapped with something that never came."""
        held, is_swap = self.held, bool(self.harms and self.harms[0].kind == Kind.SWAP)
        return [(None, held)] if held and is_swap else []


def disconnect(stream):
    """RST, at once, whoever reads from the socket just now: connect(2) to no address."""
    libc.connect(stream.fileno(), bytes(16), 16)


class Chaos(Relay):
    """Stands between clients and the server on `port`; the n-th connection gets the plan that the seed has for it.

    In the end it waits until both sides of each connection have ended it by themselves; `hung` are those that have not,
    and `done` is what happened.
    """

    def __init__(self, port, seed, lengths, harmless=False):
        super().__init__(port)
        self.seed, self.lengths, self.harmless = seed, lengths, harmless
        self.carriers, self.done, self.hung = [], [], []

    def __exit__(self, *_):
        for passage, thread in list(self.carriers):
            thread.join(PATIENCE)
            if thread.is_alive():
                self.hung.append(self.passages.index(passage))
        super().__exit__()

    def plan(self, number):
        return make_plan(self.seed, number, self.lengths, self.harmless)

    def pause(self, seconds):
        """No longer than until the proxy ends."""
        self._released.wait(seconds)

    def _carry(self, passage):
        passage.number = self.passages.index(passage)
        passage.ended = {UP: threading.Event(), DOWN: threading.Event()}
        self.carriers.append((passage, threading.current_thread()))
        super()._carry(passage)

    def _forward(self, passage, source, target, direction):
        mangler = Mangler(self.plan(passage.number)[direction])
        lane = Lane(self, passage, source, target, direction)
        try:
            lane.act(mangler.feed(b""))
            while data := source.recv(1 << 16):
                lane.act(mangler.feed(data))
            lane.act(mangler.finish())
        except OSError:
            pass
        finally:
            self.done += mangler.done
            if not lane.is_silent:
                with contextlib.suppress(OSError):
                    target.shutdown(socket.SHUT_WR)
            passage.ended[direction].set()


class Lane:
    """One direction of one connection, and what is done to it."""

    def __init__(self, chaos, passage, source, target, direction):
        self.chaos, self.passage, self.source, self.target, self.direction = chaos, passage, source, target, direction
        #: Whether nothing goes on any more; and then, whether not even the end of the stream does.
        self.is_over = self.is_silent = False

    def act(self, actions):
        for kind, value in actions:
            if self.is_over or self.passage.struck:
                return
            match kind:
                case None:
                    self.pass_on(value)
                case Kind.DELAY:
                    self.chaos.pause(value / 200)
                case Kind.THROTTLE:
                    self.pass_on(value)
                    self.chaos.pause(0.001)
                case Kind.SPLIT:
                    for byte in value:
                        self.pass_on(bytes([byte]))
                case Kind.HALF:
                    self.is_over = True
                    self.target.shutdown(socket.SHUT_WR)
                case Kind.CUT:
                    self.passage.struck = True
                    self.passage.end()
                case Kind.RESET:
                    self.passage.struck = True
                    disconnect(self.passage.client)
                    disconnect(self.passage.server)
                case Kind.STALL:
                    self.is_over = self.is_silent = True
                case Kind.WALL:
                    self.is_over = self.is_silent = True
                    self.wait_behind_wall()

    def pass_on(self, data):
        """Where the target is gone, what still comes is read and forgotten, so that its source can say it all."""
        try:
            self.target.sendall(data)
        except OSError:
            self.is_over = True

    def wait_behind_wall(self):
        """Until the source is seen to be gone, or the other direction has ended."""
        other = self.passage.ended[DOWN if self.direction == UP else UP]
        poll = select.poll()
        poll.register(self.source, select.POLLRDHUP)
        while not poll.poll(0) and not other.wait(0.02):
            pass


def main(seed, port):
    with Chaos(int(port), seed, {UP: 1 << 20, DOWN: 1 << 10}) as chaos:
        print(chaos.address, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
