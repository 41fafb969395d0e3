"""Every type of frame at every moment of `send`, `get` and `list`: what is not due is not believed."""

from extremes import USUAL, usual
from frames import ACCEPT, ALIVE, CANCEL, CHUNK, CONFIRM, ENTRY, ERROR, FINISH, LAYOUTS, LISTED, OFFER, READING, RECEIPT
from frames import REFUSE, REWIND, WELCOME, chunk, frame
from moments import CONTENT, MomentCase, accepted, all_sent, asked, confirmed, entered, folder_asked, given, got
from moments import greeted, in_chunk, listing, offering, received, refused
from scripts import DATA, EXISTS, PERMISSION, PROTOCOL, RETRY

INTERNAL = 70
UNKNOWN_CRITICAL, UNKNOWN_OPTIONAL = 0x7F, 0xFF
KINDS = (*LAYOUTS, UNKNOWN_CRITICAL, UNKNOWN_OPTIONAL)
#: What is always passed over: the client waits on, and finds that the server has gone.
SKIPPED = {ALIVE: RETRY, UNKNOWN_OPTIONAL: RETRY}
#: ERROR with code 9, which is an error within the server, ends each client with that status.
ALWAYS = {**SKIPPED, ERROR: INTERNAL}
#: Of a client that sends; READING counts until ACCEPT and changes nothing behind it.
SENDING = {**ALWAYS, READING: RETRY, REFUSE: EXISTS}
#: Whatever comes once nothing more is wanted.
DONE = dict.fromkeys(KINDS, 0)

#: Command -> moment -> type of frame -> the status. Each other frame is an error of the protocol.
STATUSES = {
    "send": {
        greeted: {**ALWAYS, WELCOME: RETRY},
        all_sent: {**SENDING, ACCEPT: RETRY},
        accepted: {**SENDING, CONFIRM: RETRY, REWIND: RETRY, RECEIPT: 0},
        confirmed: {**SENDING, RECEIPT: 0},
        received: DONE,
        refused: dict.fromkeys(KINDS, EXISTS),
    },
    "get": {
        greeted: {**ALWAYS, WELCOME: PERMISSION},
        asked: {**ALWAYS, OFFER: RETRY, CANCEL: RETRY},
        offering: {**ALWAYS, CANCEL: RETRY, CHUNK: RETRY, FINISH: DATA},
        # What comes there is content, of another digest: it is asked for again, and does not come.
        in_chunk: dict.fromkeys(KINDS, (RETRY, DATA)),
        given: {**ALWAYS, CANCEL: RETRY, FINISH: 0},
        got: DONE,
        folder_asked: {**ALWAYS, ENTRY: RETRY, LISTED: RETRY},
        entered: {**ALWAYS, ENTRY: RETRY, LISTED: RETRY},
    },
    "list": {
        greeted: {**ALWAYS, WELCOME: PERMISSION},
        listing: {**ALWAYS, ENTRY: RETRY, LISTED: 0},
    },
}


def frame_of(kind):
    if kind in (UNKNOWN_CRITICAL, UNKNOWN_OPTIONAL):
        return frame(kind)
    return chunk(1, 0, CONTENT, USUAL[FINISH]["digest"]) if kind == CHUNK else usual(kind)


class FrameOrderTest(MomentCase):
    def test_every_frame_at_every_moment(self):
        def cases():
            for command, moments in STATUSES.items():
                for moment, statuses in moments.items():
                    for kind in KINDS:
                        status = statuses.get(kind, PROTOCOL)
                        allowed = status if isinstance(status, tuple) else (status,)
                        yield command, f"{moment.__name__}, {kind:#04x}", moment, frame_of(kind), allowed

        self.assert_each(cases())
