"""Which moments of a video are shown."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from handlers.domain import Segment
from tools.lib.evidence import Moment, moments


def segment(start_ms, end_ms, confidence=90.0, label="Smoking", level=1):
    """Return a segment."""
    return Segment(label, "", level, start_ms, end_ms, confidence, 3)


def test_a_short_segment():
    """A segment shows its middle; a single hit its time, to the millisecond."""
    assert [Moment(1_234, "Smoking", 90.0)] == moments([segment(1_234, 1_234)])
    assert [5_250] == [each.at_ms for each in moments([segment(5_000, 5_500)])]


def test_strongest_first():
    """Of more segments than moments the strongest are shown, in order of time."""
    found = moments([segment(10_000 * number, 10_000 * number, 50.0 + number % 3) for number in range(9)], most=3)

    assert [(20_000, 52.0), (50_000, 52.0), (80_000, 52.0)] == [(each.at_ms, each.confidence) for each in found]


def test_a_label_and_its_parent():
    """A label and its parent, found at the same time, share a moment, which has the more specific name."""
    found = moments([segment(0, 4_000, label="Explicit", level=1), segment(0, 4_000, label="Explicit Nudity", level=2)], most=1)

    assert [Moment(2_000, "Explicit Nudity", 90.0)] == found


def test_a_long_segment():
    """What is left to choose shows more of long segments, after each segment has one."""
    found = moments([segment(0, 60_000), segment(100_000, 100_000, 40.0)], most=4)

    assert [10_000, 30_000, 50_000, 100_000] == [each.at_ms for each in found]


segments = st.builds(
    lambda start, length, confidence: segment(start, start + length, confidence),
    st.integers(0, 10**7),
    st.integers(0, 10**6),
    st.sampled_from([50.0, 75.0, 99.9]),
)


@given(st.lists(segments, max_size=40), st.integers(1, 12))
def test_any_segments(given_segments, most):
    """Moments are in order of time, apart, within a segment, no more than asked for, and never without the strongest segment."""
    found = moments(given_segments, most)

    times = [each.at_ms for each in found]
    assert len(times) <= most
    assert all(later - earlier >= 500 for earlier, later in pairwise(times))
    assert all(any(each.start_ms <= at <= each.end_ms for each in given_segments) for at in times)
    if given_segments:
        assert max(each.confidence for each in given_segments) in [each.confidence for each in found]
