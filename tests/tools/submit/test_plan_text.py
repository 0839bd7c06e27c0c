"""What a person sees before agreeing to a plan."""

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from handlers.domain.engine import Engine
from handlers.domain.states import Lane
from tests.tools.submit.test_plan import SCAN, plan, sizes_of
from tools.lib.listing import Sample, Selection, SizeCounts
from tools.lib.manifest import Kind, Source
from tools.lib.submit.plan_text import filter_lines, left_out_because, lines_of, price_lines


def text_of(**changed):
    """Return the lines of a plan, without their indentation."""
    return [line.strip() for line in lines_of(plan(**changed))]


def test_what_where_and_how():
    """The plan names the lane, the stack, where manifest and report will be, and its warnings."""
    lines = text_of(lane=Lane.EXPRESS, warnings=("Mind the gap.", "And the step."))

    assert "Lane      express" in lines
    assert "Stack     VideoModeration, us-east-1, account 111122223333" in lines
    assert f"Manifest  s3://amzn-s3-demo-work/manifests/{SCAN}.csv" in lines
    assert f"Report    s3://amzn-s3-demo-work/reports/{SCAN}/" in lines
    assert ["Warning   Mind the gap.", "And the step."] == lines[-2:]


def test_left_out():
    """What is left out is counted for each reason, and the plan says where it is listed."""
    lines = text_of(ineligible={"archived": 2, "empty": 1_234})

    (first,) = [number for number, line in enumerate(lines) if line.startswith("Left out")]
    assert ("2 " in lines[first], "1,234 " in lines[first + 1]) == (True, True)
    assert (
        f"submitting the scan lists each, with its codec, length or what is broken, in s3://amzn-s3-demo-work/manifests/{SCAN}-ineligible.csv"
        == lines[first + 2]
    )
    assert not any(line.startswith("Left out") for line in text_of())


@pytest.mark.parametrize("suspended", [False, True])
def test_suspended(suspended):
    """That a job will not start by itself is said where it is so."""
    assert suspended == any("stays Suspended until someone confirms it" in line for line in text_of(suspended=suspended))


def test_price_without_an_estimate():
    """Without an estimate all prices are shown, and why there is no estimate."""
    lines = text_of(estimate=None)

    assert all(any(line.endswith(price) for line in lines) for price in price_lines(2))
    assert f"Estimate  none: {plan().no_estimate}" in lines


def test_price_next_to_an_estimate():
    """Next to an estimate stand the price of the job, due even if it is cancelled, and where the prices are from."""
    lines = text_of(estimate={"sentences": ["$5.00", "2 h"]})

    shown = [any(line.endswith(price) for line in lines) for price in price_lines(2)]
    assert [True, False, False, True] == shown
    assert "Estimate  $5.00" in lines
    assert "2 h" in lines


def test_price_by_frames():
    """By frames, images are paid for, not minutes."""
    _, rekognition, example, _ = price_lines(2, Engine.FRAMES, 2_500)

    assert rekognition.startswith("Rekognition: $1.00 for a thousand frames or images")
    assert example.endswith("1,000 videos of 5 minutes, every 2.5 s, would cost $120.00")


@pytest.mark.parametrize(("engine", "interval_ms"), [(Engine.VIDEO, 2_500), (Engine.FRAMES, None)])
def test_price_by_minutes(engine, interval_ms):
    """Films that go to the video API are paid by the minute, also where others have an interval."""
    _, rekognition, example, _ = price_lines(2, engine, interval_ms)

    assert "Rekognition: $0.10 for each minute of video, nearly all of the bill" == rekognition
    assert example.endswith("1,000 videos of 5 minutes would cost $500.00")


