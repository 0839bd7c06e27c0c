"""Event patterns: which events a rule matches.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import ipaddress
import itertools
import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.emulator.core import AwsError, refuse

# The quota "event pattern size" [EB:eb-quota]; the API's own limit is 4,096.
MAX_CHARACTERS = 2048
# The numbers that `numeric` compares [EB:eb-create-pattern-operators].
GREATEST_NUMBER = 5.0e9

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
_LOWER = (">", ">=")
_UPPER = ("<", "<=")

# Whether one value of an event matches; a value is what JSON has: text, `Number`, bool or None.
Test = Callable[[Any], bool]
# Whether an object of an event matches.
Match = Callable[[Mapping[str, Any]], bool]


class InvalidPatternError(AwsError):
    """An event pattern that EventBridge does not take."""

    def __init__(self, reason: str) -> None:
        super().__init__("InvalidEventPatternException", f"Event pattern is not valid. Reason: {reason}")


class Number(float):
    """A number as it was written: EventBridge compares the text, so 300 and 300.0 differ [EB:eb-create-pattern]."""

    __slots__ = ("text",)
    text: str

    @classmethod
    def of(cls, text: str) -> Number:
        """Return the number that a text says."""
        made = cls(text)
        made.text = text
        return made


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed event pattern."""

    text: str
    _match: Match

    def matches(self, event: str) -> bool:
        """Tell whether an event, as JSON, matches."""
        return self._match(_read(event))


