"""The parameters of each operation, checked by Rekognition's API model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.emulator.core import model, only, refuse
from tools.emulator.services.rekognition.errors import RekognitionError, invalid_parameter

SERVICE = "Rekognition"
_START = ("Video", "MinConfidence", "ClientRequestToken", "NotificationChannel", "JobTag")
_GET = ("JobId", "MaxResults", "NextToken", "SortBy", "AggregateBy")
_DETECT = ("Image", "MinConfidence")
_DEFAULT_CONFIDENCE = 50.0
_LARGEST_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class StartRequest:
    """A checked StartContentModeration; equal if AWS takes the parameters for the same."""

    bucket: str
    key: str
    version_id: str | None
    min_confidence: float
    token: str | None
    tag: str | None
    topic_arn: str | None
    role_arn: str | None


@dataclass(frozen=True, slots=True)
class GetRequest:
    """A checked GetContentModeration; the page size is at most 1,000."""

    job_id: str
    page_size: int
    page_token: str | None
    sort_by: str
    aggregate_by: str


@dataclass(frozen=True, slots=True)
class DetectRequest:
    """A checked DetectModerationLabels: either the image itself, or where it is in S3."""

    body: bytes | None
    bucket: str
    key: str
    version_id: str | None
    min_confidence: float


def start_request(parameters: Mapping[str, Any]) -> StartRequest:
    """Check the parameters of StartContentModeration.

    Raises:
        RekognitionError: InvalidParameterException; AWS's model does not allow a value.
        UnsupportedError: A parameter is not known here.
    """
    given = _checked("StartContentModeration", parameters, _START)
    stored = given["Video"].get("S3Object") or {}
    if not {"Bucket", "Name"} <= stored.keys():  # the model requires neither
        raise invalid_parameter("Video.S3Object needs Bucket and Name")
    channel = given.get("NotificationChannel", {})
    return StartRequest(
        bucket=stored["Bucket"],
        key=stored["Name"],
        version_id=stored.get("Version"),
        min_confidence=float(given.get("MinConfidence", _DEFAULT_CONFIDENCE)),
        token=given.get("ClientRequestToken"),
        tag=given.get("JobTag"),
        topic_arn=channel.get("SNSTopicArn"),
        role_arn=channel.get("RoleArn"),
    )


def get_request(parameters: Mapping[str, Any]) -> GetRequest:
    """Check the parameters of GetContentModeration.

    Raises:
        RekognitionError: InvalidParameterException; AWS's model does not allow a value.
        UnsupportedError: A parameter is not known here, or `AggregateBy` is SEGMENTS.
    """
    given = _checked("GetContentModeration", parameters, _GET)
    if given.get("AggregateBy") == "SEGMENTS":  # AWS does not document how a segment gets its confidence
        raise refuse(SERVICE, "AggregateBy=SEGMENTS")
    return GetRequest(
        job_id=given["JobId"],
        page_size=min(given.get("MaxResults", _LARGEST_PAGE), _LARGEST_PAGE),
        page_token=given.get("NextToken"),
        sort_by=given.get("SortBy", "TIMESTAMP"),
        aggregate_by=given.get("AggregateBy", "TIMESTAMPS"),
    )


def detect_request(parameters: Mapping[str, Any]) -> DetectRequest:
    """Check the parameters of DetectModerationLabels.

    Raises:
        RekognitionError: ValidationException, AWS's model does not allow a value; or InvalidParameterException.
        UnsupportedError: A parameter is not known here.
    """
    only(SERVICE, "DetectModerationLabels", parameters, _DETECT)
    try:
        model.check("rekognition", "DetectModerationLabels", parameters)
    except model.ModelError as error:  # the code was seen on AWS for an image with too many bytes
        raise RekognitionError("ValidationException", f"1 validation error detected: {error}") from None
    image = parameters["Image"]
    body, stored = image.get("Bytes"), image.get("S3Object") or {}
    # Either of the two; the model requires none, nor any member of S3Object.
    if (body is None) is not ({"Bucket", "Name"} <= stored.keys()) or (body is not None and stored):
        raise invalid_parameter("Request has invalid parameters")
    confidence = parameters.get("MinConfidence")
    return DetectRequest(
        body=body,
        bucket=stored.get("Bucket", ""),
        key=stored.get("Name", ""),
        version_id=stored.get("Version"),
        min_confidence=_DEFAULT_CONFIDENCE if confidence is None else float(confidence),
    )


def _checked(operation: str, parameters: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    only(SERVICE, operation, parameters, known)
    try:
        model.check("rekognition", operation, parameters)
    except model.ModelError as error:
        raise invalid_parameter(str(error)) from None
    return {name: value for name, value in parameters.items() if value is not None}
