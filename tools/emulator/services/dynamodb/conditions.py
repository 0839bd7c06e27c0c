"""Whether a condition holds for an item.

With a missing attribute every comparison but `<>` is false; values of different types are neither equal nor ordered.
"""

from __future__ import annotations

import base64
import operator
from collections.abc import Callable, Sequence
from typing import Any

from tools.emulator.services.dynamodb.errors import ValidationError
from tools.emulator.services.dynamodb.scope import Scope, look_up
from tools.emulator.services.dynamodb.syntax import Call, Literal, Node, Path, walk
from tools.emulator.services.dynamodb.values import ORDERED, SETS, Item, Value, comparable, kind

_ORDER: dict[str, Callable[[Any, Any], bool]] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_SIZED = ("S", "B", "SS", "NS", "BS", "L", "M")


def holds(condition: Call, item: Item, scope: Scope) -> bool:
    """Return whether a condition holds for an item; a missing item is `{}`."""
    inner = (holds(part, item, scope) for part in condition.arguments if isinstance(part, Call))
    match condition.function:
        case "AND":
            return all(inner)
        case "OR":
            return any(inner)
        case "NOT":
            return not all(inner)
    return _true(condition.function, [_resolve(part, item, scope) for part in condition.arguments])


def check(condition: Call | None, scope: Scope) -> None:
    """Refuse a condition that is invalid whatever the item.

    Raises:
        ValidationError: It compares the order of a value whose type has no order.
    """
    for node in () if condition is None else walk(condition):
        if not isinstance(node, Call) or node.function not in (*_ORDER, "BETWEEN"):
            continue
        for operand in node.arguments:
            if isinstance(operand, Literal) and kind(scope.value(operand)) not in ORDERED:
                raise ValidationError(
                    "Invalid expression: Incorrect operand type for operator or function; "
                    f"operator: {node.function}, operand type: {kind(scope.value(operand))}",
                )


def _resolve(operand: Node, item: Item, scope: Scope) -> Value | None:
    if isinstance(operand, Literal):
        return scope.value(operand)
    if isinstance(operand, Path):
        return look_up(item, scope.steps(operand))
    return _size(_resolve(operand.arguments[0], item, scope))


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


def _true(function: str, operands: Sequence[Value | None]) -> bool:
    found, *others = operands
    match function:
        case "attribute_exists":
            return found is not None
        case "attribute_not_exists":
            return found is None
        case "BETWEEN":
            return _compare(">=", found, others[0]) and _compare("<=", found, others[1])
        case "IN":
            return any(_compare("=", found, option) for option in others)
        case "attribute_type" | "begins_with" | "contains":
            return found is not None and others[0] is not None and _matches(function, found, others[0])
    return _compare(function, found, others[0])


def _matches(function: str, found: Value, operand: Value) -> bool:
    if function == "attribute_type":
        return kind(found) == operand.get("S")
    if function == "begins_with":
        alike = kind(found) == kind(operand) and kind(found) in ("S", "B")
        return alike and comparable(found).startswith(comparable(operand)) is True
    return _contains(found, operand)


def _contains(found: Value, operand: Value) -> bool:
    letter, content = next(iter(found.items()))
    if letter == "L":
        return operand in content
    if letter in SETS:
        return kind(operand) == SETS[letter] and operand[SETS[letter]] in content
    return letter == kind(operand) and letter in ("S", "B") and comparable(operand) in comparable(found)
