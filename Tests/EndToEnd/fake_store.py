"""An object store in memory, over HTTP, that misbehaves where a test wants it.

It does what fxfer asks of one and no more: objects with conditions and ranges, uploads in parts, lists. As Ceph's gateway
it ignores conditions where an upload is completed. Signatures are not checked; digests of bodies are.
"""

import contextlib
import email.utils
import hashlib
import http.server
import json
import os
import re
import socket
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from xml.sax.saxutils import escape


class Refusal(Exception):
    """The store does not do what it was asked."""

    def __init__(self, status, code, body=None):
        super().__init__(code)
        self.status, self.code, self.body = status, code, body


@dataclass
class Fault:
    """What becomes of requests that fit: of the first `times`, behind `skip` others.

    `action` is called with the handler; where it answers true, the request is over, else it goes on as ever.
    """

    method: str
    what: str  #: a pattern for KEY?QUERY
    action: object
    times: int = 1 << 30
    skip: int = 0
    struck: int = 0

    def fits(self, method, target):
        return method == self.method and re.search(self.what, target)


def answer(status, code):
    """A fault: the store refuses, by that status and code."""

    def act(_):
        raise Refusal(status, code)

    return act


def hang(handler):
    """A fault: no answer, until the store ends."""
    handler.store.ended.wait()
    handler.close_connection = True
    return True


def endless(handler):
    """A fault: an answer that never ends, a little at a time."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.send_header("ETag", '"0"')
    handler.end_headers()
    with contextlib.suppress(OSError):
        while not handler.store.ended.wait(0.05):
            handler.wfile.write(b"1\r\n \r\n")
    handler.close_connection = True
    return True


def flood(handler):
    """A fault: an answer without end, as fast as it is read."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.send_header("ETag", '"0"')
    handler.end_headers()
    with contextlib.suppress(OSError):
        while not handler.store.ended.is_set():
            handler.wfile.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
    handler.close_connection = True
    return True


