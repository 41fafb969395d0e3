"""A server whose signed receipts are wrong never gets the client to count a file as stored, or to keep a receipt."""

import os

from receipts import Signer, fingerprint, stored_entry
from scripts import DATA, PERMISSION, PROTOCOL, SMALL, HostileServerCase, digest, take_all
from trust import tls_server
from wire import OFFER, RECEIPT, RECEIPT_KEY, RECEIPTS, SIGNATURE, STORED_ENTRY, Connection, PeerError, encode, field


class HostileReceiptCase(HostileServerCase):
    def setUp(self):
        super().setUp()
        self.signer = Signer(self.folder, "right")
        self.receipts = self.folder / "receipts"
        self.facts = {"path": b"source", "size": len(SMALL), "digest": digest(SMALL)}
        #: Whether the client has offered anything.
        self.was_offered = False

    def play(self, fields, key=None, facts=None, granted=RECEIPTS):
        """A server that takes the file, and sends RECEIPT with these fields."""
        key = self.signer.key if key is None else key

        def script(connection):
            connection.welcome(capabilities=granted, fields=field(RECEIPT_KEY, key) if key else b"")
            try:
                connection.expect(OFFER)
            except PeerError:
                return  # The client has had enough of WELCOME, and says why.
            self.was_offered = True
            take_all(connection)
            connection.send(encode(RECEIPT, id=1, outcome=0, **(facts or self.facts), fields=fields))
            connection.drain()

        return script

    def kept(self):
        return [name for _, _, names in os.walk(self.receipts) for name in names]

    def send_for_receipt(self, script, *options):
        self.was_offered = False
        return self.send(SMALL, script, "--receipts", str(self.receipts), "--timeout", "5", *options)

    def assert_each_refused(self, cases, *statuses):
        for title, script in cases.items():
            with self.subTest(title):
                self.assert_fails(self.send_for_receipt(script), *statuses)
                self.assertEqual(self.kept(), [])


class SignatureTest(HostileReceiptCase):
    def test_the_played_server_can_be_good(self):
        """Else the failures of the others would prove nothing."""
        for stored in (None, stored_entry(level=3, entry=os.urandom(32))):
            result = self.send_for_receipt(self.play(self.signer.fields(**self.facts, stored=stored)))
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertEqual(result.stdout, f"{digest(SMALL).hex()}  source\n")
            self.assertEqual(sorted(self.kept()), ["source.receipt.json", "source.receipt.sig"])

    def test_a_signature_of_something_else_is_not_believed(self):
        def signed(**changes):
            return self.play(self.signer.fields(**{**self.facts, **changes}))

        stored = field(STORED_ENTRY, stored_entry())
        right = self.signer.fields(**self.facts)
        signature = right[len(stored) + 4 :]
        other = Signer(self.folder, "other").fields(**self.facts)
        later = field(STORED_ENTRY, stored_entry(seconds=1_700_000_001))
        better = field(STORED_ENTRY, stored_entry(level=3))
        listed = field(STORED_ENTRY, stored_entry(entry=bytes(32)))
        cases = {
            "another path": signed(path=b"other"),
            "another size": signed(size=len(SMALL) + 1),
            "another digest": signed(digest=digest(b"other")),
            "another outcome": signed(outcome=2),
            "another time": self.play(later + field(SIGNATURE, signature)),
            "another level": self.play(better + field(SIGNATURE, signature)),
            "another ledger entry": self.play(listed + field(SIGNATURE, signature)),
            "another key": self.play(other),
            "no signature": self.play(stored),
            "nothing at all": self.play(b""),
            "a signature alone": self.play(field(SIGNATURE, signature)),
            "an empty signature": self.play(stored + field(SIGNATURE, b"")),
            "zeros": self.play(stored + field(SIGNATURE, bytes(len(signature)))),
            "nonsense": self.play(stored + field(SIGNATURE, os.urandom(70))),
            "a long signature": self.play(stored + field(SIGNATURE, os.urandom(60_000))),
            "a byte more": self.play(stored + field(SIGNATURE, signature + b"\0")),
            "an unknown level": self.play(field(STORED_ENTRY, stored_entry(level=9)) + field(SIGNATURE, signature)),
            "a time before 1970": self.play(field(STORED_ENTRY, stored_entry(-1)) + field(SIGNATURE, signature)),
            "a time of 2^63-1": self.play(field(STORED_ENTRY, stored_entry(2**63 - 1)) + field(SIGNATURE, signature)),
            "half a ledger entry": self.play(field(STORED_ENTRY, stored_entry() + b"x") + field(SIGNATURE, signature)),
        }
        self.assert_each_refused(cases, DATA)

    def test_a_right_signature_of_another_file_is_not_believed(self):
        """Signed and sent alike, and still not what was sent by the client."""
        cases = {}
        for title, changes in {
            "path": {"path": b"other"},
            "path outside": {"path": b"../source"},
            "size": {"size": 1},
            "digest": {"digest": digest(b"")},
        }.items():
            facts = {**self.facts, **changes}
            cases[title] = self.play(self.signer.fields(**facts), facts=facts)
        self.assert_each_refused(cases, DATA)

    def test_flipped_bits(self):
        right = self.signer.fields(**self.facts)
        for index in range(4, len(right), 7):
            flipped = bytearray(right)
            flipped[index] ^= 1 << index % 8
            with self.subTest(index):
                result = self.send_for_receipt(self.play(bytes(flipped)))
                self.assert_fails(result, DATA, PROTOCOL)
                self.assertEqual(self.kept(), [])


class KeyTest(HostileReceiptCase):
    def test_a_key_that_is_none(self):
        point = bytearray(self.signer.key)
        point[50] ^= 1
        cases = {
            "none": self.play(b"", key=b""),
            "one of P-384": self.play(b"", key=Signer(self.folder, "p384", "P-384").key),
            "one of RSA": self.play(b"", key=Signer(self.folder, "rsa", None).key),
            "a byte less": self.play(b"", key=self.signer.key[:-1]),
            "a point that is not on the curve": self.play(b"", key=bytes(point)),
            "nonsense": self.play(b"", key=os.urandom(91)),
            "64 KiB but for the rest": self.play(b"", key=os.urandom(65_000)),
        }
        self.assert_each_refused(cases, PROTOCOL)
        self.assertFalse(self.was_offered)

    def test_signing_that_is_not_granted(self):
        self.assert_each_refused({"granted nothing": self.play(b"", granted=0)}, PERMISSION)
        self.assertFalse(self.was_offered)

    def test_the_key_has_to_be_that_of_the_certificate(self):
        """Inside TLS, a receipt by another key than the server's own is not wanted: nothing is sent."""
        other = Signer(self.folder, "other")
        tls = tls_server(self.signer.certificate(), self.signer.file)

        def inside(script):
            def play(connection):
                with Connection(tls.wrap_socket(connection.socket, server_side=True)) as secure:
                    script(secure)

            return play

        key = "--server-key", fingerprint(self.signer.key)
        script = self.play(other.fields(**self.facts), key=other.key)
        result = self.send_for_receipt(inside(script), *key)
        self.assert_fails(result, PERMISSION)
        self.assertIn("not that of its certificate", result.stderr)
        self.assertEqual((self.was_offered, self.kept()), (False, []))
        result = self.send_for_receipt(inside(self.play(self.signer.fields(**self.facts))), *key)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(len(self.kept()), 2)
