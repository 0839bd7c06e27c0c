"""AWS's errors as exceptions. What the offline world does not implement it refuses by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from xml.sax.saxutils import escape

Answer = tuple[int, dict[str, str], str]  # status, headers, body
_SERVER_ERROR = 500  # and above


class AwsError(Exception):
    """An error of a service: AWS's code and message, the HTTP status, and further members of the body."""

    def __init__(self, code: str, message: str, status: int = 400, **extra: Any) -> None:  # noqa: ANN401 - whatever the wire carries
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra = extra


class UnsupportedError(AwsError):
    """Something that AWS has and the offline world lacks; the message names it."""

    def __init__(self, message: str) -> None:
        super().__init__("NotImplemented", message, 501)  # botocore does not retry this status


def refuse(service: str, what: str) -> UnsupportedError:
    """Return the error for a feature of a service."""
    return UnsupportedError(f"the offline world does not implement {what} of {service}")


def only(service: str, operation: str, request: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse a request that carries a parameter not known here; parameters that are None do not count.

    Raises:
        UnsupportedError: There is such a parameter; the message names the first.
    """
    for name, value in request.items():
        if name not in known and value is not None:
            raise refuse(service, f"the parameter {name} of {operation}")


def xml_answer(error: AwsError) -> Answer:
    """Return an error as services that speak XML answer it."""
    kind = "Receiver" if error.status >= _SERVER_ERROR else "Sender"
    body = (
        f"<ErrorResponse><Error><Type>{kind}</Type><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        "</Error><RequestId>offline-world</RequestId></ErrorResponse>"
    )
    return error.status, {"Content-Type": "text/xml", "status": str(error.status)}, body
