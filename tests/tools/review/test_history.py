"""The history of a video, record by record, for people and as JSON."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from handlers.adapters.table import CurrentUpload
from handlers.domain import watch
from handlers.domain.decision import Decision, Judgement, LogEntry, Replaced
from handlers.domain.identity import Video
from handlers.domain.record import LabelSummary, ObjectFacts, Problem, Record, Scan
from handlers.domain.states import State
from tests.tools.review_doubles import BUCKET, SCAN
from tools.lib.review.history import Chapter, History, _version_ids, history_of

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
WITHDRAWN = replace(DECISION, judgement=Judgement.WITHDRAWN, decided_by="Bo", note="oops", decided_at=1_699_999_000.0)
BEFORE = Replaced(judgement=Judgement.WITHDRAWN, decided_by="Bo", decided_at=1_699_999_000.0)
LOG = (LogEntry(WITHDRAWN, None), LogEntry(DECISION, BEFORE))


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
    chapter = Chapter(VIDEO, (replace(WAITS, **changed),), (), ())

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
    """A version and an upload are named as such, with every decision about them in order."""
    lines = Chapter(video, (), (), LOG).sentences()

    about = f"(etag abc, scan {SCAN})"
    decided = [f"    withdrawn by Bo, 2023-11-14 21:56 UTC: oops {about}", f"    confirmed by Ada, 2023-11-14 22:13 UTC {about}"]
    assert [f"  {title}", *decided] == lines


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

    output = History(VIDEO, [Chapter(VIDEO, (record, failed), (DECISION,), LOG)], ["odd"]).as_json()

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
    before = {"decision": "withdrawn", "by": "Bo", "decided_time": "2023-11-14T21:56:40.000Z"}
    assert [("withdrawn", "oops", None), ("confirmed", "", before)] == [
        (each["decision"], each["note"], each["before"]) for each in chapter["log"]
    ]


class Pages:
    """A listing of versions, which counts the pages that are read."""

    def __init__(self, *pages):
        self.pages, self.asked, self.read = pages, [], 0

    def get_paginator(self, operation):
        """Return what lists versions."""
        assert operation == "list_object_versions"
        return self

    def paginate(self, **request):
        """Yield the pages."""
        self.asked.append(request)
        for page in self.pages:
            self.read += 1
            yield page


def versions(key, *ids):
    """Return the entries of a key's versions."""
    return [{"Key": key, "VersionId": each} for each in ids]


@pytest.mark.parametrize(
    ("pages", "found", "read"),
    [
        ([{}], [], 1),
        ([{"Versions": versions("a", "v2", "v1")}], ["v2", "v1"], 1),
        ([{"Versions": versions("a", "v2")}, {"Versions": versions("a", "v1")}], ["v2", "v1"], 2),
        ([{"Versions": [*versions("a", "v1"), *versions("a2", "w1")]}, {"Versions": versions("a3", "x1")}], ["v1"], 1),
        ([{"DeleteMarkers": versions("a", "d1")}, {"Versions": versions("a", "v1")}], ["v1"], 2),
        ([{"Versions": versions("a", "v1"), "DeleteMarkers": versions("a2", "d1")}, {}], ["v1"], 1),
    ],
)
def test_versions(pages, found, read):
    """The versions of a key are listed, not its delete markers, nor those of keys that only begin so; then no page is read."""
    s3 = Pages(*pages)

    assert found == _version_ids(s3, Video(BUCKET, "a"))
    assert ([{"Bucket": BUCKET, "Prefix": "a"}], read) == (s3.asked, s3.read)


@pytest.fixture(name="run")
def _run(account):
    """Return what a command of the tools has of an account that holds one version of a key."""
    s3 = Pages({"Versions": versions("a.mp4", "v1")})
    return SimpleNamespace(table=account.table, clients=SimpleNamespace(s3=s3))


DAY_SCAN, OTHER_DAY_SCAN = (watch.scan_id(bucket, "2025-10-09") for bucket in (BUCKET, "amzn-s3-demo-other"))


def test_uploads_of_a_key(run, account):
    """Uploads are known by the newest one, what it replaced, decisions, and the etags that scans have seen, each once."""
    table = account.table
    table.scans.put_scan(Scan(SCAN, BUCKET, created_at=1.0))
    table.scans.ensure_day_scan(DAY_SCAN, BUCKET, "2025-10-09", held=None)
    table.scans.ensure_day_scan(OTHER_DAY_SCAN, "amzn-s3-demo-other", "2025-10-09", held=None)
    place = Video(BUCKET, "a.mp4")
    newest, replaced, scanned = (Video(BUCKET, "a.mp4", None, etag) for etag in ("newest", "replaced", "scanned"))
    for video, scan_id in ((place, SCAN), (VIDEO, SCAN), (newest, DAY_SCAN), (replaced, DAY_SCAN), (scanned, DAY_SCAN)):
        table.records.register(Record(video, scan_id, State.WAITING, facts=ObjectFacts("scanned", 3, None), queued_at=1.0), None)
    table.watches.note_current(CurrentUpload(BUCKET, "a.mp4", newest.id, DAY_SCAN, 5.0, replaced.id, DAY_SCAN), None)

    found = history_of(run, place)

    first, second, *uploads = [(chapter.video, [record.scan_id for record in chapter.records]) for chapter in found.chapters]
    assert ((place, [SCAN]), (VIDEO, [SCAN])) == (first, second)
    assert [(video, [DAY_SCAN]) for video in sorted((newest, replaced, scanned), key=str)] == sorted(uploads, key=str)
    assert [] == found.warnings


def test_one_version(run, account):
    """Of a version that is named nothing is listed, and no upload is shown."""
    account.table.scans.put_scan(Scan(SCAN, BUCKET, created_at=1.0))
    account.table.records.register(Record(VIDEO, SCAN, State.WAITING, queued_at=1.0), None)

    found = history_of(run, VIDEO)

    assert ([VIDEO], 0) == ([chapter.video for chapter in found.chapters], run.clients.s3.read)


def test_nothing_known(run):
    """Versions of which no scan knows anything have no chapter."""
    assert [] == history_of(run, Video(BUCKET, "a.mp4")).chapters
