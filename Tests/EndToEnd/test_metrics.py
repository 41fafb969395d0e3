"""`fxfer serve --metrics`: what is counted, and that the numbers are true."""

import hashlib
import io
import os
import unittest

import wire
from gate import Gate
from proxy import UP, Flip, Proxy
from scraping import ScrapeCase, ask, corrupt, files, refused
from storing import flip
from support import ONCE, PATIENCE, run
from test_python_client import DamagingUpload
from trust import fingerprint, make_token

MIB = 1 << 20
RECEIVED, SENT = "fxfer_bytes_received_total", "fxfer_bytes_sent_total"
IN_FLIGHT, CONNECTIONS = "fxfer_transfers_in_flight", "fxfer_connections"
ACCEPTED, REWINDS, REPAIRS = "fxfer_connections_total", "fxfer_rewinds_total", "fxfer_repairs_total"
FSYNCS, FILES = "fxfer_fsync_seconds_count", "fxfer_file_seconds_count"


class UploadTest(ScrapeCase):
    def test_at_the_start(self):
        """Everything is there from the start, and is 0; a scrape is no connection of the server's own port."""
        server = self.serve()
        for _ in range(2):
            samples = self.scrape(server)
            made_durable = {key for key in samples if key.startswith("fxfer_fsync_seconds")}
            self.assertEqual({samples[key] for key in samples.keys() - made_durable}, {0})
        for key in (RECEIVED, SENT, IN_FLIGHT, CONNECTIONS, ACCEPTED, REWINDS, REPAIRS, FSYNCS, FILES):
            self.assertIn(key, samples)
        for key in (files("sent", "unchanged"), refused("no-space"), corrupt("tls", "remote")):
            self.assertIn(key, samples)

    def test_uploads(self):
        """Bytes, files and times of uploads; what a client has stored before is told apart, and not counted again."""
        server = self.serve()
        big, small = self.file("big", os.urandom(3 * MIB + 5)), self.file("small", os.urandom(1000))
        before = self.scrape(server)[FSYNCS]
        self.assert_sent(big, small, server.address)
        expected = {RECEIVED: 3 * MIB + 1005, files("received", "stored"): 2, FILES: 2, IN_FLIGHT: 0, CONNECTIONS: 0}
        samples = self.await_values(server, expected)
        # Each file, and their folder.
        self.assertGreaterEqual(samples[FSYNCS] - before, 3)
        self.assertGreater(samples["fxfer_fsync_seconds_sum"], 0)
        self.assertGreater(samples["fxfer_file_seconds_sum"], 0)
        accepted = samples[ACCEPTED]
        self.assertGreaterEqual(accepted, 1)
        run("send", str(big), server.address)
        expected |= {files("received", "identical"): 1, FILES: 3, ACCEPTED: accepted + 1}
        samples = self.await_values(server, expected)
        self.assertEqual(sum(value for key, value in samples.items() if key.startswith("fxfer_refused_total")), 0)

    def test_unchanged_and_replaced(self):
        """A file that is not read because size and time are equal, and one that takes another's place."""
        server = self.serve("--on-conflict", "replace")
        source = self.file("f", b"one")
        self.assert_sent(source, server.address)
        run("send", "--compare", "quick", str(source), server.address)
        self.await_values(server, {files("received", "unchanged"): 1, RECEIVED: 3, IN_FLIGHT: 0, FILES: 1})
        source.write_bytes(b"other")
        self.assert_sent(source, server.address)
        self.await_values(server, {files("received", "replaced"): 1, RECEIVED: 8, IN_FLIGHT: 0, FILES: 2})

    def test_repaired(self):
        """Of a file that has decayed only what is damaged travels, and is counted."""
        server = self.serve()
        source = self.file("f", os.urandom(3 * MIB + 5))
        self.assert_sent(source, server.address)
        flip(server.directory / "f", MIB + 3, 3 * MIB + 1)
        self.assert_sent("--quiet", source, server.address)
        expected = {files("received", "repaired"): 1, REPAIRS: 2, RECEIVED: 4 * MIB + 10, FILES: 2, IN_FLIGHT: 0}
        self.await_values(server, expected)

    def test_folders_are_no_files(self):
        server = self.serve()
        (self.folder / "tree" / "empty").mkdir(parents=True)
        self.file("tree/f", b"content")
        self.assert_sent("--quiet", self.folder / "tree", server.address)
        self.await_values(server, {files("received", "stored"): 1, RECEIVED: 7, IN_FLIGHT: 0, CONNECTIONS: 0})

    def test_in_flight_and_resumed(self):
        """A transfer that stands still is in flight; broken off it has failed; gone on with, no byte counts twice."""
        server = self.serve()
        source = self.file("f", os.urandom(5 * MIB))
        with Gate(server.port, 2 * MIB + 100_000) as gate:
            client = self.sending(*ONCE, source, gate.address)
            gate.wait_until_held()
            self.await_values(server, {IN_FLIGHT: 1, CONNECTIONS: 1, RECEIVED: 2 * MIB, files("received", "stored"): 0})
            gate.cut()
            self.assertEqual(client.wait()[0], 75)
        self.await_values(server, {IN_FLIGHT: 0, CONNECTIONS: 0, files("received", "failed"): 1})
        self.assert_sent_again(source, server)
        self.await_values(server, {IN_FLIGHT: 0, RECEIVED: 5 * MIB, files("received", "stored"): 1, FILES: 1})

    def assert_sent_again(self, source, server):
        result = run("send", str(source), server.address)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("goes on at", result.stderr)


