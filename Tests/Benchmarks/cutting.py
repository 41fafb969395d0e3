"""A line that breaks: a TCP proxy that passes so many bytes of the client, and then ends the connection."""

import contextlib
import socket
import threading

BLOCK = 1 << 18


class Cut:
    """Passes one connection to `port` until `limit` bytes of the client have gone there."""

    def __init__(self, port, limit):
        self._target, self._limit = port, limit
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._pass, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _pass(self):
        with contextlib.suppress(OSError):
            client, _ = self._listener.accept()
            with client, socket.create_connection(("127.0.0.1", self._target)) as server:
                answers = threading.Thread(target=self._answers, args=(server, client), daemon=True)
                answers.start()
                left = self._limit
                while left > 0 and (block := client.recv(min(BLOCK, left))):
                    server.sendall(block)
                    left -= len(block)
                server.shutdown(socket.SHUT_RDWR)
                client.shutdown(socket.SHUT_RDWR)
                answers.join()

    @staticmethod
    def _answers(server, client):
        with contextlib.suppress(OSError):
            while block := server.recv(BLOCK):
                client.sendall(block)
