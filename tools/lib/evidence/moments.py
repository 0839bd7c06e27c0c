"""Which moments of a video show what was found in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from handlers.domain import Segment

# A segment shows its middle, and what is left to choose then shows more of the segments, strongest first, at these shares.
_SHARES = ((1, 2), (1, 6), (5, 6), (1, 3), (2, 3))
# Moments closer than this show the same picture: a label and its parents are found at the same times.
_APART_MS = 500


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of a film in milliseconds, and what was found there: a label and its segment's highest confidence (percent)."""

    at_ms: int
    label: str
    confidence: float


def moments(segments: Iterable[Segment], most: int = 12) -> list[Moment]:
    """Return at most that many moments in order of time: of the strongest segments one each, then further ones of long segments."""
    chosen: list[Moment] = []
    for moment in _strongest_first(segments):
        if len(chosen) == most:
            break
        if all(abs(moment.at_ms - other.at_ms) >= _APART_MS for other in chosen):
            chosen.append(moment)
    return sorted(chosen, key=lambda moment: moment.at_ms)


def _strongest_first(segments: Iterable[Segment]) -> Iterator[Moment]:
    # Of a label and its parents, which are as strong, the most specific says most.
    ranked = sorted(segments, key=lambda each: (-each.confidence, -each.level, each.start_ms, each.label))
    for part, whole in _SHARES:
        for each in ranked:
            yield Moment(each.start_ms + (each.end_ms - each.start_ms) * part // whole, each.label, each.confidence)
