"""Where samples stand, and what follows from it."""

import itertools
import math
import random
from fractions import Fraction

import pytest

from handlers.domain import sampling
from handlers.domain.sampling import Size, Window


def placed(key_s, seconds, interval_s=5.0, start=None):
    """Return the places of a film's samples, with key frames at an interval, chosen as the decoder does."""
    places, interval_ms = [], round(1_000 * interval_s)
    window = (
        sampling.first_window(interval_ms, 1_000 * seconds) if start is None else sampling.next_window(interval_ms, start, start)
    )
    while True:
        keys = [1_000 * key_s * number for number in range(math.ceil(seconds / key_s))]
        keys = [key for key in keys if window.earliest_ms <= key <= window.latest_ms]
        before = [key for key in keys if key <= window.place_ms]
        place = before[-1] if before else keys[0] if keys else window.place_ms
        if place >= 1_000 * seconds:
            return [place / 1_000 for place in places]
        places.append(place)
        window = sampling.next_window(interval_ms, place, place)


def test_without_key_frames():
    """Samples stand at a half, one and a half, two and a half intervals."""
    assert [2.5, 7.5, 12.5, 17.5] == placed(1_000, 20)


def test_with_a_key_frame_each_interval():
    """Key frames are taken, and the first sample is in the middle."""
    assert [2.5, 5, 10, 15] == placed(5, 20)


def test_a_film_shorter_than_an_interval():
    """It has one sample, in its middle."""
    assert [0.3] == placed(1_000, 0.6)


def test_a_film_of_unknown_length():
    """The first sample is in the middle of the first interval."""
    assert Window(1_250, 2_500, 3_000) == sampling.first_window(5_000, None)


@pytest.mark.parametrize("seed", range(100))
def test_gaps_and_images(seed):
    """Gaps are between half an interval and 1.1, from start to end, and there is one image for each interval at most."""
    chance = random.Random(seed)
    key_s, seconds, interval_s = chance.uniform(0.1, 30), chance.uniform(6, 600), chance.choice((1.0, 2.5, 5.0, 60.0))

    places = placed(key_s, seconds, interval_s)

    gaps = [after - before for before, after in itertools.pairwise(places)]
    assert all(0.5 * interval_s - 1e-6 <= gap <= 1.1 * interval_s + 1e-6 for gap in gaps)
    assert max(places[0], seconds - places[-1]) <= 1.1 * interval_s
    assert len(places) <= math.ceil(seconds / interval_s) < sampling.most_images(1_000 * seconds, round(1_000 * interval_s))


@pytest.mark.parametrize("key_s", [0.5, 2, 4.8, 7, 1_000])
def test_going_on(key_s):
    """A film that is taken up again after any of its samples has the same ones from there on."""
    places = placed(key_s, 100)

    for number, place in enumerate(places):
        assert places[number + 1 :] == pytest.approx(placed(key_s, 100, start=1_000 * place))


@pytest.mark.parametrize(("scene_s", "expected"), [(0, 0), (1, 0.2), (2.5, 0.5), (5, 11 / 12), (5.5, 1), (60, 1)])
def test_probability(scene_s, expected):
    """A scene of a second is seen with 20 % at an interval of 5 seconds, one of 1.1 intervals always."""
    assert expected == pytest.approx(sampling.probability_seen(1_000 * scene_s, 5_000))


@pytest.mark.parametrize("key_s", [0.7, 2, 3, 5.005, 1_000])
@pytest.mark.parametrize("scene_s", [0.3, 1, 2.4, 4, 5.2])
def test_scenes_are_seen_with_the_probability(key_s, scene_s):
    """Of scenes anywhere in a film, the share that has a sample is no less than the probability."""
    places = placed(key_s, 2_000)
    starts = [number / 20 for number in range(200, 39_000)]

    at, seen = 0, 0
    for start in starts:
        while places[at] < start:
            at += 1
        seen += places[at] < start + scene_s

    assert seen / len(starts) >= sampling.probability_seen(1_000 * scene_s, 5_000) - 0.005


@pytest.mark.parametrize(
    ("size", "aspect", "sent"),
    [
        (Size(1_920, 1_080), Fraction(1), Size(1_280, 720)),
        (Size(640, 480), Fraction(1), Size(640, 480)),
        (Size(720, 576), Fraction(64, 45), Size(1_024, 576)),  # an anamorphic DVD
        (Size(1_080, 1_920), Fraction(1), Size(1_080, 1_920)),
        (Size(60_000, 600), Fraction(1), Size(1_280, 13)),
        (Size(100, 40_000), Fraction(1), Size(25, 10_000)),
        (Size(1, 1), Fraction(1), Size(1, 1)),
    ],
)
def test_sizes(size, aspect, sent):
    """A frame keeps its proportions, with square pixels, at most 1,280 wide and 10,000 high; padding makes the rest."""
    assert sent == sampling.scaled(size, aspect, sampling.WIDEST_FRAME)
    assert sampling.takes(sampling.padded(sent))


@pytest.mark.parametrize(
    ("size", "taken"),
    [(Size(80, 80), True), (Size(79, 80), False), (Size(10_000, 80), True), (Size(80, 10_001), False)],
)
def test_what_rekognition_takes(size, taken):
    """It takes 80 to 10,000 pixels a side."""
    assert taken == sampling.takes(size)
