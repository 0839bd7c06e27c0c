"""One video on the page as JSON values, as short as they can be: a page holds up to 20,000."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any

from handlers.domain import Decision, Engine, LabelSummary, Record, Segment
from handlers.domain.confidence import shown
from tools.lib.review.join import ObjectResult
from tools.lib.review.page.labels import LabelTable, parents_of
from tools.lib.review.summary import FlaggedVideo
from tools.lib.text import iso_time

# The most characters of a failure's message that are shown.
MAX_MESSAGE = 1_000


@dataclass(frozen=True, slots=True)
class Describer:
    """Describes the videos of one page, whose labels share one table."""

    labels: LabelTable
    max_segments: int

    def flagged(self, video: FlaggedVideo) -> dict[str, Any]:
        """Return a flagged video with its labels, the worst first, and its segments in time order."""
        record = video.outcome.record
        summaries = judged(record)
        parents = parents_of(record.labels) if record else {}
        by_name = {label.name: label for label in summaries}
        strong = strongest(video.segments, self.max_segments)
        counted = set(record.counted) if record else set[str]()
        return _without_none(
            {
                **self._named(video.outcome),
                "labels": [self._summary(label, parents, label.name in counted) for label in summaries],
                "segments": list(
                    chain.from_iterable(self._segment(segment, parents, by_name.get(segment.label)) for segment in strong)
                ),
                "segments_left_out": len(video.segments) - len(strong) or None,
            }
        )

    def superseded(self, outcome: ObjectResult) -> dict[str, Any]:
        """Return a video that another upload replaced, with its status and the labels that were found, but without segments."""
        found = self.flagged(FlaggedVideo(outcome, ())) if outcome.record and outcome.record.labels else self.failed(outcome)
        return {**found, "was": outcome.status.value}

    def clean(self, outcome: ObjectResult) -> dict[str, Any]:
        """Return a clean video with the labels that do not count."""
        summaries = judged(outcome.record)
        parents = parents_of(outcome.record.labels) if outcome.record else {}
        labels = [self._summary(label, parents, counted=False) for label in summaries] or None
        return _without_none({**self._named(outcome), "labels": labels})

    def failed(self, outcome: ObjectResult) -> dict[str, Any]:
        """Return a video that failed, or could not be analysed, with the reason."""
        message = (outcome.message or "")[:MAX_MESSAGE] or None
        return _without_none({**self._named(outcome), "reason": outcome.reason or None, "message": message})

    def _named(self, outcome: ObjectResult) -> dict[str, Any]:
        record, video = outcome.record, outcome.video
        facts = outcome.facts
        return {
            "id": video.id,
            "bucket": video.bucket,
            "key": video.key,
            "version": video.version_id,
            "looked_at": facts.version_id if facts else None,
            "etag": outcome.etag,
            "size": facts.size if facts else None,
            "attempt": record.attempt if record else 0,
            "duration": record.duration_ms if record else None,
            "uploaded": record.uploaded_at if record else None,
            "missed": (record.missed if record else False) or None,
            "recorded": recorded_json(outcome.decision) if outcome.decision else None,
            **(_by_frames(record) if record and record.engine is Engine.FRAMES and record.images else {}),
        }

    def _summary(self, label: LabelSummary, parents: Mapping[str, str], counted: bool) -> list[float]:
        number = self.labels.number(label.name, parents)
        return [number, float(shown(label.confidence, label.counts_from)), label.milliseconds, label.first_ms, int(counted)]

    def _segment(self, segment: Segment, parents: Mapping[str, str], label: LabelSummary | None) -> tuple[float, ...]:
        known = parents if segment.label in parents else {**parents, segment.label: segment.parent}
        begin = label.begin_of(segment) if label else segment.start_ms
        confidence = float(shown(segment.confidence, label.counts_from if label else None))
        return (self.labels.number(segment.label, known), begin, segment.end_ms, confidence)


def _by_frames(record: Record) -> dict[str, Any]:
    """Return the interval of a film in seconds, 0 for an image, and up to when a damaged film was decoded."""
    return {"every": (record.interval_ms or 0) / 1000, "decoded": record.decoded_ms}


def recorded_json(decision: Decision) -> dict[str, str]:
    """Return what was decided before, its time as the page that took the decision wrote it."""
    return {
        "decision": decision.judgement.value,
        "note": decision.note,
        "decided_by": decision.decided_by,
        "decided_at": iso_time(decision.decided_at),
    }


def judged(record: Record | None) -> list[LabelSummary]:
    """Return a video's labels, those that counted under the policy first, in its order; the others by their confidence."""
    if record is None:
        return []
    rank = {name: place for place, name in enumerate(record.counted)}
    return sorted(record.labels, key=lambda label: (rank.get(label.name, len(rank)), -label.confidence, -label.level))


def strongest(segments: Sequence[Segment], most: int) -> list[Segment]:
    """Return the segments of the best confidence, at most `most` of them, in time order."""
    kept = sorted(segments, key=attrgetter("confidence"), reverse=True)[:most]
    return sorted(kept, key=attrgetter("start_ms", "end_ms", "label"))


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
