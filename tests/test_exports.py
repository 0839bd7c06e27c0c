"""What a package exports is imported from the package, not from its inner modules."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("handlers", "stacks", "tools")
MODULES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
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


def reached_by(path):
    """Return the names that a module imports from inner modules of another package, which exports them."""
    name = name_of(path)
    own = package_of(name) or ""
    return [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (package := package_of(node.module)) not in {None, own, node.module}
        if name.startswith("handlers.") or package not in WITHIN_HANDLERS
        for alias in node.names
        # A package within another one is loaded after it, and so may not import from it.
        if not own.startswith(f"{package}.") and alias.name in EXPORTS[package]
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_exports_are_imported_from_the_package(folder):
    """No module reaches into another package for a name that the package exports."""
    within = [path for path in SOURCES if path.is_relative_to(ROOT / folder)]

    assert {} == {name_of(path): reached for path in within if (reached := reached_by(path))}


@pytest.mark.parametrize("package", EXPORTING)
def test_exports_exist(package):
    """Every exported name can be imported."""
    module = importlib.import_module(package)

    assert [] == [name for name in module.__all__ if not hasattr(module, name)]
