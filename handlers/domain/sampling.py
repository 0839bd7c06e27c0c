"""At which times a film is sampled, and which pictures Rekognition takes.

A film is divided into intervals, each with one sample, so a film costs at most as many images as it has intervals. The place of the
first sample is half an interval from the start, that of each further one an interval after the sample before. A key frame is
cheaper to decode and is taken instead if it lies in the next interval, neither too close to the last sample nor so far from it that
the gap would exceed `LONGEST_GAP` intervals. Times are milliseconds from the start of the film.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

# The longest and shortest gap between two analysed frames, in intervals.
LONGEST_GAP = 1.1
SHORTEST_GAP = 0.5
# From when to when a key frame may be the first sample, in intervals.
_FIRST_FROM, _FIRST_TO = 0.25, 0.6

# https://docs.aws.amazon.com/rekognition/latest/dg/limits.html
SHORTEST_SIDE, LONGEST_SIDE = 80, 10_000
MOST_BYTES_SENT, MOST_BYTES_STORED = 5 * 1024**2, 15 * 1024**2
# The width in pixels to which wider frames of a film are scaled; Rekognition finds no more in them.
WIDEST_FRAME = 1_280
# The largest picture that is decoded here: 8,192 by 8,192 pixels take a quarter of a gigabyte.
MOST_PIXELS = 2**26


@dataclass(frozen=True, slots=True)
class Window:
    """The place of the next sample, and from when to when a key frame may be taken instead."""

    earliest_ms: float
    place_ms: float
    latest_ms: float


def first_window(interval_ms: int, duration_ms: float | None) -> Window:
    """Return the window of the first sample, whose place is the middle of a film that is shorter than an interval."""
    length = interval_ms if duration_ms is None else min(interval_ms, duration_ms)
    return Window(_FIRST_FROM * length, length / 2, _FIRST_TO * length)


def next_window(interval_ms: int, place_ms: float, analysed_ms: float) -> Window:
    """Return the window of the sample after that of `place_ms`, for which the frame with the time `analysed_ms` was analysed."""
    interval = place_ms // interval_ms + 1
    return Window(
        earliest_ms=max(interval * interval_ms, place_ms + SHORTEST_GAP * interval_ms),
        place_ms=place_ms + interval_ms,
        latest_ms=min((interval + 1) * interval_ms, analysed_ms + LONGEST_GAP * interval_ms),
    )


def most_images(length_ms: float, interval_ms: int) -> int:
    """Return the most images that a film of this length can cost."""
    return math.ceil(length_ms / interval_ms) + 1


def probability_seen(scene_ms: float, interval_ms: int) -> float:
    """Return a lower bound of the probability that at least one sample falls into a scene of this length.

    Samples are an interval apart on average, and never closer than `SHORTEST_GAP` intervals. So the probability for a scene shorter
    than that is its share of the interval; for a longer one it is that of the worst mixture of shortest and longest gaps.
    """
    share = scene_ms / interval_ms
    if share <= SHORTEST_GAP:
        return share
    long_gaps = (1 - SHORTEST_GAP) / (LONGEST_GAP - SHORTEST_GAP)
    return min(1.0, 1 - long_gaps * (LONGEST_GAP - share))


@dataclass(frozen=True, slots=True)
class Size:
    """A picture's width and height in pixels."""

    width: int
    height: int

    def turned(self, degrees: int) -> Size:
        """Return the size after a rotation by a multiple of 90 degrees."""
        return Size(self.height, self.width) if degrees % 180 else self


def takes(size: Size) -> bool:
    """Tell whether both sides are within Rekognition's limits."""
    return all(SHORTEST_SIDE <= side <= LONGEST_SIDE for side in (size.width, size.height))


def scaled(size: Size, aspect: Fraction, widest: int) -> Size:
    """Return a picture's size with square pixels, at most `widest` by `LONGEST_SIDE`; its own pixels are `aspect` wide, 1 high."""
    width = size.width * aspect
    share = min(Fraction(1), widest / width, Fraction(LONGEST_SIDE, size.height))
    return Size(max(1, round(width * share)), max(1, round(size.height * share)))


def padded(size: Size) -> Size:
    """Return the size with each side at least `SHORTEST_SIDE`."""
    return Size(max(size.width, SHORTEST_SIDE), max(size.height, SHORTEST_SIDE))
