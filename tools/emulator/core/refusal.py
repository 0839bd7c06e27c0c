"""What services answer instead of a result; what the offline world does not implement it refuses by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from xml.sax.saxutils import escape

Answer = tuple[int, dict[str, str], str]  # status, headers, body
_SERVERS_FAULT = 500  # statuses from here on


class AwsError(Exception):
    """An error of a service: AWS's code and message, the HTTP status, and what else the body carries beside them."""

    def __init__(self, code: str, message: str, status: int = 400, **extra: Any) -> None:  # noqa: ANN401 - whatever the wire carries
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra = extra


class UnsupportedError(AwsError):
    """Something AWS has and the offline world has not; the text names it."""

    def __init__(self, message: str) -> None:
        super().__init__("NotImplemented", message, 501)  # not among the statuses that botocore repeats


def refuse(service: str, what: str) -> UnsupportedError:
    """Return the refusal of one thing of a service."""
    return UnsupportedError(f"the offline world does not implement {what} of {service}")


def only(service: str, operation: str, request: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse a request that carries a parameter not known here (parameters that are None do not count).

    Raises:
        UnsupportedError: The first such parameter by name.
    """
    for name, value in request.items():
        if name not in known and value is not None:
            raise refuse(service, f"the parameter {name} of {operation}")


def xml(error: AwsError) -> Answer:
    """Return the answer for an error of a service that speaks XML."""
    kind = "Receiver" if error.status >= _SERVERS_FAULT else "Sender"
    body = (
        f"<ErrorResponse><Error><Type>{kind}</Type><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        "</Error><RequestId>offline-world</RequestId></ErrorResponse>"
    )
    return error.status, {"Content-Type": "text/xml", "status": str(error.status)}, body
