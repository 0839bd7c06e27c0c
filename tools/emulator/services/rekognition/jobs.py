"""A moderation job: its request, its results, and how notices and answers show them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tools.emulator.services.rekognition.labels import MODEL_VERSION, labels_of
from tools.emulator.services.rekognition.pages import Row
from tools.emulator.services.rekognition.parameters import StartRequest
from tools.emulator.services.rekognition.video import Analysis, Sighting, VideoMetadata

IN_PROGRESS, SUCCEEDED, FAILED = "IN_PROGRESS", "SUCCEEDED", "FAILED"


@dataclass(slots=True)
class Job:
    """A job's state; times in epoch seconds, rows ordered by time."""

    job_id: str
    request: StartRequest
    opened_at: float
    status: str = IN_PROGRESS
    status_message: str | None = None
    closed_at: float | None = None
    metadata: VideoMetadata | None = None
    rows: tuple[Row, ...] = field(default=(), repr=False)

    def succeed(self, analysis: Analysis, at: float) -> None:
        self.metadata = analysis.metadata
        self.rows = rows_of(analysis, self.request.min_confidence)
        self.status, self.closed_at = SUCCEEDED, at

    def fail(self, message: str, at: float) -> None:
        self.status, self.status_message, self.closed_at = FAILED, message, at

    def notice(self) -> str:
        """Return the completion notice, the text of an SNS message; it has the key unencoded, and no version.

        Form: https://docs.aws.amazon.com/rekognition/latest/dg/video-notification-payload.html
        """
        request = self.request
        return json.dumps(
            {
                "JobId": self.job_id,
                "Status": self.status,
                "API": "StartContentModeration",
                **({} if request.tag is None else {"JobTag": request.tag}),
                "Timestamp": int((self.closed_at or self.opened_at) * 1_000),
                "Video": {"S3ObjectName": request.key, "S3Bucket": request.bucket},
            }
        )

    def description(self, *, named: bool) -> dict[str, Any]:
        """Return what GetContentModeration has on every page beside labels; tag and video only if `named`."""
        return {
            "JobId": self.job_id,
            "JobStatus": self.status,
            **({"Video": {"S3Object": _s3_object(self.request)}} if named else {}),
            **({"JobTag": self.request.tag} if named and self.request.tag is not None else {}),
            **({} if self.status_message is None else {"StatusMessage": self.status_message}),
            **(
                {}
                if self.metadata is None
                else {"VideoMetadata": _video_metadata(self.metadata), "ModerationModelVersion": MODEL_VERSION}
            ),
        }


def _s3_object(request: StartRequest) -> dict[str, str]:
    version = {} if request.version_id is None else {"Version": request.version_id}
    return {"Bucket": request.bucket, "Name": request.key, **version}


def _video_metadata(metadata: VideoMetadata) -> dict[str, Any]:
    return {
        "Codec": metadata.codec,
        "DurationMillis": metadata.duration_ms,
        "Format": metadata.format,
        "FrameRate": metadata.frame_rate,
        "FrameHeight": metadata.height,
        "FrameWidth": metadata.width,
        "ColorRange": metadata.color_range,
    }


def rows_of(analysis: Analysis, min_confidence: float) -> tuple[Row, ...]:
    """Return what was found as GetContentModeration's labels, by time."""
    rows = [row for sighting in analysis.sightings if sighting.confidence >= min_confidence for row in _lineage_rows(sighting)]
    return tuple(sorted(rows, key=lambda row: (row["Timestamp"], row["ModerationLabel"]["Name"])))


def _lineage_rows(sighting: Sighting) -> list[Row]:
    """Return a row for a label and one for each of its parents, which AWS reports with the same time."""
    return [
        {"Timestamp": sighting.timestamp_ms, "ModerationLabel": label, "ContentTypes": []}
        for label in labels_of(sighting.label, sighting.confidence)
    ]
