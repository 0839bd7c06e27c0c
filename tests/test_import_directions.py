"""The packages of the project, and which may import which (docs/architecture.md#packages)."""

import ast
import functools
import sys
from pathlib import Path

import pytest

from tests.mutants.__main__ import NODE_TESTS, TESTS

ROOT = Path(__file__).parent.parent
FOLDERS = ("handlers", "stacks", "tools")

# What tools may import of the functions.
_FROM_HANDLERS = (
    "handlers.domain",
    "handlers.domain.languages",
    "handlers.domain.mp4",
    "handlers.adapters.table",
    "handlers.adapters.aws_errors",
    "handlers.runtime.clock",
)
_BELOW_FLOWS = (*_FROM_HANDLERS, "handlers.adapters", "handlers.runtime")
# And what reads and decodes a film.
_FILMS = ("handlers.adapters", "handlers.adapters.media", "handlers.decoder")
_EMULATOR_GROUND = ("tools.emulator.core", "tools.emulator.settings")
_SERVICES = {
    f"tools.emulator.services.{name}": _EMULATOR_GROUND
    for name in ("cloudformation", "dynamodb", "events", "lambda_", "rekognition", "s3", "s3_batch", "service_quotas", "sns", "sqs")
}
# The packages and modules of `tools.lib`, and which of the others each may import.
_LIBRARY = {
    "errors": "",
    "text": "",
    "bounded": "errors text",
    "json_keys": "text",
    "ordered_map": "",
    "videos": "text json_keys",
    "aws": "errors",
    "cli": "errors text aws",
    "listing": "errors text aws",
    "estimate": "errors text bounded json_keys ordered_map aws cli listing",
    "manifest": "errors text ordered_map aws cli listing estimate manifest.sources",
    "manifest.sources": "errors text bounded aws listing",
    "watch": "errors text json_keys aws cli",
    "coverage": "text ordered_map cli listing",
    "gate": "errors text cli listing coverage",
    "doctor": "errors text aws cli watch gate",
    "scans": "errors text json_keys videos aws cli",
    "review": "errors text bounded json_keys ordered_map videos aws cli estimate evidence scans review.page",
    "review.page": "text cli estimate review",
    "submit": "errors text bounded json_keys aws cli listing estimate manifest manifest.sources doctor scans review",
    "retry": "errors text videos aws cli estimate manifest doctor scans review submit",
    "republish": "errors text json_keys ordered_map cli scans review",
    "rejudge": "errors text bounded json_keys videos cli",
}
# Each package, and which of the others it may import; a module belongs to the row with the longest matching name.
ALLOWED = {
    "app": ("stacks", "tools.environment"),
    # The edges and their wiring.
    "handlers": (*_BELOW_FLOWS, "handlers.adapters.media", "handlers.flows", "handlers.flows.sweep", "handlers.settings"),
    "handlers.settings": (),
    "handlers.flows": (*_BELOW_FLOWS, "handlers.adapters.media", "handlers.flows.sweep"),
    "handlers.flows.sweep": _BELOW_FLOWS,
    "handlers.adapters": (
        "handlers.adapters.aws_errors",
        "handlers.domain",
        "handlers.domain.mp4",
        "handlers.runtime",
        "handlers.runtime.clock",
    ),
    "handlers.adapters.media": ("handlers.decoder", "handlers.domain"),
    "handlers.adapters.table": ("handlers.adapters.aws_errors", "handlers.domain", "handlers.runtime", "handlers.runtime.clock"),
    "handlers.adapters.aws_errors": ("handlers.domain",),
    "handlers.decoder": ("handlers.domain",),
    "handlers.domain": ("handlers.domain.languages",),
    "handlers.domain.languages": ("handlers.domain",),
    "handlers.domain.mp4": ("handlers.domain",),
    "handlers.runtime": ("handlers.runtime.clock",),
    "handlers.runtime.clock": (),
    "stacks": ("handlers.settings", "handlers.domain", "handlers.domain.languages"),
    # The programs.
    "tools": (
        "tools.environment",
        "tools.rehearsal",
        "tools.emulator.shell",
        *(f"tools.lib.{each}" for each in (*_LIBRARY, "evidence", "desk")),
        *_FROM_HANDLERS,
    ),
    "tools.environment": (),
    "tools.rehearsal": (
        "tools.emulator",
        "tools.emulator.shell",
        "tools.emulator.cards",
        "tools.emulator.settings",
        "tools.lib.bounded",
        "tools.lib.cli",
        "tools.lib.errors",
        "tools.lib.estimate",
        "tools.lib.text",
        "handlers.domain",
    ),
    "tools.emulator": (*_EMULATOR_GROUND, "tools.emulator.cards", *_SERVICES),
    "tools.emulator.__main__": ("tools.emulator", *_EMULATOR_GROUND, "tools.emulator.shell", "tools.environment"),
    "tools.emulator.settings": (),
    "tools.emulator.shell": (),
    "tools.emulator.core": ("tools.emulator.settings",),
    "tools.emulator.cards": (),
    "tools.emulator.worker": (),
    "tools.emulator.services": (),
    **_SERVICES,
    "tools.emulator.services.rekognition": (*_EMULATOR_GROUND, "tools.emulator.cards"),
    "tools.emulator.services.lambda_": (*_EMULATOR_GROUND, "tools.emulator.worker"),
    "tools.lib": (),
    **{
        f"tools.lib.{each}": (*(f"tools.lib.{name}" for name in names.split()), *_FROM_HANDLERS) for each, names in _LIBRARY.items()
    },
    "tools.lib.evidence": ("tools.lib.errors", "tools.lib.text", *_FROM_HANDLERS, *_FILMS),
    "tools.lib.desk": (
        *(f"tools.lib.{name}" for name in ("errors", "text", "bounded", "cli", "scans", "review", "review.page", "evidence")),
        *_FROM_HANDLERS,
        "handlers.adapters",
    ),
}
HANDLERS_FOREIGN = {"boto3", "botocore"}
# Packages that import others, or nothing. PyAV is in the layer of one function.
FOREIGN = {"handlers.domain": set(), "handlers.domain.mp4": set(), "handlers.adapters.media": set(), "handlers.decoder": {"av"}}


