"""A TCP proxy that stops a client's bytes in the middle until the test has done what it wants to do meanwhile."""

import contextlib
import socket
import threading

from support import PATIENCE


class Gate:
    """Stands before the server at `port`; of each connection the first `limit` bytes of the client pass at once, the
    rest when the gate is opened. What the server says passes always.

    While the gate is shut, it cannot see that a client goes away: the end of the client's stream waits behind what is
    held. A test that kills a client says so by `cut`.
    """

    def __init__(self, port, limit):
        self.limit = limit
        self._server_port = port
        self._held = threading.Semaphore(0)
        self._decided = threading.Event()
        self._opens = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def wait_until_held(self, clients=1):
        """Returns when so many clients have sent `limit` bytes and more is held back."""
        for _ in range(clients):
            if not self._held.acquire(timeout=PATIENCE):
                raise AssertionError(f"no client sent {self.limit} bytes to the gate")

    def open(self):
        """Lets everything pass from now on."""
        self._opens = True
        self._decided.set()

    def cut(self):
        """Ends the held connections for the server, without what is held."""
        self._decided.set()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with (
            client,
            contextlib.suppress(ConnectionRefusedError),
            socket.create_connection(("127.0.0.1", self._server_port)) as server,
        ):
            forward = threading.Thread(target=self._forward, args=(client, server), daemon=True)
            forward.start()
            self._back(client, server)
            forward.join()

    def _forward(self, client, server):
        with contextlib.suppress(OSError):
            left = self.limit
            while left > 0 and (data := client.recv(min(left, 1 << 18))):
                server.sendall(data)
                left -= len(data)
            if left == 0:
                self._held.release()
                self._decided.wait()
                while self._opens and (data := client.recv(1 << 18)):
                    server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    @staticmethod
    def _back(client, server):
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 18):
                client.sendall(data)
        for end in (client, server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
