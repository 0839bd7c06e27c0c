"""Reading policies, roughly: whether a statement names an action and a resource. Conditions are not weighed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any


def listed(value: object) -> list[str]:
    """Return what a policy has as one string or a list of them."""
    return [value] if isinstance(value, str) else [str(each) for each in value] if isinstance(value, list) else []


def names(statement: Mapping[str, Any], action: str) -> bool:
    """Tell whether a statement is about an action, by name, with `*`, or because it leaves only others out."""
    if "NotAction" in statement:
        return not _matches(listed(statement["NotAction"]), action)
    return _matches(listed(statement.get("Action")), action)


def allows(statements: Iterable[Mapping[str, Any]], action: str, resource: str) -> bool:
    """Tell whether one of the statements allows an action on a resource."""
    return any(
        statement.get("Effect") == "Allow"
        and names(statement, action)
        and any(fnmatchcase(resource, pattern) for pattern in listed(statement.get("Resource")))
        for statement in statements
    )


def _matches(patterns: Iterable[str], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
