"""The names and values that a request defines for the placeholders in its expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.emulator.services.dynamodb import parser
from tools.emulator.services.dynamodb.errors import ValidationError
from tools.emulator.services.dynamodb.parser import Parsed
from tools.emulator.services.dynamodb.syntax import Action, Call, Literal, Path
from tools.emulator.services.dynamodb.values import Item, Value, canonical

Steps = tuple[str | int, ...]


class Scope:
    """The expressions of one request, or of one action of a transaction.

    Once all of them were read, `check_all_used` refuses names and values that none of them uses.
    """

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._request = request
        self._names: Mapping[str, str] = request.get("ExpressionAttributeNames") or {}
        self._values = _values(request)
        self._used_names: set[str] = set()
        self._used_values: set[str] = set()

    def condition(self, parameter: str = "ConditionExpression") -> Call | None:
        """Return the tree of a condition, or None if the request has none."""
        text = self._request.get(parameter)
        return None if text is None else self._used(parser.condition(text, parameter), parameter)

    def update(self) -> tuple[Action, ...]:
        """Return the actions of the update expression; without one, an update only makes sure that the item exists."""
        text = self._request.get("UpdateExpression")
        return () if text is None else self._used(parser.update(text), "UpdateExpression")

    def projection(self) -> list[Steps] | None:
        """Return the paths that the response shows, or None if it shows everything."""
        text = self._request.get("ProjectionExpression")
        if text is None:
            return None
        return [self.steps(path) for path in self._used(parser.projection(text), "ProjectionExpression")]

    def steps(self, path: Path) -> Steps:
        """Return a path with its placeholders replaced by names."""
        return tuple(self._names[part] if isinstance(part, str) and part.startswith("#") else part for part in path.parts)

    def value(self, literal: Literal) -> Value:
        """Return the value of a placeholder, in canonical form."""
        return self._values[literal.name]

    def check_all_used(self) -> None:
        """Refuse names and values that no expression uses.

        Raises:
            ValidationError: There are some.
        """
        for what, given, used in (("Names", self._names, self._used_names), ("Values", self._values, self._used_values)):
            if unused := [name for name in given if name not in used]:
                raise ValidationError(
                    f"Value provided in ExpressionAttribute{what} unused in expressions: keys: {{{', '.join(unused)}}}"
                )

    def _used(self, parsed: Parsed[Any], label: str) -> Any:  # noqa: ANN401 - the tree's type is the parser's
        for name in parsed.names - self._names.keys():
            raise ValidationError(
                f"Invalid {label}: An expression attribute name used in the document path is not defined; attribute name: {name}",
            )
        for name in parsed.values - self._values.keys():
            raise ValidationError(
                f"Invalid {label}: An expression attribute value used in expression is not defined; attribute value: {name}",
            )
        self._used_names |= parsed.names
        self._used_values |= parsed.values
        return parsed.tree


def _values(request: Mapping[str, Any]) -> dict[str, Value]:
    given = request.get("ExpressionAttributeValues")
    if given is not None and not given:
        raise ValidationError("ExpressionAttributeValues must not be empty")
    for name in given or {}:
        if not name.startswith(":"):
            raise ValidationError(f'ExpressionAttributeValues contains invalid key: Syntax error; key: "{name}"')
    return {name: canonical(value) for name, value in (given or {}).items()}


def look_up(item: Item, steps: Steps) -> Value | None:
    """Return the value at a path in an item, or None if there is none."""
    found: Value | None = {"M": item}
    for step in steps:
        if found is None:
            return None
        if isinstance(step, str):
            found = found["M"].get(step) if "M" in found else None
        else:
            members = found.get("L", ())
            found = members[step] if step < len(members) else None
    return found


def project(item: Item, paths: list[Steps] | None) -> Item:
    """Return the part of an item that the paths name: inside the maps that hold it, and with lists closed up, as DynamoDB does."""
    if paths is None:
        return item
    if all(len(steps) == 1 for steps in paths):
        return {name: item[name] for (name,) in paths if isinstance(name, str) and name in item}
    picked = _pick({"M": item}, paths)
    return {} if picked is None else picked["M"]


def _pick(value: Value, paths: list[Steps]) -> Value | None:
    if any(not steps for steps in paths):
        return value
    below: dict[str | int, list[Steps]] = {}
    for steps in paths:
        below.setdefault(steps[0], []).append(steps[1:])
    if "M" in value:
        inner = {
            name: _pick(value["M"][name], rest) for name, rest in below.items() if isinstance(name, str) and name in value["M"]
        }
        kept = {name: member for name, member in inner.items() if member is not None}
        return {"M": kept} if kept else None
    members = value.get("L", [])
    chosen = [_pick(members[at], below[at]) for at in sorted(at for at in below if isinstance(at, int)) if at < len(members)]
    packed = [member for member in chosen if member is not None]
    return {"L": packed} if packed else None
