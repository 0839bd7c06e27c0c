"""DynamoDB's errors, by the codes that boto3 shows."""

from __future__ import annotations

from typing import Any

from tools.emulator.core import AwsError


class DynamoDbError(AwsError):
    """An error of DynamoDB's; some carry `Item` or `CancellationReasons`."""


class ValidationError(DynamoDbError):
    """ValidationException: the request is invalid."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class ConditionFailedError(DynamoDbError):
    """ConditionalCheckFailedException, with the old item if the caller asked for it."""

    def __init__(self, item: dict[str, Any] | None) -> None:
        extra: dict[str, Any] = {} if item is None else {"Item": item}
        super().__init__("ConditionalCheckFailedException", "The conditional request failed", **extra)
