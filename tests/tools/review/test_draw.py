"""The draw of a sample: the same videos in whatever order they come, in memory for the sample alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.identity import Video
from tools.lib.review.draw import Draw, seed_of

VIDEOS = [Video("bucket", f"{number}.mp4") for number in range(200)]


def drawn(videos, count=10, seed=1):
    """Return the draw of videos that come in this order."""
    draw = Draw(count, seed)
    for video in videos:
        draw.offer(video, video.digest)
    return draw


@given(st.permutations(range(60)), st.integers(1, 70), st.integers(0, 2**63 - 1))
def test_the_same_in_any_order(order, count, seed):
    """The order in which videos come, or come again, changes nothing."""
    once = drawn(VIDEOS[:60], count, seed).videos
    again = drawn([VIDEOS[place] for place in [*order, *order]], count, seed).videos

    assert once == again
    assert (min(count, 60), min(count, 60)) == (len(once), len(set(once)))


def test_a_growing_scan_keeps_its_sample():
    """Where videos are added, those that are drawn anew come in the place of those with the highest numbers."""
    few, many = drawn(VIDEOS[:100]).videos, drawn(VIDEOS).videos

    kept = [video for video in many if video in few]
    assert kept == few[: len(kept)]
    assert set(many) - set(few) <= set(VIDEOS[100:])
    assert 0 < len(kept) < 10


def test_the_first_of_a_sample_are_one():
    """A smaller sample is the beginning of a larger one, so that more can be looked at later."""
    assert drawn(VIDEOS, 30).videos[:10] == drawn(VIDEOS, 10).videos


@pytest.mark.slow
def test_every_video_is_drawn_alike():
    """Over many seeds each of 200 videos is drawn about as often: 2,000 draws of ten, 100 times each, give or take 5 deviations."""
    times = dict.fromkeys(VIDEOS, 0)
    for seed in range(2_000):
        for video in drawn(VIDEOS, 10, seed).videos:
            times[video] += 1

    deviation = (2_000 * 0.05 * 0.95) ** 0.5
    assert all(abs(count - 100) < 5 * deviation for count in times.values())


def test_nothing_is_drawn_unless_asked():
    """Without a count nothing is kept."""
    assert ([], 0) == (drawn(VIDEOS, 0).videos, drawn(VIDEOS, 0).offered)


def test_a_draw_takes_another():
    """What was offered to one draw and then handed to another is drawn as if it had been offered there."""
    one, other = drawn(VIDEOS[:50]), drawn(VIDEOS[50:])
    one.take(other)

    assert (drawn(VIDEOS).videos, 200) == (one.videos, one.offered)


def test_scans_have_their_own_seeds():
    """Two scans of the same videos draw different samples; one scan always the same."""
    one, other = (seed_of(f"01K742SG00000G40R40M30E20{letter}") for letter in "AB")

    assert one != other
    assert one == seed_of("01K742SG00000G40R40M30E20A")
    assert 0 <= one < 2**32
