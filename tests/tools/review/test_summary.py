"""A review in text: what it shows of a flagged video."""

import pytest

from handlers.domain import Segment, Video, reasons
from tools.lib.review.cures import cure_of
from tools.lib.review.join import ObjectResult, ObjectStatus
from tools.lib.review.summary import SEGMENTS_SHOWN, FlaggedVideo

# What ends an analysis without a verdict, and is neither ineligible nor worth a retry.
FAILED = {reasons.ANALYSIS_FAILED, reasons.START_UNKNOWN, reasons.MISSING, reasons.UNREADABLE, "VideoTooLargeException"}
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
