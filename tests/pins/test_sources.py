"""What the sources pin, wherever in them it is: events, reason codes, variables, make targets."""

import ast
import functools
import re

import pytest

from tests.pins.conftest import ROOT
from tests.pins.pinned import check, given

LEVELS = ("debug", "info", "warning", "alarm")


@functools.cache
def trees(folder):
    """Return (path, syntax tree) of all Python files below a folder."""
    return [(path, ast.parse(path.read_text("utf-8"))) for path in sorted((ROOT / folder).rglob("*.py"))]


def calls(folder):
    """Yield (path, call) of every call of a method."""
    for path, tree in trees(folder):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield path, node


def texts(node):
    """Return the texts that an expression may be, or None where it may be any."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        both = texts(node.body), texts(node.orelse)
        return None if None in both else [*both[0], *both[1]]
    return None


def receiver(node):
    """Return the last name of what a method is called on."""
    value = node.func.value
    value = value.func if isinstance(value, ast.Call) else value
    return value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")


def test_log_events():
    """Every event that functions log, with its levels and fields: log queries and alarms of others name them."""
    found, bound, unknown = {}, set(), []
    for path, node in calls("handlers"):
        name, fields = node.func.attr, {keyword.arg for keyword in node.keywords} - {"cause"}
        if name == "bind":
            bound |= fields
        elif name in LEVELS and receiver(node).strip("_").lower() == "log":
            events = texts(node.args[0])
            unknown += [] if events else [f"{path}:{node.lineno}"]
            for event in events or []:
                known = found.setdefault(event, {"levels": [], "fields": []})
                known["levels"] = sorted({*known["levels"], name})
                known["fields"] = sorted({*known["fields"], *fields})

    assert [] == unknown
    check("log_events.json", {"events": dict(sorted(found.items())), "bound": sorted(bound)})


def test_what_was_logged_is_known():
    """The events that scans were seen to log are among those of the source, with their fields."""
    pinned = given("log_events.json")

    for event, seen in given("written/log_events.json").items():
        known = {*pinned["events"][event]["fields"], *pinned["bound"], "scan_id", "video_id", "job_id"}
        assert set() == {*seen["fields"]} - known, event


@functools.cache
def constants():
    """Return all texts that stand in the source as such."""
    nodes = (node for folder in ("handlers", "tools/lib") for _, tree in trees(folder) for node in ast.walk(tree))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


@pytest.mark.parametrize("kind", given("codes.json"))
def test_codes(kind):
    """Codes that stand in tables, reports and side lists still stand in the source: of reasons, states, lanes, mails, decisions."""
    assert set() == set(given("codes.json")[kind]) - constants()


def test_no_variable_is_read_by_name():
    """Functions read no variable but those of the template, programs none but those of their options."""
    reads = [
        f"{path.relative_to(ROOT)}: {ast.unparse(node)}"
        for folder in ("handlers", "tools/lib")
        for path, tree in trees(folder)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript | ast.Call) and re.match(r"os\.(environ(\.get\(|\[)|getenv\()", ast.unparse(node))
    ]

    assert [] == reads


def test_make_targets():
    """What can be made is called as it was."""
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    assert set() == set(given("make_targets.json")) - set(targets)
