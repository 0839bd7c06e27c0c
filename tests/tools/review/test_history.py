"""The history of a video, record by record, for people and as JSON."""

from dataclasses import replace

import pytest

from handlers.domain.decision import Decision, Judgement
from handlers.domain.identity import Video
from handlers.domain.record import LabelSummary, ObjectFacts, Problem, Record
from handlers.domain.states import State
from tests.tools.review_doubles import BUCKET, SCAN
from tools.lib.review.history import Chapter, History

VIDEO = Video(BUCKET, "a.mp4", "v1")
WAITS = Record(VIDEO, SCAN, State.WAITING, queued_at=1_700_000_000.0)
DECISION = Decision(
    video=VIDEO,
    etag="abc",
    scan_id=SCAN,
    attempt=0,
    judgement=Judgement.CONFIRMED,
    note="",
    decided_by="Ada",
    decided_at=1_700_000_000.0,
)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({}, "2023-11-14 22:13 UTC  waiting"),
        ({"queued_at": None}, "time unknown  waiting"),
        ({"state": State.RUNNING, "started_at": 1_700_000_060.0, "attempt": 2}, "2023-11-14 22:14 UTC  running, attempt 2"),
        (
            {
                "state": State.FAILED,
                "started_at": 1_700_000_060.0,
                "finished_at": 1_700_000_120.0,
                "superseded_at": 5.0,
                "problem": Problem("missing", "It is\ngone."),
            },
            "2023-11-14 22:15 UTC  failed, superseded; missing: It is\\ngone.",
        ),
    ],
)
def test_record(changed, line):
    """A record has its scan, when it last changed, its state, and why it failed; a message steers no terminal."""
    chapter = Chapter(VIDEO, (replace(WAITS, **changed),), ())

    assert ["  version v1", f"    scan {SCAN}  {line}"] == chapter.sentences()


@pytest.mark.parametrize(
    ("video", "title"),
    [
        (Video(BUCKET, "a"), "without a version"),
        (Video(BUCKET, "a", "v1"), "version v1"),
        (Video(BUCKET, "a", None, "abc"), "upload with the etag abc"),
    ],
)
def test_chapter(video, title):
    """A version and an upload are named as such, with what was decided about them."""
    lines = Chapter(video, (), (DECISION,)).sentences()

    assert [f"  {title}", f"    confirmed by Ada, 2023-11-14 22:13 UTC (etag abc, scan {SCAN})"] == lines


def test_nothing():
    """A video of which nothing is known has a line that says so, and its warnings."""
    lines = History(Video(BUCKET, "a"), warnings=["odd\n"]).sentences()

    assert [
        f"s3://{BUCKET}/a",
        "  no scan has a record of it (objects that are not videos are skipped without one)",
        "  warning: odd\\n",
    ] == lines


def test_json():
    """The JSON has every time and figure of a record, and the decisions with the content that they are about."""
    record = replace(
        WAITS,
        state=State.FLAGGED,
        attempt=1,
        started_at=1_700_000_060.0,
        finished_at=1_700_000_120.0,
        facts=ObjectFacts("abc", 3, "v1"),
        labels=(LabelSummary("Weapons", "Violence", 2, 99.5, 1_500, 2_000),),
        model_version="7.0",
        policy_hash="0123",
    )
    failed = replace(WAITS, problem=Problem("missing", "gone"))

    output = History(VIDEO, [Chapter(VIDEO, (record, failed), (DECISION,))], ["odd"]).as_json()

    (chapter,) = output["versions"]
    flagged, other = chapter["records"]
    expected = {
        "scan_id": SCAN,
        "state": "flagged",
        "attempt": 1,
        "etag": "abc",
        "size": 3,
        "queued_time": "2023-11-14T22:13:20.000Z",
        "started_time": "2023-11-14T22:14:20.000Z",
        "finished_time": "2023-11-14T22:15:20.000Z",
        "reason": None,
        "message": None,
        "model_version": "7.0",
        "policy_hash": "0123",
        "labels": [{"name": "Weapons", "parent": "Violence", "confidence": 99.5, "seconds": 1.5}],
    }
    assert expected == {name: flagged[name] for name in expected}
    assert ("missing", "gone", None, None) == tuple(other[name] for name in ("reason", "message", "etag", "size"))
    assert (BUCKET, "a.mp4", ["odd"]) == (output["bucket"], output["key"], output["warnings"])
    assert ("v1", None, VIDEO.id) == (chapter["version_id"], chapter["etag"], chapter["video_id"])
    assert [("confirmed", "Ada", "abc", SCAN)] == [
        (each["decision"], each["by"], each["etag"], each["scan_id"]) for each in chapter["decisions"]
    ]
