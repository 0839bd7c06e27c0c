"""What a page holds, value by value: its script reads these names, and a name that is missing shows nothing."""

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest

from handlers.domain.decision import Decision, Judgement
from handlers.domain.engine import Engine
from handlers.domain.identity import Video
from handlers.domain.languages import ENGLISH
from handlers.domain.record import BatchJob, LabelSummary, ObjectFacts, Record, Segment, Totals
from handlers.domain.states import State
from tests.browser.reviews import MADE_AT, SCAN, page_of, review
from tools.lib.review.join import ObjectResult, ObjectStatus, TruthTable
from tools.lib.review.page.labels import CATEGORIES, LabelTable
from tools.lib.review.page.summary import _dollars, _price, categories, confidences, costs, states
from tools.lib.review.page.videos import MAX_MESSAGE, Describer
from tools.lib.review.summary import FlaggedVideo

PLACE = Video("amzn-s3-demo-bucket", "a.mp4", "v1")
WEAPONS = LabelSummary("Weapons", "Violence", 2, 99.5, 1_500, 2_000)
RECORD = Record(
    PLACE,
    SCAN,
    State.FLAGGED,
    attempt=2,
    labels=(WEAPONS,),
    counted=("Weapons",),
    duration_ms=90_500,
    facts=ObjectFacts("abc", 3, "v2"),
    uploaded_at=5.0,
    missed=True,
)
NAMED = {
    "id": PLACE.id,
    "bucket": "amzn-s3-demo-bucket",
    "key": "a.mp4",
    "version": "v1",
    "looked_at": "v2",
    "etag": "abc",
    "size": 3,
    "attempt": 2,
    "duration": 90_500,
    "uploaded": 5.0,
    "missed": True,
}


@pytest.fixture(name="describer")
def _describer():
    return Describer(LabelTable(), 2)


def flagged(record=RECORD, **fields):
    """Return a flagged video with three segments of a second, the second of which is the least sure."""
    segments = [
        Segment("Weapons", "Violence", 2, at, at + 1_000, sure, 1) for at, sure in ((1_000, 90.0), (5_000, 80.0), (7_000, 99.5))
    ]
    return FlaggedVideo(ObjectResult(record.video, ObjectStatus.FLAGGED, record, **fields), segments)


def test_head():
    """Above all else the page has the scan, when and where the review was made, its counts, and commands to copy."""
    made, totals = review()

    values = page_of(made, totals).values

    command = f"python tools/review_report.py --scan {SCAN} --json"
    decisions = f"decisions-{SCAN}.json"
    scan = {
        "id": SCAN,
        "bucket": made.scan.bucket,
        "day": None,
        "status": "closed",
        "created_at": made.scan.created_at,
        "closed_at": made.scan.closed_at,
    }
    expected = {
        "format": "video-moderation-page-1",
        "scan": scan,
        "made_at": MADE_AT,
        "region": "us-east-1",
        "console": "https://console.aws.amazon.com",
        "objects": 1_240,
        "expected": 1_240,
        "adds_up": True,
        "warnings": [],
        "everything": command,
        "apply": f"python tools/review_report.py apply {decisions} --scan {SCAN}",
        "decisions_file": decisions,
    }
    assert expected == {name: values[name] for name in expected}
    assert {"code": "en", "decimal": ".", "sentences": {}, "labels": {}} == values["language"]


def test_what_was_left_out_is_expected():
    """The objects that were left out of the job are part of what is expected; where that is not known, nothing is."""
    made, totals = review()
    made.truth.set_aside = 5
    found = [page_of(made, totals).values["expected"]]
    made.truth.expected = None

    found.append(page_of(made, totals).values["expected"])

    assert [1_245, None] == found


def test_states():
    """Flagged, failed and clean are shown though there are none, in this order; of the others what there is."""
    made, _ = review(flagged_count=0, failed_count=0, clean=0, ineligible_count=1)

    assert [("flagged", 0), ("failed", 0), ("clean", 0), ("ineligible", 1), ("skipped", 8)] == [
        (state["name"], state["count"]) for state in states(made.truth)
    ]


def test_costs():
    """A scan costs its minutes, its jobs, and the objects of all its jobs, each with its price."""
    made, _ = review()
    jobs = (BatchJob("one", tasks=2_000_000), BatchJob("two", tasks=500_000))
    made.scan = replace(made.scan, jobs=jobs)

    found = costs(made, Totals({}, {State.CLEAN: 90_000, State.FLAGGED: 30_000, State.FAILED: 9}), ENGLISH)

    assert "$3.20" == found["total"]
    assert [
        ("2.0 minutes analysed", "$0.20", "$0.10 per minute of stored video"),
        ("2 S3 Batch Operations jobs", "$0.50", "$0.25 per S3 Batch Operations job"),
        ("2,500,000 objects of jobs", "$2.50", "$1.00 per million objects of a job"),
    ] == [(part["what"], part["amount"], part["price"].partition(";")[0].partition(",")[0]) for part in found["parts"]]


