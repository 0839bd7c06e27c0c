"""What a verdict or a decision does outside the table: which status an object has, whose verdict counts, and the tag that says it.

A consequence is derived from a record and the decision about its content; it may be repeated, late or out of order, and is never
the truth itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from handlers.domain import reasons
from handlers.domain.decision import Decision, Judgement, unless_withdrawn
from handlers.domain.record import Record
from handlers.domain.states import State

TAG_KEY = "VideoModerationStatus"

# The most tags of an object: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
MAX_TAGS = 10

ANNOTATION = "video-moderation.verdict"

# The version id of an object that was put while versioning was not enabled; its next content has it, too.
NULL_VERSION = "null"


class ObjectStatus(StrEnum):
    """The value of the tag: the statuses of GuardDuty Malware Protection for S3, with flags for threats.

    Source: GuardDuty user guide, Monitoring S3 object scans (GuardDutyMalwareScanStatus).
    """

    NO_FLAGS_FOUND = "NO_FLAGS_FOUND"
    FLAGS_FOUND = "FLAGS_FOUND"
    UNSUPPORTED = "UNSUPPORTED"
    ACCESS_DENIED = "ACCESS_DENIED"
    FAILED = "FAILED"


class ObjectScanStatus(StrEnum):
    """GuardDuty's `scanStatus` of an object."""

    COMPLETED = "COMPLETED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


_SCAN_STATUS = {
    ObjectStatus.NO_FLAGS_FOUND: ObjectScanStatus.COMPLETED,
    ObjectStatus.FLAGS_FOUND: ObjectScanStatus.COMPLETED,
    ObjectStatus.UNSUPPORTED: ObjectScanStatus.SKIPPED,
    ObjectStatus.ACCESS_DENIED: ObjectScanStatus.SKIPPED,
    ObjectStatus.FAILED: ObjectScanStatus.FAILED,
}

_VERDICTS = {State.CLEAN: ObjectStatus.NO_FLAGS_FOUND, State.FLAGGED: ObjectStatus.FLAGS_FOUND}
_DECIDED = {Judgement.FALSE_ALARM: ObjectStatus.NO_FLAGS_FOUND, Judgement.CONFIRMED: ObjectStatus.FLAGS_FOUND}

# There is no object, or not the one that was to be looked at.
_NO_OBJECT = frozenset({reasons.MISSING, reasons.CHANGED, reasons.SUPERSEDED})
_DENIED = frozenset({reasons.FORBIDDEN, "AccessDeniedException", "InvalidS3ObjectException"})
_UNSUPPORTED = frozenset({*reasons.INELIGIBLE, reasons.NOT_A_VIDEO, reasons.UNREADABLE, reasons.UNDECODABLE})


def status_of(record: Record, decision: Decision | None = None) -> ObjectStatus | None:
    """Return the status of a record's object, None if the record has no consequences; a person's decision outranks the machine.

    Without consequences are what is not final, cancelled or superseded, and an object that was gone or replaced.
    """
    code = record.problem.code if record.problem else None
    if record.superseded or not record.state.final or record.state is State.CANCELLED or code in _NO_OBJECT:
        return None
    if decision is not None and decision.judgement in _DECIDED:
        return _DECIDED[decision.judgement]
    if record.state in _VERDICTS:
        return _VERDICTS[record.state]
    if code in _DENIED:
        return ObjectStatus.ACCESS_DENIED
    return ObjectStatus.UNSUPPORTED if code in _UNSUPPORTED else ObjectStatus.FAILED


def scan_status(status: ObjectStatus) -> ObjectScanStatus:
    """Return GuardDuty's `scanStatus` for an object's status."""
    return _SCAN_STATUS[status]


def verdict_time(record: Record) -> float | None:
    """Return when a record got its verdict: when it was judged anew, or else when its analysis ended."""
    return record.judged_at if record.judged_at is not None else record.finished_at


def prevails(record: Record, others: Iterable[Record], decision: Decision | None = None) -> bool:
    """Tell whether no other record of the same content has a verdict that counts more.

    A verdict counts more than a failure, and of two the later one does: tags and annotations hold one of them. A decision is about
    the content, so by it all records of the content say the same.
    """
    return unless_withdrawn(decision) is not None or all(
        _order(other) <= _order(record) for other in others if _rivals(record, other)
    )


def restored(record: Record, others: Iterable[Record], decision: Decision | None = None) -> Record | None:
    """Return the other record of the same content whose verdict holds again because the decision about it was withdrawn.

    None if this record's own verdict does, or nothing was withdrawn.
    """
    if decision is None or decision.stands:
        return None
    return max((each for each in others if _rivals(record, each) and _order(each) > _order(record)), key=_order, default=None)


def is_worth_annotating(record: Record, decision: Decision | None, others: Iterable[Record]) -> bool:
    """Tell whether an object gets an annotation: unless it is clean and no other verdict of it may have been annotated.

    Each annotation is a request of the price of a PUT, so that those of a million clean videos would cost as much as all else.
    """
    plain = status_of(record, decision) is ObjectStatus.NO_FLAGS_FOUND and decision is None and record.judged_at is None
    return not plain or any(_rivals(record, other) for other in others)


def status_of_content(etag: str, records: Iterable[Record], decisions: Iterable[Decision]) -> ObjectStatus | None:
    """Return the status that a content has by the records of its key, None if they do not know it."""
    known = [each for each in records if each.etag == etag and status_of(each) is not None]
    decision = _latest(each for each in decisions if each.etag == etag)
    return status_of(max(known, key=_order), decision) if known else None


def decision_about(record: Record, decisions: Iterable[Decision]) -> Decision | None:
    """Return the latest decision about a record's content, by whatever name of its object it was made."""
    return _latest(each for each in decisions if _is_about(each, record))


def keeps_content(version_id: str | None) -> bool:
    """Tell whether a version id names one content for ever."""
    return version_id not in (None, NULL_VERSION)


def merged(tags: Mapping[str, str], status: ObjectStatus) -> dict[str, str] | None:
    """Return an object's tags with its status, None if there is no room for another one."""
    new = {**tags, TAG_KEY: status.value}
    return new if len(new) <= MAX_TAGS else None


def _latest(decisions: Iterable[Decision]) -> Decision | None:
    return max(decisions, key=lambda each: each.decided_at, default=None)


def _is_about(decision: Decision, record: Record) -> bool:
    if decision.etag != record.etag:
        return False
    named = (record.facts.version_id if record.facts else None) or record.video.version_id
    return None in (named, decision.video.version_id) or named == decision.video.version_id


def _rivals(record: Record, other: Record) -> bool:
    """Tell whether another record is about the same content, and has consequences."""
    if (other.video, other.scan_id) == (record.video, record.scan_id) or status_of(other) is None:
        return False
    if record.facts is None or other.facts is None or record.facts.etag != other.facts.etag:
        return False
    return None in (record.facts.version_id, other.facts.version_id) or record.facts.version_id == other.facts.version_id


def _order(record: Record) -> tuple[bool, float, int, str]:
    return record.state in _VERDICTS, verdict_time(record) or 0.0, record.attempt, record.scan_id
