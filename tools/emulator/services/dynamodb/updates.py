"""What an update expression makes of an item; every operand is read from the item as it was before."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from decimal import Decimal

from tools.emulator.services.dynamodb.errors import ValidationError
from tools.emulator.services.dynamodb.scope import Scope, Steps, look_up
from tools.emulator.services.dynamodb.syntax import Action, Call, Literal, Node, Path
from tools.emulator.services.dynamodb.values import EXACT, SETS, Item, Value, from_decimal, kind

# The types of the values that these clauses take.
_OPERANDS = {"ADD": ("N", *SETS), "DELETE": tuple(SETS)}


def check(update: Iterable[Action], scope: Scope, key_names: frozenset[str]) -> None:
    """Refuse an update that is invalid whatever the item.

    Raises:
        ValidationError: Paths overlap, a key attribute would change, or ADD or DELETE has a value of the wrong type.
    """
    paths = [scope.steps(action.path) for action in update]
    for steps in paths:
        if steps[0] in key_names:
            raise ValidationError(
                f"One or more parameter values were invalid: Cannot update attribute {steps[0]}. This attribute is part of the key",
            )
    _check_overlap(sorted(paths, key=repr))
    for action in update:
        if isinstance(action.value, Literal) and action.clause in _OPERANDS:
            operand = scope.value(action.value)
            if kind(operand) not in _OPERANDS[action.clause]:
                raise _wrong_type(action.clause, operand)


def _check_overlap(paths: list[Steps]) -> None:
    for at, first in enumerate(paths):
        for second in paths[at + 1 :]:
            shorter = min(len(first), len(second))
            if first[:shorter] == second[:shorter]:
                raise ValidationError(
                    "Invalid UpdateExpression: Two document paths overlap with each other; "
                    f"must remove or rewrite one of these paths; path one: {list(first)}, path two: {list(second)}",
                )


def apply(update: Iterable[Action], old: Item, scope: Scope) -> Item:
    """Return what an update makes of an item, which itself does not change.

    Raises:
        ValidationError: An operand or a path does not exist, or has the wrong type.
    """
    results = [(scope.steps(action.path), _result(action, old, scope)) for action in update]
    new = _Draft(old)
    for steps, value in results:
        if value is not None:
            new.put(steps, value)
    # From the back: then removing a member of a list does not change the indexes of those still to be removed.
    for steps in sorted((steps for steps, value in results if value is None), key=_back_to_front):
        new.remove(steps)
    return new.item


def _result(action: Action, old: Item, scope: Scope) -> Value | None:
    """Return the value that an action stores at its path, or None if it removes what is there."""
    if action.value is None:
        return None
    value = _evaluate(action.value, old, scope)
    if action.clause == "SET":
        return value
    before = look_up(old, scope.steps(action.path))
    if before is None:
        return value if action.clause == "ADD" else None
    letter = kind(value)
    if kind(before) != letter:
        raise ValidationError("An operand in the update expression has an incorrect data type")
    if letter == "N":
        return {"N": from_decimal(EXACT.add(Decimal(before["N"]), Decimal(value["N"])))}
    if action.clause == "ADD":
        return {letter: sorted({*before[letter], *value[letter]})}
    left = sorted(set(before[letter]) - set(value[letter]))
    return {letter: left} if left else None  # there are no empty sets: the attribute goes with its last member


def _back_to_front(steps: Steps) -> tuple[tuple[int, str], ...]:
    return tuple((-step, "") if isinstance(step, int) else (0, step) for step in steps)


class _Draft:
    """A copy of an item to change; an attribute that holds others is copied when something in it first changes."""

    def __init__(self, old: Item) -> None:
        self.item = dict(old)
        self._own: set[str] = set()

    def put(self, steps: Steps, value: Value) -> None:
        parent, last = self._parent(steps), steps[-1]
        if isinstance(last, str) and "M" in parent:
            parent["M"][last] = value
        elif isinstance(last, int) and "L" in parent:
            parent["L"][last : last + 1] = [value]  # beyond the end: appended
        else:
            raise _no_such_path()

    def remove(self, steps: Steps) -> None:
        parent, last = self._parent(steps), steps[-1]
        if isinstance(last, str) and "M" in parent:
            parent["M"].pop(last, None)
        elif isinstance(last, int) and "L" in parent:
            del parent["L"][last : last + 1]
        else:
            raise _no_such_path()

    def _parent(self, steps: Steps) -> Value:
        if len(steps) == 1:
            return {"M": self.item}
        top = steps[0]
        if isinstance(top, str) and top in self.item and top not in self._own:
            self.item[top] = copy.deepcopy(self.item[top])
            self._own.add(top)
        parent = look_up(self.item, steps[:-1])
        if parent is None:
            raise _no_such_path()
        return parent


def _evaluate(term: Node, old: Item, scope: Scope) -> Value:
    match term:
        case Literal():
            return scope.value(term)
        case Path():
            found = look_up(old, scope.steps(term))
            if found is None:
                raise ValidationError("The provided expression refers to an attribute that does not exist in the item")
            return found
        case Call("if_not_exists", (Path() as path, otherwise)):
            found = look_up(old, scope.steps(path))
            return _evaluate(otherwise, old, scope) if found is None else found
        case Call("list_append", parts):
            lists = [_evaluate(one, old, scope) for one in parts]
            return {"L": [member for one in lists for member in _expect(one, "L", "list_append")]}
        case Call(sign, parts):
            numbers = [Decimal(str(_expect(_evaluate(one, old, scope), "N", sign))) for one in parts]
            return {"N": from_decimal((EXACT.add if sign == "+" else EXACT.subtract)(*numbers))}


def _expect(value: Value, letter: str, function: str) -> list[Value] | str:
    if letter not in value:
        raise _wrong_type(function, value)
    return value[letter]  # type: ignore[no-any-return] # the letter says what it holds


def _wrong_type(function: str, value: Value) -> ValidationError:
    return ValidationError(
        "Invalid UpdateExpression: Incorrect operand type for operator or function; "
        f"operator or function: {function}, operand type: {kind(value)}",
    )


def _no_such_path() -> ValidationError:
    return ValidationError("The document path provided in the update expression is invalid for update")
