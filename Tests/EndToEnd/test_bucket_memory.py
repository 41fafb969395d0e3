"""`fxfer serve --store`: however many clients there are and whatever they do, a node's memory is bounded."""

import contextlib
import hashlib
import os
import socket
import threading
import time

import wire
from buckets import MIB, BucketCase
from fake_store import FakeStore, Fault, Stored, document
from frames import ACCEPT, GET, OFFER, SHARE, chunk, encode, offer
from support import figures, run
from waiting import eventually

IO, TRY_AGAIN = 74, 75


class BucketMemoryCase(BucketCase):
    def connect(self, node, **greeting):
        connection = wire.connect(node.port)
        self.addCleanup(connection.socket.close)
        return connection.greet(**greeting)

    def download(self, node, name):
        """A client that asks for a file, and takes the offer."""
        connection = wire.Connection(socket.socket())
        self.addCleanup(connection.socket.close)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.socket.connect(("127.0.0.1", node.port))
        connection.greet(capabilities=SHARE)
        connection.send(encode(GET, id=1, path=name))
        connection.expect(OFFER)
        connection.send(encode(ACCEPT, id=1, offset=0, digest=hashlib.sha256().digest()))
        return connection


class UploadMemoryTest(BucketMemoryCase):
    """Clients whose chunks are as large as they may be, while the store takes its time."""

    COUNT = 12

    def upload(self, node, name):
        """Sends the largest chunks that the server takes, for as long as it does."""
        connection = self.connect(node, largest_chunk=16 * MIB)
        largest = connection.terms.largest_chunk
        connection.socket.settimeout(5)
        connection.send(offer(1, name, 200 * MIB))
        connection.expect(ACCEPT)
        digest, offset = hashlib.sha256(), 0
        with contextlib.suppress(TimeoutError, ConnectionError):
            # The first part is all but full when a whole chunk comes.
            for size in [MIB] * 4 + [MIB - 1] + [largest] * 40:
                payload = bytes(size)
                digest.update(payload)
                connection.send(chunk(1, offset, payload, digest.digest()))
                offset += size

    def test_large_chunks(self):
        with FakeStore() as store:
            gate = threading.Event()
            self.addCleanup(gate.set)
            store.faults.append(Fault("PUT", "partNumber", lambda _: gate.wait(20) and False))
            node = self.node("s3://files", store.endpoint)
            before = node.peak_memory()
            clients = [
                threading.Thread(target=self.upload, args=(node, b"c%d" % number), daemon=True)
                for number in range(self.COUNT)
            ]
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            grown = node.peak_memory() - before
            figures(self.id(), clients=self.COUNT, grown_mib=grown >> 20)
            # Parts have 48 MiB; what was read and has no place yet is with the connections, a chunk or two each.
            self.assertLess(grown, (48 + 3 * self.COUNT) * MIB)
            self.assertGreater(grown, 24 * MIB, "nobody has sent anything")
            gate.set()


class DownloadMemoryTest(BucketMemoryCase):
    """Clients that ask for a file and read nothing of it."""

    COUNT = 110

    def test_downloads_that_nobody_reads(self):
        with FakeStore() as store:
            content = os.urandom(8 * MIB)
            store.objects[b"large"] = Stored(content, {})
            node = self.node("s3://files", store.endpoint, "--share", "--idle-timeout", "20")
            before = node.peak_memory()
            clients = [self.download(node, b"large") for _ in range(self.COUNT)]
            target = self.folder / "got"
            # As many as want to: they are not waited for.
            result = run("get", "--retries", "0", f"{node.address}/large", "--output", os.fspath(target))
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(target.read_bytes(), content)
            eventually(lambda: node.descriptors() < self.COUNT, "those who do not read are dropped")
            grown = node.peak_memory() - before
            figures(self.id(), clients=self.COUNT, grown_mib=grown >> 20)
            # What is read ahead has 32 MiB; of what was handed on, up to 1.5 MiB wait for each socket.
            self.assertLess(grown, (32 + 1.5 * self.COUNT) * MIB)
            for client in clients:
                client.socket.close()
            self.assertEqual(run("get", f"{node.address}/large", "--output", os.fspath(self.folder / "again")).returncode, 0)

    def test_more_readers_than_there_is_memory_for_have_all_of_it(self):
        with FakeStore() as store:
            store.objects[b"large"] = Stored(os.urandom(5 * MIB), {})
            node = self.node("s3://files", store.endpoint, "--share")
            slow = [wire.dial(node.address, capabilities=SHARE) for _ in range(40)]
            for connection in slow:
                self.addCleanup(connection.socket.close)
            downloads = [
                wire.Download(connection, b"large", os.fspath(self.folder / f"slow{number}"))
                for number, connection in enumerate(slow)
            ]
            failures = []

            def run_all(download):
                try:
                    download.run()
                except Exception as error:  # Told below, on the test's own thread.
                    failures.append(error)

            threads = [threading.Thread(target=run_all, args=(download,)) for download in downloads]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])
            for number in range(len(slow)):
                self.assertEqual((self.folder / f"slow{number}").read_bytes(), store.objects[b"large"].content)


class AnswerMemoryTest(BucketMemoryCase):
    def test_an_answer_of_nothing_but_elements(self):
        def elements(handler):
            body = b"<a/>" * 980_000
            handler.reply(200, {}, document("ListBucketResult", body.decode()))
            return True

        with FakeStore() as store:
            node = self.node("s3://files", store.endpoint, "--share")
            run("list", node.address)
            before = node.peak_memory()
            store.faults.append(Fault("GET", "max-keys=1000", elements))
            self.assertIn(run("list", node.address).returncode, (IO, TRY_AGAIN))
            grown = node.peak_memory() - before
            figures(self.id(), grown_mib=grown >> 20)
            self.assertLess(grown, 32 * MIB)


del BucketCase, BucketMemoryCase
