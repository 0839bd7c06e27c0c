"""A review in text: what it shows of a flagged video."""

from dataclasses import replace

import pytest

from handlers.domain import Segment, Video, reasons
from handlers.domain.record import LabelSummary, ObjectFacts, Record, Scan
from handlers.domain.states import ScanStatus, State
from tests.tools.review_doubles import SCAN
from tools.lib.review.cures import cure_of
from tools.lib.review.join import ObjectResult, ObjectStatus, TruthTable
from tools.lib.review.summary import SEGMENTS_SHOWN, FlaggedVideo, review_of

# What ends an analysis without a verdict, and is neither ineligible nor worth a retry.
FAILED = {
    reasons.ANALYSIS_FAILED,
    reasons.START_UNKNOWN,
    reasons.MISSING,
    reasons.UNREADABLE,
    reasons.UNDECODABLE,
    reasons.PARTLY_DECODED,
    "VideoTooLargeException",
}
VIDEO = Video("amzn-s3-demo-bucket", "a.mp4", None)


def shown(*segments):
    """Return the lines below the title of a flagged video with these segments."""
    return FlaggedVideo(ObjectResult(VIDEO, ObjectStatus.FLAGGED), segments).sentences()[1:]


def test_parents_that_add_nothing():
    """A parent that is seen when its child is, and no surer, is not shown, at any depth."""
    lines = shown(
        Segment("Blood & Gore", "Graphic Violence", 3, 5_000, 6_000, 91.0, 2),
        Segment("Graphic Violence", "Violence", 2, 5_000, 6_000, 91.0, 2),
        Segment("Violence", "", 1, 5_000, 6_000, 91.0, 2),
    )

    assert ["  0:00:05 to 0:00:06   91.0 %  Graphic Violence > Blood & Gore"] == lines


def test_parents_that_add_something():
    """A parent that is surer, or is seen at other times, is shown, and before its child."""
    lines = shown(
        Segment("Weapons", "Violence", 2, 1_000, 2_000, 80.0, 2),
        Segment("Violence", "", 1, 1_000, 2_000, 90.0, 2),
        Segment("Violence", "", 1, 7_000, 9_000, 60.0, 2),
        Segment("Alcohol", "", 1, 0, 1_000, 70.0, 2),
    )

    assert [
        "  0:00:00 to 0:00:01   70.0 %  Alcohol",
        "  0:00:01 to 0:00:02   90.0 %  Violence",
        "  0:00:01 to 0:00:02   80.0 %  Violence > Weapons",
        "  0:00:07 to 0:00:09   60.0 %  Violence",
    ] == lines


@pytest.mark.parametrize(
    ("count", "more"), [(20, None), (21, "    and 1 more segment, see --json"), (22, "    and 2 more segments, see --json")]
)
def test_twenty_segments(count, more):
    """Twenty segments are shown, and how many more there are."""
    lines = shown(*(Segment("Weapons", "", 1, number * 1_000, number * 1_000, 90.0, 1) for number in range(count)))

    assert (20 + bool(more), more) == (len(lines), lines[20] if more else None)


def test_many_segments():
    """What is not shown is counted, without parents that add nothing."""
    pairs = [
        Segment(label, parent, 1, number * 1_000, number * 1_000, 90.0, 1)
        for number in range(SEGMENTS_SHOWN + 1)
        for label, parent in (("Violence", ""), ("Weapons", "Violence"))
    ]

    lines = shown(*pairs)

    assert (SEGMENTS_SHOWN + 1, "    and 1 more segment, see --json") == (len(lines), lines[-1])


@pytest.mark.parametrize(
    "code", sorted({code for code, each in reasons.REASONS.items() if each.ineligible or each.retryable} | FAILED)
)
def test_what_to_do(code):
    """Whatever is ineligible, failed in the analysis or may be retried has a cure."""
    assert cure_of(code)