class RefusalTest(ScrapeCase):
    def test_files(self):
        """A name that is taken, one that is refused, and a file that is too large: each has its reason."""
        server = self.serve("--max-file-size", "1000")
        self.assert_sent(self.file("f", b"one"), server.address)
        self.assert_fails(73, self.file("other/f", b"two!"), server.address)
        self.await_values(server, {refused("exists"): 1, IN_FLIGHT: 0, files("received", "stored"): 1})
        self.assert_fails(73, self.file("big", bytes(2000)), server.address)
        self.await_values(server, {refused("too-large"): 1, IN_FLIGHT: 0})
        with wire.dial(server.address) as connection:
            connection.send(wire.offer(connection.next_id(), b"../f", size=1))
            connection.expect(wire.REFUSE)
            samples = self.await_values(server, {refused("name-refused"): 1, IN_FLIGHT: 0})
        lost = samples[files("received", "refused")] + samples[files("received", "failed")]
        self.assertEqual((lost, samples[files("received", "stored")], samples[RECEIVED] < 100), (3, 1, True))

    def test_connections(self):
        """A connection too many, one that breaks the protocol, and one without a token."""
        server = self.serve("--max-connections", "1")
        with wire.dial(server.address) as connection:
            self.assert_fails(75, *ONCE, self.file("f"), server.address)
            self.await_values(server, {refused("busy"): 1, CONNECTIONS: 1})
            connection.send(wire.encode(wire.CONFIRM, id=7, offset=1))
            with self.assertRaises(wire.PeerError):
                connection.receive()
        self.await_values(server, {refused("protocol-violation"): 1, CONNECTIONS: 0})
        tokens, _ = make_token(self)
        server = self.serve("--token-file", str(tokens), directory=self.folder / "second")
        self.assert_fails(77, *ONCE, self.file("f"), server.address)
        self.await_values(server, {refused("not-permitted"): 1})


class DamageTest(ScrapeCase):
    def upload_damaged(self, server, times):
        with wire.connect(server.port, timeout=PATIENCE).greet(64 << 10) as connection:
            content = os.urandom(100_000)
            one = DamagingUpload(connection, b"f", io.BytesIO(content), {"size": len(content)})
            one.damage = {64 << 10: times}
            wire.upload_all(connection, [one])
            return content, one

    def test_digests(self):
        """A chunk whose digest differs is asked for again; bytes count when they are right."""
        server = self.serve()
        content, _ = self.upload_damaged(server, 3)
        self.assertEqual(server.published(), {b"f": hashlib.sha256(content).hexdigest()})
        expected = {corrupt("digest"): 3, REWINDS: 3, RECEIVED: 100_000, files("received", "stored"): 1}
        self.await_values(server, expected | {corrupt("frame"): 0, refused("damaged"): 0, corrupt("digest", "remote"): 0})

    def test_given_up(self):
        """The last of too many damaged ones is not asked for again: the file is refused."""
        server = self.serve()
        _, one = self.upload_damaged(server, 1000)
        self.assertIsNone(one.receipt)
        self.assertEqual(server.published(), {})
        samples = self.await_values(server, {refused("damaged"): 1, files("received", "failed"): 1, IN_FLIGHT: 0})
        self.assertEqual(samples[corrupt("digest")], samples[REWINDS] + 1)
        self.assertEqual(samples[RECEIVED], 64 << 10)

    def test_frames(self):
        """A frame that is damaged ends the connection."""
        server = self.serve()
        with Proxy(server.port, Flip(UP, 30, 1)) as proxy:
            self.assertNotEqual(run("send", *ONCE, str(self.file("f")), proxy.address).returncode, 0)
            self.assertTrue(proxy.done)
        self.await_values(server, {corrupt("frame"): 1, corrupt("digest"): 0, refused("damaged"): 1, REWINDS: 0})
        self.assertEqual(server.published(), {})

    def test_tls(self):
        """A TLS record that is damaged ends the connection, too."""
        identity = self.folder / "identity"
        server = self.serve("--identity", str(identity))
        source = self.file("f", os.urandom(3 * MIB))
        with Proxy(server.port, Flip(UP, 600_000, 1)) as proxy:
            key = fingerprint(identity)
            self.assertEqual(run("send", *ONCE, "--server-key", key, str(source), proxy.address).returncode, 75)
            self.assertTrue(proxy.done)
        self.await_values(server, {corrupt("tls"): 1, corrupt("frame"): 0, corrupt("digest"): 0})
        self.assertEqual(server.published(), {})


