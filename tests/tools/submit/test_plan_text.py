"""What a person sees before agreeing to a plan."""

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from handlers.domain.engine import Engine
from handlers.domain.states import Lane
from tests.tools.submit.test_plan import SCAN, plan, sizes_of
from tools.lib.listing import Sample, Selection, SizeCounts
from tools.lib.submit.plan_text import filter_lines, lines_of, price_lines


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
