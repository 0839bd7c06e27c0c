"""A page of GetContentModeration's response as values.

Source: botocore rekognition GetContentModerationResponse; Rekognition developer guide, procedure-moderate-videos.
Sample: tests/events/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from handlers.domain import taxonomy


class JobStatus(StrEnum):
    """The status of a job (botocore: rekognition VideoJobStatus)."""

    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Hit:
    """One label at one timestamp (milliseconds), its parent's name ("" at the top), and its confidence (percent)."""

    timestamp_ms: int
    name: str
    parent: str
    level: int
    confidence: float


@dataclass(frozen=True, slots=True)
class JobFacts:
    """The job as every page describes it: its video and its status.

    A missing text is ""; a missing version, duration or model None. The tag is not read: a job is identified by its id.
    """

    status: JobStatus
    message: str
    bucket: str
    key: str
    version_id: str | None
    duration_ms: int | None
    model_version: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """The job, up to 1,000 hits in time order, and the token of the next page, if any."""

    facts: JobFacts
    hits: tuple[Hit, ...]
    next_token: str | None


def page(response: Mapping[str, Any]) -> Page:
    """Return the page in a response of GetContentModeration (aggregated by TIMESTAMPS).

    Raises:
        ValueError: The status is unknown, so nothing may be concluded from the response.
    """
    return Page(
        facts=_facts(response),
        hits=tuple(
            _hit(item) for item in response.get("ModerationLabels") or () if (item.get("ModerationLabel") or {}).get("Name")
        ),
        next_token=response.get("NextToken") or None,
    )


def hits_of_image(response: Mapping[str, Any], at_ms: int) -> tuple[Hit, ...]:
    """Return what is in a response of DetectModerationLabels, as hits at the time of its frame (0 for an image)."""
    labels = response.get("ModerationLabels") or ()
    return tuple(_hit({"ModerationLabel": label, "Timestamp": at_ms}) for label in labels if label.get("Name"))


def _facts(response: Mapping[str, Any]) -> JobFacts:
    video = (response.get("Video") or {}).get("S3Object") or {}
    return JobFacts(
        status=JobStatus(str(response.get("JobStatus"))),
        message=response.get("StatusMessage") or "",
        bucket=video.get("Bucket") or "",
        key=video.get("Name") or "",
        version_id=video.get("Version") or None,
        duration_ms=(response.get("VideoMetadata") or {}).get("DurationMillis"),
        model_version=response.get("ModerationModelVersion") or None,
    )


def _hit(item: Mapping[str, Any]) -> Hit:
    label = item["ModerationLabel"]
    return Hit(
        timestamp_ms=int(item.get("Timestamp") or 0),
        name=label["Name"],
        parent=label.get("ParentName") or "",
        level=label.get("TaxonomyLevel") or taxonomy.level(label["Name"]),
        confidence=float(label.get("Confidence") or 0.0),
    )
