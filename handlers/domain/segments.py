"""Merges a stream of hits into segments and a summary per label, in bounded memory.

Merging by a gap of g milliseconds joins two hits of a label that are at most g apart. Merging the result again by a greater gap
equals merging all hits by that gap, so the gap can grow while hits stream in.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

from handlers.domain.analysis import Hit
from handlers.domain.record import Findings, LabelSummary, Peak, Segment
from handlers.domain.sampling import LONGEST_GAP

# The most segments of a video; one for each label, if there are more labels than that.
MAX_SEGMENTS = 5_000

# The gap by which hits are merged unless there are too many segments.
FIRST_GAP_MS = 1_000

# The most peaks of a label. There are about as many as a logarithm of its hits; of more, the least are left out.
MAX_PEAKS = 64

# A hit counts as half a second: Rekognition samples about two frames a second (developer guide, procedure-moderate-videos).
SAMPLE_MS = 500


@dataclass(slots=True)
class _Span:
    """A growing segment."""

    start_ms: int
    end_ms: int
    confidence: float
    hits: int

    def absorb(self, other: _Span) -> None:
        """Merge another span. A single hit at either end was counted before: the same label at the same time is one hit."""
        again = other.start_ms == other.end_ms and other.start_ms in (self.start_ms, self.end_ms)
        self.start_ms = min(self.start_ms, other.start_ms)
        self.end_ms = max(self.end_ms, other.end_ms)
        self.confidence = max(self.confidence, other.confidence)
        self.hits += 0 if again else other.hits


@dataclass(slots=True)
class _Label:
    """The spans of one label in time order, with more than the gap between them."""

    name: str
    parent: str
    level: int
    sample_ms: int = SAMPLE_MS
    spans: list[_Span] = field(default_factory=list)
    peaks: list[Peak] = field(default_factory=list)

    def add(self, hit: Hit, gap_ms: int) -> None:
        """Add a hit in time order, nearly always at the end."""
        self.parent = self.parent or hit.parent
        self.level = self.level or hit.level
        span = _Span(hit.timestamp_ms, hit.timestamp_ms, hit.confidence, 1)
        place = bisect_right(self.spans, span.start_ms, key=lambda other: other.start_ms)
        near = self.spans[max(place - 1, 0) : place + 1]
        self.spans[max(place - 1, 0) : place + 1] = _merged(sorted([*near, span], key=lambda other: other.start_ms), gap_ms)
        _add_peak(self.peaks, Peak(hit.timestamp_ms, hit.confidence))

    def merge(self, gap_ms: int) -> None:
        """Merge the spans by a greater gap."""
        self.spans = _merged(self.spans, gap_ms)

    def segments(self) -> list[Segment]:
        """Return the spans as segments."""
        return [
            Segment(self.name, self.parent, self.level, span.start_ms, span.end_ms, span.confidence, span.hits)
            for span in self.spans
        ]

    def summary(self) -> LabelSummary:
        """Return the summary of the label over the whole video."""
        return LabelSummary(
            name=self.name,
            parent=self.parent,
            level=self.level,
            confidence=max(span.confidence for span in self.spans),
            milliseconds=sum(span.end_ms - span.start_ms + self.sample_ms for span in self.spans),
            first_ms=self.spans[0].start_ms,
            peaks=tuple(self.peaks),
        )


class SegmentBuilder:
    """Merges the hits of one video into findings.

    Hits are expected in time order; late ones are merged, too. All hits count: the policy is applied later. The same label twice at
    the same time is one hit with the higher confidence (detected only if hits come in order).

    With an interval, each hit stands for its interval: those of one frame and the next are merged.
    """

    def __init__(self, max_segments: int = MAX_SEGMENTS, *, interval_ms: int | None = None) -> None:
        self._max_segments = max_segments
        self._labels: dict[str, _Label] = {}
        self._sample_ms = SAMPLE_MS if interval_ms is None else interval_ms
        self._gap_ms = FIRST_GAP_MS if interval_ms is None else round(LONGEST_GAP * interval_ms)
        self._count = 0

    def add(self, hit: Hit) -> None:
        """Add one hit. If there are too many segments, the gap is doubled until they fit."""
        label = self._labels.setdefault(hit.name, _Label(hit.name, hit.parent, hit.level, self._sample_ms))
        before = len(label.spans)
        label.add(hit, self._gap_ms)
        self._count += len(label.spans) - before
        while self._count > max(self._max_segments, len(self._labels)):
            self._widen()

    def findings(self) -> Findings:
        """Return segments in time order, labels by falling confidence, and the gap by which hits were merged."""
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


def _add_peak(peaks: list[Peak], new: Peak) -> None:
    """Add a hit, unless one before it or at the same time is as high; those behind it that are no higher are no longer peaks."""
    place = bisect_right(peaks, new.at_ms, key=lambda peak: peak.at_ms)
    if place and peaks[place - 1].confidence >= new.confidence:
        return
    start = place - 1 if place and peaks[place - 1].at_ms == new.at_ms else place
    end = next((at for at in range(place, len(peaks)) if peaks[at].confidence > new.confidence), len(peaks))
    peaks[start:end] = [new]
    if len(peaks) > MAX_PEAKS:
        rises = [after.confidence - peak.confidence for peak, after in pairwise(peaks)]
        del peaks[min(range(1, len(rises)), key=rises.__getitem__)]


def _merged(spans: list[_Span], gap_ms: int) -> list[_Span]:
    """Join spans in time order that are within the gap."""
    merged: list[_Span] = []
    for span in spans:
        if merged and span.start_ms - merged[-1].end_ms <= gap_ms:
            merged[-1].absorb(span)
        else:
            merged.append(span)
    return merged
