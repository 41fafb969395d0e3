"""Many nodes on one bucket of a real store: one name has one winner, and a client goes on at another node."""

import concurrent.futures
import contextlib
import json
import os
import signal
import socket
import threading

from buckets import KIB, MIB, GatewayCase
from relay import PAYLOAD, UP, Fault, Relay
from sending import Sending
from support import run, sha256
from waiting import eventually

EXISTS, TRY_AGAIN = 73, 75


class BucketNodesTest(GatewayCase):
    def noise(self, name, size):
        return self.file(name, os.urandom(size))

    def test_what_is_sent_to_one_node_is_given_by_another(self):
        here, there = self.serve_bucket("--share"), self.serve_bucket("--share")
        sources = {
            "empty": 0, "small": 10 * KIB, "middle": 3 * MIB, "large": 23 * MIB + 17, "a/b/c": 100, "a b+c%d&é": 5,
        }
        for name, size in sources.items():
            source = self.noise("source", size)
            result = run("send", "--as", name, os.fspath(source), here.address)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            target = self.folder / "got"
            result = run("get", f"{there.address}/{name}", "--output", os.fspath(target))
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertEqual(sha256(target), sha256(source))
            self.assertEqual(int(target.stat().st_mtime), int(source.stat().st_mtime))
            target.unlink()
            # The same once more is no second line, and no second object.
            result = run("send", "--as", name, os.fspath(source), there.address)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("was there already", result.stderr)
        self.assertEqual(set(self.published()), {os.fsencode(name) for name in sources})
        self.assertEqual(len(self.own("ledger")), len(sources))
        self.assert_nothing_staged()

    def test_names_that_no_key_can_have_are_kept_byte_for_byte(self):
        node = self.serve_bucket("--share")
        tree = self.folder / "tree"
        tree.mkdir()
        for name in (b"caf\xe9", b"\xff\xfe", "é".encode(), b"plain"):
            with open(os.path.join(os.fsencode(tree), name), "wb") as file:
                file.write(name)
        result = run("send", os.fspath(tree), node.address, text=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        copy = self.folder / "copy"
        copy.mkdir()
        result = run("get", f"{node.address}/tree", "--output", os.fspath(copy), text=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        root = os.path.join(os.fsencode(copy), b"tree")
        self.assertEqual(sorted(os.listdir(root)), sorted([b"caf\xe9", b"\xff\xfe", "é".encode(), b"plain"]))
        for name in os.listdir(root):
            with open(os.path.join(root, name), "rb") as file:
                self.assertEqual(file.read(), name)

    def race(self, sizes, rounds):
        """Two nodes, two senders of one name at once."""
        nodes = [self.serve_bucket(), self.serve_bucket()]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for number in range(rounds):
                sources = [self.noise(f"{index}", size) for index, size in enumerate(sizes)]
                barrier = threading.Barrier(2)

                def send(source, node, name=f"f{number}", barrier=barrier):
                    barrier.wait()
                    return run("send", "--json", "--as", name, os.fspath(source), node.address)

                results = list(pool.map(send, sources, nodes))
                outcomes = sorted(result.returncode for result in results)
                self.assertEqual(outcomes, [0, EXISTS], [result.stdout for result in results])
                winner = next(i for i, result in enumerate(results) if result.returncode == 0)
                receipt = json.loads(results[winner].stdout.splitlines()[-1])
                self.assertEqual((receipt["event"], receipt["outcome"]), ("receipt", "stored"))
                self.assertEqual(self.published()[f"f{number}".encode()], sha256(sources[winner]))
                self.bucket.request("DELETE", f"{self.prefix}/f{number}".encode())
        self.assertEqual(len(self.own("ledger")), rounds)
        eventually(lambda: not self.own("uploads"), "nothing is staged any more")
        self.assert_nothing_staged()

    def test_of_two_nodes_at_once_one_wins_a_small_file(self):
        self.race([KIB, KIB + 1], rounds=100)

    def test_of_two_nodes_at_once_one_wins_a_file_in_parts(self):
        self.race([6 * MIB, 6 * MIB + 1], rounds=25)

    def test_a_file_in_parts_and_a_small_one_at_once(self):
        self.race([6 * MIB, KIB], rounds=25)

    def test_a_client_whose_node_is_killed_goes_on_at_another(self):
        first, second = self.serve_bucket(), self.serve_bucket()
        source = self.noise("source", 41 * MIB)
        with Balancer(first.port, second.port) as balancer:
            relay = self.enterContext(Relay(balancer.port, Fault(UP, PAYLOAD, 30 * MIB, holds=True)))
            client = Sending("--as", "f", os.fspath(source), relay.address)
            relay.wait_until_held()
            # At most 4 parts of 5 MiB are on their way when the sixth MiB behind them is.
            eventually(lambda: self.checkpoint() >= 10 * MIB, "some parts are written down")
            first.process.send_signal(signal.SIGKILL)
            first.wait()
            balancer.remove(first.port)
            self.assertEqual(self.published(), {})
            relay.let_go()
            status, errors = client.wait()
        self.assertEqual(status, 0, errors)
        resumed = [event["offset"] for event in client.events if event["event"] == "resumed"]
        self.assertEqual(len(resumed), 1, client.events)
        self.assertGreaterEqual(resumed[0], 10 * MIB)
        self.assertEqual(self.published(), {b"f": sha256(source)})
        eventually(lambda: not self.own("uploads"), "the record is gone")
        self.assert_nothing_staged()

    def checkpoint(self):
        """How many bytes another node could go on behind."""
        keys = self.own("uploads")
        return json.loads(self.bucket.get(keys[0]))["position"] if keys else 0

    def test_an_upload_goes_on_at_another_node_to_the_chunk(self):
        first, second = self.serve_bucket(), self.serve_bucket()
        source = self.noise("source", 9 * MIB)
        with Relay(first.port, Fault(UP, PAYLOAD, 7 * MIB + 5)) as relay:
            result = run("send", "--retries", "0", "--as", "f", os.fspath(source), relay.address)
            self.assertEqual(result.returncode, TRY_AGAIN, result.stderr)
        eventually(lambda: self.own("tails"), "the node has let go of it")
        client = Sending("--as", "f", os.fspath(source), second.address)
        status, errors = client.wait()
        self.assertEqual(status, 0, errors)
        self.assertEqual([event["offset"] for event in client.events if event["event"] == "resumed"], [7 * MIB])
        self.assertEqual(self.published(), {b"f": sha256(source)})
        self.assert_nothing_staged()

    def test_what_another_sends_under_that_name_is_not_mixed_with_what_is_left(self):
        first, second = self.serve_bucket(), self.serve_bucket()
        old, new = self.noise("old", 12 * MIB), self.noise("new", 12 * MIB)
        os.utime(old, (1_000_000_000, 1_000_000_000))
        os.utime(new, (1_000_000_000, 1_000_000_000))
        with Relay(first.port, Fault(UP, PAYLOAD, 11 * MIB + 5)) as relay:
            result = run("send", "--retries", "0", "--as", "f", os.fspath(old), relay.address)
            self.assertEqual(result.returncode, TRY_AGAIN, result.stderr)
        eventually(lambda: self.own("tails"), "the node has let go of it")
        result = run("send", "--as", "f", os.fspath(new), second.address)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(self.published(), {b"f": sha256(new)})
        eventually(lambda: not self.bucket.uploads(self.prefix.encode()), "the old upload is gone")
        self.assert_nothing_staged()

    def test_sixteen_uploads_at_once_take_no_more_memory_than_a_node_has(self):
        node = self.serve_bucket()
        sources = [self.noise(f"s{number}", 33 * MIB) for number in range(16)]
        clients = [Sending("--as", source.name, os.fspath(source), node.address) for source in sources]
        for client in clients:
            status, errors = client.wait()
            self.assertEqual(status, 0, errors)
        self.assertLess(node.peak_memory(), 128 * MIB)
        self.assertEqual(self.published(), {os.fsencode(source.name): sha256(source) for source in sources})

    def test_verify_and_sums_read_the_bucket(self):
        node = self.serve_bucket()
        sources = {"a": self.noise("a", 7 * MIB), "d/b": self.noise("b", KIB), "c": self.noise("c", KIB)}
        for name, source in sources.items():
            self.assertEqual(run("send", "--as", name, os.fspath(source), node.address).returncode, 0)
        place = ["--store", self.location, "--s3-endpoint", os.environ["FXFER_S3_ENDPOINT"]]
        result = run("verify", *place)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        result = run("sums", *place)
        self.assertEqual(result.stdout, "".join(f"{sha256(source)}  {name}\n" for name, source in sorted(sources.items())))
        self.bucket.request("PUT", f"{self.prefix}/a".encode(), body=b"changed")
        self.bucket.request("DELETE", f"{self.prefix}/d/b".encode())
        self.bucket.request("PUT", f"{self.prefix}/foreign".encode(), body=b"foreign")
        result = run("verify", *place)
        self.assertEqual(result.returncode, 65)
        for line in ("changed (modified after it was stored): a", "missing: d/b", "unknown: foreign"):
            self.assertIn(line, result.stdout)
        self.bucket.request("PUT", self.own("ledger")[0], body=b"{}\n")
        self.assertEqual(run("verify", *place).returncode, 65)


class Balancer:
    """One address before several nodes: each connection goes to the first that is there."""

    def __init__(self, *ports):
        self.ports = list(ports)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def remove(self, port):
        self.ports.remove(port)

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.ports[0]))
                threading.Thread(target=self.carry, args=(client, server), daemon=True).start()

    def carry(self, client, server):
        with client, server:
            back = threading.Thread(target=self.forward, args=(server, client), daemon=True)
            back.start()
            self.forward(client, server)
            back.join()

    @staticmethod
    def forward(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 18):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


del GatewayCase
