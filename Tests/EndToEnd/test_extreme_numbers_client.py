"""Extreme numbers in every field of every frame that a server may send: `send`, `get` and `list` do not trap."""

import stat

from extremes import USUAL, extreme_values, lengths_of_body, lengths_of_fields, usual
from frames import ACCEPT, CANCEL, CHUNK, CONFIRM, ENTRY, ERROR, FINISH, LISTED, OFFER, READING, RECEIPT, REFUSE, REWIND
from frames import SAME, WELCOME, chunk
from moments import CONTENT, MomentCase, accepted, all_sent, asked, confirmed, folder_asked, given, greeted, listing
from moments import offered, offering
from scripts import DATA, PERMISSION, PROTOCOL, RETRY

#: What a failure may be: never 0, nor the end by a signal, nor an error that fxfer calls internal (70).
FAILURES = (*range(64, 70), *range(71, 78))
ANY = lambda value: True
#: Which values of a field are like any other: the client goes on then, and finds that the server has gone.
ALLOWED = {
    (WELCOME, "files"): lambda value: value >= 1,
    (WELCOME, "largest_chunk"): lambda value: 65536 <= value <= 1 << 20,
    (READING, "length"): lambda value: value <= 5,
    (OFFER, "permissions"): ANY,
    (OFFER, "seconds"): ANY,
    (OFFER, "nanoseconds"): ANY,
    (OFFER, "flags"): lambda value: value == 0,
    (OFFER, "size"): lambda value: value <= 2**60,
    (ENTRY, "permissions"): ANY,
    (ENTRY, "size"): ANY,
    (ENTRY, "seconds"): ANY,
    (ENTRY, "nanoseconds"): ANY,
}
#: Frames that end the file or the connection themselves: any code is a failure.
CODES = (ERROR, REFUSE, CANCEL, LISTED)


#: Command -> moment -> the types of frame that mean something then.
MOMENTS = {
    "send": {
        **{WELCOME: greeted, ERROR: offered, ACCEPT: all_sent, REFUSE: all_sent, SAME: all_sent, READING: all_sent},
        **{CONFIRM: accepted, REWIND: accepted, RECEIPT: confirmed},
    },
    "get": {
        **{WELCOME: greeted, ERROR: asked, OFFER: asked, CANCEL: asked, CHUNK: offering, FINISH: given},
        **{ENTRY: folder_asked, LISTED: folder_asked},
    },
    "list": {ERROR: listing, ENTRY: listing, LISTED: listing},
}


class ExtremeNumbersTest(MomentCase):
    def test_every_number_of_every_frame(self):
        def cases():
            for command, moments in MOMENTS.items():
                for kind, moment in moments.items():
                    for name, value in extreme_values(kind):
                        if kind in CODES and name == "code":
                            statuses = FAILURES
                        elif ALLOWED.get((kind, name), lambda value: False)(value):
                            # A server that does not share is told apart before it is found to have gone.
                            statuses = (PERMISSION if (command, kind) == ("get", WELCOME) else RETRY,)
                        else:
                            statuses = (PROTOCOL, DATA)
                        yield command, f"{kind:#04x}: {name} {value}", moment, usual(kind, **{name: value}), statuses

        self.assert_each(cases())

    def test_every_length_of_a_field_and_of_a_body(self):
        def cases():
            for command, moments in MOMENTS.items():
                for kind, moment in moments.items():
                    for title, sent in [*list(lengths_of_fields(kind))[2::3], *lengths_of_body(kind)]:
                        yield command, f"{kind:#04x}: {title}", moment, sent, (PROTOCOL,)

        self.assert_each(cases())

    def test_extreme_attributes_are_masked_and_clamped(self):
        """A file that is right comes whatever its attributes are, without set-id bits, and nothing traps."""

        def serve(name, value):
            def script(connection):
                asked(connection)
                connection.send(usual(OFFER, **{name: value}), chunk(1, 0, CONTENT, USUAL[FINISH]["digest"]))
                connection.send(usual(FINISH))
                connection.drain()

            return script

        attributes = ("permissions", "seconds", "nanoseconds")
        cases = [each for each in extreme_values(OFFER) if each[0] in attributes]
        for number, (name, value) in enumerate([*cases, ("permissions", 0o6777)]):
            with self.subTest(f"{name} {value}"):
                result, (names, content) = self.client(number, "get", serve(name, value))
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertEqual((names, content), (["f"], CONTENT))
                mode = stat.S_IMODE((self.folder / f"{number}" / "f").stat().st_mode)
                self.assertEqual(mode, value & 0o777 if name == "permissions" else 0o644)
