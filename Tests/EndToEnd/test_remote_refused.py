"""A server accepts its own machine only, and tells others why. Two network namespaces are the two machines."""

import os
import pathlib
import subprocess
import unittest

from machines import HERE, THERE, MachinesCase, ip
from support import PATIENCE, sha256


class RemoteTest(MachinesCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve_here()
        self.source = self.file("f", os.urandom(3 << 20))

    def send(self, machine, host, *arguments):
        return self.run_on(machine, "send", self.source, f"{host}:{self.server.port}", *arguments)

    def assert_own_machine_works(self, *hosts):
        """The server takes files from its own machine, whatever address it is reached at."""
        for number, host in enumerate(hosts):
            with self.subTest(host):
                result = self.send(self.here, host, "--as", f"own{number}")
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertEqual(self.server.published()[b"own%d" % number], sha256(self.source))

    def test_other_machine(self):
        """Another machine gets status 77, the reason and what to do; nothing is stored, the log has its address."""
        for host, peer in ((HERE, THERE), ("[2001:db8::1]", "2001:db8::2")):
            with self.subTest(host):
                result = self.send(self.there, host)
                self.assertEqual((result.returncode, result.stdout), (77, ""))
                self.assertRegex(result.stderr, r"\Afxfer: [^\n]*own machine[^\n]*\n\Z")
                self.assert_nothing_stored(self.server)
        self.assert_own_machine_works("127.0.0.1")
        log = self.stop(self.server)
        self.assertIn(THERE, log)
        self.assertIn("2001:db8::2", log)
        self.assertEqual(log.count("not-permitted"), 2)

    def test_own_machine(self):
        """The own machine is let in at the loopback addresses and at its outer addresses."""
        self.assert_own_machine_works("127.0.0.1", "[::1]", "127.0.0.9", HERE, "[2001:db8::1]")

    def test_link_local(self):
        """A link-local address with its scope works on the own machine, and is refused from another."""
        address, _ = [self.link_local(machine) for machine in (self.here, self.there)]
        result = self.send(self.there, f"[{address}%wire]")
        self.assertEqual((result.returncode, result.stdout), (77, ""), result.stderr)
        self.assert_nothing_stored(self.server)
        self.assert_own_machine_works(f"[{address}%wire]")

    def test_route_to_loopback(self):
        """Another machine that claims a loopback address is not taken for the own one."""
        ip("-n", self.there, "address", "add", "127.0.0.9/32", "dev", "wire")
        result = self.send(self.there, HERE)
        self.assertEqual((result.returncode, result.stdout), (77, ""))
        self.assert_nothing_stored(self.server)

    def test_several_files(self):
        """With several files, the reason is told once, and none is stored."""
        other = self.file("g")
        result = self.run_on(self.there, "send", self.source, other, f"{HERE}:{self.server.port}")
        self.assertEqual((result.returncode, result.stdout), (77, ""))
        self.assertIn("own machine", result.stderr)
        self.assert_nothing_stored(self.server)

    def test_stranger(self):
        """A web client from another machine gets no more than the short answer; the server goes on."""
        script = (
            "import socket,sys;"
            "s=socket.create_connection((sys.argv[1],int(sys.argv[2])),60);"
            "s.sendall(b'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');"
            "print(s.makefile('rb').read().decode())"
        )
        command = self.on(self.there, "python3", "-c", script, HERE, str(self.server.port))
        result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        self.assertIn("400", result.stdout, result.stderr)
        self.assertNotIn(str(pathlib.Path(self.folder)), result.stdout)
        self.assert_own_machine_works("127.0.0.1")


if __name__ == "__main__":
    unittest.main()
