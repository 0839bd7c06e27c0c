"""Films as a browser plays them: by ranges, from S3, and only the content that was analysed."""

import hashlib
import http.client
import json
import socket
import struct
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.response import StreamingBody

from handlers.domain.record import ObjectFacts
from handlers.domain.states import State
from tests.tools.desk.conftest import MOVIE
from tests.tools.review_doubles import BUCKET, HOSTILE, SCAN, add_flagged, add_record, add_report, add_scan, video
from tools.lib.desk import media
from tools.lib.desk.media import media_type, requested_range

GIB = 1024**3


def path(key="a.mp4"):
    """Return the path of a film at the desk."""
    return f"/media/{SCAN}/{video(key).id}"


@pytest.fixture(name="desk")
def _desk(account, entered, put_film):
    """A desk with a film, and a browser that was let in."""
    add_scan(account, "a.mp4")
    add_flagged(account, "a.mp4", facts=put_film("a.mp4"))
    with entered() as served:
        yield served


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-", 0, len(MOVIE)),
        ("bytes=0-0", 0, 1),
        ("bytes=5-14", 5, 15),
        ("bytes=100000-", 100_000, len(MOVIE)),
        ("bytes=5-99999999999999999", 5, len(MOVIE)),
        ("bytes=-10", len(MOVIE) - 10, len(MOVIE)),
        ("bytes=-99999999", 0, len(MOVIE)),
    ],
)
def test_range(desk, asked, first, end):
    """A range is answered with just its bytes, and where they are."""
    _, browser = desk

    answer = browser.ask(path(), Range=asked)

    assert (206, MOVIE[first:end]) == (answer.status, answer.data)
    assert f"bytes {first}-{end - 1}/{len(MOVIE)}" == answer.headers["content-range"]
    assert ("video/mp4", "bytes", str(end - first)) == (
        answer.headers["content-type"],
        answer.headers["accept-ranges"],
        answer.headers["content-length"],
    )


@pytest.mark.parametrize(
    "asked", [None, "bytes=", "bytes=-", "bytes=9-5", "bytes=0-1,5-6", "items=0-1", "bytes=a-b", "bytes=٣-", f"bytes={'9' * 30}-"]
)
def test_whole(desk, asked):
    """Without a range, with several, or with one that is not understood, the whole film is answered (RFC 9110, 14.2)."""
    _, browser = desk

    answer = browser.ask(path(), Range=asked and asked.encode())

    assert (200, MOVIE, None) == (answer.status, answer.data, answer.headers["content-range"])


@pytest.mark.parametrize("asked", [f"bytes={len(MOVIE)}-", "bytes=999999999-999999999", "bytes=-0"])
def test_beyond(desk, asked):
    """A range beyond the end is refused with the length."""
    _, browser = desk

    answer = browser.ask(path(), Range=asked)

    assert (416, f"bytes */{len(MOVIE)}") == (answer.status, answer.headers["content-range"])


@pytest.mark.parametrize("asked", [None, "bytes=0-", "bytes=0-0", "bytes=-10"])
def test_empty(account, entered, put_film, asked):
    """An empty object is answered as a whole, whatever is asked of it: nothing that a player could ask for again."""
    add_scan(account, "empty.mp4")
    add_record(account, "empty.mp4", State.FAILED, code="empty", facts=put_film("empty.mp4", b""))
    add_report(account, [("empty.mp4", True, "")])

    with entered() as (_, browser):
        answer = browser.ask(path("empty.mp4"), Range=asked)

    assert (200, b"", "0") == (answer.status, answer.data, answer.headers["content-length"])


def test_head(account, desk):
    """HEAD answers the same headers without the bytes, and reads no more than the beginning."""
    _, browser = desk

    answer = browser.ask(path(), "HEAD")

    assert (200, b"", str(len(MOVIE)), "video/mp4") == (
        answer.status,
        answer.data,
        answer.headers["content-length"],
        answer.headers["content-type"],
    )
    assert ["bytes=0-1023"] == [params["Range"] for params in account.wire.of("GetObject") if params["Key"] == "a.mp4"]


def test_ranged_and_conditional(account, desk):
    """Each GET is a range of at most a MiB, on condition of the etag that was analysed."""
    _, browser = desk

    browser.ask(path())

    gets = [params for params in account.wire.of("GetObject") if params["Key"] == "a.mp4"]
    etag = hashlib.md5(MOVIE, usedforsecurity=False).hexdigest()
    assert {f'"{etag}"'} == {params["IfMatch"] for params in gets}
    assert ["bytes=0-1023", "bytes=0-262143", f"bytes=262144-{len(MOVIE) - 1}"] == [params["Range"] for params in gets]


