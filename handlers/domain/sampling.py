"""Where the samples of a film stand, and what pictures Rekognition takes.

A film is divided into intervals, of which each has one sample: so there are at most as many images as intervals. Samples follow one
another after an interval, the first after half of one. A key frame is cheaper to decode and is taken instead where it lies in the
next interval, neither too near to the last sample nor so far that the gap would exceed `LONGEST_GAP` intervals. Times are
milliseconds from the start of the film.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

# Of an interval: between two analysed frames.
LONGEST_GAP = 1.1
SHORTEST_GAP = 0.5
# Where a key frame may be the first sample, in intervals.
_FIRST_FROM, _FIRST_TO = 0.25, 0.6

# https://docs.aws.amazon.com/rekognition/latest/dg/limits.html
SHORTEST_SIDE, LONGEST_SIDE = 80, 10_000
MOST_BYTES_SENT, MOST_BYTES_STORED = 5 * 1024**2, 15 * 1024**2
# Rekognition sees no more in a wider frame of a film.
WIDEST_FRAME = 1_280
# What is decoded here: 8,192 by 8,192 pixels take a quarter of a gigabyte.
MOST_PIXELS = 2**26


@dataclass(frozen=True, slots=True)
class Window:
    """The place of the next sample, and from when to when a key frame may be taken instead."""

    earliest_ms: float
    place_ms: float
    latest_ms: float


def first_window(interval_ms: int, duration_ms: float | None) -> Window:
    """Return where the first sample may stand: in the middle of a film that is shorter than an interval."""
    length = interval_ms if duration_ms is None else min(interval_ms, duration_ms)
    return Window(_FIRST_FROM * length, length / 2, _FIRST_TO * length)


def next_window(interval_ms: int, place_ms: float, analysed_ms: float) -> Window:
    """Return where the sample after that of `place_ms` may stand; the frame on screen there has the time `analysed_ms`."""
    interval = place_ms // interval_ms + 1
    return Window(
        earliest_ms=max(interval * interval_ms, place_ms + SHORTEST_GAP * interval_ms),
        place_ms=place_ms + interval_ms,
        latest_ms=min((interval + 1) * interval_ms, analysed_ms + LONGEST_GAP * interval_ms),
    )


def most_images(length_ms: float, interval_ms: int) -> int:
    """Return the highest number of images that a film of this length costs."""
    return math.ceil(length_ms / interval_ms) + 1


def probability_seen(scene_ms: float, interval_ms: int) -> float:
    """Return the probability with which a scene of this length is seen at least, wherever it lies.

    Samples are an interval apart on average, and at least `SHORTEST_GAP` of one: so a shorter scene is seen with its share of the
    interval, and for a longer one the worst mixture of the shortest and the longest gaps counts.
    """
    share = scene_ms / interval_ms
    if share <= SHORTEST_GAP:
        return share
    long_gaps = (1 - SHORTEST_GAP) / (LONGEST_GAP - SHORTEST_GAP)
    return min(1.0, 1 - long_gaps * (LONGEST_GAP - share))


@dataclass(frozen=True, slots=True)
class Size:
    """Pixels of a picture."""

    width: int
    height: int

    def turned(self, degrees: int) -> Size:
        """Return the size after a rotation by a multiple of 90 degrees."""
        return Size(self.height, self.width) if degrees % 180 else self


def takes(size: Size) -> bool:
    """Tell whether Rekognition takes a picture of this size."""
    return all(SHORTEST_SIDE <= side <= LONGEST_SIDE for side in (size.width, size.height))


def scaled(size: Size, aspect: Fraction, widest: int) -> Size:
    """Return the size at which a picture with these pixels, each `aspect` times as wide as high, is sent, before padding."""
    width = size.width * aspect
    share = min(Fraction(1), widest / width, Fraction(LONGEST_SIDE, size.height))
    return Size(max(1, round(width * share)), max(1, round(size.height * share)))


def padded(size: Size) -> Size:
    """Return the size at which Rekognition takes a picture that is too small."""
    return Size(max(size.width, SHORTEST_SIDE), max(size.height, SHORTEST_SIDE))
