"""What the offline world does not implement it refuses by name, so that nothing is ever silently accepted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

CODE = "NotImplemented"
STATUS = 501  # not among the statuses that botocore repeats


class UnsupportedError(Exception):
    """Something AWS has and the offline world has not; the text names it."""


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
