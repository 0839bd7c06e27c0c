"""S3's errors as exceptions, and as S3 writes them.

Codes and messages: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; where that page only describes a fault,
the messages are those that emulators recorded from S3 (see docs/aws.md#14-events-tags-annotations-and-bucket-policies).
"""

from __future__ import annotations

from http import HTTPStatus
from xml.sax.saxutils import escape

from tools.emulator.core import Answer, AwsError

_NOT_FOUND = HTTPStatus.NOT_FOUND


class S3Error(AwsError):
    """An error of S3, with further elements of the body and headers of the answer."""

    def __init__(self, code: str, message: str, status: int = 400, headers: dict[str, str] | None = None, **more: str) -> None:
        super().__init__(code, message, status, **more)
        self.headers = headers or {}


def answer(error: AwsError, *, has_body: bool = True) -> Answer:
    """Return an error as S3 answers it: without a body to HEAD."""
    more = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in error.extra.items())
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>{more}"
        "<RequestId>offline-world</RequestId><HostId>offline-world</HostId></Error>"
    )
    headers = error.headers if isinstance(error, S3Error) else {}
    return int(error.status), {"content-type": "application/xml", **headers}, body if has_body else ""


def no_such_key(key: str) -> S3Error:
    """Return the error for a key without an object."""
    return S3Error("NoSuchKey", "The specified key does not exist.", _NOT_FOUND, Key=key)


def no_such_version(key: str, version_id: str) -> S3Error:
    """Return the error for a version that a key does not have."""
    return S3Error("NoSuchVersion", "The specified version does not exist.", _NOT_FOUND, Key=key, VersionId=version_id)


def invalid_version(version_id: str) -> S3Error:
    """Return the error for a version id where there are no versions."""
    return S3Error("InvalidArgument", "Invalid version id specified", ArgumentName="versionId", ArgumentValue=version_id)


def delete_marker(method: str, version_id: str) -> S3Error:
    """Return the error for what cannot be done with a delete marker."""
    return S3Error(
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
        HTTPStatus.METHOD_NOT_ALLOWED,
        {"allow": "DELETE", "x-amz-delete-marker": "true", "x-amz-version-id": version_id},
        Method=method,
        ResourceType="DeleteMarker",
    )


def malformed_xml() -> S3Error:
    """Return the error for a body that is not as the schema says."""
    return S3Error("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")


def precondition_failed() -> S3Error:
    """Return the error for an etag that is another one by now."""
    return S3Error(
        "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", HTTPStatus.PRECONDITION_FAILED
    )


def access_denied(message: str = "Access Denied") -> S3Error:
    """Return the error for what a policy denies."""
    return S3Error("AccessDenied", message, HTTPStatus.FORBIDDEN)
