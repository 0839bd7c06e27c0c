"""Writing compact JSON, and reading untrusted JSON without exceptions."""

from __future__ import annotations

import json

# Returns compact ASCII JSON. One encoder for all calls; `json.dumps` would make one for each.
compact = json.JSONEncoder(separators=(",", ":")).encode


def read(text: object) -> object:
    """Return the value of a JSON text, or None if it is not a string, not JSON, or nested too deeply."""
    if not isinstance(text, str):
        return None
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def mapping(value: object) -> dict[str, object]:
    """Return a JSON object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """Return a JSON list, or an empty one for anything else."""
    return value if isinstance(value, list) else []


def text_or_empty(value: object) -> str:
    """Return a string, or an empty one for anything else."""
    return value if isinstance(value, str) else ""
