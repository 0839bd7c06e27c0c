"""Whether a condition holds for an item.

A missing attribute makes every comparison false but `<>`; values of different types are never equal and never ordered.
"""

from __future__ import annotations

import base64
import operator
from collections.abc import Callable
from typing import Any, assert_never

from tools.emulator.services.dynamodb.errors import ConditionFailedError, ValidationError
from tools.emulator.services.dynamodb.scope import Scope, look_up
from tools.emulator.services.dynamodb.syntax import (
    Between,
    Both,
    Call,
    Comparison,
    Condition,
    Either,
    In,
    Literal,
    Not,
    Operand,
    Path,
    Size,
)
from tools.emulator.services.dynamodb.values import ORDERED, SETS, Item, Value, comparable, kind

_ORDER: dict[str, Callable[[Any, Any], bool]] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_SIZED = ("S", "B", "SS", "NS", "BS", "L", "M")


def demand(condition: Condition | None, item: Item | None, scope: Scope, *, show_old: bool) -> None:
    """Let a write pass only if its condition holds for the old item.

    Raises:
        ConditionFailedError: It does not; with the old item where `show_old`.
    """
    if condition is not None and not holds(condition, item or {}, scope):
        raise ConditionFailedError(item if show_old else None)


def holds(condition: Condition, item: Item, scope: Scope) -> bool:
    """Return whether a condition holds for an item (`{}` where there is none)."""
    match condition:
        case Both(left, right):
            return holds(left, item, scope) and holds(right, item, scope)
        case Either(left, right):
            return holds(left, item, scope) or holds(right, item, scope)
        case Not(inner):
            return not holds(inner, item, scope)
        case _:
            return _true(condition, item, scope)


def _true(condition: Comparison | Between | In | Call, item: Item, scope: Scope) -> bool:
    match condition:
        case Comparison(sign, left, right):
            return _compare(sign, _resolve(left, item, scope), _resolve(right, item, scope))
        case Between(value, low, high):
            found, lowest, highest = (_resolve(operand, item, scope) for operand in (value, low, high))
            return _compare(">=", found, lowest) and _compare("<=", found, highest)
        case In(value, options):
            found = _resolve(value, item, scope)
            return any(_compare("=", found, _resolve(option, item, scope)) for option in options)
        case Call():
            return _call(condition, item, scope)
    assert_never(condition)


def check(condition: Condition | None, scope: Scope) -> None:
    """Refuse what is wrong with a condition whatever the item: the type of a value that shall be ordered.

    Raises:
        ValidationError: Naming the operator and the type.
    """
    match condition:
        case Both(left, right) | Either(left, right):
            check(left, scope)
            check(right, scope)
        case Not(inner):
            check(inner, scope)
        case Comparison(sign, left, right) if sign in _ORDER:
            _check_ordered(sign, (left, right), scope)
        case Between(value, low, high):
            _check_ordered("BETWEEN", (value, low, high), scope)
        case _:
            pass


def _check_ordered(sign: str, operands: tuple[Operand, ...], scope: Scope) -> None:
    for operand in operands:
        if isinstance(operand, Literal) and kind(scope.value(operand)) not in ORDERED:
            raise ValidationError(
                "Invalid expression: Incorrect operand type for operator or function; "
                f"operator: {sign}, operand type: {kind(scope.value(operand))}",
            )


def _resolve(operand: Operand, item: Item, scope: Scope) -> Value | None:
    match operand:
        case Literal():
            return scope.value(operand)
        case Path():
            return look_up(item, scope.steps(operand))
        case Size(path):
            return _size(look_up(item, scope.steps(path)))
    assert_never(operand)


def _size(value: Value | None) -> Value | None:
    if value is None or kind(value) not in _SIZED:
        return None
    letter, content = next(iter(value.items()))
    if letter == "S":
        return {"N": str(len(content.encode()))}
    return {"N": str(len(base64.b64decode(content) if letter == "B" else content))}


def _compare(sign: str, left: Value | None, right: Value | None) -> bool:
    if sign == "<>":
        return not _compare("=", left, right)
    if left is None or right is None or kind(left) != kind(right):
        return False
    if sign == "=":
        return left == right
    return kind(left) in ORDERED and _ORDER[sign](comparable(left), comparable(right))


def _call(call: Call, item: Item, scope: Scope) -> bool:
    found = _resolve(call.arguments[0], item, scope)
    if call.function == "attribute_exists":
        return found is not None
    if call.function == "attribute_not_exists":
        return found is None
    wanted = _resolve(call.arguments[1], item, scope)
    if found is None or wanted is None:
        return False
    if call.function == "attribute_type":
        return kind(found) == wanted.get("S")
    if call.function == "begins_with":
        return (
            kind(found) == kind(wanted) and kind(found) in ("S", "B") and comparable(found).startswith(comparable(wanted)) is True
        )
    return _contains(found, wanted)


def _contains(found: Value, wanted: Value) -> bool:
    letter, content = next(iter(found.items()))
    if letter == "L":
        return wanted in content
    if letter in SETS:
        return kind(wanted) == SETS[letter] and wanted[SETS[letter]] in content
    return letter == kind(wanted) and letter in ("S", "B") and comparable(wanted) in comparable(found)
