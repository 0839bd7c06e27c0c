"""What a room exports is imported from the room, not from its inner modules."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = [path for room in ("handlers", "stacks", "tools") for path in sorted((ROOT / room).rglob("*.py"))]
SOURCES = [path for path in MODULES if path.name != "__init__.py"]


def name_of(path):
    """Return the dotted name of a module or package."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def exports_of(path):
    """Return the names in `__all__` of a package."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return []


EXPORTS = {name_of(path): exports_of(path) for path in MODULES if path.name == "__init__.py"}
ROOMS = [room for room, exports in EXPORTS.items() if exports]
# Outside `handlers` only `aws_errors`, `table` and `clock` of these may be imported, and so by their own names.
WITHIN_HANDLERS = {"handlers.adapters", "handlers.runtime"}


def room_of(module):
    """Return the innermost room that a module is in, or None."""
    return max((room for room in ROOMS if module == room or module.startswith(f"{room}.")), key=len, default=None)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_exports_are_imported_from_the_room(path):
    """No module reaches into another room for a name that the room exports."""
    name = name_of(path)
    own = room_of(name) or ""
    reached = [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (room := room_of(node.module)) not in {None, own, node.module}
        if name.startswith("handlers.") or room not in WITHIN_HANDLERS
        for alias in node.names
        # A room within another one is loaded after it, and so may not import from it.
        if not own.startswith(f"{room}.") and alias.name in EXPORTS[room]
    ]

    assert [] == reached


@pytest.mark.parametrize("room", ROOMS)
def test_exports_exist(room):
    """Every exported name can be imported."""
    module = importlib.import_module(room)

    assert [] == [name for name in module.__all__ if not hasattr(module, name)]
