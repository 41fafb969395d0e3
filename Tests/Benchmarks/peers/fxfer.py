"""fxfer itself: plain, as between programs of one machine, and with TLS, as between machines."""

import json
import re
import subprocess

from cases import CLIENTS, FILE, RESUME, RESUMED_SHARE, TREE
from cutting import Cut
from daemons import Daemon, free_port
from peers.peer import HOST, Peer
from processes import SENDER, Command, Failure, eventually

MIB = 1 << 20
CONNECTION_LOST = 75


class Fxfer(Peer):
    """`fxfer send` to `fxfer serve`."""

    name = title = "fxfer"
    durable = True
    kinds = (FILE, TREE, CLIENTS, RESUME)

    def start(self, job):
        port, clients = free_port(), len(job.material.loads)
        # Only where the case has more clients than a server takes by default.
        most = str(clients + 10)
        limits = ["--max-connections", most, "--max-connections-per-address", most] if clients > 200 else []
        serve = [self.options.fxfer, "serve", "--dir", job.destination, "--identity", self.state]
        self.daemon = Daemon(self.launcher, [*serve, "--listen", f"{HOST}:{port}", *limits], port)

    def prepare(self, job):
        super().prepare(job)
        if job.case.kind == RESUME:
            self._interrupt(job)

    def trust(self):
        """Options that say whom the client believes."""
        return []

    def steps(self, job):
        return [[self._send(source, self.daemon.port) for source in job.sources]]

    def inspect(self, job, programs):
        if job.case.kind == RESUME and "goes on at" not in programs[0].last_words():
            raise Failure("fxfer sent all again instead of the rest")

    def _send(self, source, port, *more):
        return Command(SENDER, [self.options.fxfer, "send", *self.trust(), *more, source, f"{HOST}:{port}"])

    def _interrupt(self, job):
        """Sends the beginning over a line that is cut then, and waits until the server keeps it."""
        with Cut(self.daemon.port, job.kept_bytes) as cut:
            program = self.launcher.start(self._send(job.sources[0], cut.port, "--retries", "0"))
            program.wait()
            program.check(allowed=(CONNECTION_LOST,))
        # What was on the way at the end, and the chunk that was not whole.
        least = min(job.kept_bytes - 4 * MIB, RESUMED_SHARE * job.kept_bytes)
        eventually(lambda: self._kept(job) >= least, f"fxfer keeps nine tenths of '{job.sources[0]}'")

    def _kept(self, job):
        """How many verified bytes the server keeps of an upload that has ended."""
        command = [self.options.fxfer, "partials", job.destination, "--json"]
        said = subprocess.run(command, env=self.launcher.environment, capture_output=True, text=True, check=True)
        kept = [event["verified"] for event in map(json.loads, said.stdout.splitlines()) if not event["inUse"]]
        return max(kept, default=0)


class FxferTLS(Fxfer):
    """The same with TLS 1.3: a client that is told the server's key speaks it on its own machine, too."""

    name = "fxfer-tls"
    title = "fxfer with TLS"

    def trust(self):
        return ["--server-key", self._key]

    def start(self, job):
        command = [self.options.fxfer, "identity", "--identity", self.state]
        said = subprocess.run(command, env=self.launcher.environment, capture_output=True, text=True)
        found = re.search(r"SHA256:\S+", said.stdout)
        if not found:
            raise Failure(f"fxfer identity says no key: {said.stderr.strip()}")
        self._key = found[0]
        super().start(job)