def parse(text: str) -> Pattern:
    """Parse an event pattern.

    Raises:
        InvalidPatternError: EventBridge would not take it.
        UnsupportedError: It uses a comparison that EventBridge has and the offline world lacks.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidPatternError(f"the pattern has {len(text)} characters; the quota is {MAX_CHARACTERS}")
    try:
        given = _read(text)
    except ValueError as error:
        raise InvalidPatternError(f"it is not JSON: {error}") from error
    if not isinstance(given, dict) or not given:
        raise InvalidPatternError("Filter is not an object, or it is empty")
    return Pattern(text, _object(given))


def _read(text: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(text, parse_int=Number.of, parse_float=Number.of)


def _object(given: Mapping[str, Any]) -> Match:
    """Return the match of an object: all of its fields must match."""
    fields = [_alternatives(value) if name == "$or" else _field(name, value) for name, value in given.items()]
    return lambda event: all(field(event) for field in fields)


def _alternatives(given: object) -> Match:
    if not isinstance(given, list) or len(given) < 2 or not all(isinstance(one, dict) and one for one in given):  # noqa: PLR2004 - a choice
        raise InvalidPatternError('"$or" must be an array of at least two objects')
    choices = [_object(one) for one in given]
    return lambda event: any(choice(event) for choice in choices)


def _field(name: str, given: object) -> Match:
    if isinstance(given, dict):
        if not given:
            raise InvalidPatternError(f'Empty objects are not allowed: "{name}"')
        return _nested(name, _object(given))
    if not isinstance(given, list):
        raise InvalidPatternError(f'"{name}" must be an object or an array')
    if not given:
        raise InvalidPatternError(f'Empty arrays are not allowed: "{name}"')
    return _leaf(name, given)


def _nested(name: str, match: Match) -> Match:
    """Match an object, or any object of an array: the fields of a pattern are found in one and the same element."""

    def matches(event: Mapping[str, Any]) -> bool:
        # An absent object is matched as an empty one, because the pattern may ask for absent fields only.
        value = event.get(name, {})
        return any(match(one) for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict))

    return matches


def _leaf(name: str, given: list[Any]) -> Match:
    present = [_exists(one["exists"]) for one in given if _is_exists(one)]
    tests = [_test(one) for one in given if not _is_exists(one)]

    def matches(event: Mapping[str, Any]) -> bool:
        value = event.get(name)
        # An object is no leaf: a comparison works on leaves only.
        is_leaf = name in event and not isinstance(value, dict)
        if is_leaf in present:
            return True
        values = (value if isinstance(value, list) else [value]) if is_leaf else []
        return any(test(one) for one in values for test in tests)

    return matches


def _is_exists(given: object) -> bool:
    return isinstance(given, dict) and "exists" in given and len(given) == 1


def _exists(given: object) -> bool:
    if not isinstance(given, bool):
        raise InvalidPatternError('"exists" must be true or false')
    return given


def _test(given: object) -> Test:
    if isinstance(given, dict):
        if len(given) != 1:
            raise InvalidPatternError("Only one comparison is allowed in an object")
        ((name, operand),) = given.items()
        return _comparison(name, operand)
    if isinstance(given, list):
        raise InvalidPatternError("An array in an array is not allowed")
    return _equals(given)


def _comparison(name: str, operand: object) -> Test:  # noqa: PLR0911 - one for each comparison
    match name:
        case "prefix":
            return _ending(operand, name, str.startswith)
        case "suffix":
            return _ending(operand, name, str.endswith)
        case "equals-ignore-case":
            return _ignoring_case(_text(operand, name), str.__eq__)
        case "wildcard":
            return _wildcard(_text(operand, name))
        case "numeric":
            return _numeric(operand)
        case "anything-but":
            return _anything_but(operand)
        case "cidr":
            return _cidr(_text(operand, name))
    raise InvalidPatternError(f"Unrecognized match type {name}")


def _equals(given: object) -> Test:
    if isinstance(given, Number):
        return lambda value: isinstance(value, Number) and value.text == given.text
    return lambda value: type(value) is type(given) and value == given


def _text(operand: object, name: str) -> str:
    if not isinstance(operand, str):
        raise InvalidPatternError(f"{name} match pattern must be a string")
    return operand


def _ending(operand: object, name: str, compare: Callable[[str, str], bool]) -> Test:
    if isinstance(operand, dict):
        if set(operand) != {"equals-ignore-case"}:
            raise InvalidPatternError(f"Unsupported comparison in {name}")
        return _ignoring_case(_text(operand["equals-ignore-case"], name), compare)
    text = _text(operand, name)
    return lambda value: isinstance(value, str) and compare(value, text)


def _ignoring_case(text: str, compare: Callable[[str, str], bool]) -> Test:
    lower = text.lower()
    return lambda value: isinstance(value, str) and compare(value.lower(), lower)


def _wildcard(text: str) -> Test:
    """Match `*` as any characters; a backslash makes the next `*` or backslash a character."""
    parts = re.findall(r"\\.?|[^\\]", text, re.DOTALL)
    if any(part not in (r"\*", r"\\") for part in parts if part.startswith("\\")):
        raise InvalidPatternError("Invalid escape character in wildcard")
    if any(left == right == "*" for left, right in itertools.pairwise(parts)):
        raise InvalidPatternError("Consecutive wildcard characters are not allowed")
    pattern = re.compile("".join(".*" if part == "*" else re.escape(part[-1]) for part in parts), re.DOTALL)
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _numeric(operand: object) -> Test:
    if not isinstance(operand, list) or not operand or len(operand) % 2:
        raise InvalidPatternError("Value of numeric must be an array of comparisons and numbers")
    comparisons = list(zip(operand[::2], operand[1::2], strict=True))
    for sign, number in comparisons:
        if sign not in _COMPARISONS:
            raise InvalidPatternError(f"Unrecognized numeric range operator: {sign}")
        if not isinstance(number, Number) or abs(number) > GREATEST_NUMBER:
            raise InvalidPatternError(f"Value of {sign} must be a number from -5.0e9 to 5.0e9")
    signs = tuple(sign for sign, _ in comparisons)
    if len(signs) > 2 or (len(signs) == 2 and (signs[0] not in _LOWER or signs[1] not in _UPPER)):  # noqa: PLR2004 - a range
        raise InvalidPatternError("Too many elements in numeric expression")
    if len(signs) == 2 and not comparisons[0][1] < comparisons[1][1]:  # noqa: PLR2004 - a range
        raise InvalidPatternError("Bottom must be less than top")
    return lambda value: _is_comparable(value) and all(_COMPARISONS[sign](value, number) for sign, number in comparisons)


def _is_comparable(value: object) -> bool:
    """Tell whether `numeric` can match a value: AWS's own library takes greater numbers for text (aws/event-ruler)."""
    return isinstance(value, Number) and abs(value) <= GREATEST_NUMBER


def _anything_but(operand: object) -> Test:
    if isinstance(operand, dict):
        if len(operand) != 1:
            raise InvalidPatternError("Only one comparison is allowed in anything-but")
        ((name, inner),) = operand.items()
        if name not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            raise InvalidPatternError(f"Unsupported anything-but pattern: {name}")
        return _none_of(_comparison(name, one) for one in _several(inner))
    values = _several(operand)
    kinds = {type(one) for one in values}
    if kinds not in ({str}, {Number}):
        raise InvalidPatternError("Inside anything but list, either all values are number or string, mixed type is not supported")
    return _none_of(map(_equals, values))


def _several(operand: object) -> list[Any]:
    if operand == []:
        raise InvalidPatternError("Empty arrays are not allowed")
    return operand if isinstance(operand, list) else [operand]


def _none_of(tests: Iterable[Test]) -> Test:
    given = list(tests)
    return lambda value: not any(test(value) for test in given)


def _cidr(text: str) -> Test:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise InvalidPatternError(f"Malformed CIDR: {text}") from error
    if network.version != 4:  # noqa: PLR2004 - IPv4
        raise refuse("events", "the comparison cidr with IPv6")
    return lambda value: isinstance(value, str) and _is_in(value, network)


def _is_in(text: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(text) in network
    except ValueError:
        return False
