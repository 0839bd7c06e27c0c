"""Rekognition's API for images, used for frames of films (sent as bytes) and for images (read from S3).

Sources: botocore rekognition DetectModerationLabels; Rekognition developer guide, procedure-moderate-images, error-handling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters import aws_errors
from handlers.adapters.aws_errors import Fault, fault_of
from handlers.domain import Hit, ObjectFacts, Problem, Video, analysis

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_rekognition import RekognitionClient


@dataclass(frozen=True, slots=True)
class ImageLabels:
    """What Rekognition found in an image, and the version of its model; the image is charged."""

    hits: tuple[Hit, ...]
    model_version: str | None


@dataclass(frozen=True, slots=True)
class NotDetected:
    """The image was not analysed; if the fault is UNKNOWN, it may have been, and charged. Faults are those of `NotStarted`."""

    fault: Fault
    problem: Problem


class ImageModeration:
    """DetectModerationLabels. Every call is charged and none is idempotent, so its client must not retry."""

    def __init__(self, client: RekognitionClient) -> None:
        self._client: Any = client  # parameters are built as dicts, which the stubs' TypedDicts do not take

    def detect(self, image: dict[str, Any], *, at_ms: int, min_confidence: float) -> ImageLabels | NotDetected:
        """Analyse an image, given by `frame` or `stored`; the hits get `at_ms` as their time. Errors of the call are returned."""
        try:
            answer = self._client.detect_moderation_labels(Image=image, MinConfidence=min_confidence)
        except (BotoCoreError, ClientError) as error:
            return NotDetected(fault_of(error), Problem(aws_errors.code_of(error), aws_errors.message_of(error)))
        return ImageLabels(analysis.hits_of_image(answer, at_ms), answer.get("ModerationModelVersion"))


def frame(data: bytes) -> dict[str, Any]:
    """Return the parameter `Image` for a JPEG sent as bytes, which boto3 encodes."""
    return {"Bytes": data}


def stored(video: Video, facts: ObjectFacts) -> dict[str, Any]:
    """Return the parameter `Image` for an object in S3, in the version that was registered."""
    version = {} if facts.version_id is None else {"Version": facts.version_id}
    return {"S3Object": {"Bucket": video.bucket, "Name": video.key, **version}}
