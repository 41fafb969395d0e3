"""Certificates, keys and tokens for tests, made by openssl(1) and fxfer."""

import ssl
import subprocess

from support import run


def fingerprint(identity):
    """The key of the identity in that folder, as fxfer shows it; made where there is none."""
    return run("identity", "--identity", str(identity)).stdout.strip()


def make_token(case, *names, file="tokens"):
    """A token file, with a line for each of the names (`NAME` or `NAME:RIGHTS`); answers its path and the tokens."""
    lines, tokens = [], []
    for name in names or ("alice",):
        name, *rights = name.split(":")
        line = run("token", name).stdout.strip()
        tokens.append(line.split(":")[1])
        lines.append(":".join([line, *rights]))
    path = case.file(file, "".join(f"{line}\n" for line in lines).encode())
    path.chmod(0o600)
    return path, tokens


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    """Signs certificates, in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.file = folder / "ca.pem"
        openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test"),
            *("-keyout", folder / "ca.key", "-out", self.file, "-days", 10),
        )

    def sign(self, name, host, days=10):
        """A certificate for the host (`DNS:…` or `IP:…`); answers the paths of it and of its key."""
        cert, key, request = (self.folder / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={host}\n")
        openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}"),
            *("-keyout", key, "-out", request),
        )
        openssl(
            *("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.folder / "ca.key", "-CAcreateserial"),
            *("-extfile", extensions, "-days", days, "-out", cert),
        )
        key.chmod(0o600)
        return cert, key


def tls_server(cert, key=None):
    """What a TLS server of a test shows."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    return tls
