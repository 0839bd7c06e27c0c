"""The messages of the queue of uploads: S3's events from EventBridge, and our own for what no event brought and for retries.

Source: S3 user guide, ev-events (detail of Object Created); sample: tests/events/eventbridge_object_created.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from handlers.domain import identity, json_text, reasons
from handlers.domain.identity import MAX_ATTEMPT, Video
from handlers.domain.record import ObjectFacts, Problem, Record

# The version of an object that was put before its bucket had versions, or while they were suspended. Another put replaces it, so it
# does not name a content (S3 user guide, AddingObjectstoVersionSuspendedBuckets).
NULL_VERSION = "null"


# Later times are none: Python's dates end there.
LAST_SECOND = 253_402_300_799.0

_REPLACED = "Another upload replaced it before its analysis began."


class Source(StrEnum):
    """What brought an upload."""

    EVENT = "event"
    COMPARISON = "comparison"


@dataclass(frozen=True, slots=True)
class Upload:
    """An object that was put into a bucket: decoded key, version (None without versions), size in bytes, and when (epoch seconds).

    Its etag (without quotes) is a hint, as there may be another content by now.
    """

    bucket: str
    key: str
    version_id: str | None
    etag: str | None
    size: int
    at: float
    source: Source = Source.EVENT

    @property
    def video(self) -> Video:
        """Return the object as it is to be looked at."""
        return Video(self.bucket, self.key, self.version_id)

    def identified(self, facts: ObjectFacts | None) -> Video:
        """Return which content was found: by its version, without one by its etag."""
        version = self.version_id if facts is None else facts.version_id
        if version not in (None, NULL_VERSION):
            return Video(self.bucket, self.key, version)
        return Video(self.bucket, self.key, None, self.etag if facts is None else facts.etag)


@dataclass(frozen=True, slots=True)
class Retry:
    """A request to analyse a video of a day's scan once more, as this attempt, if it has failed or was cancelled."""

    video: Video
    scan_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that is none of ours, and why."""

    reason: str


def replaced(video: Video, facts: ObjectFacts) -> Problem | None:
    """Return the problem of an upload without a version whose object holds another content by now."""
    if video.etag is None or video.etag == facts.etag:
        return None
    return Problem(reasons.SUPERSEDED, _REPLACED)


def superseded(record: Record) -> Problem | None:
    """Return the problem of an upload without a version that another one has replaced, be it by the same bytes on another day.

    A superseded version can still be read, and is current again once the later ones are deleted.
    """
    if record.superseded_at is None or record.video.etag is None:
        return None
    return Problem(reasons.SUPERSEDED, _REPLACED)


def compared_body(upload: Upload) -> str:
    """Return the message about an upload that the daily comparison found."""
    return json_text.compact(
        {
            "source": Source.COMPARISON,
            "bucket": upload.bucket,
            "key": upload.key,
            "version_id": upload.version_id,
            "etag": upload.etag,
            "size": upload.size,
            "at": upload.at,
        }
    )


def retry_body(record: Record, attempt: int) -> str:
    """Return the message that asks for another attempt at a record of a day's scan."""
    video = record.video
    return json_text.compact(
        {
            "source": "retry",
            "bucket": video.bucket,
            "key": video.key,
            "version_id": video.version_id,
            "etag": video.etag,
            "scan_id": record.scan_id,
            "attempt": attempt,
        }
    )


def parse(body: str) -> Upload | Retry | Refused:
    """Return what a message of the queue says."""
    fields = json_text.mapping(json_text.read(body))
    match fields.get("source"):
        case "aws.s3":
            return _event(fields)
        case Source.COMPARISON:
            return _upload(fields, fields, fields.get("at"), Source.COMPARISON)
        case "retry":
            return _retry(fields)
    return Refused("it is no event of S3 and no message of ours")


def _event(fields: dict[str, object]) -> Upload | Refused:
    kind = fields.get("detail-type")
    if kind != "Object Created":
        return Refused(f"its detail-type is {kind!r}, not 'Object Created'")
    detail = json_text.mapping(fields.get("detail"))
    item = json_text.mapping(detail.get("object"))
    bucket = json_text.mapping(detail.get("bucket")).get("name")
    named = {"bucket": bucket, "key": item.get("key"), "version_id": item.get("version-id"), **item}
    return _upload(named, fields, _seconds(fields.get("time")), Source.EVENT)


def _upload(named: dict[str, object], fields: dict[str, object], at: object, source: Source) -> Upload | Refused:
    video = _video(named)
    if isinstance(video, Refused):
        return video
    size, etag = named.get("size"), named.get("etag")
    if type(size) is not int or size < 0:
        return Refused(f"the object's size is {size!r}")
    if isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at <= LAST_SECOND:
        return Refused(f"its time is {fields.get('time', at)!r}")
    known = etag.strip('"') if isinstance(etag, str) and etag.isascii() else None
    return Upload(video.bucket, video.key, video.version_id, known or None, size, float(at), source)


def _retry(fields: dict[str, object]) -> Retry | Refused:
    video = _video(fields)
    if isinstance(video, Refused):
        return video
    scan_id, attempt, etag = json_text.text_or_empty(fields.get("scan_id")), fields.get("attempt"), fields.get("etag")
    if type(attempt) is not int or not 1 <= attempt <= MAX_ATTEMPT or not identity.is_scan_id(scan_id):
        return Refused("the retry names no scan or no attempt")
    if not isinstance(etag, str | None):
        return Refused(f"the object's etag is {etag!r}")
    return Retry(Video(video.bucket, video.key, video.version_id, etag), scan_id, attempt)


def _video(fields: dict[str, object]) -> Video | Refused:
    bucket, key, version = fields.get("bucket"), fields.get("key"), fields.get("version_id")
    if not (isinstance(bucket, str) and isinstance(key, str) and isinstance(version, str | None)):
        return Refused("it names no object")
    video = Video(bucket, key, None if version in ("", NULL_VERSION) else version)
    fault = identity.fault_of(video)
    return video if fault is None else Refused(fault)


def _seconds(text: object) -> float | None:
    """Return an event's time, such as 2021-11-12T00:00:00Z, in epoch seconds; None if it is none."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