def _modules():
    paths = [ROOT / "app.py", *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


# The paths of all modules of the project.
PATHS = _modules()


@functools.cache
def imports(path):
    """Return the names that a file imports: a module as a name of its package is the module; what is relative begins with a dot."""
    return frozenset(_imports(path))


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = "." * node.level + (node.module or "")
            modules_of_package = (f"{package}.{alias.name}" for alias in node.names)
            yield from (name if name in PATHS else package for name in modules_of_package)


def row_of(name):
    """Return the row of a module: the one with the longest name that begins the module's."""
    return max((row for row in ALLOWED if inside(name, [row])), key=len)


def inside(name, packages):
    """Tell whether a module is one of these packages or within one."""
    return any(name == package or name.startswith(package + ".") for package in packages)


@pytest.mark.parametrize("folder", ["app", *FOLDERS])
def test_directions(folder):
    """No module imports from a package that its own must not know, and none by a relative name, which hides the package."""
    targets = [(name, target) for name in PATHS if inside(name, [folder]) for target in imports(PATHS[name])]
    known = {name: (row_of(name), *ALLOWED[row_of(name)]) for name, _ in targets}

    assert targets
    assert [] == [(name, target) for name, target in targets if inside(target, FOLDERS) and row_of(target) not in known[name]]
    assert [] == [(name, target) for name, target in targets if target.startswith(".")]


def test_every_package_has_a_row():
    """Each package has a row of its own, and each row a module: a new package says what it may import before it imports."""
    packages = {name for name, path in PATHS.items() if path.name == "__init__.py"}

    assert set() == packages - ALLOWED.keys()
    assert set() == ALLOWED.keys() - PATHS.keys()


def foreign_to(name):
    """Return the packages that a module of the handlers imports and that are not there for it."""
    known = FOREIGN.get(row_of(name), HANDLERS_FOREIGN)
    # mypy_boto3_* holds types only: that nothing needs it at run time is shown where the handlers are imported with boto3 alone
    roots = {target.partition(".")[0] for target in imports(PATHS[name]) if not target.startswith("mypy_boto3_")}
    return roots - known - set(sys.stdlib_module_names) - {"handlers"}


def test_handlers_need_boto3_alone():
    """What is uploaded imports the standard library and boto3; the domain not even that, the decoder PyAV instead."""
    names = [name for name in PATHS if inside(name, ["handlers"])]

    assert names
    assert {} == {name: foreign for name in names if (foreign := foreign_to(name))}


def test_no_circles():
    """No modules of the project import one another in a circle, be it for their types alone."""
    arrows = {name: PATHS.keys() & imports(path) for name, path in PATHS.items()}

    while ends := [name for name, targets in arrows.items() if not targets]:
        for end in ends:
            del arrows[end]
        for targets in arrows.values():
            targets.difference_update(ends)

    assert {} == arrows


@pytest.mark.slow
def test_mutants_are_forked_without_node():
    """No test that `make mutants` collects imports the CDK before it runs: forked processes cannot share its Node."""
    paths = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in (ROOT / "tests").rglob("*.py")} | PATHS
    collected = {path for name in TESTS for path in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py"))}
    begun = {name for name, path in paths.items() if path in collected - {ROOT / name for name in NODE_TESTS}}

    reached, new = set(begun), begun
    while new:
        new = {target for name in new if name in paths for target in _at_import(paths[name], paths)} - reached
        reached |= new

    assert begun
    assert set() == {name for name in reached if inside(name, ["aws_cdk", "constructs", "jsii"])}


def _at_import(path, paths):
    """Return the modules that a file imports when it is imported itself, not when a function is called."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (name for alias in node.names if (name := f"{node.module}.{alias.name}") in paths)