@pytest.mark.parametrize(
    ("engine", "parts"),
    [
        (Engine.FRAMES, [("1,500 images analysed", "$1.50", "$0.001 per image")]),
        (
            Engine.VIDEO,
            [
                ("2.0 minutes analysed", "$0.20", "$0.10 per minute of stored video"),
                ("1,500 images analysed", "$1.50", "$0.001 per image"),
            ],
        ),
    ],
)
def test_costs_of_images(engine, parts):
    """A scan by frames costs its images and not its minutes; one by the video API costs its images besides."""
    made, _ = review()
    made.scan = replace(made.scan, engine=engine, day="2026-11-29")

    found = costs(made, Totals({}, {State.CLEAN: 120_000}, images=1_500), ENGLISH)["parts"]

    assert parts == [(part["what"], part["amount"], part["price"].partition(",")[0]) for part in found]


def test_costs_of_little():
    """One job and one object are singular; where no job says how many tasks it has, what was found counts; a day has no job."""
    made, _ = review()
    made.truth = TruthTable()
    made.truth.count(ObjectResult(PLACE, ObjectStatus.CLEAN))
    made.scan = replace(made.scan, jobs=(BatchJob("one"),))
    nothing = Totals({}, {})

    found = costs(made, nothing, ENGLISH)
    of_day = costs(replace(made, scan=replace(made.scan, day="2026-11-29")), nothing, ENGLISH)

    assert [
        ("0.0 minutes analysed", "$0.00"),
        ("1 S3 Batch Operations job", "$0.25"),
        ("1 object of a job", "less than $0.01"),
    ] == [(part["what"], part["amount"]) for part in found["parts"]]
    assert ("$0.00", ["0.0 minutes analysed"]) == (of_day["total"], [part["what"] for part in of_day["parts"]])


@pytest.mark.parametrize(
    ("tasks", "shown"), [((None, None), "2 objects of jobs"), ((5, None), "5 objects of jobs"), ((0, 0), "2 objects of jobs")]
)
def test_tasks_that_are_not_known(tasks, shown):
    """Of jobs that do not say how many tasks they have, what was found counts, unless another job says so."""
    made, _ = review()
    made.truth = TruthTable()
    for key in ("a.mp4", "b.mp4"):
        made.truth.count(ObjectResult(Video("amzn-s3-demo-bucket", key), ObjectStatus.CLEAN))
    made.scan = replace(made.scan, jobs=tuple(BatchJob(f"job {number}", tasks=count) for number, count in enumerate(tasks)))

    assert shown == costs(made, Totals({}, {}), ENGLISH)["parts"][2]["what"]


@pytest.mark.parametrize(("counted", "step"), [(("Weapons", "Alcohol"), 95), (("Alcohol",), 60), ((), 95)])
def test_confidences(counted, step):
    """A video is counted by the surest of the labels that flagged it, or of all where the record does not say which did."""
    alcohol = LabelSummary("Alcohol", "", 1, 61.0, 1, 0)
    video = flagged(replace(RECORD, labels=(WEAPONS, alcohol), counted=counted))

    assert {step: 1} == {percent: count for percent, count in confidences([video]) if count}


def test_confidences_below_the_chart():
    """The chart begins at 50 %, or lower where something was found below that, and has every step."""
    low = replace(RECORD, labels=(replace(WEAPONS, confidence=34.9),))

    usual, lower = confidences([]), confidences([flagged(low), flagged()])

    assert [[step, 0] for step in range(50, 100, 5)] == usual
    assert [[30, 1], [35, 0]] == lower[:2]
    assert [95, 1] == lower[-1]


def test_flagged(describer):
    """A flagged video has all that is known of it, its labels, and its surest segments in time order."""
    entry = describer.flagged(flagged())

    found = {"labels": [[0, 99.5, 1_500, 2_000, 1]], "segments_left_out": 1}
    assert NAMED | found == {name: value for name, value in entry.items() if name != "segments"}
    assert [0, 2_000, 90.0, 7_000] == [entry["segments"][number] for number in (0, 2, 3, 5)]
    assert 8 == len(entry["segments"])


def test_what_is_not_known_is_left_out(describer):
    """What is not known of a video, or does not hold, is not on the page: a name with nothing takes room 20,000 times."""
    bare = Record(Video("amzn-s3-demo-bucket", "b.mp4"), SCAN, State.FLAGGED)

    entry = describer.flagged(FlaggedVideo(ObjectResult(bare.video, ObjectStatus.FLAGGED, bare), ()))

    assert {
        "id": bare.video.id,
        "bucket": "amzn-s3-demo-bucket",
        "key": "b.mp4",
        "attempt": 0,
        "labels": [],
        "segments": [],
    } == entry


def test_flagged_without_a_record(describer):
    """A flagged video whose record is gone has its place alone."""
    entry = describer.flagged(FlaggedVideo(ObjectResult(PLACE, ObjectStatus.FLAGGED), ()))

    assert {"id": PLACE.id, "version": "v1", "labels": [], "segments": []} == {
        name: entry[name] for name in ("id", "version", "labels", "segments")
    }


