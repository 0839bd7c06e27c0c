"""Errors of s3control's job operations, by AWS's codes and with their HTTP status.

The API model names the exceptions without a status; the API reference gives 400 to all but InternalServiceException, and AWS's
troubleshooting page calls a missing job a 404.
"""

from __future__ import annotations

from tools.emulator.core import AwsError

SERVICE = "S3 Batch Operations"


class BatchError(AwsError):
    """S3 Batch refuses a request."""


def bad_request(message: str) -> BatchError:
    """Return the error for a value that S3 Batch does not take."""
    return BatchError("BadRequestException", message)


def access_denied(message: str) -> BatchError:
    """Return the error for a caller without permission."""
    return BatchError("AccessDenied", message, 403)


def missing_job(code: str) -> BatchError:
    """Return the error for a job that never existed or ended more than 90 days ago."""
    return BatchError(code, "The specified job does not exist", 404)
