"""Clients of all kinds, good, rude and silent, that a server lives with for long; and what it holds meanwhile."""

import collections
import contextlib
import hashlib
import io
import os
import pathlib
import random
import re
import socket
import threading
import time

import wire
from abuse import reset
from frames import *
from support import run

MIB = 1 << 20
#: What random bytes are cut from: making them costs more than sending them.
NOISE = random.Random(0).randbytes(8 * MIB)


def sha256_of(data):
    return hashlib.sha256(data).hexdigest()


class Holdings:
    """What a server process holds just now."""

    def __init__(self, server):
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
        self.memory = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10
        self.threads = int(re.search(r"Threads:\s+(\d+)", status)[1])
        self.descriptors = server.descriptors()
        folder = server.directory / ".fxfer" / "partials"
        self.staged = 0
        for entry in os.scandir(folder):
            with contextlib.suppress(FileNotFoundError):
                self.staged += entry.stat().st_size

    def figures(self):
        return {**vars(self), "memory": f"{self.memory / MIB:.1f}MiB"}


class Worker(threading.Thread):
    """A thread that plays one client after the other until it is told to end, by a seed, with names of its own.

    `allowed` is what may be under each name: the digest of the last receipt, and of what was sent since without one.
    None stands for nothing.
    """

    NAMES = 20

    def __init__(self, server, number, seed, ends, folder):
        super().__init__(daemon=True)
        self.server, self.number, self.ends = server, number, ends
        self.chance = random.Random(f"{seed} {number}")
        self.folder = folder / f"worker{number}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.allowed, self.counts, self.failure = {}, collections.Counter(), None
        self.silent = collections.deque()

    #: How often each kind of client comes.
    MIX = {
        **{"send_small": 8, "send_medium": 4, "send_big": 1, "send_many": 2, "send_by_program": 0.3},
        **{"get": 3, "list": 2, "abort": 8, "resume": 1, "be_silent": 3},
    }

    def run(self):
        try:
            while not self.ends.is_set():
                action = self.chance.choices(list(self.MIX), self.MIX.values())[0]
                getattr(self, action)()
                self.counts[action] += 1
        except Exception as failure:
            self.failure = failure
        finally:
            for stream in self.silent:
                stream.close()

    def connect(self, **greeting):
        return wire.connect(self.server.port).greet(**greeting)

    def content(self, size):
        start = self.chance.randrange(len(NOISE) - size)
        return os.urandom(8) + NOISE[start + 8 : start + size]

    def name(self):
        return b"w%d/f%d" % (self.number, self.chance.randrange(self.NAMES))

    def attempt(self, name, data):
        """The name may have this content from now on."""
        self.allowed.setdefault(name, {None}).add(sha256_of(data))

    def stored(self, name, data):
        """There is a receipt."""
        self.allowed[name] = {sha256_of(data)}
        self.counts["receipts"] += 1
        self.counts["bytes"] += len(data)

    def send(self, size, eager=False):
        name, data = self.name(), self.content(size)
        self.attempt(name, data)
        with self.connect() as connection:
            attributes = {"size": size, "waits": not eager}
            wire.upload(connection, name, io.BytesIO(data), attributes, eager)
            connection.send(encode(BYE))
        self.stored(name, data)

    def send_small(self):
        self.send(self.chance.randrange(8, 3000), eager=True)

    def send_medium(self):
        self.send(self.chance.randrange(30_000, 400_000))

    def send_big(self):
        self.send(self.chance.randrange(MIB, 3 * MIB))

    def send_many(self):
        """Files side by side over one connection."""
        files = {b"w%d/m%d" % (self.number, place): self.content(self.chance.randrange(8, 5000)) for place in range(16)}
        for name, data in files.items():
            self.attempt(name, data)
        with self.connect() as connection:
            uploads = [
                wire.Upload(connection, name, io.BytesIO(data), {"size": len(data)}, eager=True)
                for name, data in files.items()
            ]
            wire.upload_all(connection, uploads)
            wire.require(all(upload.receipt for upload in uploads), "a file was refused")
            connection.send(encode(BYE))
        for name, data in files.items():
            self.stored(name, data)

    def send_by_program(self):
        """The built program sends a folder."""
        name = f"tree{self.chance.randrange(3)}"
        files = {f"{place % 3}/f{place}": self.content(self.chance.randrange(8, 20_000)) for place in range(30)}
        for path, data in files.items():
            file = self.folder / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            self.attempt(f"w{self.number}/{name}/{path}".encode(), data)
        result = run("send", "--quiet", str(self.folder / name), f"{self.server.address}/w{self.number}")
        wire.require(result.returncode == 0, f"send: {result.returncode} {result.stderr}")
        for path, data in files.items():
            self.stored(f"w{self.number}/{name}/{path}".encode(), data)

    def get(self):
        """A file of its own, which nobody changes meanwhile."""
        known = [name for name, digests in self.allowed.items() if None not in digests]
        if not known:
            return
        name = self.chance.choice(known)
        with self.connect(capabilities=SHARE) as connection:
            receipt = wire.Download(connection, name, self.folder / "got").run()
            connection.send(encode(BYE))
        wire.require(receipt.digest.hex() in self.allowed[name], f"{name} is not what was stored")

    def list(self):
        with self.connect(capabilities=SHARE) as connection:
            wire.listing(connection, self.chance.choice((b"", b"w%d" % self.number)) if self.allowed else b"")
            connection.send(encode(BYE))

    def abort(self):
        """Goes away at any place of an upload, in order or with RST."""
        data = self.content(self.chance.choice((100, 3000, 100_000, 2 * MIB)))
        size, digest = len(data), hashlib.sha256(data).digest()
        # Of an upload whose end nobody waited for, nobody knows when it takes its name: these have names of their own.
        name, stage = b"w%d/a%d" % (self.number, self.chance.randrange(self.NAMES)), self.chance.randrange(7)
        connection = wire.connect(self.server.port)
        with contextlib.suppress(ConnectionError):
            if stage > 0:
                connection.greet()
            if stage == 1:
                connection.send(offer(1, name, size=size)[: self.chance.randrange(1, 30)])
            if stage > 1:
                connection.send(offer(1, name, size=size, waits=True))
                connection.receive()
            if stage > 2:
                first = data[:MIB]
                part = chunk(1, 0, first, hashlib.sha256(first).digest())
                connection.send(part[: self.chance.randrange(len(part))] if stage == 3 else part)
            if stage > 4:
                self.attempt(name, data)
                rest = chunk(1, MIB, data[MIB:], digest) if size > MIB else b""
                connection.send(rest, encode(FINISH, id=1, size=size, digest=digest))
            if stage == 6:
                connection.send(encode(BYE))
        self.chance.choice((reset, socket.socket.close))(connection.socket)

    def resume(self):
        """Is broken off behind the first chunk, and comes again."""
        name, data = self.name(), self.content(2 * MIB + 100)
        self.attempt(name, data)
        with self.connect() as connection:
            broken = wire.Upload(connection, name, io.BytesIO(data), {"size": len(data)})
            broken.offer()
            broken.handle(connection.expect(ACCEPT))
            if broken.resumed == 0:
                broken.step()
                broken.handle(connection.expect(CONFIRM))
        # The server may not have noticed yet, and says that the name is busy.
        deadline = time.monotonic() + 60
        while True:
            with self.connect() as connection:
                upload = wire.Upload(connection, name, io.BytesIO(data), {"size": len(data)})
                wire.upload_all(connection, [upload])
                connection.send(encode(BYE))
            if upload.receipt:
                break
            wire.require(upload.failure.code == 8 and time.monotonic() < deadline, f"refused: {upload.failure}")
        self.counts["resumed"] += upload.resumed > 0
        self.stored(name, data)

    def be_silent(self):
        """Says some bytes or none, and nothing more; the server or its end drops it."""
        stream = socket.create_connection(("127.0.0.1", self.server.port))
        stream.send((PREAMBLE + hello())[: self.chance.randrange(20)])
        self.silent.append(stream)
        if len(self.silent) > 20:
            self.silent.popleft().close()


class Traffic:
    """Workers side by side, in rounds; what each one's names may have lasts over all rounds."""

    def __init__(self, server, count, seed, folder):
        self.server, self.seed, self.folder, self.count = server, seed, folder, count
        self.allowed, self.counts = [{} for _ in range(count)], collections.Counter()

    def run(self, seconds, round, kind=Worker, ends=None):
        """Lets them work for so long, or until `ends` is set; raises what one of them has met."""
        ends = ends or threading.Event()
        workers = [
            kind(self.server, number, f"{self.seed} {round}", ends, self.folder) for number in range(self.count)
        ]
        for worker, allowed in zip(workers, self.allowed):
            worker.allowed = allowed
            worker.start()
        ends.wait(seconds)
        ends.set()
        for worker in workers:
            worker.join()
            self.counts += worker.counts
            if worker.failure:
                raise worker.failure

    def wrong(self, published):
        """What is published and may not be, or the other way round; `published` as `Server.published` gives it."""
        allowed = {name: digests for each in self.allowed for name, digests in each.items()}
        names = allowed.keys() | published.keys()
        return [name for name in names if published.get(name) not in allowed.get(name, {None})]
