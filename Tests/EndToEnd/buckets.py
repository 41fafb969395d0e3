"""What tests of `fxfer serve --store` share: nodes on a bucket, and a look into a real one past fxfer."""

import contextlib
import datetime
import hashlib
import hmac
import os
import re
import unittest
import urllib.error
import urllib.parse
import urllib.request

from sending import SendCase
from support import PATIENCE, Server

KIB, MIB = 1 << 10, 1 << 20
KEY = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "neverInALogOrAnArgument"}


def environment(**variables):
    """The test's own, without what it says of AWS."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**ours, **variables}


class Node(Server):
    """`fxfer serve` on a bucket."""

    def __init__(self, location, endpoint, *options, key=KEY, **keywords):
        store = ["--store", location, "--s3-endpoint", endpoint]
        super().__init__(None, *store, *options, env=environment(**key), **keywords)


class BucketCase(SendCase):
    """Nodes that end with the test."""

    def node(self, location, endpoint, *options, **keywords):
        node = Node(location, endpoint, *options, **keywords)
        stack = contextlib.ExitStack()
        stack.enter_context(node)
        self.addCleanup(stack.close)
        return node


class Bucket:
    """A bucket of a real store, by requests that are signed here."""

    def __init__(self, endpoint, name, key, secret):
        self.endpoint, self.name, self.key, self.secret = endpoint, name, key, secret
        with contextlib.suppress(urllib.error.HTTPError):
            self.request("PUT", b"")

    def request(self, method, key, query="", body=b"", headers=()):
        """The body of the answer, and its headers."""
        path = f"/{self.name}" + (f"/{urllib.parse.quote(key, safe='/-_.~')}" if key else "")
        host = urllib.parse.urlsplit(self.endpoint).netloc
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        digest = hashlib.sha256(body).hexdigest()
        signed = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": stamp, **dict(headers)}
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        scope = f"{day}/us-east-1/s3/aws4_request"
        query = "&".join(sorted(query.split("&")))
        canonical = "\n".join([method, path, query, lines, names, digest])
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        secret = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            secret = hmac.digest(secret, part.encode(), "sha256")
        signature = hmac.digest(secret, text.encode(), "sha256").hex()
        request = urllib.request.Request(
            f"{self.endpoint}{path}" + (f"?{query}" if query else ""),
            method=method,
            data=body if method in ("PUT", "POST") else None,
            headers={
                **signed,
                "Authorization": f"AWS4-HMAC-SHA256 Credential={self.key}/{scope},SignedHeaders={names},"
                f"Signature={signature}",
            },
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return response.read(), dict(response.headers.items())

    def get(self, key):
        """The content; None where there is no object."""
        try:
            return self.request("GET", key)[0]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def keys(self, prefix=b""):
        """All keys that begin so, sorted."""
        found, token = [], ""
        while True:
            query = f"encoding-type=url&list-type=2&prefix={urllib.parse.quote(prefix, safe='')}"
            if token:
                query = f"continuation-token={urllib.parse.quote(token, safe='')}&{query}"
            body = self.request("GET", b"", query)[0].decode()
            found += [urllib.parse.unquote_to_bytes(key) for key in re.findall("<Key>(.*?)</Key>", body)]
            if "<IsTruncated>true</IsTruncated>" not in body:
                return sorted(found)
            token = re.search("<NextContinuationToken>(.*?)</NextContinuationToken>", body)[1]

    def uploads(self, prefix):
        """How many uploads in parts are open."""
        body = self.request("GET", b"", f"prefix={urllib.parse.quote(prefix, safe='')}&uploads=")[0]
        return body.count(b"<UploadId>")


ENDPOINT = os.environ.get("FXFER_S3_ENDPOINT")


@unittest.skipUnless(ENDPOINT, "FXFER_S3_ENDPOINT names no object store; Tests/ObjectStore/gateway.sh starts one")
class GatewayCase(BucketCase):
    """Each test has a prefix of its own in a bucket of the real store."""

    def setUp(self):
        super().setUp()
        self.key = {name: os.environ[name] for name in KEY}
        self.bucket = Bucket(ENDPOINT, "fxfer-tests", *self.key.values())
        self.prefix = os.urandom(8).hex()
        self.location = f"s3://fxfer-tests/{self.prefix}"

    def serve_bucket(self, *options, **keywords):
        return self.node(self.location, ENDPOINT, *options, key=self.key, **keywords)

    def published(self):
        """Path -> SHA-256 of what is no object of fxfer's own."""
        start = f"{self.prefix}/".encode()
        paths = [key[len(start) :] for key in self.bucket.keys(start)]
        return {
            path: hashlib.sha256(self.bucket.get(start + path)).hexdigest()
            for path in paths
            if not path.startswith(b".fxfer/")
        }

    def own(self, kind):
        """The keys of fxfer's own objects of that kind."""
        return self.bucket.keys(f"{self.prefix}/.fxfer/{kind}/".encode())

    def assert_nothing_staged(self):
        self.assertEqual((self.own("uploads"), self.own("tails")), ([], []))
        self.assertEqual(self.bucket.uploads(f"{self.prefix}/".encode()), 0)
