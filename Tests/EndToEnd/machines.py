"""Two machines, played by two network namespaces with a wire between them."""

import os
import re
import subprocess

from sending import SendCase
from support import FXFER, PATIENCE
from waiting import eventually

HERE, THERE = "192.0.2.1", "192.0.2.2"


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


class MachinesCase(SendCase):
    """`here` and `there` are two machines of these tests' own."""

    def setUp(self):
        super().setUp()
        self.here, self.there = f"fxfer-here-{os.getpid()}", f"fxfer-there-{os.getpid()}"
        try:
            for name in (self.here, self.there):
                ip("netns", "add", name)
                self.addCleanup(ip, "netns", "del", name)
            ip("-n", self.here, "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", self.there)
            for name, address in ((self.here, HERE), (self.there, THERE)):
                ip("-n", name, "address", "add", f"{address}/24", "dev", "wire")
                ip("-n", name, "address", "add", f"2001:db8::{address[-1]}/64", "dev", "wire", "nodad")
                # Without this, a link-local address is of no use for its first second.
                ip("netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.wire.accept_dad=0")
                ip("-n", name, "link", "set", "wire", "up")
                ip("-n", name, "link", "set", "lo", "up")
        except (OSError, subprocess.CalledProcessError) as error:
            self.skipTest(f"no network namespaces here: {error}")

    @staticmethod
    def on(machine, *command):
        """The command that runs another one on a machine."""
        return ["ip", "netns", "exec", machine, *map(os.fsencode, command)]

    def serve_here(self, *options, **keywords):
        return self.serve(*options, listen="0", wrapper=["ip", "netns", "exec", self.here], **keywords)

    def run_on(self, machine, *arguments, **options):
        """Runs fxfer on a machine to its end."""
        options = {"stdin": subprocess.DEVNULL, "text": True, "timeout": PATIENCE, **options}
        return subprocess.run(self.on(machine, FXFER, *arguments), capture_output=True, **options)

    @staticmethod
    def link_local(machine):
        """The machine's link-local address, once the kernel has made it."""

        def look():
            command = ["ip", "-n", machine, "-6", "address", "show", "dev", "wire"]
            found = re.search(r"(fe80::[^/]+)/", subprocess.run(command, capture_output=True, text=True).stdout)
            return found and found[1]

        return eventually(look, "the kernel makes a link-local address")