def test_replaced(account, desk):
    """A film that was replaced since is said to be another one, and not a byte of it is played."""
    _, browser = desk
    account.put("a.mp4", body=b"another film")

    answers = [browser.ask(path(), Range=asked) for asked in (None, "bytes=0-", "bytes=0-3")]
    answers.append(browser.ask(path(), "HEAD"))

    assert {409} == {answer.status for answer in answers}
    assert "was replaced by another object since it was analysed." in json.loads(answers[0].data)["reason"]
    assert "Scan it again" in json.loads(answers[0].data)["cure"]


def test_replaced_after_it_was_played(account, desk):
    """HEAD says so, too, of a film whose type is known."""
    _, browser = desk
    played = browser.ask(path())
    account.put("a.mp4", body=b"another film")

    assert (200, 409) == (played.status, browser.ask(path(), "HEAD").status)


def test_replaced_while_it_plays(account, entered, put_film):
    """A film that is replaced while it plays ends there: bytes of two films are never one answer."""
    body = MOVIE + bytes(3_000_000)
    add_scan(account, "a.mp4")
    add_flagged(account, "a.mp4", facts=put_film("a.mp4", body))
    answered = []

    def replace_after_the_first(params):
        if params["Key"] == "a.mp4" and not params["Range"].startswith("bytes=0-"):
            account.put("a.mp4", body=b"x" * len(body))
            answered.append(params)

    with entered() as (served, browser):
        account.wire.answer("GetObject", replace_after_the_first)
        connection = browser.connect()
        connection.request("GET", path(), headers={"Cookie": browser.cookie})
        answer = connection.getresponse()

        with pytest.raises(http.client.IncompleteRead) as cut:
            answer.read()

        connection.close()
        assert answered
        assert body.startswith(cut.value.partial)
        assert 200 == browser.ask("/").status
        served.until(lambda: served.streams == 0)


def test_deleted(account, desk):
    """A film that was deleted is said to be gone."""
    _, browser = desk
    account.s3.delete_object(Bucket=BUCKET, Key="a.mp4")

    answer = browser.ask(path())

    assert (409, True) == (answer.status, "is gone: it was deleted" in json.loads(answer.data)["reason"])


def test_version(account, entered, put_film):
    """In a bucket with versions the analysed one is played, whatever is there now."""
    account.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    facts = put_film("a.mp4")
    account.put("a.mp4", body=b"the next version")
    add_scan(account, "a.mp4")
    add_flagged(account, "a.mp4", facts=facts)
    with entered() as (_, browser):
        answer = browser.ask(path())

    assert (200, MOVIE) == (answer.status, answer.data)


def test_hostile_key(account, entered, put_film):
    """A film whose key is a script, a formula and a line break is played like any other."""
    add_scan(account, HOSTILE)
    add_flagged(account, HOSTILE, facts=put_film(HOSTILE))
    with entered() as (_, browser):
        assert browser.ask(path(HOSTILE)).data == MOVIE


def test_forbidden(account, desk, errors):
    """Where the credentials may not read the object, the answer says which permission is lacking."""
    _, browser = desk
    account.wire.answer("GetObject", lambda _: errors.http("AccessDenied", 403))

    answer = browser.ask(path())

    assert 403 == answer.status
    assert "s3:GetObject" in json.loads(answer.data)["cure"]


def test_not_read(account, entered):
    """A video that nothing has read is not played: it is not known which content the scan met."""
    add_scan(account, "a.mp4")
    add_flagged(account, "a.mp4", facts=None)
    with entered() as (_, browser):
        answer = browser.ask(path())

    assert (409, True) == (answer.status, "Nothing has read the object" in json.loads(answer.data)["reason"])


