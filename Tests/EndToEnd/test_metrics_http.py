"""The HTTP side of `fxfer serve --metrics`: what it answers, what it bears, where it listens, and when it ends."""

import concurrent.futures
import contextlib
import os
import resource
import signal
import socket
import unittest

from gate import Gate
from scraping import ScrapeCase, ask, parse
from support import PATIENCE, run, sha256
from waiting import eventually

MIB = 1 << 20
#: What the server lets in at once.
MAX_CONNECTIONS = 8


def say(server, *pieces, address="127.0.0.1"):
    """Says this and answers everything that comes back; the server ends the connection."""
    with socket.create_connection((address, server.metrics_port), PATIENCE) as stream:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                stream.sendall(piece)
        return read_all(stream)


def read_all(stream):
    found = b""
    while data := stream.recv(1 << 16):
        found += data
    return found


def refuses(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), PATIENCE).close()
        return False
    except ConnectionRefusedError:
        return True


class RequestTest(ScrapeCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.descriptors = self.server.descriptors()

    def tearDown(self):
        """Whatever was asked, metrics and files are still served, and no descriptor is lost."""
        self.scrape(self.server)
        self.assert_serves(self.server)
        eventually(lambda: self.server.descriptors() <= self.descriptors, "the descriptors are back")

    def test_get_and_head(self):
        for path in ("/metrics", "/metrics?name=value"):
            got = ask(self.server.metrics_port, path)
            self.assertEqual(got.status, 200)
            self.assertEqual(got.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
            self.assertIn("fxfer_bytes_received_total", parse(got.text).keys())
            head = ask(self.server.metrics_port, path, "HEAD")
            self.assertEqual((head.status, head.text), (200, ""))
            self.assertEqual(head.headers["Content-Type"], got.headers["Content-Type"])
            self.assertGreater(int(head.headers["Content-Length"]), 1000)

    def test_others(self):
        """Other paths are 404, other methods 405; neither shows a number."""
        for method, path, status in (
            *(("GET", path, 404) for path in ("/", "/metrics/", "/metrics/x", "//metrics", "/Metrics", "/%6detrics")),
            *((method, "/metrics", 405) for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH")),
        ):
            with self.subTest(f"{method} {path}"):
                got = ask(self.server.metrics_port, path, method)
                self.assertEqual(got.status, status)
                self.assertNotIn("fxfer_", got.text)
                if status == 405:
                    self.assertEqual(got.headers["Allow"], "GET, HEAD")

    def test_odd_requests(self):
        """What is no HTTP request gets 400, one that is too long 431; both can be read whole."""
        for request, status in (
            (b"nonsense\r\n\r\n", 400),
            (b"\x16\x03\x01\x02\x00\x01\x00", 400),
            (b"\x8bFXF\r\n\x1a\n", 400),
            (b"GET /metrics HTTP/1.1\r\nbad header\r\n\r\n", 400),
            (b"GET /" + b"x" * MIB + b" HTTP/1.1\r\n\r\n", 431),
            (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * MIB, 431),
            (b"GET /metrics HTTP/1.1\r\n" + (b"X: " + b"y" * 100 + b"\r\n") * 10_000, 431),
        ):
            with self.subTest(request[:40]):
                answer = say(self.server, request)
                self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), answer[:100])
                self.assertNotIn(b"fxfer_", answer)

    def test_in_pieces(self):
        """A request that comes byte by byte is answered, with a body, too; and only the first of several is."""
        request = b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345"
        for pieces in ([request[n : n + 1] for n in range(len(request))], [request * 3], [request[:-5]]):
            answer = say(self.server, *pieces)
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 "))
            self.assertEqual(answer.count(b"HTTP/1.1 "), 1)
            parse(answer.partition(b"\r\n\r\n")[2].decode())

    def test_slow(self):
        """Those who are silent, do not end, or do not read are dropped; files and good scrapers do not wait."""
        streams = [socket.create_connection(("127.0.0.1", self.server.metrics_port), PATIENCE) for _ in range(4)]
        with contextlib.ExitStack() as stack:
            for stream in streams:
                stack.enter_context(stream)
            streams[1].sendall(b"GET /met")
            streams[2].sendall(b"GET /metrics HTTP/1.1\r\nX: y\r\n")
            streams[3].sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            self.scrape(self.server)
            self.assert_serves(self.server)
            for stream in streams[:3]:
                with contextlib.suppress(ConnectionResetError):
                    self.assertEqual(stream.recv(1), b"")
            # By then the last one has its answer, and an end.
            self.assertTrue(read_all(streams[3]).startswith(b"HTTP/1.1 200 "))

    def test_too_many(self):
        """However many connect, few are let in; when they are gone, all is well."""
        with contextlib.ExitStack() as stack:
            streams = [
                stack.enter_context(socket.create_connection(("127.0.0.1", self.server.metrics_port), PATIENCE))
                for _ in range(100)
            ]
            # Those that are not let in are closed, the last one among them.
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(streams[-1].recv(1), b"")
            self.assertLessEqual(self.server.descriptors(), self.descriptors + MAX_CONNECTIONS + 4)
            self.assert_serves(self.server)

    def test_during_uploads(self):
        """Scrapes beside uploads: each has all lines, no counter ever falls, and the last one is right."""
        sources = [self.file(f"f{number}", os.urandom(4 * MIB)) for number in range(4)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            uploads = [pool.submit(run, "send", str(source), self.server.address) for source in sources]

            def scrape_all():
                series = []
                while not all(upload.done() for upload in uploads) or len(series) < 5:
                    series.append(self.scrape(self.server))
                return series

            for series in [pool.submit(scrape_all) for _ in range(3)]:
                found = series.result()
                self.assertEqual({tuple(each) for each in found}, {tuple(found[0])})
                for name in ("fxfer_bytes_received_total", "fxfer_connections_total", "fxfer_file_seconds_count"):
                    values = [each[name] for each in found]
                    self.assertEqual(values, sorted(values))
        for upload in uploads:
            self.assertEqual(upload.result().returncode, 0, upload.result().stderr)
        self.await_values(self.server, {"fxfer_bytes_received_total": 16 * MIB, "fxfer_transfers_in_flight": 0})
        self.assertEqual(set(self.server.published().values()), {sha256(source) for source in sources})


class PlaceTest(ScrapeCase):
    def test_loopback_unless_told(self):
        """Without an address it is 127.0.0.1 alone; with one, that one."""
        server = self.serve()
        self.assertEqual(server.metrics_host, "127.0.0.1")
        self.assertTrue(refuses(server.metrics_port, "127.0.0.2"))
        for place, host in (("127.0.0.2:0", "127.0.0.2"), ("[::1]:0", "[::1]"), ("*:0", "[::]")):
            with self.subTest(place):
                server = self.serve(metrics=place, directory=self.folder / host)
                self.assertEqual(server.metrics_host, host)
                address = {"[::]": "127.0.0.1"}.get(host, host.strip("[]"))
                self.assertEqual(ask(server.metrics_port, host=address).status, 200)

    def test_port_in_use(self):
        """A port that is taken is status 69 in one line that names the option; nothing is made."""
        first = self.serve()
        for port in (first.metrics_port, first.port):
            with self.subTest(port):
                directory = self.folder / "second"
                result = run("serve", "--dir", str(directory), "--listen", "127.0.0.1:0", "--metrics", str(port))
                self.assertEqual((result.returncode, result.stdout), (69, ""))
                self.assertRegex(result.stderr, rf"\Afxfer: [^\n]*127\.0\.0\.1:{port}\b[^\n]*--metrics\n\Z")
                self.assertIn("in use", result.stderr)
                self.assertFalse(directory.exists())
        self.scrape(first)

    def test_nonsense(self):
        """A place that is none is status 64; an address of another machine is 69."""
        for place, status in (("", 64), ("x", 64), ("65536", 64), ("127.0.0.1", 64), ("::1:1", 64), ("192.0.2.1:0", 69)):
            with self.subTest(place):
                directory = self.folder / "out"
                result = run("serve", "--dir", str(directory), "--listen", "127.0.0.1:0", f"--metrics={place}")
                self.assertEqual((result.returncode, result.stdout), (status, ""))
                self.assertRegex(result.stderr, r"\Afxfer: [^\n]+\n\Z")
                self.assertFalse(directory.exists())

    def test_without(self):
        """Nobody listens who was not asked to, and the server's own port has no metrics."""
        server = super(ScrapeCase, self).serve()
        self.assert_serves(server)
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as stream:
            stream.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            self.assertIn(b" 400 ", read_all(stream).split(b"\n")[0])
        self.assertNotIn("metrics", server.process.stdout.readline())

    def test_without_sandbox(self):
        server = self.serve("--no-sandbox")
        self.assert_sent(self.file("f"), server.address)
        self.await_values(server, {"fxfer_file_seconds_count": 1})


class EndTest(ScrapeCase):
    def test_with_scrapers(self):
        """Scrapers that are connected, silent or in the middle of a request, do not hold the end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name), contextlib.ExitStack() as stack:
                server = self.serve("--grace", "1000", directory=self.folder / number.name)
                for words in (b"", b"GET /metr"):
                    stream = stack.enter_context(socket.create_connection(("127.0.0.1", server.metrics_port), PATIENCE))
                    stream.sendall(words)
                self.scrape(server)
                server.process.send_signal(number)
                self.assertEqual(server.wait(), 0)
                self.assertNotIn("warning", server.log)
                self.assertNotIn("error", server.log)
                self.assertTrue(refuses(server.metrics_port))

    def test_during_the_grace(self):
        """While transfers in flight end, there are metrics of them."""
        server = self.serve("--grace", str(PATIENCE))
        source = self.file("f", os.urandom(5 * MIB))
        with Gate(server.port, 2 * MIB) as gate:
            client = self.sending(source, gate.address)
            gate.wait_until_held()
            server.process.terminate()
            eventually(lambda: refuses(server.port), "the server closes its port")
            self.assertEqual(self.scrape(server)["fxfer_transfers_in_flight"], 1)
            gate.open()
            self.assertEqual(client.wait(), (0, ""))
        self.assertEqual(server.wait(), 0)
        self.assertEqual(server.published(), {b"f": sha256(source)})
        self.assertTrue(refuses(server.metrics_port))

    def test_no_descriptors(self):
        """Where few descriptors are allowed, scrapers have theirs: clients are turned away for them, not the reverse."""
        server = self.serve(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60)))
        with contextlib.ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(socket.create_connection(("127.0.0.1", server.port), PATIENCE))
            eventually(lambda: self.scrape(server)["fxfer_connections_total"] > 0, "connections are accepted")
        self.assert_serves(server)


if __name__ == "__main__":
    unittest.main()
