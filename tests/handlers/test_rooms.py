"""The rooms of the handlers: what a room exports is imported from the room, not from its inner modules."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "handlers.domain",
    "handlers.adapters",
    "handlers.adapters.table",
    "handlers.runtime",
    "handlers.flows",
    "handlers.flows.sweep",
)
SOURCES = sorted(path for path in (ROOT / "handlers").rglob("*.py") if path.name != "__init__.py")


def room_of(module):
    """Return the innermost room that a module is in, or None."""
    return max((room for room in ROOMS if module == room or module.startswith(f"{room}.")), key=len, default=None)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_exports_are_imported_from_the_room(path):
    """No module reaches into another room for a name that the room exports."""
    own = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    reached = [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (room := room_of(node.module)) not in {None, own, node.module}
        for alias in node.names
        # A room within another one is loaded after it, and so may not import from it.
        if not (own or "").startswith(f"{room}.") and alias.name in importlib.import_module(room).__all__
    ]

    assert [] == reached


@pytest.mark.parametrize("room", ROOMS)
def test_exports_exist(room):
    """Every exported name can be imported."""
    module = importlib.import_module(room)

    assert [] == [name for name in module.__all__ if not hasattr(module, name)]
