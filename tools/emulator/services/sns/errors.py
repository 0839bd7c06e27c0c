"""SNS's errors, by the codes that boto3 shows."""

from __future__ import annotations

from tools.emulator.core import AwsError


class SnsError(AwsError):
    """An error of SNS's."""


def invalid(message: str) -> SnsError:
    """Return InvalidParameter."""
    return SnsError("InvalidParameter", message)


def no_such_topic() -> SnsError:
    """Return the error for a topic that does not exist."""
    return SnsError("NotFound", "Topic does not exist", 404)
