"""curl's PUT to nginx, and openssl's digest at both sides."""

import os

from cases import CLIENTS, FILE, TREE
from daemons import Daemon, free_port
from peers.peer import HOST, Peer, find
from processes import RECEIVER, SENDER, Command

# Debian's own settings of sendfile and tcp_nopush; the folder of unfinished uploads is in the file system of the
# destination, as the manual advises.
CONFIGURATION = """\
daemon off;
{user}worker_processes {workers};
pid {state}/pid;
error_log {state}/error.log;
events {{ worker_connections 4096; }}
http {{
    sendfile on;
    tcp_nopush on;
    access_log {state}/access.log;
    client_body_temp_path {state}/body;
    proxy_temp_path {state}/proxy;
    fastcgi_temp_path {state}/fastcgi;
    uwsgi_temp_path {state}/uwsgi;
    scgi_temp_path {state}/scgi;
    server {{
        listen {host}:{port} backlog=4096;
        root {destination};
        client_max_body_size 0;
        client_body_buffer_size 1m;
        dav_methods PUT;
        create_full_put_path on;
    }}
}}
"""

# The sender's digest is computed while curl sends, which two cores do faster than one after the other. The receiver's
# can only be computed when the file is there.
SEND_FILE = """
openssl dgst -sha256 "$1" &
curl -sS --fail -T "$1" "$2" || exit
wait $!
"""
SEND_FOLDER = """
set -o pipefail
find "$1" -type f -print0 | xargs -0 -n 500 openssl dgst -sha256 &
curl -sS --fail --fail-early -K "$2" || exit
wait $!
"""
DIGEST_ALL = """
set -o pipefail
find "$1" -type f -print0 | xargs -0 -n 500 -P "$2" openssl dgst -sha256
"""


class Curl(Peer):
    """`curl -T`; for folders one curl that has a list, and keeps its connection."""

    name = "curl"
    title = "curl, nginx, openssl twice"
    kinds = (FILE, TREE, CLIENTS)
    version = ("curl", "--version"), ("nginx", "-v"), ("openssl", "version")
    programs = {"curl": "curl", "nginx": "nginx", "openssl": "openssl", "bash": "bash"}

    def start(self, job):
        port = free_port()
        # The workers of root's server are another user's otherwise, who cannot write here.
        user = "user root;\n" if os.geteuid() == 0 else ""
        workers = os.cpu_count()
        values = {"user": user, "workers": workers, "state": self.state, "destination": job.destination}
        (self.state / "nginx.conf").write_text(CONFIGURATION.format(**values, host=HOST, port=port))
        argv = [find("nginx"), "-p", self.state, "-c", self.state / "nginx.conf", "-e", self.state / "error.log"]
        self.daemon = Daemon(self.launcher, argv, port, workers)
        if job.case.kind != FILE:
            for load, paths in job.material.by_load():
                with open(self._list(load), "w") as entries:
                    entries.writelines(self._entry(job, path) for path in paths)

    def steps(self, job):
        sends = [self._send(job, load) for load in job.material.loads]
        argv = ["bash", "-c", DIGEST_ALL, "receive", job.destination, str(os.cpu_count())]
        if job.case.kind == FILE:
            argv = ["openssl", "dgst", "-sha256", f"{job.destination}/{job.material.loads[0]}"]
        return [sends, [Command(RECEIVER, argv)]]

    def _send(self, job, load):
        source = os.path.join(job.material.root, load)
        if job.case.kind == FILE:
            return Command(SENDER, ["bash", "-c", SEND_FILE, "send", source, self._url(load)])
        return Command(SENDER, ["bash", "-c", SEND_FOLDER, "send", source, self._list(load)])

    def _list(self, load):
        return self.state / f"{load}.list"

    def _url(self, path):
        return f"http://{HOST}:{self.daemon.port}/{path}"

    def _entry(self, job, path):
        return f'upload-file = "{os.path.join(job.material.root, path)}"\nurl = "{self._url(path)}"\n'
