"""What a package exports is imported from the package, not from its inner modules."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = [path for folder in ("handlers", "stacks", "tools") for path in sorted((ROOT / folder).rglob("*.py"))]
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
EXPORTING = [package for package, exports in EXPORTS.items() if exports]
# Outside `handlers` only `aws_errors`, `table` and `clock` of these may be imported, and so by their own names.
WITHIN_HANDLERS = {"handlers.adapters", "handlers.runtime"}


def package_of(module):
    """Return the innermost exporting package that a module is in, or None."""
    return max((name for name in EXPORTING if module == name or module.startswith(f"{name}.")), key=len, default=None)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_exports_are_imported_from_the_package(path):
    """No module reaches into another package for a name that the package exports."""
    name = name_of(path)
    own = package_of(name) or ""
    reached = [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (package := package_of(node.module)) not in {None, own, node.module}
        if name.startswith("handlers.") or package not in WITHIN_HANDLERS
        for alias in node.names
        # A package within another one is loaded after it, and so may not import from it.
        if not own.startswith(f"{package}.") and alias.name in EXPORTS[package]
    ]

    assert [] == reached


@pytest.mark.parametrize("package", EXPORTING)
def test_exports_exist(package):
    """Every exported name can be imported."""
    module = importlib.import_module(package)

    assert [] == [name for name in module.__all__ if not hasattr(module, name)]
