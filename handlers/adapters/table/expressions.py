"""Parameters of single writes, but for the table's name; attribute names and values go in by placeholders, never as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import DYNAMODB_CONTEXT, Binary, TypeSerializer

# An item of Python values: str, bool, int, Decimal, list, dict.
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """The condition of a write; all parts must hold."""

    equal: Item = field(default_factory=dict)  # attributes that exist and have this value
    one_of: Mapping[str, Sequence[Any]] = field(default_factory=dict)  # attributes that exist and have one of these values
    equal_or_absent: Item = field(default_factory=dict)  # attributes that are missing or have this value
    not_equal: Item = field(default_factory=dict)  # attributes that are missing or have another value
    absent: Iterable[str] = ()  # attributes that must be missing (`pk`: the whole item)
    present: Iterable[str] = ()  # attributes that must exist
    below: Item = field(default_factory=dict)  # attributes that are missing or less than this value
    least: Item = field(default_factory=dict)  # attributes that exist and are not less than this value


NEW = Condition(absent=["pk"])
EXISTING = Condition(present=["pk"])
ALWAYS = Condition()


class Placeholders:
    """The names and values of one request's expressions."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}

    def name(self, attribute: str) -> str:
        """Return the placeholder of an attribute's name."""
        return self._names.setdefault(attribute, f"#n{len(self._names)}")

    def value(self, value: object) -> str:
        """Return a new placeholder, also where the same value has one already."""
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = serialized(value)
        return placeholder

    def parameters(self) -> dict[str, Any]:
        """Return the request's parameters for names and values; DynamoDB refuses empty ones, so they are omitted."""
        names = {placeholder: attribute for attribute, placeholder in self._names.items()}
        given = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": self._values}
        return {parameter: value for parameter, value in given.items() if value}


def put(item: Item, *, when: Condition = ALWAYS) -> dict[str, Any]:
    """Return the parameters of PutItem, which are those of a transaction's Put too."""
    marks = Placeholders()
    return {"Item": serialized_item(item)} | _conditional(when, marks) | marks.parameters()


def update(
    key: Item,
    *,
    sets: Item | None = None,
    sets_if_absent: Item | None = None,
    removes: Iterable[str] = (),
    adds: Mapping[str, int | Decimal | set[str]] | None = None,
    when: Condition = ALWAYS,
) -> dict[str, Any]:
    """Return the parameters of UpdateItem, which are those of a transaction's Update too. `adds` adds to numbers and sets."""
    marks = Placeholders()
    assignments = [f"{marks.name(name)} = {marks.value(value)}" for name, value in (sets or {}).items()]
    for name, value in (sets_if_absent or {}).items():
        assignments.append(f"{marks.name(name)} = if_not_exists({marks.name(name)}, {marks.value(value)})")
    additions = [f"{marks.name(name)} {marks.value(value)}" for name, value in (adds or {}).items()]
    clauses = {"SET": assignments, "REMOVE": [marks.name(name) for name in removes], "ADD": additions}
    request = {
        "Key": serialized_item(key),
        "UpdateExpression": " ".join(f"{clause} {', '.join(parts)}" for clause, parts in clauses.items() if parts),
    }
    return request | _conditional(when, marks) | marks.parameters()


def delete(key: Item, *, when: Condition = ALWAYS) -> dict[str, Any]:
    """Return the parameters of DeleteItem, which are those of a transaction's Delete too."""
    marks = Placeholders()
    return {"Key": serialized_item(key)} | _conditional(when, marks) | marks.parameters()


def check(key: Item, *, when: Condition) -> dict[str, Any]:
    """Return the parameters of a transaction's ConditionCheck."""
    marks = Placeholders()
    return {"Key": serialized_item(key)} | _conditional(when, marks) | marks.parameters()


def _conditional(when: Condition, marks: Placeholders) -> dict[str, Any]:
    text = " AND ".join(_terms(when, marks))
    # A failed condition returns the current item, from which the outcome is read.
    return {"ConditionExpression": text, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if text else {}


def _terms(when: Condition, marks: Placeholders) -> Iterable[str]:
    for name, value in when.equal.items():
        yield f"{marks.name(name)} = {marks.value(value)}"
    for name, value in when.equal_or_absent.items():
        yield f"(attribute_not_exists({marks.name(name)}) OR {marks.name(name)} = {marks.value(value)})"
    for name, values in when.one_of.items():
        yield f"{marks.name(name)} IN ({', '.join(marks.value(value) for value in values)})"
    for name, value in when.not_equal.items():
        yield f"(attribute_not_exists({marks.name(name)}) OR {marks.name(name)} <> {marks.value(value)})"
    for name, value in when.below.items():
        yield f"(attribute_not_exists({marks.name(name)}) OR {marks.name(name)} < {marks.value(value)})"
    for name, value in when.least.items():
        yield f"{marks.name(name)} >= {marks.value(value)}"
    for name in when.absent:
        yield f"attribute_not_exists({marks.name(name)})"
    for name in when.present:
        yield f"attribute_exists({marks.name(name)})"


def serialized(value: object) -> Any:  # noqa: ANN401 # a dict of one type letter
    """Return a value in DynamoDB's wire format."""
    return TypeSerializer().serialize(value)


def serialized_item(item: Item) -> dict[str, Any]:
    """Return an item in DynamoDB's wire format."""
    return {name: serialized(value) for name, value in item.items()}


def deserialized_item(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return an item of Python values as boto3's TypeDeserializer does, in less than half of its time; numbers are Decimal."""
    return {name: _DESERIALIZED[kind](value) for name, typed in item.items() for ((kind, value),) in [typed.items()]}


def _deserialized_list(values: Iterable[Mapping[str, Any]]) -> list[Any]:
    return [_DESERIALIZED[kind](value) for typed in values for ((kind, value),) in [typed.items()]]


_number = DYNAMODB_CONTEXT.create_decimal
# By the name of a type in DynamoDB's wire format.
_DESERIALIZED: Mapping[str, Callable[[Any], Any]] = {
    "S": str,
    "N": _number,
    "BOOL": bool,
    "NULL": lambda _: None,
    "B": Binary,
    "SS": set,
    "NS": lambda texts: set(map(_number, texts)),
    "BS": lambda values: set(map(Binary, values)),
    "L": _deserialized_list,
    "M": deserialized_item,
}
