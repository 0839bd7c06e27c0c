"""The events about verdicts, actions that failed, and scans: their `detail`, with the member names of GuardDuty's events.

An annotation has the same JSON as the event of a verdict. Source of the names: EventBridge reference, Amazon GuardDuty events,
"GuardDuty Malware Protection Object Scan Result" and "GuardDuty Malware Protection Post Scan Action Failed".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from handlers.domain import confidence, json_text, reasons
from handlers.domain.consequence import ObjectStatus, scan_status, verdict_time
from handlers.domain.decision import Decision
from handlers.domain.engine import Engine
from handlers.domain.record import LabelSummary, Record, Scan, Totals

SOURCE = "video-moderation"
SCHEMA_VERSION = "1.0"

# The most bytes of a detail. An entry of PutEvents has at most 256 KB with its other fields:
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
MAX_DETAIL_BYTES = 200_000


class DetailType(StrEnum):
    """The `detail-type` of each event."""

    RESULT = "Video Moderation Object Scan Result"
    ACTION_FAILED = "Video Moderation Post Scan Action Failed"
    SCAN_CLOSED = "Video Moderation Scan Closed"


class PostScanAction(StrEnum):
    """What is done to an object after its scan."""

    TAG = "TAG"
    ANNOTATION = "ANNOTATION"


@dataclass(frozen=True, slots=True)
class Event:
    """An event for EventBridge; `detail` is JSON."""

    detail_type: DetailType
    detail: str


def result(record: Record, status: ObjectStatus, decision: Decision | None) -> Event:
    """Return the event about an object's status. Whoever gets two of one content takes that with the later `decision.decidedAt`.

    Of equal ones, or without decisions, the later `verdictTime` counts: a decision may be about the verdict of an earlier scan.
    """
    return Event(DetailType.RESULT, verdict_json(record, status, decision))


def verdict_json(record: Record, status: ObjectStatus, decision: Decision | None) -> str:
    """Return an object's verdict as JSON; of labels that would make it larger than an event may be, the last are left out."""
    labels = [_label(label) for name in record.counted for label in record.labels if label.name == name]
    while True:
        text = json_text.compact(_verdict(record, status, decision, labels))
        if len(text) <= MAX_DETAIL_BYTES or not labels:
            return text
        labels = labels[: len(labels) // 2]


def action_failed(record: Record, action: PostScanAction, reason: str) -> Event:
    """Return the event that a tag or an annotation could not be written; `reason` is AWS's code or one of ours."""
    detail = {**_about(record), "action": action.value, "statusReasons": [reason]}
    return Event(DetailType.ACTION_FAILED, json_text.compact(detail))


def scan_closed(scan: Scan, totals: Totals) -> Event:
    """Return the event that all videos of a scan are final."""
    detail = {
        "schemaVersion": SCHEMA_VERSION,
        "scanId": scan.id,
        "bucketName": scan.bucket,
        "scanStatus": scan.status.value.upper(),
        "createdTime": _time(scan.created_at),
        "closedTime": _time(scan.closed_at),
        "engine": scan.engine.value,
        "objects": totals.counts,
        "failureReasons": totals.failures,
    }
    return Event(DetailType.SCAN_CLOSED, json_text.compact(detail))


def _verdict(record: Record, status: ObjectStatus, decision: Decision | None, labels: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        **_about(record),
        "scanStatus": scan_status(status).value,
        "scanResultDetails": {
            "scanResultStatus": status.value,
            "statusReasons": None if record.problem is None else [record.problem.code],
            "labels": labels,
            "labelsOmitted": len(record.counted) - len(labels),
        },
        "engine": record.engine.value,
        "intervalMillis": record.interval_ms if record.engine is Engine.FRAMES else None,
        "modelVersion": record.model_version,
        "policyHash": record.policy_hash,
        "durationMillis": record.duration_ms,
        "verdictTime": _time(verdict_time(record)),
        "decision": None if decision is None else _decision(decision),
    }


def _about(record: Record) -> dict[str, Any]:
    facts = record.facts
    return {
        "schemaVersion": SCHEMA_VERSION,
        "resourceType": "S3_OBJECT",
        "s3ObjectDetails": {
            "bucketName": record.video.bucket,
            "objectKey": record.video.key,
            "eTag": facts.etag if facts else record.video.etag,
            "versionId": (facts.version_id if facts else None) or record.video.version_id,
            "s3Throttled": record.problem is not None and record.problem.code in reasons.THROTTLED,
        },
        "scanId": record.scan_id,
        "attempt": record.attempt,
    }


def _label(label: LabelSummary) -> dict[str, Any]:
    return {
        "name": label.name,
        "parentName": label.parent,
        "confidence": float(confidence.shown(label.confidence, label.counts_from)),
        "firstMillis": label.first_ms,
        "durationMillis": label.milliseconds,
    }


def _decision(decision: Decision) -> dict[str, Any]:
    """Return a decision without who made it and their note, which may be personal: they are in the table."""
    return {"judgement": decision.judgement.value, "decidedAt": _time(decision.decided_at), "scanId": decision.scan_id}


def _time(at: float | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
