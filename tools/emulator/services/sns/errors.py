"""SNS's errors, by the codes that boto3 shows."""

from __future__ import annotations


class SnsError(Exception):
    """An error of SNS's: its code, its message and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> SnsError:
    """Return InvalidParameter."""
    return SnsError("InvalidParameter", message)


def no_such_topic() -> SnsError:
    """Return the error for a topic that does not exist."""
    return SnsError("NotFound", "Topic does not exist", 404)
