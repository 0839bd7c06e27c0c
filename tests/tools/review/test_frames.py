"""`page --evidence`: frames in the file itself, as many as fit."""

import base64
import json
import re

import pytest

from handlers.domain.record import ObjectFacts, Segment
from tests.handlers.adapters.media.made_films import Made, Shown, card_of, film
from tests.tools.review_doubles import BUCKET, HOSTILE, add_flagged, add_report, add_scan, review
from tools.lib.evidence import Moment
from tools.lib.review import frames as of_frames

pytestmark = pytest.mark.slow  # each test starts decoders

FILM = Made("h264 mp4", 8.0, (Shown(7, 4.0, 6.0),))


def segment(start_ms, end_ms, confidence, label="Weapons"):
    """Return a segment."""
    return Segment(label, "Violence", 2, start_ms, end_ms, confidence, 3)


def put(account, key, *segments):
    """Put a flagged video with its film and its segments."""
    body = film(FILM)
    etag = account.s3.put_object(Bucket=BUCKET, Key=key, Body=body)["ETag"].strip('"')
    record = add_flagged(account, key, facts=ObjectFacts(etag, len(body), None))
    account.table.records.write_segments(record, segments)


@pytest.fixture(name="scanned")
def _scanned(account):
    """Return an account with a scan of two flagged films."""
    add_scan(account, "a.mp4", HOSTILE)
    add_report(account, [("a.mp4", True, '{"state":"WAITING"}'), (HOSTILE, True, '{"state":"WAITING"}')])
    put(account, "a.mp4", segment(4_500, 5_500, 99.5), segment(1_000, 1_000, 60.0), segment(7_000, 7_000, 99.0, "Other"))
    put(account, HOSTILE, segment(4_200, 4_200, 90.0))
    return account


def page_of(account, path, *arguments):
    """Make a page; return its values, its policy, and what was printed."""
    done = review(account, "page", str(path), *arguments)
    text = path.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1]), policy, done.stdout


def cards(video):
    """Return the times and cards of a video's frames."""
    head = "data:image/jpeg;base64,"
    assert all(uri.startswith(head) for _, uri in video["evidence"])
    return [(at, card_of(base64.b64decode(uri.removeprefix(head)))) for at, uri in video["evidence"]]


def test_frames(scanned, tmp_path):
    """Each flagged video has frames of the labels that count, in order of time, which the page may show."""
    values, policy, printed = page_of(scanned, tmp_path / "page.html", "--evidence")

    found = {video["key"]: cards(video) for video in values["flagged"]}
    assert [(1_000, None), (5_000, 7)] == found["a.mp4"]
    assert [(4_200, 7)] == found[HOSTILE]
    assert "img-src data:" in policy
    assert "evidence" not in printed


def test_without(scanned, tmp_path):
    """A page without frames is as before: no film is read, and its policy allows no picture."""
    values, policy, _ = page_of(scanned, tmp_path / "page.html")

    assert {False} == {"evidence" in video for video in values["flagged"]}
    assert "img-src" not in policy
    assert [] == [params for params in scanned.wire.of("GetObject") if params["Bucket"] == BUCKET]


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_film_that_is_gone(scanned, tmp_path, language):
    """A film that is gone, or another one by now, has no frames; the others have theirs, and the page and the review say so."""
    scanned.s3.delete_object(Bucket=BUCKET, Key=HOSTILE)
    scanned.put("a.mp4", body=b"another")

    values, _, printed = page_of(scanned, tmp_path / "page.html", "--evidence", "--language", language)

    assert {False} == {"evidence" in video for video in values["flagged"]}
    begins = "Without evidence frames: 2 videos." if language == "en" else "Sin fotogramas de prueba: 2 vídeos."
    (warning,) = [each for each in values["warnings"] if each.startswith(begins)]
    assert ("since it was analysed" if language == "en" else "después de su análisis") in warning
    assert "Without evidence frames: 2 videos. The first reason: s3://" in printed


def test_an_error_of_s3(scanned, tmp_path, errors):
    """Where S3 fails, the page is made without those frames."""
    scanned.wire.answer("GetObject", lambda asked: errors.http("SlowDown", 503) if asked["Bucket"] == BUCKET else None)

    values, _, printed = page_of(scanned, tmp_path / "page.html", "--evidence")

    assert {False} == {"evidence" in video for video in values["flagged"]}
    assert "Without evidence frames: 2 videos" in printed


def test_no_room(scanned, tmp_path, monkeypatch):
    """A page stays below its limit: what does not fit is left out, the weakest first, and that is said."""
    monkeypatch.setattr(of_frames, "_TYPICAL_BYTES", 1)
    monkeypatch.setattr("tools.lib.review.command.size_of", lambda _: 2_000_000 - 10_000 - 2_400)

    values, _, printed = page_of(scanned, tmp_path / "page.html", "--evidence", "--evidence-mb", "2")

    shown = sum(len(json.dumps(video["evidence"])) for video in values["flagged"] if "evidence" in video)
    assert 0 < shown < 2_400
    assert re.search(r"Of \d+ evidence frames \d+ are on the page, the surest ones, to keep it below 2 MB.", printed)


def test_the_surest_first(scanned):
    """Where there is room for few, the surest videos have frames; what one does not use others get."""
    room = of_frames._Room(100_000, 10)

    shares = [share for _, share in room.shares(range(10))]

    assert [36_000, 36_000, 28_000, *[0] * 7] == shares
    room = of_frames._Room(1_000_000, 2)
    following = room.shares("ab")
    assert ("a", 500_000) == next(following)
    room.left += 400_000
    assert ("b", 900_000) == next(following)


def read(*sizes):
    """Return frames of these sizes as data URIs, each surer than the one before and earlier in the film."""
    return [(Moment(1_000 * (len(sizes) - number), "Weapons", 90.0 + number), "x" * size) for number, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("share", "kept"),
    [(0, []), (123, []), (124, [100]), (323, [100]), (324, [100, 176]), (9_999, [100, 176, 3_000]), (3_523, [100, 176, 3_000])],
)
def test_what_fits(share, kept):
    """Frames are kept as long as they fit with their time and brackets, the surest first, in order of time."""
    frames = of_frames._fitting(read(3_000, 176, 100), share)

    assert kept == [len(uri) for _, uri in frames]
    assert sorted(frames) == frames


def test_size_on_the_page():
    """Frames take no more on the page than is counted for them."""
    frames = tuple((at, "data:image/jpeg;base64," + "x" * 400) for at in (0, 5_000, 21_600_000))

    taken = of_frames._Taken(frames, 3)

    assert len(json.dumps([list(frame) for frame in frames], separators=(",", ":"))) <= taken.size
    assert 3 * 24 + sum(len(uri) for _, uri in frames) == taken.size


@pytest.mark.parametrize(
    ("left", "videos", "shares"),
    [
        (0, 2, [0, 0]),
        (10_000, 2, [10_000, 0]),
        (36_000, 2, [36_000, 0]),
        (71_000, 2, [36_000, 35_000]),
        (100_000, 2, [50_000, 50_000]),
        (100_000, 1, [100_000]),
    ],
)
def test_shares(left, videos, shares):
    """Each video has an equal share, but room for three frames at least while there is any; in all no more than there is."""
    assert shares == [share for _, share in of_frames._Room(left, videos).shares(range(videos))]
