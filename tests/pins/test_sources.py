"""Names and codes pinned by reading the source: events, reason codes, variables, make targets."""

import ast
import functools
import json
import re
from collections import Counter

from tests.pins import product
from tests.pins.conftest import ROOT
from tests.pins.pinned import FIXTURES, check, given

# Enumerations whose values never leave the code.
NOT_STORED = {"Fault", "ObjectKind"}
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
    """Return the texts that an expression can be; None if it can be any text."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "reasons":
        return [getattr(product.reasons, node.attr)]
    if isinstance(node, ast.IfExp):
        both = texts(node.body), texts(node.orelse)
        return None if None in both else [*both[0], *both[1]]
    return None


def receiver(node):
    """Return the last name of the object on which a method is called."""
    value = node.func.value
    value = value.func if isinstance(value, ast.Call) else value
    return value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")


def test_log_events():
    """Functions log exactly these events, with these levels and fields: log queries and alarms of others name them."""
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
    """The events that scans were seen to log are in the source, with their fields."""
    pinned = given("log_events.json")

    for event, seen in given("written/log_events.json").items():
        known = {*pinned["events"][event]["fields"], *pinned["bound"], "scan_id", "video_id", "job_id"}
        assert set() == {*seen["fields"]} - known, event


def test_log_reasons():
    """Flows and the parser of notices log exactly these reasons: log queries compare them."""
    (notice,) = (tree for path, tree in trees("handlers/domain") if path.name == "notice.py")
    sources = [notice, *(tree for _, tree in trees("handlers/flows"))]
    found = {text for tree in sources for text in templates(tree) if is_phrase(text)}

    check("log_reasons.json", sorted(found - given("log_events.json")["events"].keys()))


def is_phrase(text):
    """Tell whether a text is a phrase: not a sentence, which may be reworded, and not a name in a payload or item."""
    in_words = " " in text or (text.isalpha() and text.islower())
    return in_words and re.search("[a-z]{2}", text) is not None and not text.endswith(".")


def templates(tree):
    """Yield all texts of a syntax tree except docstrings, with `{}` for each value in an f-string."""
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner | docstrings:
            yield node.value


def enumerations(folder):
    """Yield (class, module, values by name) of the enumerations below a folder."""
    for path, tree in trees(folder):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Enum") for base in node.bases):
                yield (
                    node.name,
                    path.stem,
                    {ast.unparse(each.targets[0]): each.value.value for each in node.body if isinstance(each, ast.Assign)},
                )


def arguments(folder, function, position):
    """Return the texts that stand as an argument of a function, in all calls below a folder."""
    return {text for node in argument_nodes(folder, function, position) for text in texts(node) or []}


def argument_nodes(folder, function, position):
    """Yield the expressions that stand as an argument of a function, in all calls below a folder."""
    for _, tree in trees(folder):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == function and len(node.args) > position:
                yield node.args[position]


def header_codes():
    """Return the codes of headers that could not be read, also those that stand as a name or come from a table."""
    nodes = [node for folder in ("handlers/domain/mp4", "tools/lib/estimate") for node in argument_nodes(folder, "Unreadable", 0)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    assert names == product.HEADER_CODES.keys()
    return {*product.HEADER_CODES.values(), *product.REFUSED_HEADER_CODES, *(text for node in nodes for text in texts(node) or [])}


def test_codes():
    """Codes in tables, reports, side lists, plans, logs and JSON are exactly those pinned, each under its name."""
    found = sorted([*enumerations("handlers"), *enumerations("tools/lib")], key=lambda each: each[:2])
    times = Counter(name for name, _, _ in found)

    check(
        "codes.json",
        {
            # Two of one name are told apart by their modules.
            "enumerations": {
                name if times[name] == 1 else f"{name} of {module}": values
                for name, module, values in found
                if name not in NOT_STORED
            },
            "reasons by name": {
                name: code for name, code in vars(product.reasons).items() if name.isupper() and isinstance(code, str)
            },
            "reasons": sorted(product.reasons.REASONS),
            "reasons of headers that could not be read": sorted(header_codes()),
            "reasons of a retry": sorted(arguments("tools/lib/retry", "Diagnosis", 0)),
            "reasons of objects without a record": sorted(arguments("tools/lib/review", "ObjectResult", 3)),
        },
    )


def test_no_variable_is_read_by_name():
    """Functions read only the variables of the template, programs only those of their options, and the AWS SDK's for the Region."""
    reads = [
        f"{path.relative_to(ROOT)}: {ast.unparse(node)}"
        for folder in ("handlers", "tools/lib")
        for path, tree in trees(folder)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript | ast.Call) and re.match(r"os\.(environ(\.get\(|\[)|getenv\()", ast.unparse(node))
    ]

    assert ["tools/lib/aws/clients.py: os.environ.get(name)"] == reads


def test_make_targets():
    """The Makefile has exactly these targets."""
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    check("make_targets.json", sorted(targets))


def named(value, name):
    """Yield (name, list or object) of every list and object in JSON; what a list holds has the list's name."""
    if isinstance(value, dict | list):
        yield name, value
        for inner, each in value.items() if isinstance(value, dict) else ((name, each) for each in value):
            yield from named(each, inner)


def test_no_pin_is_empty():
    """What is empty in one pinned file is full in another: nothing changes unseen inside a list that no example fills."""
    found = [
        each
        for folder in ("json", "plan", "read", "written")
        for path in (FIXTURES / folder).rglob("*.json")
        for each in named(json.loads(path.read_text("utf-8")), path.stem)
    ]

    assert set() == {name for name, value in found if not value} - {name for name, value in found if value}
