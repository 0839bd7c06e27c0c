"""Videos, labels and scans as every result shows them, to programs and to people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handlers.domain import LabelSummary, Record, Scan, Video
from handlers.domain.confidence import shown
from handlers.domain.telling import telling_labels
from tools.lib.json_keys import iso_or_none
from tools.lib.text import printable


def named(video: Video) -> dict[str, Any]:
    """Return what identifies a video, as JSON values: the etag is part of it only for uploads to buckets without versions."""
    content = {} if video.etag is None else {"etag": video.etag}
    return {"bucket": video.bucket, "key": video.key, "version_id": video.version_id, **content}


def title(video: Video) -> str:
    """Return what identifies a video, for a person."""
    known = (("version", video.version_id), ("etag", video.etag))
    return "".join([printable(video.uri), *(f" ({name} {printable(value)})" for name, value in known if value)])


def upload_json(record: Record | None) -> dict[str, Any]:
    """Return what is known of the upload of a video to a watched bucket, as JSON values."""
    return {
        "uploaded_time": iso_or_none(record.uploaded_at) if record else None,
        "missed": record.missed if record else False,
        "superseded": record is not None and record.superseded,
    }


def subject(scan: Scan) -> str:
    """Name what a scan covers, for a person: the bucket, with the day of uploads if it is of one."""
    bucket = printable(scan.bucket)
    return bucket if scan.day is None else f"the uploads of {scan.day} to {bucket}"


def labels_text(labels: Sequence[LabelSummary]) -> str:
    """Return what was found, each label with its confidence, for a person."""
    return ", ".join(f"{printable(each.name)} {shown(each.confidence, each.counts_from)} %" for each in telling_labels(labels))


def label_json(label: LabelSummary) -> dict[str, Any]:
    """Return a label that was found, as JSON values; its confidence is in percent."""
    return {"name": label.name, "parent": label.parent, "confidence": label.confidence, "seconds": label.milliseconds / 1000}
