"""SQS's errors, by the codes that boto3 shows: those of the old query protocol."""

from __future__ import annotations

from tools.emulator.core import AwsError


class SqsError(AwsError):
    """An error of SQS's; `shape` is its name in the JSON protocol, which decides boto3's exception class."""

    def __init__(self, shape: str, message: str, code: str | None = None) -> None:
        super().__init__(code or f"AWS.SimpleQueueService.{shape}", message)
        self.shape = shape


def invalid_value(name: str, value: object, reason: str) -> SqsError:
    """Return the error for a parameter out of its bounds."""
    return SqsError(
        "InvalidParameterValue", f"Value {value} for parameter {name} is invalid. Reason: {reason}", "InvalidParameterValue"
    )
