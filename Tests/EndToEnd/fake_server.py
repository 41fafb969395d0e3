"""The server's half of the protocol, as far as tests of the real client need it."""

import socket
import threading

from wire import SILENCE, Connection


class FakeServer:
    """Plays a server on a free port: `script(connection)` runs for every client, one after the other, in a thread."""

    def __init__(self, script):
        self.script = script
        self.clients = 0
        self.failure = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(SILENCE)
        self.listener.close()
        if self.failure:
            raise self.failure

    def run(self):
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            self.clients += 1
            try:
                with Connection(stream) as connection:
                    self.script(connection)
            except (EOFError, ConnectionError):
                pass  # The client left, which is what it does when it sees through the script.
            except Exception as failure:
                self.failure = failure
