"""nc with openssl's digest at both sides, for one file; tar and nc, without a digest, for a tree."""

import contextlib
import os

from cases import FILE, TREE
from daemons import free_port
from peers.peer import HOST, Peer
from processes import RECEIVER, SENDER, Command


class Shell(Peer):
    """Transfers that are two lines of bash, one of each end: $1 is the path, $2 the port, $3 a name for a FIFO."""

    send = receive = ""

    def prepare(self, job):
        super().prepare(job)
        for end in (SENDER, RECEIVER):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._fifo(end))

    def receivers(self, job):
        self._port = free_port()
        return [(self._port, self._command(RECEIVER, self.receive, f"{job.destination}/{job.material.loads[0]}"))]

    def steps(self, job):
        return [[self._command(SENDER, self.send, job.sources[0])]]

    def _command(self, end, script, path):
        return Command(end, ["bash", "-o", "pipefail", "-c", script, end, path, str(self._port), self._fifo(end)])

    def _fifo(self, end):
        return self.state / f"{end}.fifo"


class Netcat(Shell):
    """The simple way: the sender's digest beside nc, which two cores do at once; the receiver's when all is there."""

    name = "nc"
    title = "nc, openssl twice"
    kinds = (FILE,)
    programs = {"nc": "netcat-openbsd", "openssl": "openssl", "bash": "bash"}
    send = f"""
openssl dgst -sha256 "$1" &
nc -N {HOST} "$2" <"$1" || exit
wait $!
"""
    receive = f"""
nc -l {HOST} "$2" >"$1" && openssl dgst -sha256 "$1"
"""


class NetcatTee(Netcat):
    """The clever way: both digests are computed of what passes. Which way is faster depends on the cores."""

    name = "nc-tee"
    title = "nc, tee, openssl twice"
    programs = {**Netcat.programs, "tee": "coreutils", "mkfifo": "coreutils"}
    send = f"""
mkfifo "$3" || exit
openssl dgst -sha256 <"$3" &
tee "$3" <"$1" | nc -N {HOST} "$2" || exit
wait $!
"""
    receive = f"""
mkfifo "$3" || exit
openssl dgst -sha256 <"$3" &
nc -l {HOST} "$2" | tee "$3" >"$1" || exit
wait $!
"""


class TarNetcat(Shell):
    """`tar | nc | tar`: nothing is verified at all."""

    name = "tar"
    title = "tar, nc, tar"
    kinds = (TREE,)
    programs = {"tar": "tar", "nc": "netcat-openbsd", "bash": "bash"}
    send = f"""
tar c -C "${{1%/*}}" "${{1##*/}}" | nc -N {HOST} "$2"
"""
    receive = f"""
nc -l {HOST} "$2" | tar x -C "${{1%/*}}"
"""
