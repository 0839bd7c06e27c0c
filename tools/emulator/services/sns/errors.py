"""SNS's errors, by AWS's codes."""

from __future__ import annotations

from tools.emulator.core import AwsError


class SnsError(AwsError):
    """SNS refuses a request."""


def invalid(message: str) -> SnsError:
    """Return the error for a value that SNS does not take."""
    return SnsError("InvalidParameter", message)


def no_such_topic() -> SnsError:
    """Return the error for a topic that does not exist."""
    return SnsError("NotFound", "Topic does not exist", 404)
