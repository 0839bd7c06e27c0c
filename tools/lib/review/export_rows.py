"""What stands in a row of an export: of a video, or of one of its segments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

from handlers.domain.record import Record, Segment
from tools.lib.review.join import ObjectResult

Value: TypeAlias = str | int | float | bool | list[dict[str, str | int | float]] | None
Row: TypeAlias = Mapping[str, Value]

VIDEO_COLUMNS = (
    "bucket",
    "key",
    "version_id",
    "state",
    "repeated",
    "reason",
    "message",
    "labels",
    "confidence",
    "duration_seconds",
    "changed_during_scan",
    "decision",
    "note",
    "decided_by",
    "decided_at",
    "etag",
    "size",
    "scan",
    "attempt",
    "queued_at",
    "started_at",
    "finished_at",
    "model_version",
    "policy_hash",
)
SEGMENT_COLUMNS = (
    "bucket",
    "key",
    "version_id",
    "state",
    "label",
    "parent",
    "level",
    "start_seconds",
    "end_seconds",
    "confidence",
    "hits",
    "decision",
    "note",
    "decided_by",
    "decided_at",
    "scan",
    "attempt",
)


class Decided(Protocol):
    """A person's decision, as far as it is exported."""

    @property
    def judgement(self) -> str:
        """Return what was decided."""
        ...

    @property
    def note(self) -> str:
        """Return what the person wrote to it."""
        ...

    @property
    def decided_by(self) -> str:
        """Return who decided."""
        ...

    @property
    def decided_at(self) -> float:
        """Return when, in epoch seconds."""
        ...


def video_row(outcome: ObjectResult, decision: Decided | None) -> Row:
    """Return the row of a video: times in ISO 8601 (UTC), durations in seconds, confidences in percent."""
    return {
        **_named(outcome),
        "repeated": outcome.again,
        "reason": outcome.reason,
        "message": outcome.message,
        **_decided(decision),
        **(_recorded(outcome.record) if outcome.record else {}),
    }


def segment_rows(outcome: ObjectResult, segments: Iterable[Segment], decision: Decided | None) -> Iterator[Row]:
    """Yield a row for each segment of a video; none where it has none."""
    named = {**_named(outcome), **_decided(decision)}
    if outcome.record:
        named |= {"scan": outcome.record.scan_id, "attempt": outcome.record.attempt}
    for segment in segments:
        yield {
            **named,
            "label": segment.label,
            "parent": segment.parent,
            "level": segment.level,
            "start_seconds": segment.start_ms / 1000,
            "end_seconds": segment.end_ms / 1000,
            "confidence": segment.confidence,
            "hits": segment.hits,
        }


def _named(outcome: ObjectResult) -> dict[str, Value]:
    video = outcome.video
    return {"bucket": video.bucket, "key": video.key, "version_id": video.version_id, "state": outcome.status.value}


def _recorded(record: Record) -> dict[str, Value]:
    labels = sorted(record.labels, key=lambda label: label.confidence, reverse=True)
    return {
        "labels": [
            {
                "name": label.name,
                "parent": label.parent,
                "level": label.level,
                "confidence": label.confidence,
                "seconds": label.milliseconds / 1000,
            }
            for label in labels
        ],
        "confidence": labels[0].confidence if labels else None,
        "duration_seconds": None if record.duration_ms is None else record.duration_ms / 1000,
        "changed_during_scan": record.changed_during_scan,
        "etag": record.facts.etag if record.facts else None,
        "size": record.facts.size if record.facts else None,
        "scan": record.scan_id,
        "attempt": record.attempt,
        "queued_at": _moment(record.queued_at),
        "started_at": _moment(record.started_at),
        "finished_at": _moment(record.finished_at),
        "model_version": record.model_version,
        "policy_hash": record.policy_hash,
    }


def _decided(decision: Decided | None) -> dict[str, Value]:
    if decision is None:
        return {}
    return {
        "decision": str(decision.judgement),
        "note": decision.note,
        "decided_by": decision.decided_by,
        "decided_at": _moment(decision.decided_at),
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
