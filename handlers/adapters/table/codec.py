"""Dataclasses as attributes of an item, and back: an attribute has the name of its field.

None, False and empty collections are not stored. A float becomes the Decimal of its shortest text, so it is read back exactly.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from handlers.adapters.table.expressions import Item

T = TypeVar("T")
_PLAIN = (str, int, bool)


def attributes(value: Any, *, without: Iterable[str] = ()) -> dict[str, Any]:  # noqa: ANN401 # any dataclass
    """Return the fields of a dataclass as DynamoDB values."""
    return present({field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.name not in without})


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are not None, False or empty collections, as DynamoDB values."""
    return {name: stored(value) for name, value in values.items() if not _is_absent(value)}


def stored(value: Any) -> Any:  # noqa: ANN401 # any value of a field
    """Return a value in a type that boto3's serializer accepts: it refuses floats."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [stored(each) for each in value]
    if dataclasses.is_dataclass(value):
        return attributes(value)
    return {name: stored(each) for name, each in value.items()}


def read(kind: type[T], item: Item) -> T:
    """Return a dataclass from an item; a field without attribute has its default, or None."""
    converters, required = _plan(kind)  # type: ignore[arg-type] # mypy takes no class for hashable
    known = {name: convert(value) for name, convert in converters.items() if (value := item.get(name)) is not None}
    return kind(**required | known)


def _is_absent(value: object) -> bool:
    return value is None or value is False or (not value and isinstance(value, tuple | Mapping))


@cache
def _plan(kind: Any) -> tuple[dict[str, Callable[[Any], Any]], dict[str, None]]:  # noqa: ANN401 # a dataclass
    """Return each field's converter, and None for each field that may be None and has no default."""
    hints = get_type_hints(kind)
    required = [field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING]
    optional = {name: None for name in required if NoneType in get_args(hints[name])}
    return {name: _converter(hint) for name, hint in hints.items()}, optional


def _converter(hint: Any) -> Callable[[Any], Any]:  # noqa: ANN401 # any annotation of a field
    arguments = [_converter(each) for each in get_args(hint) if each not in (NoneType, ...)]
    if get_origin(hint) is tuple:
        return lambda values: tuple(map(arguments[0], values))
    if get_origin(hint) is Mapping:
        return lambda values: {arguments[0](name): arguments[1](value) for name, value in values.items()}
    if arguments:  # X | None
        return arguments[0]
    convert: Callable[[Any], Any] = hint  # str, int, an Enum, ...
    return partial(read, hint) if isinstance(hint, type) and dataclasses.is_dataclass(hint) else convert
