"""rsync to its daemon, whole files; without and with flushing them."""

import os

from cases import CLIENTS, FILE, RESUME, TREE
from daemons import Daemon, free_port
from peers.peer import HOST, Peer, find, keep_beginning
from processes import SENDER, Command

# `listen backlog` and `reverse lookup` are for rsync's good: many clients at once, no questions about names.
CONFIGURATION = """\
use chroot = no
listen backlog = 1024
reverse lookup = no
{socket}log file = {state}/log
[files]
path = {destination}
read only = no
{user}"""


class Rsync(Peer):
    """`rsync -W`. It verifies by a fast digest of its own (xxh128), not by SHA-256, and does not keep times here."""

    name = "rsync"
    title = "rsync -W"
    kinds = (FILE, TREE, CLIENTS, RESUME)
    version = (("rsync", "--version"),)
    programs = {"rsync": "rsync"}
    flags = ()
    socket = ""

    def start(self, job):
        # Otherwise a daemon of root's writes as nobody.
        user = "uid = root\ngid = root\n" if os.geteuid() == 0 else ""
        configuration = self.state / "rsyncd.conf"
        values = {"state": self.state, "destination": job.destination, "user": user, "socket": self.socket}
        configuration.write_text(CONFIGURATION.format(**values))
        port = free_port()
        argv = [find("rsync"), "--daemon", "--no-detach", "--address", HOST, "--port", str(port)]
        self.daemon = Daemon(self.launcher, [*argv, "--config", configuration], port)

    def prepare(self, job):
        super().prepare(job)
        if job.case.kind == RESUME:
            keep_beginning(job, "file")

    def steps(self, job):
        # --append-verify, which excludes -W, reads what is there at both ends, as fxfer does, and adds the rest.
        ways = {FILE: ["-W"], RESUME: ["--append-verify"]}
        argv = ["rsync", *ways.get(job.case.kind, ["-r", "-W"]), *self.flags]
        target = f"rsync://{HOST}:{self.daemon.port}/files/"
        return [[Command(SENDER, [*argv, source, target]) for source in job.sources]]


class RsyncFsync(Rsync):
    """The same with each file flushed. Its folders are not."""

    name = "rsync-fsync"
    title = "rsync -W --fsync"
    durable = True
    flags = ("--fsync",)


class RsyncNodelay(Rsync):
    """The same without waiting, at either end, until small packets are acknowledged: that costs rsync some 100 ms a
    transfer on one machine, which its users have, and which hides how fast it is otherwise."""

    name = "rsync-nodelay"
    title = "rsync -W, TCP_NODELAY"
    flags = ("--sockopts=TCP_NODELAY",)
    socket = "socket options = TCP_NODELAY\n"
