"""A rough reading of policies: whether a statement names an action and a resource. Conditions are not evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any


def _listed(value: object) -> list[str]:
    """Return as a list what a policy may write as one string."""
    return [value] if isinstance(value, str) else [str(each) for each in value] if isinstance(value, list) else []


def names(statement: Mapping[str, Any], action: str) -> bool:
    """Tell whether a statement is about an action, by name, with `*`, or because `NotAction` excludes only others."""
    if "NotAction" in statement:
        return not _matches(_listed(statement["NotAction"]), action)
    return _matches(_listed(statement.get("Action")), action)


def allows(statements: Iterable[Mapping[str, Any]], action: str, resource: str) -> bool:
    """Tell whether an `Allow` matches; conditions and `Deny` are ignored."""
    return any(
        statement.get("Effect") == "Allow"
        and names(statement, action)
        and any(fnmatchcase(resource, pattern) for pattern in _listed(statement.get("Resource")))
        for statement in statements
    )


def _matches(patterns: Iterable[str], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