def test_what_must_be_done_first():
    """Where a retry alone would fail again, the cure says what comes before it."""
    for code in (reasons.FORBIDDEN, reasons.ARCHIVED, "InvalidS3ObjectException", "AccessDeniedException"):
        assert cure_of(code).endswith(", then `review_report.py retry`")


@pytest.mark.parametrize("code", [None, "NeverHeardOf", reasons.NOT_A_VIDEO])
def test_nothing_to_do(code):
    """Where nothing is known to help, no cure is made up."""
    assert cure_of(code) is None


def result(key, status, **fields):
    """Return the result of an object."""
    return ObjectResult(Video("amzn-s3-demo-bucket", key, None), status, **fields)


@pytest.fixture(name="whole")
def _whole():
    """A review in which something of each kind was found, and that does not add up."""
    label = LabelSummary("Weapons", "Violence", 2, 99.5, 1_500, 2_000)
    flagged = Record(VIDEO, SCAN, State.FLAGGED, attempt=2, labels=(label,), duration_ms=90_500, facts=ObjectFacts("abc", 3, None))
    outcomes = [
        result("a.mp4", ObjectStatus.FLAGGED, record=flagged),
        result("surer", ObjectStatus.FLAGGED, record=replace(flagged, labels=(replace(label, confidence=99.9),), facts=None)),
        result("odd", ObjectStatus.FAILED),
        result("broken", ObjectStatus.FAILED, reason="analysis-failed", message="Unsupported codec/format."),
        result("broken, too", ObjectStatus.FAILED, reason="analysis-failed"),
        result("void", ObjectStatus.INELIGIBLE, reason="empty", message="The object has 0 bytes."),
        result("text", ObjectStatus.SKIPPED, reason="not-a-video", message="It is a text."),
        result("later", ObjectStatus.WAITING),
        result("clean", ObjectStatus.CLEAN),
        result("clean", ObjectStatus.CLEAN, again=True),
        result("lost", ObjectStatus.LOST),
    ]
    truth = TruthTable(expected=12)
    truth.set_aside, truth.foreign = 1, 2
    for outcome in outcomes:
        truth.count(outcome)
    scan = Scan(SCAN, "amzn-s3-demo-bucket", status=ScanStatus.CLOSED, not_selected={".mkv": 2})
    return review_of(scan, outcomes, truth, lambda _: [Segment("Weapons", "Violence", 2, 1_000, 2_500, 99.5, 3)])


WARNINGS = [
    "The manifest has 10 rows, the scan was submitted with 12: was it replaced?",
    "Not in the manifest, but in the completion report: 2 objects. Is it another scan's?",
    "Accepted by its batch task, but without a record: 1 object. Please report this defect.",
    "Repeated in the manifest: 1 row. An object in two rows has one record.",
]


def test_text(whole):
    """The text has the counts, what they come from, and each object below its status and reason, the worst and commonest first."""
    lines = whole.sentences()

    assert [
        f"Scan {SCAN} of amzn-s3-demo-bucket, closed",
        "",
        "  clean                2",
        "  flagged              2",
        "  failed               3",
        "  ineligible           1",
        "  waiting              1",
        "  skipped              1",
        "  lost                 1",
        "  ----------------------",
        "  objects             11 of 13: the counts do not add up: see the warnings",
        "                  10 in the manifest, 1 left out of it as ineligible when the scan was submitted",
        "                  1 skipped and not looked at, because its first bytes show that it is not a video",
        "                  Not part of the scan because of their suffixes: 2 objects (2 .mkv).",
        "                  2 of them look like videos (2 .mkv): submit a scan with --suffix to include them.",
        "",
        "Flagged",
        "  s3://amzn-s3-demo-bucket/surer",
        "    0:00:02 to 0:00:02   99.5 %  Violence > Weapons",
        "  s3://amzn-s3-demo-bucket/a.mp4",
        "    0:00:02 to 0:00:02   99.5 %  Violence > Weapons",
        "",
        "Failed",
        "  analysis-failed: 2 objects",
        f"    Cure: {cure_of('analysis-failed')}.",
        "    s3://amzn-s3-demo-bucket/broken  Unsupported codec/format.",
        "    s3://amzn-s3-demo-bucket/broken, too",
        "  no reason given: 1 object",
        "    s3://amzn-s3-demo-bucket/odd",
        "",
        "Ineligible",
        "  empty: 1 object",
        "    Cure: upload it again.",
        "    s3://amzn-s3-demo-bucket/void  The object has 0 bytes.",
        "",
        "Skipped: not videos, as their first bytes show",
        "  not-a-video: 1 object",
        "    s3://amzn-s3-demo-bucket/text  It is a text.",
        "",
        "Not final",
        "  s3://amzn-s3-demo-bucket/later  waiting",
        "  s3://amzn-s3-demo-bucket/lost  lost",
        "",
        "Warning",
        *(f"  {warning}" for warning in WARNINGS),
    ] == lines


