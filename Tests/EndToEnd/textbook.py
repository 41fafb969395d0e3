"""The textbook's eight programs as our own, written from shared/textbook.md with nothing but Python's library.

    python3 textbook.py ROLE HOST PORT

ROLE is greeting, file, echo or chat, with `-server` or `-client` behind it. A server takes a free port for 0, and says
where it listens in its first line, as fxfer does. `file-server` sends pjfile1.txt, `file-client` writes pjrecfile. One
`recv` is one message, of the sizes that the originals ask for.
"""

import contextlib
import os
import socket
import sys
import threading

GREETING = b"Got your connection"
REQUEST = b"Client connected"
THANKS = b"Thank you for connecting"
ECHO_GREETING = b"Connect"
ECHO_PREFIX = b"Server replies: "
WINDUP = b"windup"


def show(text, message=b""):
    """Prints a line; bytes that are not UTF-8 are escaped."""
    print(text + message.decode(errors="backslashreplace"), flush=True)


def ask(prompt):
    """The user's next line as bytes, None at the end of the input. Only a terminal gets the prompt."""
    if sys.stdin.isatty():
        print(prompt, end="", flush=True)
    line = sys.stdin.buffer.readline()
    return line.removesuffix(b"\n") if line else None


def accept_one(listener):
    """One client; nobody else gets in."""
    client, address = listener.accept()
    listener.close()
    return client, address


def greeting_server(listener):
    client, address = accept_one(listener)
    with client:
        client.sendall(GREETING)
        show(f"{socket.gethostname()} {client} {address}")


def greeting_client(server):
    show("data is  ", server.recv(1024))


def file_server(listener):
    client, _ = accept_one(listener)
    with client:
        show("", client.recv(1024))
        with open("pjfile1.txt", "rb") as file:
            while piece := file.read(1024):
                client.sendall(piece)
        client.sendall(THANKS)


def file_client(server):
    """The original fails where a piece of 1,024 bytes splits a character; this one prints something instead."""
    server.sendall(REQUEST)
    with open("pjrecfile", "wb") as file:
        while piece := server.recv(1024):
            show("", piece)
            file.write(piece)


def echo_server(listener):
    show(f"Server My pid is {os.getpid()}")
    number = 0
    while True:
        client, address = listener.accept()
        number += 1
        show("Connected to: {}:{}".format(*address))
        show(f"Thread Number: {number}")
        threading.Thread(target=echo_to, args=[client], daemon=True).start()


def echo_to(client):
    with client, contextlib.suppress(ConnectionError):
        client.sendall(ECHO_GREETING)
        while message := client.recv(2048):
            client.sendall(ECHO_PREFIX + message)


def echo_client(server):
    show(f"My pid is {os.getpid()}")
    show("", server.recv(1024))
    while (line := ask("Enter message: ")) is not None:
        server.sendall(line)
        answer = server.recv(1024)
        show("", answer)
        if answer == ECHO_PREFIX + WINDUP:
            break


def chat_server(listener):
    client, _ = accept_one(listener)
    with client:
        while message := client.recv(2048):
            show(">>  ", message)
            if (line := ask(">> ")) is None:
                break
            client.sendall(line)
            if line == WINDUP:
                break


def chat_client(server):
    while (line := ask(">> ")) is not None:
        server.sendall(line)
        if not (answer := server.recv(2048)):
            break
        show(">>  ", answer)
        if line == WINDUP:
            break


SERVERS = {
    "greeting-server": greeting_server,
    "file-server": file_server,
    "echo-server": echo_server,
    "chat-server": chat_server,
}
CLIENTS = {
    "greeting-client": greeting_client,
    "file-client": file_client,
    "echo-client": echo_client,
    "chat-client": chat_client,
}


def main(role, host, port):
    if role in CLIENTS:
        with socket.create_connection((host, int(port))) as server:
            CLIENTS[role](server)
    else:
        with socket.create_server((host, int(port)), backlog=1024) as listener:
            show("listening on {}:{} (pid {})".format(*listener.getsockname(), os.getpid()))
            SERVERS[role](listener)


if __name__ == "__main__":
    main(*sys.argv[1:])
