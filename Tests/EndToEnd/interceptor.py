"""Someone who stands between: speaks TLS to the client with a certificate of his own, and TLS to the server.

    python3 interceptor.py ADDRESS IDENTITY.pem SERVER_PORT

Prints the port where it listens on ADDRESS, and then, for each connection, one line with the bytes that it has read
from the client and from the server, inside TLS.
"""

import socket
import ssl
import sys
import threading

from wire_connection import believing_any


def pump(source, target, count, direction):
    try:
        while data := source.recv(1 << 16):
            count[direction] += len(data)
            target.sendall(data)
    except (OSError, ssl.SSLError):
        pass
    for stream in (source, target):
        try:
            stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def intercept(stream, shown, port):
    count = [0, 0]
    try:
        with shown.wrap_socket(stream, server_side=True) as client:
            with socket.create_connection(("127.0.0.1", port)) as plain, believing_any().wrap_socket(plain) as server:
                back = threading.Thread(target=pump, args=(server, client, count, 1))
                back.start()
                pump(client, server, count, 0)
                back.join()
    except (OSError, ssl.SSLError):
        pass
    print(*count, flush=True)


def main(address, identity, port):
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(identity)
    with socket.create_server((address, 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            stream, _ = listener.accept()
            threading.Thread(target=intercept, args=(stream, shown, int(port)), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
