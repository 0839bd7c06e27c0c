"""What is pinned: files of readable JSON below `fixtures`, held against what the product does today.

`python -m tests.pins` writes those anew that are written by the tests themselves. Whoever does so changes on purpose what
deployments, files and programs out there rely on; the difference belongs into the review.
"""

import difflib
import json
import os
import re
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parent / "fixtures"
RENEW = "RENEW_PINS"
"""The environment variable with which fixtures are written instead of compared."""


def given(name):
    """Return the content of a fixture that a test starts from."""
    return json.loads((FIXTURES / name).read_text("utf-8"))


def check(name, found):
    """Compare a value with its fixture; a difference is shown as a diff."""
    path, text = FIXTURES / name, rendered(found)
    if os.environ.get(RENEW):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    pinned = path.read_text("utf-8") if path.exists() else ""
    if text != pinned:
        lines = difflib.unified_diff(pinned.splitlines(), text.splitlines(), f"{name} (pinned)", "found", lineterm="", n=4)
        pytest.fail(
            "\n".join([f"{name}: something that outlives the code has changed. On purpose? python -m tests.pins", *lines]),
            pytrace=False,
        )


def rendered(value):
    """Return a value as JSON, one line for each value except short lists and objects."""
    return _rendered(value, 0) + "\n"


def _rendered(value, depth):
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or (len(line) + 2 * depth <= 110 and not _deep(value)):
        return line
    inner, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        rows = [f"{inner}{json.dumps(name, ensure_ascii=False)}: {_rendered(each, depth + 1)}" for name, each in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{outer}}}"
    return "[\n" + ",\n".join(f"{inner}{_rendered(each, depth + 1)}" for each in value) + f"\n{outer}]"


def _deep(value):
    """Tell whether a value is nested more than two levels deep."""
    inner = value.values() if isinstance(value, dict) else value
    return any(isinstance(each, dict | list) and any(isinstance(one, dict | list) for one in _inner(each)) for each in inner)


def _inner(value):
    return list(value.values()) if isinstance(value, dict) else value


TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
"""A time in ISO 8601, as `tools.lib.text.iso_time` writes it."""


def keys(value):
    """Return the shape of JSON: keys at every depth, with types for values."""
    if isinstance(value, dict):
        return {name: keys(each) for name, each in value.items()}
    if isinstance(value, list):
        return [merged(*map(keys, value))] if value else []
    if isinstance(value, str) and TIME.fullmatch(value):
        return "time"
    return {str: "text", bool: "true or false", int: "number", float: "number", type(None): None}[type(value)]


def merged(first, *others):
    """Return one shape for several; a null in one takes the type it has in another."""
    for other in others:
        if isinstance(first, dict) and isinstance(other, dict):
            first = {**{name: merged(each, other[name]) if name in other else each for name, each in first.items()}} | {
                name: each for name, each in other.items() if name not in first
            }
        elif isinstance(first, list) and isinstance(other, list):
            first = [merged(*first, *other)] if first or other else []
        elif first is None or first == []:
            first = other
        elif other is not None and other not in ([], first):
            first = " or ".join(sorted({*_words(first), *_words(other)}))
    return first


def _words(shape):
    return shape.split(" or ") if isinstance(shape, str) and shape != "true or false" else [json.dumps(shape)]


SENTENCES = ("assumptions", "line", "no_estimate", "sentences", "then", "warnings", "why")
"""Keys whose values are sentences for people, which may be reworded."""


def without_sentences(value):
    """Return JSON with a placeholder for sentences for people."""
    if isinstance(value, dict):
        return {name: "<sentence>" if name in SENTENCES and each else without_sentences(each) for name, each in value.items()}
    return [without_sentences(each) for each in value] if isinstance(value, list) else value


PLACES = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b"), "<scan>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<64 hex digits>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<video>"),
    (re.compile(r"\b[0-9]{13}\b"), "<milliseconds>"),
)


def without_names(text):
    """Return a text with placeholders for ids and times."""
    for pattern, place in PLACES:
        text = pattern.sub(place, text)
    return text
