"""The message that asks a starter for one analysis: video, scan and attempt, as the JSON body of an SQS message."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.domain import identity, json_text
from handlers.domain.identity import MAX_ATTEMPT, Analysis, Video
from handlers.domain.record import Record


@dataclass(frozen=True, slots=True)
class LaneMessage:
    """Which video to start, for which scan and attempt. Only a hint: the record decides whether it still waits."""

    video: Video
    analysis: Analysis


def body(record: Record) -> str:
    """Return the message of a record in ASCII: SQS refuses some control characters, which a key may contain."""
    video = record.video
    fields: dict[str, str | int | None] = {
        "bucket": video.bucket,
        "key": video.key,
        "version_id": video.version_id,
        "scan_id": record.scan_id,
        "attempt": record.attempt,
    }
    if video.etag is not None:
        fields["etag"] = video.etag
    return json_text.compact(fields)


def parse(body: str) -> LaneMessage | None:
    """Return the message in a body, or None if it is not valid."""
    fields = json_text.mapping(json_text.read(body))
    bucket, key, version, etag = fields.get("bucket"), fields.get("key"), fields.get("version_id"), fields.get("etag")
    if not (isinstance(bucket, str) and isinstance(key, str) and isinstance(version, str | None) and isinstance(etag, str | None)):
        return None
    scan_id, attempt = json_text.text_or_empty(fields.get("scan_id")), fields.get("attempt")
    # A bool is an int in Python.
    if type(attempt) is not int or not 0 <= attempt <= MAX_ATTEMPT or not identity.is_scan_id(scan_id):
        return None
    video = Video(bucket, key, version, etag)
    return None if identity.fault_of(video) else LaneMessage(video, Analysis(scan_id, video.id, attempt))
