"""What an update expression makes of an item; every operand is read from the item as it was before."""

from __future__ import annotations

import copy
from decimal import Decimal

from tools.emulator.services.dynamodb.errors import ValidationError
from tools.emulator.services.dynamodb.scope import Scope, Steps, look_up
from tools.emulator.services.dynamodb.syntax import Call, Literal, Node, Path, Update
from tools.emulator.services.dynamodb.values import EXACT, SETS, Item, Value, from_decimal, kind


def check(update: Update, scope: Scope, key_names: frozenset[str]) -> None:
    """Refuse what is wrong with an update whatever the item.

    Raises:
        ValidationError: Paths overlap, a key attribute would change, or ADD and DELETE have a value of the wrong type.
    """
    paths = [scope.steps(path) for path in update.paths()]
    for steps in paths:
        if steps[0] in key_names:
            raise ValidationError(
                f"One or more parameter values were invalid: Cannot update attribute {steps[0]}. This attribute is part of the key",
            )
    _check_overlap(sorted(paths, key=repr))
    for clause, allowed, changes in (("ADD", ("N", *SETS), update.additions), ("DELETE", tuple(SETS), update.deletions)):
        for _, literal in changes:
            if kind(scope.value(literal)) not in allowed:
                raise _wrong_type(clause, scope.value(literal))


def _check_overlap(paths: list[Steps]) -> None:
    for at, first in enumerate(paths):
        for second in paths[at + 1 :]:
            shorter = min(len(first), len(second))
            if first[:shorter] == second[:shorter]:
                raise ValidationError(
                    "Invalid UpdateExpression: Two document paths overlap with each other; "
                    f"must remove or rewrite one of these paths; path one: {list(first)}, path two: {list(second)}",
                )


def apply(update: Update, old: Item, scope: Scope) -> Item:
    """Return the item that an update makes of an old one, which is left alone.

    Raises:
        ValidationError: An operand or a path does not exist, or has the wrong type.
    """
    values = [(scope.steps(path), _evaluate(value, old, scope)) for path, value in update.assignments]
    new = _Draft(old)
    for steps, value in values:
        new.put(steps, value)
    for path, literal in update.additions:
        new.put(scope.steps(path), _added(look_up(old, scope.steps(path)), scope.value(literal)))
    for path, literal in update.deletions:
        _delete_members(new, scope.steps(path), look_up(old, scope.steps(path)), scope.value(literal))
    # from the back, so that the index of a list's member is still right when an earlier one is removed
    for steps in sorted((scope.steps(path) for path in update.removals), key=_back_to_front):
        new.remove(steps)
    return new.item


def _back_to_front(steps: Steps) -> tuple[tuple[int, str], ...]:
    return tuple((-step, "") if isinstance(step, int) else (0, step) for step in steps)


class _Draft:
    """A copy of an item on which changes are made; what lies deeper than an attribute is copied when it is first touched."""

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


def _added(old: Value | None, more: Value) -> Value:
    if old is None:
        return more
    letter = kind(more)
    if kind(old) != letter:
        raise ValidationError("An operand in the update expression has an incorrect data type")
    if letter == "N":
        return {"N": from_decimal(EXACT.add(Decimal(old["N"]), Decimal(more["N"])))}
    return {letter: sorted({*old[letter], *more[letter]})}


def _delete_members(new: _Draft, steps: Steps, old: Value | None, less: Value) -> None:
    if old is None:
        return
    letter = kind(less)
    if kind(old) != letter:
        raise ValidationError("An operand in the update expression has an incorrect data type")
    left = sorted(set(old[letter]) - set(less[letter]))
    if left:
        new.put(steps, {letter: left})
    else:  # there are no empty sets: the attribute goes with its last member
        new.remove(steps)


def _wrong_type(function: str, value: Value) -> ValidationError:
    return ValidationError(
        "Invalid UpdateExpression: Incorrect operand type for operator or function; "
        f"operator or function: {function}, operand type: {kind(value)}",
    )


def _no_such_path() -> ValidationError:
    return ValidationError("The document path provided in the update expression is invalid for update")
