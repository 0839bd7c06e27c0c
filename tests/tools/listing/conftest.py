"""A bucket behind HTTP that lists as S3 does, and misbehaves on order."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote_plus, urlsplit
from xml.sax.saxutils import escape

import boto3
import pytest

from tools.lib.aws.clients import Clients

BUCKET = "amzn-s3-demo.bucket"


def s3_encoded(text):
    """Encode as S3 does with encoding-type=url: as forms are, but for the slash and the asterisk; the tilde is encoded."""
    return quote_plus(text, safe="/*").replace("~", "%7E")


class Served:
    """What the server lists: (key, size, storage class) by key; `faults` are answered first, as (status, body).

    With a `region` it takes no request that is signed for another one; the next `breaks` requests get no answer.
    """

    def __init__(self):
        self.objects = {}
        self.page_size = 1000
        self.faults = []
        self.asked = []
        self.headers = []
        self.restored = set()
        self.region = None
        self.breaks = 0

    def answer(self, path, query):
        """Return status and body for a request."""
        self.asked.append((path, query))
        if self.faults:
            return self.faults.pop(0)
        if self.region is not None and f"/{self.region}/s3/" not in self.headers[-1]["Authorization"]:
            error = f"<Code>AuthorizationHeaderMalformed</Code><Message>the region is wrong</Message><Region>{self.region}</Region>"
            return 400, f"<Error>{error}</Error>".encode()
        after = query.get("continuation-token", query.get("start-after", ""))
        keys = sorted(key for key in self.objects if key.startswith(query.get("prefix", "")) and key > after)
        page = keys[: min(self.page_size, int(query.get("max-keys", 1000)))]
        more = len(page) < len(keys)
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        entries = "".join(self._entry(key) for key in page)
        return 200, (
            '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{BUCKET}</Name><Prefix></Prefix><KeyCount>{len(page)}</KeyCount><EncodingType>url</EncodingType>"
            f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{token}{entries}</ListBucketResult>"
        ).encode()

    def _entry(self, key):
        size, storage_class = self.objects[key]
        restored = "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>2026-12-01T00:00:00.000Z"
        return (
            f"<Contents><Key>{s3_encoded(key)}</Key><LastModified>2026-11-22T16:30:00.000Z</LastModified>"
            f"<ETag>&quot;{len(key):032x}&quot;</ETag><Size>{size}</Size><StorageClass>{storage_class}</StorageClass>"
            f"{restored + '</RestoreExpiryDate></RestoreStatus>' if key in self.restored else ''}</Contents>"
        )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        """Answer a listing."""
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self.server.served.headers.append(dict(self.headers))
        status, body = self.server.served.answer(parts.path, query)
        if self.server.served.breaks:
            self.server.served.breaks -= 1
            self.close_connection = True
            return
        self.send_response(status)
        if self.server.served.region is not None:
            self.send_header("x-amz-bucket-region", self.server.served.region)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def serving():
    """Serve while the block runs; yield what is served and the endpoint."""
    with Server(("127.0.0.1", 0), Handler) as server:
        server.served = Served()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.served, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def served(monkeypatch):
    """A bucket behind HTTP, to which AWS_ENDPOINT_URL points."""
    with serving() as (found, endpoint):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        yield found


@pytest.fixture
def clients(no_aws):
    """Clients of a Region without a default endpoint."""
    return Clients(boto3.Session("fixture", "fixture", region_name="us-east-1"))
