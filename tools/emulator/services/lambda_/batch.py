"""An SQS batch as Lambda hands it to a function, and what the function's answer says about each message."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tools.emulator.core.ports import ReceivedMessage


def event(messages: Sequence[ReceivedMessage], queue_arn: str) -> dict[str, Any]:
    """Return the event of a batch: `{"Records": [...]}`, one record per message [L:with-sqs]."""
    return {"Records": [_record(message, queue_arn) for message in messages]}


def _record(message: ReceivedMessage, queue_arn: str) -> dict[str, Any]:
    return {
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": dict(message.attributes),
        "messageAttributes": {name: _attribute(value) for name, value in message.message_attributes.items()},
        "md5OfBody": message.md5_of_body,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    given = {f"{name[0].lower()}{name[1:]}": value[name] for name in ("StringValue", "BinaryValue") if name in value}
    return {**given, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def failed(answer: bytes, messages: Sequence[ReceivedMessage]) -> set[str]:
    """Return the ids of the messages that failed, by a ReportBatchItemFailures answer.

    An answer that is null, `{}` or has a null or empty `batchItemFailures` is a success; one that is malformed, or names no message
    of the batch, fails the whole batch [L:services-sqs-errorhandling].
    """
    everything = {message.message_id for message in messages}
    try:
        value = json.loads(answer)
        named = set(_identifiers(value))
    except (ValueError, TypeError, KeyError, AttributeError):  # each of these means: not of the form
        return everything
    if not named <= everything:
        return everything
    return named


def _identifiers(value: Any) -> list[str]:  # noqa: ANN401  # whatever a function returned
    if value is None:
        return []
    failures = value.get("batchItemFailures")
    if failures is None:
        return []
    if not isinstance(failures, list):
        raise TypeError("batchItemFailures is not a list")
    return [_identifier(entry["itemIdentifier"]) for entry in failures]


def _identifier(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("itemIdentifier is not text")
    return value
