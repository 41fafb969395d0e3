"""A TCP proxy that stops a client's bytes in the middle until the test has done what it wants to do meanwhile."""

import contextlib
import select
import socket
import threading

from support import PATIENCE


class Gate:
    """Stands before the server at `port`; of each connection the first `limit` bytes of the client pass at once, the
    rest when the gate is opened. What the server says passes always. A client that goes away is gone for the server,
    too, whether the gate is open or not.
    """

    def __init__(self, port, limit):
        self.limit = limit
        self._server_port = port
        self._held = threading.Semaphore(0)
        self._opened = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open()
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
        self._opened.set()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.create_connection(("127.0.0.1", self._server_port)) as server:
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
            if left == 0 and self._opens_before_end(client):
                while data := client.recv(1 << 18):
                    server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _opens_before_end(self, client):
        """Waits for the gate to open (true) or for the client to go away (false), whichever is first."""
        self._held.release()
        gone = select.poll()
        gone.register(client, select.POLLRDHUP)
        while not self._opened.is_set():
            if gone.poll(5):
                return False
        return True

    @staticmethod
    def _back(client, server):
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 18):
                client.sendall(data)
        for end in (client, server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
