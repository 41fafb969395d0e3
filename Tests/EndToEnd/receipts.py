"""Signed receipts, written from WireProtocol.md alone: the statement, and its signature by openssl(1)."""

import base64
import hashlib
import json
import subprocess
import time

from frames import *

LEVELS = {1: "verified", 2: "durable", 3: "media"}
OUTCOMES = {STORED: "stored", IDENTICAL: "identical", REPLACED: "replaced"}


def openssl(*arguments, given=None):
    """What openssl(1) prints; an exception where it fails."""
    return subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True, check=True).stdout


def fingerprint(key):
    """How people know a key; `key` is its SubjectPublicKeyInfo in DER."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def escape(path):
    """A path's bytes as a statement has them."""
    return "".join("\\\\" if byte == 0x5C else chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in path)


def stored_entry(seconds=1_700_000_000, nanoseconds=5, level=2, entry=b""):
    """The field of RECEIPT that tells when the file was stored, and how durably."""
    return struct.pack(">qIB", seconds, nanoseconds, level) + entry


def statement(key, path, size, digest, outcome=STORED, stored=None):
    """The bytes that are signed, of what RECEIPT and WELCOME tell."""
    stored = stored or stored_entry()
    seconds, nanoseconds, level = struct.unpack(">qIB", stored[:13])
    values = {
        **{"format": "fxfer-receipt", "version": 1, "path": escape(path), "size": size, "sha256": digest.hex()},
        "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanoseconds:09}Z",
        **{"durability": LEVELS[level], "outcome": OUTCOMES[outcome]},
        **({"entry": stored[13:].hex()} if stored[13:] else {}),
        **{"server": fingerprint(key), "key": base64.b64encode(key).decode()},
    }
    return json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n"


class Signer:
    """A private key in a file of `folder`, on P-256 unless another curve is named; for RSA, `curve` is None."""

    def __init__(self, folder, name="signer", curve="P-256"):
        self.file = folder / f"{name}.key"
        kind = ["EC", "-pkeyopt", f"ec_paramgen_curve:{curve}"] if curve else ["RSA"]
        self.file.write_bytes(openssl("genpkey", "-algorithm", *kind))
        self.file.chmod(0o600)
        #: The public key in DER.
        self.key = openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")

    def certificate(self):
        """A certificate for this key, signed by itself."""
        path = self.file.with_suffix(".pem")
        openssl("req", "-x509", "-key", self.file, "-subj", "/CN=test", "-days", 10, "-out", path)
        return path

    def sign(self, message):
        return openssl("dgst", "-sha256", "-sign", self.file, given=message)

    def fields(self, path, size, digest, outcome=STORED, stored=None):
        """The two fields of a signed RECEIPT that says this."""
        stored = stored or stored_entry()
        signature = self.sign(statement(self.key, path, size, digest, outcome, stored))
        return field(STORED_ENTRY, stored) + field(SIGNATURE, signature)
