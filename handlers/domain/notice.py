"""Rekognition's completion notice, as SNS delivers it to a Lambda function.

Only the job ids are read: status and video come from Rekognition itself, so a forged notice does no harm.
Source: Rekognition developer guide, video-notification-payload; Lambda developer guide, with-sns. Sample: tests/events/.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from handlers.domain import json_text

# botocore: rekognition JobId.
JOB_ID_PATTERN = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Notices:
    """The job ids in an event, each once, and why its other records were refused."""

    job_ids: tuple[str, ...]
    refused: tuple[str, ...]


class _RefusedError(Exception):
    """A record of an event is not a valid notice; the message says why."""


def parse_event(event: object, topic_arn: str) -> Notices:
    """Return the notices of this topic in an SNS event; never raises, whatever the event holds."""
    records = json_text.items(json_text.mapping(event).get("Records"))
    if not records:
        return Notices((), ("the event is not an SNS event: it has no records",))
    job_ids: dict[str, None] = {}
    refused: list[str] = []
    for record in records:
        try:
            job_ids[_job_id(json_text.mapping(record), topic_arn)] = None
        except _RefusedError as refusal:
            refused.append(str(refusal))
    return Notices(tuple(job_ids), tuple(refused))


def as_event(job_id: str, topic_arn: str, timestamp: float) -> dict[str, Any]:
    """Return the event of a notice about a job, for the sweeper to invoke `completion` with; timestamp in epoch seconds.

    It has no status, which `completion` does not read.
    """
    message = {"JobId": job_id, "API": "StartContentModeration", "Timestamp": int(timestamp * 1000)}
    notification: dict[str, Any] = {
        "Type": "Notification",
        "TopicArn": topic_arn,
        "Subject": None,
        "Message": json.dumps(message),
        "Timestamp": datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "MessageAttributes": {},
    }
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": notification}]}


def _job_id(record: dict[str, object], topic_arn: str) -> str:
    """Return which Rekognition job a record of an SNS event announces.

    Raises:
        _RefusedError: The record is not a notice of this topic.
    """
    if record.get("EventSource") != "aws:sns":
        raise _RefusedError(f"the record is not from SNS but from {_shown(record.get('EventSource'))}")
    notification = json_text.mapping(record.get("Sns"))
    if notification.get("TopicArn") != topic_arn:
        raise _RefusedError(f"the notice came through the topic {_shown(notification.get('TopicArn'))}, not through ours")
    message = json_text.read(notification.get("Message"))
    if not isinstance(message, dict):
        raise _RefusedError("the notice is not a JSON object")  # which may be cut, and name an object
    job_id = message.get("JobId")
    if not (isinstance(job_id, str) and JOB_ID_PATTERN.fullmatch(job_id)):
        raise _RefusedError(f"the notice has no job id of Rekognition's form: {_shown(job_id)}")
    return job_id


def _shown(value: object) -> str:
    """Return a value for a log, escaped and truncated."""
    return f"{value!a:.120}" if isinstance(value, str) else type(value).__name__
