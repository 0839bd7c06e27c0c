"""Videos and labels as every result shows them, to programs and to people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handlers.domain import LabelSummary, Video
from handlers.domain.confidence import shown
from handlers.domain.telling import telling_labels
from tools.lib.text import printable


def named(video: Video) -> dict[str, Any]:
    """Return what identifies a video, as JSON values."""
    return {"bucket": video.bucket, "key": video.key, "version_id": video.version_id}


def title(video: Video) -> str:
    """Return what identifies a video, for a person."""
    return f"{printable(video.uri)} (version {printable(video.version_id)})" if video.version_id else printable(video.uri)


def labels_text(labels: Sequence[LabelSummary]) -> str:
    """Return what was found, each label with its confidence, for a person."""
    return ", ".join(f"{printable(each.name)} {shown(each.confidence, each.counts_from)} %" for each in telling_labels(labels))


def label_json(label: LabelSummary) -> dict[str, Any]:
    """Return a label that was found, as JSON values; its confidence is in percent."""
    return {"name": label.name, "parent": label.parent, "confidence": label.confidence, "seconds": label.milliseconds / 1000}
