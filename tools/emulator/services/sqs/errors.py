"""SQS's errors, by the codes that boto3 shows (those of the old query protocol)."""

from __future__ import annotations

from tools.emulator.core.refusal import AwsError


class SqsError(AwsError):
    """An error of SQS's; `shape` is its name in the JSON protocol, which decides boto3's exception class."""

    def __init__(self, shape: str, message: str, code: str | None = None) -> None:
        super().__init__(code or f"AWS.SimpleQueueService.{shape}", message)
        self.shape = shape


def no_such_queue() -> SqsError:
    """Return the error for a queue that does not exist."""
    return SqsError("QueueDoesNotExist", "The specified queue does not exist.", "AWS.SimpleQueueService.NonExistentQueue")


def invalid_value(name: str, value: object, reason: str) -> SqsError:
    """Return the error for a parameter out of its bounds."""
    return SqsError(
        "InvalidParameterValue", f"Value {value} for parameter {name} is invalid. Reason: {reason}", "InvalidParameterValue"
    )


def invalid_handle(handle: str) -> SqsError:
    """Return the error for text that is not a receipt handle of this queue."""
    return SqsError(
        "ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.', "ReceiptHandleIsInvalid"
    )