class DownloadTest(ScrapeCase):
    def test_files(self):
        """Small and large files that clients get, once each; and what they do not get."""
        big, small = self.file("out/big", os.urandom(2 * MIB + 7)), self.file("out/small", b"content")
        server = self.serve("--share")
        for name in ("big", "small"):
            got = run("get", f"{server.address}/{name}", "--output", str(self.folder / name))
            self.assertEqual(got.returncode, 0, got.stderr)
            self.assertEqual((self.folder / name).read_bytes(), (self.folder / "out" / name).read_bytes())
        expected = {SENT: 2 * MIB + 14, files("sent", "stored"): 2, IN_FLIGHT: 0, RECEIVED: 0, FILES: 0}
        self.await_values(server, expected)
        self.assertEqual(run("get", f"{server.address}/none", "--output", str(self.folder / "n")).returncode, 66)
        self.await_values(server, expected | {files("sent", "refused"): 1, refused("no-input"): 1})

    def test_client_goes(self):
        """A client that goes away in the middle does not have the file."""
        self.file("out/f", os.urandom(8 * MIB))
        server = self.serve("--share")
        with wire.dial(server.address, capabilities=wire.SHARE) as connection:
            connection.send(wire.encode(wire.GET, id=1, path=b"f"))
            connection.expect(wire.OFFER)
            self.await_values(server, {IN_FLIGHT: 1, CONNECTIONS: 1})
        samples = self.await_values(server, {IN_FLIGHT: 0, CONNECTIONS: 0, files("sent", "failed"): 1})
        self.assertEqual(samples[SENT], 0)


class TextTest(ScrapeCase):
    def test_histograms(self):
        """Buckets grow, and the last one is the count."""
        server = self.serve()
        self.assert_sent(self.file("f"), server.address)
        self.await_values(server, {FILES: 1})
        samples = self.scrape(server)
        for name in ("fxfer_fsync_seconds", "fxfer_file_seconds"):
            buckets = [value for key, value in samples.items() if key.startswith(f"{name}_bucket")]
            self.assertEqual(buckets, sorted(buckets))
            self.assertGreater(len(buckets), 5)
            self.assertEqual(samples[f'{name}_bucket{{le="+Inf"}}'], samples[f"{name}_count"])
            self.assertEqual(buckets[-1], samples[f"{name}_count"])

    def test_nothing_of_clients(self):
        """No name, token, or word of a client is in it, and no number of lines depends on them."""
        tokens, values = make_token(self, "secretname")
        server = self.serve("--token-file", str(tokens), "--share")
        lines = len(ask(server.metrics_port).text.splitlines())
        mine = self.file("mine", f"{values[0]}\n".encode())
        mine.chmod(0o600)
        for name in ("evilname", 'evil"name\\', "evilname{} 7"):
            self.assert_sent("--token-file", mine, self.file(name, b"evilcontent"), server.address, stdin=None)
            run("get", "--token-file", str(mine), f"{server.address}/none-{name}", "--output", str(self.folder / "x"))
        run("send", *ONCE, str(self.file("evilnotoken")), server.address)
        self.await_values(server, {files("received", "stored"): 3, files("sent", "refused"): 3})
        text = ask(server.metrics_port).text
        self.assertEqual(len(text.splitlines()), lines)
        for word in ("evil", "secretname", values[0], str(self.folder), "127.0.0.1"):
            self.assertNotIn(word, text)


if __name__ == "__main__":
    unittest.main()
