"""The refusals of the s3control job operations, with the HTTP status they travel with.

The API model names the exceptions and gives no status; the API reference gives 400 to all but InternalServiceException, and
AWS's troubleshooting page calls a missing job a 404.
"""

from __future__ import annotations

from tools.emulator.core import AwsError


class BatchError(AwsError):
    """A job operation was refused."""


def bad_request(message: str) -> BatchError:
    """Return what refuses a parameter."""
    return BatchError("BadRequestException", message)


def not_implemented(what: str) -> BatchError:
    """Return what refuses, by name, a feature that S3 has and this emulator has not; S3's own code for such, 501."""
    return BatchError("NotImplemented", f"The offline world does not implement {what}", 501)


def access_denied(message: str) -> BatchError:
    """Return what refuses the caller."""
    return BatchError("AccessDenied", message, 403)


def missing_job(code: str) -> BatchError:
    """Return what answers for a job that does not exist, never did or ended 90 days ago."""
    return BatchError(code, "The specified job does not exist", 404)
