"""Hostile clients that get as far as they can get inside TLS and with a token: a mixin for tests in the clear."""

import os

import wire
from sending import SendCase
from support import PATIENCE
from trust import make_token


class TokenInTLS:
    """Before an `AbuseCase`: its server takes a token, all connections are inside TLS, and `self.token` is in bytes."""

    def setUp(self):
        holder = SendCase()
        SendCase.setUp(holder)
        self.addCleanup(holder.doCleanups)
        path, (token,) = make_token(holder)
        self.token = token.encode()
        self.options = (*self.options, "--token-file", str(path))
        os.environ["FXFER_TOKEN"] = token
        self.addCleanup(os.environ.pop, "FXFER_TOKEN", None)
        super().setUp()

    def connect(self):
        connection = wire.connect(self.server.port, timeout=PATIENCE, tls=wire.believing_any())
        self.connections.append(connection)
        return connection
