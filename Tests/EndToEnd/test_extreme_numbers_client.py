"""Extreme numbers in every field of every frame that a server may send: `send`, `get` and `list` end, and trap nowhere."""

import os
import resource
import stat
from concurrent.futures import ThreadPoolExecutor

import frames
from abuse import NO_CONTROLS
from extremes import USUAL, extreme_values, lengths_of_body, lengths_of_fields, usual
from fake_server import FakeServer
from frames import ACCEPT, CANCEL, CHUNK, CONFIRM, ENTRY, ERROR, FINISH, GET, LIST, LISTED, OFFER, PREAMBLE, READING
from frames import RECEIPT, REFUSE, REWIND, SAME, SHARE, WELCOME, chunk, encode
from scripts import DATA, PERMISSION, PROTOCOL, RETRY
from support import ONCE, Case, run

CONTENT = b"12345"
#: More than any of these clients needs, and less than what is announced to them.
MOST_MEMORY = 3 << 30
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


def welcomed(connection):
    connection.welcome(capabilities=SHARE)


def offered(connection):
    welcomed(connection)
    connection.expect(OFFER)


def all_sent(connection):
    """The client has said all that it has to say of a small file."""
    offered(connection)
    connection.expect(CHUNK)
    connection.expect(FINISH)


def accepted(connection):
    all_sent(connection)
    connection.send(usual(ACCEPT))


def confirmed(connection):
    accepted(connection)
    connection.send(usual(CONFIRM))


def asked(connection):
    welcomed(connection)
    connection.expect(GET)


def offering(connection):
    asked(connection)
    connection.send(usual(OFFER))
    connection.expect(ACCEPT)


def given(connection):
    offering(connection)
    connection.send(chunk(1, 0, CONTENT, USUAL[FINISH]["digest"]))
    connection.expect(CONFIRM)


def folder_asked(connection):
    asked(connection)
    connection.send(usual(CANCEL, code=41))
    connection.expect(LIST)


def listing(connection):
    welcomed(connection)
    connection.expect(LIST)


#: Command -> moment -> the types of frame that mean something then.
MOMENTS = {
    "send": {
        **{WELCOME: None, ERROR: offered, ACCEPT: all_sent, REFUSE: all_sent, SAME: all_sent, READING: all_sent},
        **{CONFIRM: accepted, REWIND: accepted, RECEIPT: confirmed},
    },
    "get": {
        **{WELCOME: None, ERROR: asked, OFFER: asked, CANCEL: asked, CHUNK: offering, FINISH: given},
        **{ENTRY: folder_asked, LISTED: folder_asked},
    },
    "list": {ERROR: listing, ENTRY: listing, LISTED: listing},
}


def play(moment, sent):
    """A script: up to the moment, then this, and nothing more."""

    def script(connection):
        if moment:
            moment(connection)
        else:
            connection.expect_preamble()
            connection.expect(frames.HELLO)
            connection.send(PREAMBLE)
        connection.send(sent)
        connection.socket.shutdown(1)
        connection.drain()

    return script


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


class ExtremeNumbersTest(Case):
    def client(self, number, command, script):
        """What the command makes of one connection; `old` has stayed as it was."""
        place = self.folder / f"{number}"
        place.mkdir()
        (place / "f").write_bytes(CONTENT if command == "send" else b"old")
        with FakeServer(script) as server:
            arguments = {"send": ["f", server.address], "get": [f"{server.address}/f"], "list": [server.address]}
            once = () if command == "list" else ONCE
            options = {"cwd": place, "preexec_fn": limit, "env": {**os.environ, "SWIFT_BACKTRACE": "enable=no"}}
            result = run(command, *once, "--timeout", "5", *arguments[command], **options)
        names = [name for name in os.listdir(place) if not name.startswith(".fxfer-")]
        return result, (names, (place / "f").read_bytes())

    def assert_each(self, cases):
        """Each of the cases: command, type, title, what is sent, the statuses that may come."""
        with ThreadPoolExecutor(4) as pool:
            futures = []
            for number, (command, kind, title, sent, statuses) in enumerate(cases):
                script = play(MOMENTS[command][kind], sent)
                futures.append((command, kind, title, statuses, pool.submit(self.client, number, command, script)))
            for command, kind, title, statuses, future in futures:
                with self.subTest(f"{command}, {kind:#04x}: {title}"):
                    result, left = future.result()
                    self.assertIn(result.returncode, statuses, result)
                    self.assertRegex(result.stderr, rf"\A(fxfer: {NO_CONTROLS}\n)+\Z")
                    if command != "list":
                        self.assertEqual(result.stdout, "")
                    self.assertEqual(left, (["f"], CONTENT if command == "send" else b"old"))
        self.assertGreater(len(futures), 60)

    def test_every_number_of_every_frame(self):
        def cases():
            for command, moments in MOMENTS.items():
                for kind in moments:
                    for name, value in extreme_values(kind):
                        if kind in CODES and name == "code":
                            statuses = FAILURES
                        elif ALLOWED.get((kind, name), lambda value: False)(value):
                            # A server that does not share is told apart before it is found to have gone.
                            statuses = (PERMISSION if (command, kind) == ("get", WELCOME) else RETRY,)
                        else:
                            statuses = (PROTOCOL, DATA)
                        yield command, kind, f"{name} {value}", usual(kind, **{name: value}), statuses

        self.assert_each(cases())

    def test_every_length_of_a_field_and_of_a_body(self):
        def cases():
            for command, moments in MOMENTS.items():
                for kind in moments:
                    for title, sent in [*list(lengths_of_fields(kind))[2::3], *lengths_of_body(kind)]:
                        yield command, kind, title, sent, (PROTOCOL,)

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