def test_json(whole):
    """The JSON has the same: counts with the zeros, and each object with what is known of it."""
    output = whole.as_json()

    counts = dict.fromkeys((status.value for status in ObjectStatus), 0)
    counts |= {"clean": 2, "flagged": 2, "failed": 3, "ineligible": 1, "waiting": 1, "skipped": 1, "lost": 1}
    expected = {
        "scan_id": SCAN,
        "bucket": "amzn-s3-demo-bucket",
        "day": None,
        "status": "closed",
        "objects": 11,
        "expected": 13,
        "set_aside": 1,
        "not_selected": {"objects": 2, "look_like_videos": 2, "suffixes": {".mkv": 2}},
        "adds_up": False,
        "states": counts,
        "repeated_rows": 1,
        "warnings": WARNINGS,
        "superseded": [],
    }
    assert expected == {name: output[name] for name in expected}
    assert [["surer", "a.mp4"], ["odd", "broken", "broken, too"], ["void"], ["text"], ["later", "lost"]] == [
        [each["key"] for each in output[name]] for name in ("flagged", "failed", "ineligible", "skipped", "unfinished")
    ]


def test_json_of_a_flagged_video(whole):
    """A flagged video has its attempt, its length, and its labels and segments in seconds and percent."""
    surer, flagged = whole.as_json()["flagged"]

    place = {"bucket": "amzn-s3-demo-bucket", "key": "a.mp4", "version_id": None, "video_id": VIDEO.id, "etag": "abc"}
    found = {
        **place,
        "attempt": 2,
        "decision": None,
        "duration_seconds": 90.5,
        "labels": [{"name": "Weapons", "parent": "Violence", "confidence": 99.5, "seconds": 1.5}],
        "segments": [
            {
                "label": "Weapons",
                "parent": "Violence",
                "start_seconds": 1.0,
                "end_seconds": 2.5,
                "confidence": 99.5,
                "hits": 3,
            }
        ],
    }
    assert found == {name: flagged[name] for name in found}
    assert (None, False, None) == (surer["etag"], surer["missed"], surer["uploaded_time"])


def test_json_of_others(whole):
    """What has no verdict says why, and what to do about it, or how it stands."""
    output = whole.as_json()

    explained = [
        {name: each[name] for name in ("reason", "message", "cure")} for name in ("failed", "skipped") for each in output[name]
    ]
    assert [
        {"reason": None, "message": None, "cure": None},
        {"reason": "analysis-failed", "message": "Unsupported codec/format.", "cure": cure_of("analysis-failed")},
        {"reason": "analysis-failed", "message": None, "cure": cure_of("analysis-failed")},
        {"reason": "not-a-video", "message": "It is a text.", "cure": None},
    ] == explained
    assert ["waiting", "lost"] == [each["state"] for each in output["unfinished"]]
