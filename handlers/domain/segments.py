"""From hits to segments and a roll-up per label: hits stream through, and what is kept of them stays bounded.

Merging by a gap of g milliseconds joins two hits of a label whenever no more than g lies between them. Merging what was merged
before, by a greater gap, gives the same as merging all hits by that gap at once: so the gap can grow while hits stream in.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from handlers.domain.analysis import Hit
from handlers.domain.record import Findings, LabelSummary, Segment

# The most segments that are kept of a video (one for each label, if there are more labels than that).
MAX_SEGMENTS = 5_000

# Hits of one label that lie no further apart belong together, to begin with.
FIRST_GAP_MS = 1_000

# A hit stands for half a second: Rekognition looks at about two frames a second (developer guide, procedure-moderate-videos).
SAMPLE_MS = 500


@dataclass(slots=True)
class _Span:
    """A segment that may still grow."""

    start_ms: int
    end_ms: int
    confidence: float
    hits: int

    def absorb(self, other: _Span) -> None:
        """Take another span in. A hit at either end is one that was there before: the same label at the same time counts once."""
        again = other.start_ms == other.end_ms and other.start_ms in (self.start_ms, self.end_ms)
        self.start_ms = min(self.start_ms, other.start_ms)
        self.end_ms = max(self.end_ms, other.end_ms)
        self.confidence = max(self.confidence, other.confidence)
        self.hits += 0 if again else other.hits


@dataclass(slots=True)
class _Label:
    """The spans of one label in time order, each further than the gap from the next."""

    name: str
    parent: str
    level: int
    spans: list[_Span] = field(default_factory=list)

    def add(self, hit: Hit, gap_ms: int) -> None:
        """Put a hit where it belongs: nearly always at the end, because hits come in time order."""
        self.parent = self.parent or hit.parent
        self.level = self.level or hit.level
        span = _Span(hit.timestamp_ms, hit.timestamp_ms, hit.confidence, 1)
        place = bisect_right(self.spans, span.start_ms, key=lambda other: other.start_ms)
        near = self.spans[max(place - 1, 0) : place + 1]
        self.spans[max(place - 1, 0) : place + 1] = _merged(sorted([*near, span], key=lambda other: other.start_ms), gap_ms)

    def merge(self, gap_ms: int) -> None:
        """Join what lies within a greater gap."""
        self.spans = _merged(self.spans, gap_ms)

    def segments(self) -> list[Segment]:
        """Return the spans as values."""
        return [
            Segment(self.name, self.parent, self.level, span.start_ms, span.end_ms, span.confidence, span.hits)
            for span in self.spans
        ]

    def summary(self) -> LabelSummary:
        """Return the label over the whole video."""
        return LabelSummary(
            name=self.name,
            parent=self.parent,
            level=self.level,
            confidence=max(span.confidence for span in self.spans),
            milliseconds=sum(span.end_ms - span.start_ms + SAMPLE_MS for span in self.spans),
            first_ms=self.spans[0].start_ms,
        )


class SegmentBuilder:
    """Takes the hits of one video, a page after the other, and says what was found.

    Hits are expected in time order; a late one is merged all the same. Every hit counts, however unsure: the policy decides later.
    The same label twice at the same time is one hit, the surer one (recognised only where hits come in order).
    """

    def __init__(self, max_segments: int = MAX_SEGMENTS) -> None:
        self._max_segments = max_segments
        self._labels: dict[str, _Label] = {}
        self._gap_ms = FIRST_GAP_MS
        self._count = 0

    def add(self, hit: Hit) -> None:
        """Take one hit. Where there are too many segments, the gap doubles until they fit."""
        label = self._labels.setdefault(hit.name, _Label(hit.name, hit.parent, hit.level))
        before = len(label.spans)
        label.add(hit, self._gap_ms)
        self._count += len(label.spans) - before
        while self._count > max(self._max_segments, len(self._labels)):
            self._widen()

    def findings(self) -> Findings:
        """Return segments in time order, labels with the surest first, and the gap they were merged by."""
        segments = [segment for label in self._labels.values() for segment in label.segments()]
        labels = [label.summary() for label in self._labels.values()]
        return Findings(
            segments=tuple(sorted(segments, key=lambda segment: (segment.start_ms, segment.label))),
            labels=tuple(sorted(labels, key=lambda label: (-label.confidence, label.name))),
            gap_ms=self._gap_ms,
        )

    def _widen(self) -> None:
        self._gap_ms *= 2
        for label in self._labels.values():
            label.merge(self._gap_ms)
        self._count = sum(len(label.spans) for label in self._labels.values())


def _merged(spans: list[_Span], gap_ms: int) -> list[_Span]:
    """Return spans in time order with those joined that lie within the gap."""
    merged: list[_Span] = []
    for span in spans:
        if merged and span.start_ms - merged[-1].end_ms <= gap_ms:
            merged[-1].absorb(span)
        else:
            merged.append(span)
    return merged
