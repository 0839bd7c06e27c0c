"""Merging the statements of a gate into the policy of a bucket, without touching those of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tools.lib.gate.policy_document import Document, statements_of
from tools.lib.gate.statements import GatePolicy, sids_of


def merge(document: Document, statements: Iterable[Mapping[str, Any]]) -> Document:
    """Return a policy with statements in the place of those with the same Sid, or else behind all others.

    A statement that says the same in another form stays as it is, so merging twice equals merging once.
    """
    new = {str(statement["Sid"]): dict(statement) for statement in statements}
    kept: list[dict[str, Any]] = []
    for each in statements_of(document):
        sid = each.get("Sid")
        if sid not in new:
            kept.append(each)
        elif all(sid != other.get("Sid") for other in kept):
            kept.append(each if _form(each) == _form(new[str(sid)]) else new[str(sid)])
    placed = {each.get("Sid") for each in kept}
    return {**document, "Statement": [*kept, *(each for sid, each in new.items() if sid not in placed)]}


def remove(document: Document, policies: Iterable[GatePolicy]) -> Document:
    """Return a policy without the statements of these policies of the gate."""
    sids = sids_of(policies)
    return {**document, "Statement": [each for each in statements_of(document) if each.get("Sid") not in sids]}


def _form(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return JSON with its lists in one order, and those of one value as that value: S3 may return a policy in either form."""
    if isinstance(value, dict):
        return {name: _form(each) for name, each in value.items()}
    if isinstance(value, list):
        return _form(value[0]) if len(value) == 1 else sorted(map(str, value))
    return value
