"""Attribute values as in requests, `{"S": "text"}`: checked on arrival, and canonical from then on.

Equal values in canonical form are equal dicts: numbers have no redundant zeros, sets are sorted. Source of the limits:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any

from tools.emulator.services.dynamodb.errors import ValidationError

Value = dict[str, Any]
Item = dict[str, Value]

MAX_DIGITS = 38
# Numbers reach from 1E-130 to 9.99E+125.
MAX_MAGNITUDE = 125
MIN_MAGNITUDE = -130
MAX_NESTING = 32
MAX_ITEM_BYTES = 400 * 1024
ORDERED = ("S", "N", "B")
SETS = {"SS": "S", "NS": "N", "BS": "B"}
# Precise enough that a sum is exact before its digits are counted.
EXACT = Context(prec=200)

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_PLAIN = re.compile(r"0|-?[1-9]\d{0,37}")


def kind(value: Value) -> str:
    """Return a value's type letter: S, N, B, BOOL, NULL, L, M, SS, NS or BS."""
    return next(iter(value))


def canonical(value: Value, depth: int = 0) -> Value:
    """Check a value of a request and return its canonical form.

    Raises:
        ValidationError: DynamoDB does not accept the value.
    """
    if len(value) != 1:
        raise ValidationError("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    letter, content = next(iter(value.items()))
    match letter:
        case "S" | "BOOL":
            return value
        case "N":
            return {"N": number(content)}
        case "B":
            return {"B": _binary(content)}
        case "NULL" if content is True:
            return value
        case "NULL":
            message = "One or more parameter values were invalid: Null attribute value types must have the value of true"
            raise ValidationError(message)
        case "L" | "M":
            return _nested(letter, content, depth)
        case "SS" | "NS" | "BS":
            return {letter: _members(letter, content)}
    raise ValidationError("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")


def number(text: str) -> str:
    """Return a number's canonical text.

    Raises:
        ValidationError: It is not a number, has more than 38 digits or is out of range.
    """
    if _PLAIN.fullmatch(text):
        return text
    if not _NUMBER.fullmatch(text):
        raise ValidationError(f"The parameter cannot be converted to a numeric value: {text}")
    return from_decimal(Decimal(text))


def from_decimal(value: Decimal) -> str:
    """Return the canonical text of a number, as `number` does."""
    if not value:
        return "0"
    if len("".join(map(str, value.as_tuple().digits)).strip("0")) > MAX_DIGITS:
        raise ValidationError("Attempting to store more than 38 significant digits in a Number")
    if value.adjusted() > MAX_MAGNITUDE:
        raise ValidationError("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if value.adjusted() < MIN_MAGNITUDE:
        raise ValidationError("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def comparable(value: Value) -> Any:  # noqa: ANN401 - str, Decimal or bytes, by the value's type
    """Return what orders an S, N or B among values of its type; code points are in the order of their UTF-8."""
    letter, content = next(iter(value.items()))
    if letter == "N":
        return Decimal(content)
    return base64.b64decode(content) if letter == "B" else content


def size_of(value: Value) -> int:
    """Return the size of a value in bytes, as DynamoDB counts them.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    letter, content = next(iter(value.items()))
    return _SIZES[letter](content)


def item_size(item: Item) -> int:
    """Return the size of an item in bytes, which include its attribute names."""
    return sum(len(name.encode()) + size_of(value) for name, value in item.items())


def _binary(content: str) -> str:
    try:
        base64.b64decode(content, validate=True)
    except binascii.Error:
        raise ValidationError("Invalid base64 in a binary value") from None
    return content


def _nested(letter: str, content: Any, depth: int) -> Value:  # noqa: ANN401 - list or dict, by the letter
    if depth >= MAX_NESTING:
        raise ValidationError("Nesting Levels have exceeded supported limits")
    if letter == "L":
        return {"L": [canonical(member, depth + 1) for member in content]}
    return {"M": {name: canonical(member, depth + 1) for name, member in content.items()}}


def _members(letter: str, content: list[str]) -> list[str]:
    if not content:
        raise ValidationError("One or more parameter values were invalid: An set may not be empty")
    members = sorted(canonical({SETS[letter]: member})[SETS[letter]] for member in content)
    if len(set(members)) != len(members):
        raise ValidationError("One or more parameter values were invalid: Input collection contains duplicates")
    return members


def _text_size(text: str) -> int:
    return len(text.encode())


def _number_size(text: str) -> int:
    return len(text.strip("-0.").replace(".", "")) // 2 + 2


def _binary_size(text: str) -> int:
    return len(base64.b64decode(text))


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": _text_size,
    "N": _number_size,
    "B": _binary_size,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "L": lambda members: 3 + sum(1 + size_of(member) for member in members),
    "M": lambda members: 3 + len(members) + item_size(members),
    "SS": lambda members: sum(map(_text_size, members)),
    "NS": lambda members: sum(map(_number_size, members)),
    "BS": lambda members: sum(map(_binary_size, members)),
}