def test_decision(describer):
    """What was decided before is there, with who, when and why."""
    decision = Decision(
        video=PLACE,
        etag="abc",
        scan_id=SCAN,
        attempt=2,
        judgement=Judgement.FALSE_ALARM,
        note="a toy",
        decided_by="reviewer",
        decided_at=1_700_000_000.0,
    )

    recorded = describer.flagged(flagged(decision=decision))["recorded"]

    assert {
        "decision": "false-alarm",
        "note": "a toy",
        "decided_by": "reviewer",
        "decided_at": "2023-11-14T22:13:20.000Z",
    } == recorded


@pytest.mark.parametrize(
    ("reason", "message", "shown"),
    [
        ("empty", "It is empty.", {"reason": "empty", "message": "It is empty."}),
        (None, None, {}),
        ("", "", {}),
        ("odd", "x" * 1_001, {"reason": "odd", "message": "x" * 1_000}),
    ],
)
def test_failed(describer, reason, message, shown):
    """What failed has its reason and the beginning of its message, where there are any."""
    entry = describer.failed(ObjectResult(PLACE, ObjectStatus.FAILED, RECORD, reason, message))

    assert NAMED | shown == entry
    assert 1_000 == MAX_MESSAGE


def test_failed_without_a_record(describer):
    """Of what has no record its place is known, and of an upload its etag."""
    upload = Video("amzn-s3-demo-bucket", "a.mp4", None, "xyz")

    entry = describer.failed(ObjectResult(upload, ObjectStatus.NEVER_ATTEMPTED))

    assert {"id": upload.id, "bucket": "amzn-s3-demo-bucket", "key": "a.mp4", "etag": "xyz", "attempt": 0} == entry


def test_superseded(describer):
    """What was replaced says what it was; labels that were found are there, segments are not."""
    found = describer.superseded(ObjectResult(PLACE, ObjectStatus.FLAGGED, RECORD))
    failed = describer.superseded(ObjectResult(PLACE, ObjectStatus.FAILED, replace(RECORD, labels=()), "missing"))

    assert NAMED | {"labels": [[0, 99.5, 1_500, 2_000, 1]], "segments": [], "was": "flagged"} == found
    assert NAMED | {"reason": "missing", "was": "failed"} == failed


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"interval_ms": 2_500}, {"every": 2.5}),
        ({"interval_ms": None}, {"every": 0.0}),
        ({"interval_ms": 1_000, "decoded_ms": 18_000}, {"every": 1.0, "decoded": 18_000}),
        ({"interval_ms": 1_000, "images": 0}, {}),
    ],
)
def test_by_frames(describer, changed, shown):
    """A film by frames has its interval, an image 0, and a damaged one how far it was decoded; one never looked at has none."""
    record = replace(RECORD, **{"engine": Engine.FRAMES, "images": 1, **changed})

    entry = describer.failed(ObjectResult(PLACE, ObjectStatus.FAILED, record))

    assert NAMED | shown == entry


def test_categories():
    """A category counts its videos, the commonest first, and names its three commonest labels, of lower levels only."""
    names = ("Weapons", "Weapon Violence", "Physical Violence", "Self-Harm")
    violence = LabelSummary("Violence", "", 1, 90.0, 1, 0)
    labels = [LabelSummary(name, "Violence", 2, 90.0, 1, 0) for name in names]
    videos = [flagged(replace(RECORD, labels=(violence, *labels[: number + 1]), counted=())) for number in range(4)]
    alcohol = LabelSummary("Alcohol", "", 1, 99.0, 1, 0)
    videos.append(flagged(replace(RECORD, labels=(alcohol, violence), counted=("Alcohol",))))

    first, second = categories(videos, len(CATEGORIES))

    assert (CATEGORIES.index("Violence"), 4, [["Weapons", 4], ["Weapon Violence", 3], ["Physical Violence", 2]]) == (
        first["category"],
        first["count"],
        first["labels"],
    )
    assert {"category": CATEGORIES.index("Alcohol"), "count": 1, "labels": []} == second
    assert [] == categories([], len(CATEGORIES))


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0", "$0.00"), ("0.0001", "less than $0.01"), ("0.00999", "less than $0.01"), ("0.01", "$0.01"), ("1234.5", "$1,234.50")],
)
def test_little_money(amount, shown):
    """What costs something is never shown as nothing."""
    assert shown == _dollars(Decimal(amount), ENGLISH)


@pytest.mark.parametrize(
    ("dollars", "as_of", "shown"),
    [
        ("0.1", "2026-11-01", "$0.10 per minute of stored video, from here (2026-11-01); look it up at https://example.com"),
        ("0.01", None, "$0.01 per minute of stored video, from here (undated); look it up at https://example.com"),
        ("0.009", None, "$0.009 per minute of stored video, from here (undated); look it up at https://example.com"),
    ],
)
def test_prices(dollars, as_of, shown):
    """A price is shown to its last digit, with where it is from, and when."""
    price = SimpleNamespace(
        dollars=Decimal(dollars), unit="minute of stored video", source="here", as_of=as_of, page="https://example.com"
    )

    assert shown == _price(price, ENGLISH)
