"""The event of an SQS batch, and which of its messages a function reports as failed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tools.emulator.core import ReceivedMessage


def event(messages: Sequence[ReceivedMessage], queue_arn: str) -> dict[str, Any]:
    """Return the event of a batch: `{"Records": [...]}`, with a record for each message [L:with-sqs]."""
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
    """Return the ids of the messages that failed, from a function's answer with ReportBatchItemFailures.

    A null answer and one with a null, empty or missing `batchItemFailures` mean success; one that is malformed, or names a message
    that is not in the batch, fails the whole batch [L:services-sqs-errorhandling].
    """
    everything = {message.message_id for message in messages}
    try:
        value = json.loads(answer)
        failures = None if value is None else value.get("batchItemFailures")
        named = {entry["itemIdentifier"] for entry in failures or ()}
    except (ValueError, TypeError, KeyError, AttributeError):  # malformed
        return everything
    return named if isinstance(failures, list | None) and named <= everything else everything
