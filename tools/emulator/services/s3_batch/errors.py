"""The refusals of the s3control job operations, with the HTTP status they travel with.

The API model names the exceptions and gives no status; the API reference gives 400 to all but InternalServiceException, and
AWS's troubleshooting page calls a missing job a 404.
"""

from __future__ import annotations


class BatchError(Exception):
    """A job operation was refused.

    Attributes:
        code: The error's code on the wire.
        message: The sentence beside it.
        http_status: The response's status.
    """

    def __init__(self, code: str, message: str, http_status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.http_status = http_status


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
