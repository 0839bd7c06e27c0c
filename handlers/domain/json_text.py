"""Writing JSON compactly, and reading what someone else wrote: an answer for whatever comes, never an exception."""

from __future__ import annotations

import json

# Return a value as JSON without blanks, in ASCII: one encoder for all, where `json.dumps` would make one for each call.
compact = json.JSONEncoder(separators=(",", ":")).encode


def read(text: object) -> object:
    """Return the value of a JSON text, or None where it is not a string, not JSON, or nested too deeply."""
    if not isinstance(text, str):
        return None
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def mapping(value: object) -> dict[str, object]:
    """Return a JSON object as it is, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """Return a JSON list as it is, and an empty one for anything else."""
    return value if isinstance(value, list) else []


def text_or_empty(value: object) -> str:
    """Return a string as it is, and an empty one for anything else."""
    return value if isinstance(value, str) else ""
