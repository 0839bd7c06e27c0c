"""Videos and labels as every result shows them, to programs and to people."""

from __future__ import annotations

from typing import Any

from handlers.domain import LabelSummary, Video
from handlers.domain.confidence import shown
from tools.lib.text import printable


def named(video: Video) -> dict[str, Any]:
    """Return what identifies a video, as JSON values."""
    return {"bucket": video.bucket, "key": video.key, "version_id": video.version_id}


def title(video: Video) -> str:
    """Return what identifies a video, for a person."""
    return f"{printable(video.uri)} (version {printable(video.version_id)})" if video.version_id else printable(video.uri)


def label_text(label: LabelSummary) -> str:
    """Return a label that was found and its confidence, for a person."""
    return f"{printable(label.name)} {shown(label.confidence, label.counts_from)} %"


def label_json(label: LabelSummary) -> dict[str, Any]:
    """Return a label that was found, as JSON values; its confidence is in percent."""
    return {"name": label.name, "parent": label.parent, "confidence": label.confidence, "seconds": label.milliseconds / 1000}