def test_price_of_a_job():
    """The job itself has a price, and the prices are said to be unchecked, with their pages."""
    job, _, _, source = price_lines(2)

    assert "S3 Batch Operations: $0.25 for the job and less than $0.01 for its objects, even if cancelled" == job
    assert source.startswith("prices of us-east-1, not checked with AWS: https://")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"source": Source(Kind.GENERATED)}, "not counted yet (keys ending in .mp4, .m4v, .mov, in any case)"),
        ({"source": Source(Kind.KEYS, "keys.txt")}, "2 (as named there; sizes are not known)"),
        ({"source": Source(Kind.MANIFEST, "own.csv"), "versioned": True}, "2 (as named there; sizes are not known)"),
        ({"sizes": SizeCounts(objects=3)}, "3 (keys ending in .mp4, .m4v, .mov, in any case)"),
    ],
)
def test_objects_without_sizes(given, shown):
    """Where a source gives no sizes, objects are counted if they can be, and nothing else is said of them."""
    lines = text_of(**given)

    (number,) = [number for number, line in enumerate(lines) if line.startswith("Objects")]
    assert f"Objects   {shown}" == lines[number]
    assert lines[number + 1].startswith("Others")


def test_reasons_in_a_sentence():
    """Reasons are joined by or, in order; one that has no words is named by its code."""
    assert "empty or over 10 GB, which Rekognition does not take or unheard-of" == left_out_because(
        ["unheard-of", "too-large", "empty"]
    )


def test_the_other_engine():
    """What the scan would cost by the other engine stands beside its estimate; plans of earlier versions lack that."""
    shown = text_of(estimate={"sentences": ["$5.00"], "alternative": {"sentences": ["by frames: $1.00", "pass --frames"]}})
    before = text_of(estimate={"sentences": ["$5.00"]})

    assert ["Or        by frames: $1.00", "pass --frames"] == [line for line in shown if "frames" in line and "$0" not in line]
    assert not [line for line in before if line.startswith("Or ")]


def test_price_of_unknown_many():
    """Where the number of objects is not known, the price is that of a million."""
    assert "$1.00 a million for its objects" in price_lines(None)[0]
    assert "$3.00 for its objects" in price_lines(3_000_000)[0]


@pytest.mark.parametrize(
    ("all_versions", "which"), [(False, "the latest version of each, as listed now"), (True, "every version of each")]
)
def test_versions(all_versions, which):
    """In a bucket with versions the plan says which of them are scanned."""
    selection = Selection(bucket="amzn-s3-demo-bucket", all_versions=all_versions)

    assert which in text_of(versioned=True, selection=selection)
    assert which not in text_of(versioned=False, selection=selection)


def test_sizes():
    """Objects are counted by size, classes without any left out, and empty ones named as such."""
    assert [True] == [" empty" not in line for line in text_of(sizes=sizes_of(5 * 1024**2, 5 * 1024**2)) if "2 objects of " in line]
    assert any("1 empty object" in line for line in text_of(sizes=sizes_of(0)))
    assert any("2 empty objects" in line for line in text_of(sizes=sizes_of(0, 0)))
    assert not any("object of" in line for line in text_of(sizes=SizeCounts()))


# A value for each condition except those that the plan shows elsewhere.
CONDITIONS = {
    "include": ("a*",),
    "exclude": ("b*",),
    "min_size": 1,
    "max_size": 2,
    "modified_after": datetime(2026, 11, 22, tzinfo=UTC),
    "modified_before": datetime(2026, 11, 23, tzinfo=UTC),
    "storage_classes": ("STANDARD",),
    "sample": Sample(count=5),
    "limit": 3,
}


def test_every_filter_has_a_line():
    """Each condition of a selection has a line of its own, except those that the title and the line of the objects show."""
    shown_elsewhere = {"bucket", "prefixes", "suffixes", "all_versions"}

    lines = {name: filter_lines(Selection(bucket="b", **{name: value})) for name, value in CONDITIONS.items()}

    assert {field.name for field in fields(Selection)} == {*CONDITIONS, *shown_elsewhere}
    assert [1] * len(lines) == [len(each) for each in lines.values()]
    assert len(lines) == len({each[0] for each in lines.values()})