def cut(handler):
    """A fault: an answer whose body ends too early."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.send_header("ETag", '"0"')
    handler.end_headers()
    handler.wfile.write(b"<?xml")
    handler.close_connection = True
    return True


def vanish(handler):
    """A fault: the connection ends without an answer, and nothing was done."""
    handler.close_connection = True
    with contextlib.suppress(OSError):
        handler.connection.shutdown(socket.SHUT_RDWR)
    return True


def do_and_vanish(handler):
    """A fault: what was asked is done, and the answer is lost."""
    with contextlib.suppress(Refusal):
        handler.carry_out()
    return vanish(handler)


class Hold:
    """A fault: the request waits until it is let go, and is carried out then."""

    def __init__(self):
        self.reached, self.released = threading.Event(), threading.Event()

    def __call__(self, handler):
        self.reached.set()
        self.released.wait()
        return False


class Late:
    """A fault: the request is on its way for so long that its sender gives it up; it is carried out when it arrives."""

    def __call__(self, handler):
        self.handler = handler
        return vanish(handler)

    def arrive(self):
        return self.handler.carry_out()


def wrong_tag(tag='"00000000000000000000000000000000"'):
    """A fault: what was asked is done, and the answer has another entity tag."""

    def act(handler):
        status, headers, body = handler.carry_out()
        handler.reply(status, {**headers, "ETag": tag}, body)
        return True

    return act


def damage(handler):
    """A fault: the body arrives changed."""
    if handler.body:
        handler.body = bytes([handler.body[0] ^ 1]) + handler.body[1:]
    return False


@dataclass
class Stored:
    content: bytes
    headers: dict
    written: float = field(default_factory=time.time)

    @property
    def tag(self):
        return '"' + hashlib.md5(self.content + repr(self.headers.get("x-amz-meta-fxfer-id")).encode()).hexdigest() + '"'


class FakeStore:
    """Serves one bucket, `files`, at `endpoint`."""

    bucket = "files"

    def __init__(self, *faults):
        self.faults = list(faults)
        self.objects, self.uploads = {}, {}
        self.lock = threading.RLock()
        self.ended = threading.Event()
        self.requests = []
        store = self

        class Bound(Handler):
            pass

        Bound.store = store
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()

    def published(self):
        """Key -> content of what is no object of fxfer's own."""
        with self.lock:
            return {key: stored.content for key, stored in self.objects.items() if not key.startswith(b".fxfer/")}

    def parts_written(self):
        """How many parts the record of the only upload tells of; 0 where there is none."""
        with self.lock:
            records = [stored.content for key, stored in self.objects.items() if key.startswith(b".fxfer/uploads/")]
        return json.loads(records[0])["parts"] if records else 0

    def own(self, kind):
        """The keys of fxfer's own objects of that kind."""
        with self.lock:
            return sorted(key for key in self.objects if key.startswith(b".fxfer/" + kind.encode() + b"/"))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store = None

    def log_message(self, *_):
        pass

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self):
        with contextlib.suppress(ConnectionError):
            super().handle()

    def serve(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        parts = path.split("/", 2)
        self.key = urllib.parse.unquote_to_bytes(parts[2]) if len(parts) > 2 else b""
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        target = f"{os.fsdecode(self.key)}?{query}"
        with self.store.lock:
            self.store.requests.append((self.command, target))
            fault = self.fault(target)
        try:
            if fault and fault.action(self):
                return
            status, headers, body = self.carry_out(parts[1])
        except Refusal as refusal:
            text = f"<?xml version='1.0'?><Error><Code>{refusal.code}</Code></Error>"
            status, headers, body = refusal.status, {}, refusal.body or text.encode()
        self.reply(status, headers, body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = serve

    def fault(self, target):
        for fault in self.store.faults:
            if fault.fits(self.command, target):
                fault.struck += 1
                if fault.skip < fault.struck <= fault.skip + fault.times:
                    return fault
        return None

    def reply(self, status, headers, body):
        self.send_response(status)
        length = headers.pop("Content-Length", len(body))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(OSError):
                self.wfile.write(body)

    # What the store does.

    def carry_out(self, bucket=FakeStore.bucket):
        if bucket != self.store.bucket:
            raise Refusal(404, "NoSuchBucket")
        told = self.headers.get("x-amz-content-sha256")
        if told != hashlib.sha256(self.body).hexdigest():
            raise Refusal(400, "XAmzContentSHA256Mismatch")
        with self.store.lock:
            if not self.key:
                return self.list_uploads() if "uploads" in self.query else self.list_objects()
            if "uploads" in self.query:
                return self.begin()
            if "uploadId" in self.query:
                return self.upload()
            return {"PUT": self.put, "GET": self.get, "HEAD": self.get, "DELETE": self.delete}[self.command]()

    def put(self):
        there = self.store.objects.get(self.key)
        if self.headers.get("If-None-Match") == "*" and there:
            raise Refusal(412, "PreconditionFailed")
        if tag := self.headers.get("If-Match"):
            if not there or there.tag.strip('"') != tag.strip('"'):
                raise Refusal(412, "PreconditionFailed")
        meta = {name.lower(): value for name, value in self.headers.items() if name.lower().startswith("x-amz-meta-")}
        self.store.objects[self.key] = stored = Stored(self.body, meta)
        return 200, {"ETag": stored.tag}, b""

    def get(self):
        there = self.store.objects.get(self.key)
        if not there:
            raise Refusal(404, "NoSuchKey")
        if (tag := self.headers.get("If-Match")) and there.tag.strip('"') != tag.strip('"'):
            raise Refusal(412, "PreconditionFailed")
        content, status = there.content, 200
        if found := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")):
            content, status = content[int(found[1]) : int(found[2]) + 1], 206
        written = email.utils.formatdate(there.written, usegmt=True)
        headers = {**there.headers, "ETag": there.tag, "Last-Modified": written, "Content-Length": len(content)}
        return status, headers, content

    def delete(self):
        self.store.objects.pop(self.key, None)
        return 204, {}, b""

    def begin(self):
        identity = os.urandom(8).hex()
        meta = {name.lower(): value for name, value in self.headers.items() if name.lower().startswith("x-amz-meta-")}
        self.store.uploads[identity] = (self.key, meta, {}, time.time())
        return 200, {}, document("InitiateMultipartUploadResult", f"<UploadId>{identity}</UploadId>")

    def upload(self):
        identity = self.query["uploadId"]
        if identity not in self.store.uploads:
            raise Refusal(404, "NoSuchUpload")
        key, meta, parts, _ = self.store.uploads[identity]
        if self.command == "PUT":
            parts[int(self.query["partNumber"])] = stored = Stored(self.body, {})
            return 200, {"ETag": stored.tag}, b""
        if self.command == "DELETE":
            del self.store.uploads[identity]
            return 204, {}, b""
        if self.command == "GET":
            return 200, {}, document("ListPartsResult", "".join(
                f"<Part><PartNumber>{number}</PartNumber><Size>{len(part.content)}</Size>"
                f"<ETag>{escape(part.tag)}</ETag></Part>"
                for number, part in sorted(parts.items())
            ))
        content = b""
        for number, tag in re.findall(rb"<PartNumber>(\d+)</PartNumber><ETag>(.*?)</ETag>", self.body):
            part = parts.get(int(number))
            if not part or part.tag != tag.decode().replace("&quot;", '"'):
                raise Refusal(400, "InvalidPart")
            content += part.content
        del self.store.uploads[identity]
        self.store.objects[key] = stored = Stored(content, meta)
        return 200, {}, document("CompleteMultipartUploadResult", f"<ETag>{escape(stored.tag)}</ETag>")

    def list_objects(self):
        prefix, delimiter = os.fsencode(self.query.get("prefix", "")), os.fsencode(self.query.get("delimiter", ""))
        found = {}
        for key, stored in sorted(self.store.objects.items()):
            if not key.startswith(prefix):
                continue
            head, cut_here, _ = key[len(prefix) :].partition(delimiter) if delimiter else (b"", b"", b"")
            if cut_here:
                name = prefix + head + cut_here
                found[name] = f"<CommonPrefixes><Prefix>{urllib.parse.quote(name)}</Prefix></CommonPrefixes>"
                continue
            found[key] = (
                f"<Contents><Key>{urllib.parse.quote(key)}</Key><Size>{len(stored.content)}</Size>"
                f"<LastModified>{moment(stored.written)}</LastModified><ETag>{escape(stored.tag)}</ETag></Contents>"
            )
        start = int(self.query.get("continuation-token", "0"))
        end = start + int(self.query.get("max-keys", "1000"))
        rest = f"<NextContinuationToken>{end}</NextContinuationToken>" if end < len(found) else ""
        return 200, {}, document(
            "ListBucketResult",
            f"<IsTruncated>{str(bool(rest)).lower()}</IsTruncated>{rest}" + "".join(list(found.values())[start:end]),
        )

    def list_uploads(self):
        return 200, {}, document("ListMultipartUploadsResult", "<IsTruncated>false</IsTruncated>" + "".join(
            f"<Upload><Key>{urllib.parse.quote(key)}</Key><UploadId>{identity}</UploadId>"
            f"<Initiated>{moment(begun)}</Initiated></Upload>"
            for identity, (key, _, _, begun) in self.store.uploads.items()
        ))


def document(name, inside):
    return f'<?xml version="1.0"?><{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inside}</{name}>'.encode()


def moment(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))
