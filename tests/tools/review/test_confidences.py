"""Confidences and times in a review never contradict the verdict."""

from dataclasses import replace

import pytest

from handlers.domain import LabelSummary, Record, Segment, State
from tests.tools.review_doubles import SCAN, video
from tools.lib.rejudge.comparison import ChangedVideo
from tools.lib.rejudge.judge import Change
from tools.lib.review.history import Chapter
from tools.lib.review.join import ObjectResult, ObjectStatus
from tools.lib.review.summary import FlaggedVideo

WEAPONS = LabelSummary("Weapons", "Violence", 2, 99.06, 0, 49_000, counts_from=80.0)
SEGMENTS = [
    Segment("Weapons", "Violence", 2, 0, 1_000, 79.99, 2),
    Segment("Weapons", "Violence", 2, 30_000, 50_000, 99.06, 9),
    Segment("Other", "", 1, 60_000, 61_000, 80.06, 2),
]
RECORD = Record(video("a.mp4"), SCAN, State.FLAGGED, labels=(WEAPONS,), counted=("Weapons",))


def test_a_flagged_video_in_lines():
    """A segment begins where it first counts, and what is below a rule is not shown as if it met it."""
    flagged = FlaggedVideo(ObjectResult(RECORD.video, ObjectStatus.FLAGGED, RECORD), SEGMENTS)

    assert [
        "  0:00:00 to 0:00:01   79.9 %  Violence > Weapons",
        "  0:00:49 to 0:00:50   99.0 %  Violence > Weapons",
        "  0:01:00 to 0:01:01   80.0 %  Other",
    ] == flagged.sentences()[1:]
    assert [(0, 79.99), (30, 99.06)] == [(each["start_seconds"], each["confidence"]) for each in flagged.as_json()["segments"][:2]]


@pytest.mark.parametrize(
    ("confidence", "counts_from", "text"), [(79.99, 80.0, "79.9"), (79.96, 79.95, "79.96"), (79.99, None, "79.9")]
)
def test_history_and_comparison(confidence, counts_from, text):
    """So do the history of a video and the comparison with another policy."""
    label = replace(WEAPONS, confidence=confidence, counts_from=counts_from)
    chapter = Chapter(RECORD.video, (replace(RECORD, labels=(label,)),), (), ())
    changed = ChangedVideo(RECORD.video, Change.FLAGGED, (label,), ())

    assert f"      Weapons {text} %" in chapter.sentences()
    assert f"  now counts: Weapons {text} %" in changed.sentences()
