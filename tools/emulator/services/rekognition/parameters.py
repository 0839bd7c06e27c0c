"""What callers may ask: the parameters of Start and Get, checked as Rekognition's API model says.

Patterns and ranges: botocore's `rekognition/2016-06-27/service-2.json`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tools.emulator.core.refusal import only, refuse
from tools.emulator.services.rekognition.errors import invalid_parameter

SERVICE = "Rekognition"
_BUCKET = re.compile(r"[0-9A-Za-z.\-_]{3,255}")
_TEXT_1024 = re.compile(r".{1,1024}", re.DOTALL)
_TOKEN = re.compile(r"[a-zA-Z0-9\-_]{1,64}")
_TAG = re.compile(r"[a-zA-Z0-9_.\-:+=/]{1,1024}")
_TOPIC = re.compile(r"arn:aws:sns:.*:\w{12}:.+")
_ROLE = re.compile(r"arn:aws:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")
_PAGE_TOKEN = re.compile(r".{0,255}", re.DOTALL)
_DEFAULT_CONFIDENCE = 50.0
_HIGHEST_CONFIDENCE = 100.0
_LARGEST_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Channel:
    """Where to send the completion notice, and the role that may send it."""

    topic_arn: str
    role_arn: str


@dataclass(frozen=True, slots=True)
class StartRequest:
    """A checked StartContentModeration; two are equal if AWS would call their parameters the same."""

    bucket: str
    key: str
    version_id: str | None
    min_confidence: float
    token: str | None
    tag: str | None
    channel: Channel | None


@dataclass(frozen=True, slots=True)
class GetRequest:
    """A checked GetContentModeration; the page size is already cut to 1,000."""

    job_id: str
    page_size: int
    page_token: str | None
    sort_by: str
    aggregate_by: str


def start_request(parameters: Mapping[str, Any]) -> StartRequest:
    """Check the parameters of StartContentModeration.

    Raises:
        RekognitionError: InvalidParameterException for a value that AWS's model does not allow.
        UnsupportedError: A parameter that is not known here.
    """
    _only(parameters, ("Video", "MinConfidence", "ClientRequestToken", "NotificationChannel", "JobTag"))
    s3_object = _structure(_structure(parameters, "Video", ("S3Object",)), "S3Object", ("Bucket", "Name", "Version"))
    return StartRequest(
        bucket=_required(s3_object, "Bucket", _BUCKET),
        key=_required(s3_object, "Name", _TEXT_1024),
        version_id=_text(s3_object, "Version", _TEXT_1024),
        min_confidence=_confidence(parameters.get("MinConfidence")),
        token=_text(parameters, "ClientRequestToken", _TOKEN),
        tag=_text(parameters, "JobTag", _TAG),
        channel=_channel(parameters),
    )


def get_request(parameters: Mapping[str, Any]) -> GetRequest:
    """Check the parameters of GetContentModeration.

    Raises:
        RekognitionError: InvalidParameterException for a value that AWS's model does not allow.
        UnsupportedError: A parameter that is not known here, or `AggregateBy` SEGMENTS.
    """
    _only(parameters, ("JobId", "MaxResults", "NextToken", "SortBy", "AggregateBy"))
    request = GetRequest(
        job_id=_required(parameters, "JobId", _TOKEN),
        page_size=_page_size(parameters.get("MaxResults")),
        page_token=_text(parameters, "NextToken", _PAGE_TOKEN),
        sort_by=_choice(parameters, "SortBy", ("TIMESTAMP", "NAME")),
        aggregate_by=_choice(parameters, "AggregateBy", ("TIMESTAMPS", "SEGMENTS")),
    )
    if request.aggregate_by == "SEGMENTS":  # AWS does not say how a segment gets its confidence
        raise refuse(SERVICE, "AggregateBy=SEGMENTS")
    return request


def _only(parameters: Mapping[str, Any], known: Collection[str]) -> None:
    only(SERVICE, "content moderation", parameters, known)


def _structure(parameters: Mapping[str, Any], name: str, members: Collection[str]) -> Mapping[str, Any]:
    value = parameters.get(name)
    if not isinstance(value, Mapping):
        raise invalid_parameter(f"{name} is required.")
    _only(value, members)
    return value


def _text(parameters: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str | None:
    value = parameters.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise invalid_parameter(f"{name} does not satisfy the pattern {pattern.pattern}")
    return value


def _required(parameters: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = _text(parameters, name, pattern)
    if value is None:
        raise invalid_parameter(f"{name} is required.")
    return value


def _channel(parameters: Mapping[str, Any]) -> Channel | None:
    if parameters.get("NotificationChannel") is None:
        return None
    channel = _structure(parameters, "NotificationChannel", ("SNSTopicArn", "RoleArn"))
    return Channel(_required(channel, "SNSTopicArn", _TOPIC), _required(channel, "RoleArn", _ROLE))


def _confidence(value: object) -> float:
    if value is None:
        return _DEFAULT_CONFIDENCE
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _HIGHEST_CONFIDENCE:
        raise invalid_parameter("MinConfidence must be between 0 and 100.")
    return float(value)


def _page_size(value: object) -> int:
    if value is None:
        return _LARGEST_PAGE
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise invalid_parameter("MaxResults must be at least 1.")
    return min(value, _LARGEST_PAGE)


def _choice(parameters: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
    value = parameters.get(name, choices[0])
    if value not in choices:
        raise invalid_parameter(f"{name} must be one of {', '.join(choices)}.")
    return str(value)
