"""DynamoDB's errors, by the codes that boto3 shows."""

from __future__ import annotations

from typing import Any


class DynamoDbError(Exception):
    """An error of DynamoDB's: its code, its message and what else its body carries (`Item`, `CancellationReasons`)."""

    def __init__(self, code: str, message: str, **extra: Any) -> None:  # noqa: ANN401 - whatever the wire carries
        super().__init__(message)
        self.code = code
        self.message = message
        self.extra = extra


class ValidationError(DynamoDbError):
    """ValidationException: the request is wrong in itself."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class ConditionFailedError(DynamoDbError):
    """ConditionalCheckFailedException, with the old item where the caller asked for it."""

    def __init__(self, item: dict[str, Any] | None) -> None:
        extra = {} if item is None else {"Item": item}
        super().__init__("ConditionalCheckFailedException", "The conditional request failed", **extra)


def no_such_table() -> DynamoDbError:
    """Return the error for a table that does not exist."""
    return DynamoDbError("ResourceNotFoundException", "Requested resource not found")
