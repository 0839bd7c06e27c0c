"""What a review says of a scan: the truth table, the flagged videos with their segments, and what did not work and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from handlers.domain.record import Scan, Segment
from tools.lib.truth import SETTLED, Fate, ObjectFate, Tally

FINISHED_WITH_FAILURES = 3
"""Exit code where some object is not final, or failed, or the counts do not add up."""


@dataclass(frozen=True, slots=True)
class FlaggedVideo:
    """A flagged video with its segments, in time order."""

    outcome: ObjectFate
    segments: Sequence[Segment]

    def as_json(self) -> dict[str, Any]:
        """Return the video for `--json`: times in seconds, confidences in percent."""
        record = self.outcome.record
        labels = record.labels if record else ()
        return {
            **_named(self.outcome),
            "duration_seconds": record.duration_ms / 1000 if record and record.duration_ms is not None else None,
            "labels": [
                {"name": label.name, "parent": label.parent, "confidence": label.confidence, "seconds": label.milliseconds / 1000}
                for label in labels
            ],
            "segments": [
                {
                    "label": segment.label,
                    "parent": segment.parent,
                    "start_seconds": segment.start_ms / 1000,
                    "end_seconds": segment.end_ms / 1000,
                    "confidence": segment.confidence,
                    "hits": segment.hits,
                }
                for segment in self.segments
            ],
        }


@dataclass(slots=True)
class Review:
    """Everything a review says; memory grows with what must be looked at, not with the scan."""

    scan: Scan
    tally: Tally
    flagged: list[FlaggedVideo] = field(default_factory=list)
    failed: list[ObjectFate] = field(default_factory=list)
    skipped: list[ObjectFate] = field(default_factory=list)
    unfinished: list[ObjectFate] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """Return 0 where every object is final and none failed, else 3."""
        return 0 if self.tally.settled else FINISHED_WITH_FAILURES

    def as_json(self) -> dict[str, Any]:
        """Return the review for `--json`."""
        return {
            "scan": self.scan.id,
            "bucket": self.scan.bucket,
            "status": self.scan.status.value,
            "objects": self.tally.total,
            "expected": self.tally.expected,
            "adds_up": self.tally.adds_up,
            "states": {fate.value: self.tally.fates[fate] for fate in Fate},
            "repeated_rows": self.tally.repeated,
            "warnings": self.warnings,
            "flagged": [video.as_json() for video in self.flagged],
            "failed": [_explained(outcome) for outcome in self.failed],
            "skipped": [_explained(outcome) for outcome in self.skipped],
            "unfinished": [{**_named(outcome), "state": outcome.fate.value} for outcome in self.unfinished],
        }


def review_of(
    scan: Scan,
    outcomes: Iterable[ObjectFate],
    tally: Tally,
    segments_of: Callable[[ObjectFate], Sequence[Segment]],
) -> Review:
    """Take in the fate of every object and return the review; `tally` is filled while `outcomes` is drawn."""
    review = Review(scan, tally)
    for outcome in outcomes:
        if not outcome.again:
            _take(review, outcome, segments_of)
    review.flagged.sort(key=lambda video: _worst(video.outcome), reverse=True)
    review.warnings = _warnings(tally)
    return review


def _take(review: Review, outcome: ObjectFate, segments_of: Callable[[ObjectFate], Sequence[Segment]]) -> None:
    if outcome.fate is Fate.FLAGGED:
        review.flagged.append(FlaggedVideo(outcome, segments_of(outcome)))
    elif outcome.fate is Fate.FAILED:
        review.failed.append(outcome)
    elif outcome.fate is Fate.SKIPPED:
        review.skipped.append(outcome)
    elif outcome.fate not in SETTLED:
        review.unfinished.append(outcome)


def _warnings(tally: Tally) -> list[str]:
    warnings = []
    if tally.expected is not None and tally.expected != tally.total:
        warnings.append(
            f"The manifest holds {tally.total:,} rows, the scan was submitted with {tally.expected:,}: was the manifest replaced?"
        )
    if tally.foreign:
        warnings.append(
            f"{tally.foreign:,} objects of the completion report are not in the manifest: is it the manifest of this scan?"
        )
    if tally.fates[Fate.LOST]:
        warnings.append(f"{tally.fates[Fate.LOST]:,} objects were accepted and have no record: please report this as a defect.")
    if tally.repeated:
        warnings.append(f"{tally.repeated:,} rows of the manifest name an object that stands there before: two rows, one record.")
    return warnings


def _worst(outcome: ObjectFate) -> float:
    return max((label.confidence for label in outcome.record.labels), default=0.0) if outcome.record else 0.0


def _named(outcome: ObjectFate) -> dict[str, Any]:
    return {"bucket": outcome.video.bucket, "key": outcome.video.key, "version_id": outcome.video.version_id}


def _explained(outcome: ObjectFate) -> dict[str, Any]:
    return {**_named(outcome), "reason": outcome.reason, "message": outcome.message}