@pytest.mark.parametrize(
    ("first_bytes", "expected"),
    [
        (MOVIE[:1024], "video/mp4"),
        (b"\0\0\0\x14ftypqt  ", "video/mp4"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"RIFF\0\0\0\0AVI LIST", "video/x-msvideo"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\0\0\0\x18ftypheic", "application/octet-stream"),
        (b"<!doctype html><script>alert(1)</script>", "application/octet-stream"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "application/octet-stream"),
        (b"%PDF-1.7", "application/octet-stream"),
        (b"<html>ftyp", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_type(first_bytes, expected):
    """The type is that of a film or an image by the first bytes, never one that a browser runs."""
    assert expected == media_type(first_bytes, 10_000)


def test_range_of_nothing():
    """Of an empty object every range is the whole."""
    assert [None, None] == [requested_range(header, 0) for header in ("bytes=0-", "bytes=-5")]


class Zeros:
    """A body of zeros, read like one of S3."""

    def __init__(self, length):
        self._left = length

    def read(self, amount=None):
        """Return the next bytes."""
        taken = self._left if amount is None else min(amount, self._left)
        self._left -= taken
        return bytes(taken)

    def close(self):
        """Do nothing."""


@pytest.fixture(name="huge")
def _huge(account, entered):
    """A desk with a film of 10 GiB, which S3 answers without having it; and a browser that was let in."""
    add_scan(account, "a.mp4")
    add_flagged(account, "a.mp4", facts=ObjectFacts("e" * 32, 10 * GIB, None))

    def zeros(params):
        if params["Key"] != "a.mp4":
            return None
        first, last = map(int, params["Range"].removeprefix("bytes=").split("-"))
        return {"Body": StreamingBody(Zeros(last + 1 - first), last + 1 - first)}

    with entered() as served:
        account.wire.answer("GetObject", zeros)
        yield served


def test_ten_gibibytes(huge):
    """A film of 10 GiB streams in little memory, from wherever it is asked for."""
    _, browser = huge
    connection = browser.connect()
    buffer, read = bytearray(256 * 1024), 0
    tracemalloc.start()
    try:
        connection.request("GET", path(), headers={"Cookie": browser.cookie, "Range": f"bytes={9 * GIB}-"})
        answer = connection.getresponse()
        while read < 200 * 1024**2:
            read += answer.readinto(buffer)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        connection.close()

    assert (206, f"bytes {9 * GIB}-{10 * GIB - 1}/{10 * GIB}") == (answer.status, answer.headers["content-range"])
    assert peak < 12 * 1024**2


def test_slow_reader(account, huge):
    """Of a film whose player is paused no more is read than it has room for, and the desk answers others meanwhile."""
    served, browser = huge
    with socket.create_connection(("127.0.0.1", browser.port)) as paused:
        paused.sendall(f"GET {path()} HTTP/1.1\r\nHost: 127.0.0.1:{browser.port}\r\nCookie: {browser.cookie}\r\n\r\n".encode())
        served.until(lambda: served.streams == 1)
        served.until(lambda: _settled(account))

        read = sum(_length(params) for params in account.wire.of("GetObject") if params["Key"] == "a.mp4")
        assert read < 16 * 1024**2
        assert 206 == browser.ask(path(), Range="bytes=0-9").status
        served.until(lambda: served.streams == 1)

    served.until(lambda: served.streams == 0)


def _length(params):
    first, last = map(int, params["Range"].removeprefix("bytes=").split("-"))
    return last + 1 - first


def _settled(account):
    """Tell whether nothing more is read for a while."""
    before = len(account.wire.of("GetObject"))
    threading.Event().wait(0.3)
    return before == len(account.wire.of("GetObject"))


def test_broken_connections(huge):
    """Connections that are reset while a film streams leave nothing behind, and say nothing on the terminal."""
    served, browser = huge
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", browser.port))
        connection.sendall(f"GET {path()} HTTP/1.1\r\nHost: 127.0.0.1:{browser.port}\r\nCookie: {browser.cookie}\r\n\r\n".encode())
        connection.recv(1_000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close by a reset
        connection.close()

    served.until(lambda: served.streams == 0)
    assert "Error" not in served.output.getvalue()
    assert 206 == browser.ask(path(), Range="bytes=0-9").status


def test_fifty_players(account, desk):
    """Fifty players at once each get every byte."""
    _, browser = desk

    with ThreadPoolExecutor(50) as players:
        answers = list(players.map(lambda _: browser.ask(path()).data == MOVIE, range(50)))

    assert [True] * 50 == answers


def test_too_many(huge, monkeypatch):
    """More than the most streams at once are put off, and served once one has ended."""
    served, browser = huge
    monkeypatch.setattr(media, "MOST_STREAMS", 1)
    playing = browser.connect()
    playing.request("GET", path(), headers={"Cookie": browser.cookie})
    playing.getresponse().read(1)

    answer = browser.ask(path(), Range="bytes=0-9")
    playing.close()

    assert (503, "2") == (answer.status, answer.headers["retry-after"])
    served.until(lambda: served.streams == 0)
    assert 206 == browser.ask(path(), Range="bytes=0-9").status


def test_too_many_at_the_same_moment(huge, monkeypatch):
    """Those who ask at the same moment are counted, too."""
    served, browser = huge
    monkeypatch.setattr(media, "MOST_STREAMS", 1)
    connections = [browser.connect() for _ in range(8)]
    for connection in connections:
        connection.request("GET", path(), headers={"Cookie": browser.cookie})

    statuses = sorted(connection.getresponse().status for connection in connections)
    for connection in connections:
        connection.close()

    assert [200, *[503] * 7] == statuses
    served.until(lambda: served.streams == 0)


def test_cut_off_by_s3(account, desk):
    """A body of S3 that ends too early is read again, so that the browser gets every byte."""
    _, browser = desk
    cut = []

    def cut_once(params):
        if params["Key"] != "a.mp4" or cut:
            return None
        cut.append(params)
        return {"Body": StreamingBody(Zeros(10), 1_024)}

    account.wire.answer("GetObject", cut_once)

    assert browser.ask(path()).data == MOVIE
    assert cut
