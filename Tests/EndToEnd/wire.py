"""A second implementation of the protocol: a client written from WireProtocol.md alone, in nothing but Python.

    python3 wire.py FILE HOST:PORT [NAME]
    python3 wire.py --get NAME HOST:PORT FILE
    python3 wire.py --list HOST:PORT [FOLDER]

Both directions go on where an earlier try was broken off. The tests use its parts to talk to a real server, politely
or not; `fake_server` plays a server with them.
"""

import os
import sys

from wire_connection import *
from wire_receiver import *
from wire_sender import *


def dial(address, **greeting):
    """A greeted connection to HOST:PORT."""
    host, _, port = address.rpartition(":")
    return connect(int(port), host).greet(**greeting)


def put(file, address, name=None):
    name = os.fsencode(name or os.path.basename(file))
    with open(file, "rb") as source, dial(address) as connection:
        status = os.fstat(source.fileno())
        attributes = {"size": status.st_size, "modified": status.st_mtime_ns, "permissions": status.st_mode & 0o777}
        receipt = upload(connection, name, source, attributes)
        connection.send(encode(BYE))
    return [f"{receipt.digest.hex()}  {os.fsdecode(receipt.path)}"]


def get(name, address, file):
    with dial(address, capabilities=SHARE) as connection:
        require(connection.terms.capabilities & SHARE, "the server does not share its files")
        receipt = Download(connection, os.fsencode(name), file).run()
        connection.send(encode(BYE))
    return [f"{receipt.digest.hex()}  {file}"]


def show(address, folder=""):
    with dial(address, capabilities=SHARE) as connection:
        require(connection.terms.capabilities & SHARE, "the server does not share its files")
        entries = listing(connection, os.fsencode(folder))
        connection.send(encode(BYE))
    return [line(entry) for entry in entries]


def main(arguments):
    match arguments:
        case ["--get", name, address, file]:
            command, rest = get, [name, address, file]
        case ["--list", address, *folder] if len(folder) <= 1:
            command, rest = show, [address, *folder]
        case [file, address, *name] if len(name) <= 1 and not file.startswith("--"):
            command, rest = put, [file, address, *name]
        case _:
            print("\n".join(__doc__.splitlines()[2:5]), file=sys.stderr)
            return 64
    try:
        lines = command(*rest)
    except (OSError, EOFError, WireError) as failure:
        print(f"wire.py: {failure}", file=sys.stderr)
        return 1
    for text in lines:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
