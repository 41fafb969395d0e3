"""OpenSSH's scp, which speaks SFTP; for a resumed file sftp's reput."""

import getpass
import os
import pathlib
import subprocess

from cases import CLIENTS, FILE, RESUME, TREE
from daemons import Daemon, free_port
from peers.peer import HOST, Peer, find, keep_beginning
from processes import SENDER, Command, Failure

CIPHER = "aes128-gcm@openssh.com"
SEPARATION = pathlib.Path("/run/sshd")

# Debian's own settings, and below them what a server of the run needs: its keys, a folder whose parents others may
# write to, and as many clients at once as a case has.
SERVER = """\
KbdInteractiveAuthentication no
UsePAM yes
X11Forwarding yes
PrintMotd no
AcceptEnv LANG LC_*
Subsystem sftp /usr/lib/openssh/sftp-server
ListenAddress {host}:{port}
HostKey {state}/host
AuthorizedKeysFile {state}/user.pub
PidFile none
StrictModes no
MaxStartups 2000
"""

CLIENT = """\
Host *
SendEnv LANG LC_*
HashKnownHosts yes
IdentityFile {state}/user
IdentitiesOnly yes
UserKnownHostsFile {state}/known
StrictHostKeyChecking yes
BatchMode yes
"""


class Scp(Peer):
    """`scp -c aes128-gcm@openssh.com`. The bytes are sealed on the way; nothing compares or flushes what was stored."""

    name = "scp"
    title = "scp aes128-gcm"
    # Of a thousand, each with processes at both ends, many would not be let in within Debian's LoginGraceTime.
    most_clients = 200
    _made = False
    kinds = (FILE, TREE, CLIENTS, RESUME)
    version = (("ssh", "-V"),)
    programs = {"scp": "openssh-client", "ssh-keygen": "openssh-client", "sshd": "openssh-server"}

    def start(self, job):
        for key in ("host", "user"):
            if not (self.state / key).exists():
                make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "compare", "-f", self.state / key]
                subprocess.run(make, check=True, stdin=subprocess.DEVNULL)
        port = free_port()
        public = (self.state / "host.pub").read_text()
        (self.state / "known").write_text(f"[{HOST}]:{port} {public}")
        (self.state / "client").write_text(CLIENT.format(state=self.state))
        (self.state / "server").write_text(SERVER.format(state=self.state, host=HOST, port=port))
        try:
            if not SEPARATION.exists() and os.geteuid() == 0:
                SEPARATION.mkdir(mode=0o755)
                self._made = True
        except OSError as error:
            raise Failure(f"sshd needs {SEPARATION}: {error.strerror}") from error
        # It starts itself again for each connection, and wants its whole path for that.
        self.daemon = Daemon(self.launcher, [find("sshd"), "-D", "-e", "-f", self.state / "server"], port)

    def stop(self):
        peak = super().stop()
        if self._made:
            SEPARATION.rmdir()
        return peak

    def prepare(self, job):
        super().prepare(job)
        if job.case.kind == RESUME:
            keep_beginning(job, "file")
            (self.state / "batch").write_text(f"reput {job.sources[0]} {job.destination}/file\n")

    def steps(self, job):
        common = ["-q", "-F", self.state / "client", "-P", str(self.daemon.port), "-c", CIPHER]
        there = f"{getpass.getuser()}@{HOST}"
        if job.case.kind == RESUME:
            return [[Command(SENDER, ["sftp", *common, "-b", self.state / "batch", there])]]
        recursive = [] if job.case.kind == FILE else ["-r"]
        target = f"{there}:{job.destination}/"
        return [[Command(SENDER, ["scp", *common, *recursive, source, target]) for source in job.sources]]
