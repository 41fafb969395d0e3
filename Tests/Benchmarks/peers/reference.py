"""The limit: reference.c, which does the work and nothing else."""

import pathlib
import subprocess

from cases import CLIENTS, FILE, RESUME, TREE
from daemons import free_port
from peers.peer import Peer, keep_beginning
from processes import RECEIVER, SENDER, Command, Failure

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "reference.c"


class Reference(Peer):
    """A receiver a round, which takes a connection of each client in a process of its own."""

    name = "reference"
    title = "reference in C"
    durable = True
    kinds = (FILE, TREE, CLIENTS, RESUME)
    programs = {"cc": "gcc libssl-dev"}

    def start(self, job):
        self._binary = self.state / "reference"
        if not self._binary.exists():
            command = ["cc", "-O2", "-o", self._binary, SOURCE, "-lcrypto"]
            said = subprocess.run(command, capture_output=True, text=True)
            if said.returncode != 0:
                first = said.stderr.strip().partition("\n")[0]
                raise Failure(f"cc does not compile it (apt-get install gcc libssl-dev): {first}")
        for load, paths in job.material.by_load():
            with open(self._names(load), "w") as names:
                names.writelines(f"{path}\n" for path in paths)

    def prepare(self, job):
        super().prepare(job)
        if job.case.kind == RESUME:
            keep_beginning(job, "file.part")

    def receivers(self, job):
        self._port = free_port()
        argv = [self._binary, "receive", self._port, len(job.material.loads)]
        return [(self._port, Command(RECEIVER, list(map(str, argv)), folder=job.destination))]

    def steps(self, job):
        begin = job.kept_bytes if job.case.kind == RESUME else 0
        send = [str(self._binary), "send", str(self._port), str(begin)]
        folder = job.material.root
        return [[Command(SENDER, send, stdin=self._names(load), folder=folder) for load in job.material.loads]]

    def _names(self, load):
        return self.state / f"{load}.names"
