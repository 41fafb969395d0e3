"""What all peers have in common."""

import os
import shutil
from dataclasses import dataclass

from cases import RESUMED_SHARE, Case
from material import Material
from place import Place
from processes import Failure

HOST = "127.0.0.1"


@dataclass
class Job:
    """One case for one peer: what to send, and the folder where it shall arrive."""

    case: Case
    material: Material
    destination: str

    @property
    def sources(self):
        """The path of each client's file or folder."""
        return [os.path.join(self.material.root, load) for load in self.material.loads]

    @property
    def kept_bytes(self):
        """How much of a resumed file is there before."""
        return int(self.material.bytes * RESUMED_SHARE)


class Peer:
    """A way to transfer files. One object serves one place, for any number of jobs, one after the other."""

    #: For --peers and for tables.
    name = ""
    title = ""
    #: Whether success means that files and names were flushed to the disk.
    durable = False
    #: The kinds of cases that it can do.
    kinds = ()
    #: How many clients at once a machine with two cores can have of it.
    most_clients = 10_000
    #: Program -> Debian package.
    programs = {}
    #: Commands whose first lines say which version is measured.
    version = ()

    def __init__(self, place: Place, options):
        self.place, self.options, self.launcher = place, options, place.launcher
        self.state = place.folder(f"state/{self.name}")
        self.daemon = None

    @classmethod
    def absent(cls):
        """What is missing here: program -> Debian package."""
        return {program: package for program, package in cls.programs.items() if find(program) is None}

    @classmethod
    def can(cls, case):
        """Whether it takes part in a case."""
        return case.kind in cls.kinds and len(case.plan.loads) <= cls.most_clients

    def start(self, job):
        """Before the rounds of a case: starts `self.daemon`, where there is one."""

    def prepare(self, job):
        """Before each round, and not timed."""
        self.place.clear(job.destination)

    def receivers(self, job):
        """Receiving programs that end with the transfer: (port, command) each. They listen before the time starts."""
        return []

    def steps(self, job):
        """The timed work: lists of commands, one after the other; those of a list run at once."""
        raise NotImplementedError

    def inspect(self, job, programs):
        """After each round: throws where the programs, which have ended, did not do what was meant."""

    def stop(self):
        """Ends the daemon; answers its peak memory."""
        daemon, self.daemon = self.daemon, None
        return daemon.stop() if daemon else 0


def find(program):
    """The path of a program; the places of daemons are looked into, too."""
    return shutil.which(program, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin:/usr/local/sbin")


def keep_beginning(job, name):
    """Puts the first nine tenths of the one file into the destination, as an interrupted transfer leaves them."""
    left = job.kept_bytes
    with open(job.sources[0], "rb") as source, open(os.path.join(job.destination, name), "wb") as target:
        while left > 0:
            block = source.read(min(left, 1 << 20))
            if not block:
                raise Failure(f"'{job.sources[0]}' has less than {job.kept_bytes} bytes")
            target.write(block)
            left -= len(block)
