"""Checks requests by AWS's API models. boto3 checks types only: it sends values of any length, pattern or range."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": Mapping,
    "map": Mapping,
    "list": (list, tuple),
    "string": str,
    "blob": bytes,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "timestamp": datetime,
}
_UNITS = {"blob": " bytes", "string": " characters", "list": " entries", "map": " entries"}


class ModelError(Exception):
    """A parameter is not as the API model says; the message names it and the rule."""


def check(service: str, operation: str, given: object, member: str | None = None) -> None:
    """Check a request, or one member of it; parameters that are None count as missing.

    Raises:
        ModelError: At the first parameter that the model does not allow.
    """
    shape: Any = _service(service).operation_model(operation).input_shape
    _check(shape if member is None else shape.members[member], given, member or "")


@cache
def _service(name: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(name, "service-2"))


def _check(shape: Any, given: Any, path: str) -> None:  # noqa: ANN401 - botocore's shapes, and any value
    kind = shape.type_name
    if not _is_a(kind, given):
        raise ModelError(f"{path or 'The request'} must be a {kind}")
    _check_bounds(shape, given, path)
    _check_text(shape, given, path)
    if kind == "structure":
        _check_members(shape, given, f"{path}." if path else "")
    elif kind == "list":
        for entry in given:
            _check(shape.member, entry, path)
    elif kind == "map":
        for key, value in given.items():
            _check(shape.key, key, f"a key of {path}")
            if value is not None:
                _check(shape.value, value, f"{path}.{key}")


def _is_a(kind: str, given: object) -> bool:
    return isinstance(given, _TYPES[kind]) and isinstance(given, bool) is (kind == "boolean")


def _check_members(shape: Any, given: Mapping[str, Any], prefix: str) -> None:  # noqa: ANN401 - botocore's
    for name in shape.required_members:
        if given.get(name) is None:
            raise ModelError(f"{prefix}{name} is required")
    for name, member in shape.members.items():
        if given.get(name) is not None:
            _check(member, given[name], f"{prefix}{name}")


def _check_bounds(shape: Shape, given: Any, path: str) -> None:  # noqa: ANN401 - a number, or what has a length
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is None and most is None:
        return
    size = given if isinstance(given, int | float) else len(given)
    if (least is not None and size < least) or (most is not None and size > most):
        bounds = f"at least {least}" if most is None else f"up to {most}" if least is None else f"{least} to {most}"
        raise ModelError(f"{path} must have {bounds}{_UNITS.get(shape.type_name, '')}")


def _check_text(shape: Shape, given: object, path: str) -> None:
    allowed, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if allowed and given not in allowed:
        raise ModelError(f"{path} must be one of {', '.join(allowed)}")
    if pattern and not _compiled(pattern).fullmatch(str(given)):
        raise ModelError(f"{path} does not satisfy the pattern {pattern}")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a Java pattern, whose names for classes of letters, spaces and digits differ from Python's."""
    return re.compile(pattern.replace(r"\p{L}\p{Z}\p{N}_", r"\w\s"), re.DOTALL)
