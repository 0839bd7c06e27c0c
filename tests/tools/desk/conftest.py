"""A desk that listens on a port of this machine, and browsers that speak to it by the socket."""

import asyncio
import functools
import http.client
import io
import json
import random
import re
import threading
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from handlers.domain.record import ObjectFacts
from tests.tools.review_doubles import BUCKET, SCAN, program_context
from tools.lib.cli import Invocation, Target
from tools.lib.cli.output import Terminal
from tools.lib.desk.live_review import POLL_SECONDS, LiveReview
from tools.lib.desk.server import DeskServer
from tools.lib.review import SampleChoice
from tools.lib.scans import find

# What begins like a film, and whose every byte tells where it is.
MOVIE = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + random.Random(1).randbytes(300_000)


class Browser:
    """A client that sends what it is told to, and nothing of its own."""

    def __init__(self, port):
        self.port = port
        self.cookie = None

    @property
    def origin(self):
        """Return the origin of the desk's pages."""
        return f"http://127.0.0.1:{self.port}"

    def connect(self):
        """Return a connection."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, path, method="GET", body=None, **headers):
        """Send a request, and return its answer, whose body is in `data`; None as the value of a header leaves it out."""
        connection = self.connect()
        given = {"Cookie": self.cookie, **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection.request(method, path, body, {name: value for name, value in given.items() if value is not None})
        answer = connection.getresponse()
        answer.data = answer.read()
        connection.close()
        return answer

    def json(self, path):
        """Return what a request is answered, which is JSON."""
        answer = self.ask(path)
        assert (200, "application/json") == (answer.status, answer.headers["content-type"]), answer.data
        return json.loads(answer.data)

    def post(self, path, values, **headers):
        """Send JSON as the page does, and return the answer."""
        given = {"Origin": self.origin, "Content_Type": "application/json", "Sec_Fetch_Site": "same-origin", **headers}
        body = values if isinstance(values, bytes) else json.dumps(values).encode()
        return self.ask(path, "POST", body, **given)

    def enter(self, address):
        """Open the first address."""
        answer = self.ask(urlsplit(address).path + "?" + urlsplit(address).query)
        if answer.headers["set-cookie"]:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    def page(self, path="/"):
        """Return what the page holds."""
        answer = self.ask(path)
        assert answer.status == 200, answer.data
        return json.loads(re.search(rb'<script type="application/json" id="data">(.*?)</script>', answer.data, re.DOTALL)[1])

    def decide(self, *decisions, by="Ada", scan=SCAN):
        """Send decisions, and return what became of each."""
        answer = self.post("/api/decisions", {"scan": scan, "decided_by": by, "decisions": list(decisions)})
        assert answer.status == 200, answer.data
        return json.loads(answer.data)["results"]


class Served:
    """A desk that is served."""

    def __init__(self, server, output):
        self.server = server
        self.output = output
        self.port = urlsplit(server.address).port
        self.address = server.address

    def browser(self):
        """Return a browser that was not let in."""
        return Browser(self.port)

    @property
    def streams(self):
        """Return how many videos are being streamed."""
        return self.server._desk.streams.running

    def until(self, holds):
        """Wait until something holds that another thread does."""
        end = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.01)


@contextmanager
def desk_of(account, *scan_ids, sample=0, port=0):
    """Serve a desk of an account while the block runs."""
    output = io.StringIO()
    terminal = Terminal(as_json=False, out=io.StringIO(), err=output, interactive=False)
    run = Invocation(program_context(account), terminal, Target(stack="VideoModeration", region=None, profile=None))
    scans = [find(run.table.scans, scan_id) for scan_id in scan_ids or (SCAN,)]
    server = DeskServer(run, scans, SampleChoice(sample), decided_by="grace", port=port)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        served = Served(server, output)
        served.until(lambda: server._server.started)
        yield served
    finally:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


class _InAHurry:
    """The asyncio that uvicorn sees: it looks ten times a second whether it is to end, and we end hundreds of desks."""

    def __getattr__(self, name):
        return getattr(asyncio, name)

    async def sleep(self, seconds):
        """Wait for a twentieth of the time."""
        await asyncio.sleep(seconds / 20)


@pytest.fixture(autouse=True)
def _uvicorn_looks_often(monkeypatch):
    monkeypatch.setattr("uvicorn.server.asyncio", _InAHurry())


@pytest.fixture
def serving(account):
    """Serve desks of the account of moto, each until the end of a block."""
    return functools.partial(desk_of, account)


@pytest.fixture
def entered(serving):
    """Serve a desk, and return it with a browser that was let in."""

    @contextmanager
    def enter(*scan_ids, **options):
        with serving(*scan_ids, **options) as desk:
            browser = desk.browser()
            browser.enter(desk.address)
            yield desk, browser

    return enter


@pytest.fixture
def put_film(account):
    """Return a function that puts an object into the bucket and returns what identifies its content."""

    def put(key, body=None):
        data = MOVIE if body is None else body
        answer = account.s3.put_object(Bucket=BUCKET, Key=key, Body=data)
        return ObjectFacts(answer["ETag"].strip('"'), len(data), answer.get("VersionId"))

    return put


@pytest.fixture
def follow(account):
    """Return a function that makes the review of a scan, and one that asks it for changes after a poll."""

    def follow(sample=0, scan_id=SCAN):
        terminal = Terminal(as_json=False, out=io.StringIO(), err=io.StringIO(), interactive=False)
        run = Invocation(program_context(account), terminal, Target(stack="VideoModeration", region=None, profile=None))
        review = LiveReview(run, scan_id, SampleChoice(sample))
        _, first = review.page()
        return review, lambda after=first: _polled(account, review, first if after is None else after)

    return follow


def _polled(account, review, after):
    account.clock.time += POLL_SECONDS
    return review.changes(after)
