"""The rooms of the project, and which may know which (docs/architecture.md#rooms)."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("handlers", "stacks", "tools")

# Who may import what of the project; the longest prefix of a module's name that stands here counts.
_FROM_HANDLERS = ("handlers.domain", "handlers.adapters.table", "handlers.adapters.aws_errors", "handlers.runtime.clock")
_EMULATOR_GROUND = ("tools.emulator.core", "tools.emulator.settings")
_EMULATED = (
    "cloudformation",
    "dynamodb",
    "lambda_",
    "rekognition",
    "s3",
    "s3_batch",
    "service_quotas",
    "sns",
    "sqs",
)


def rooms_of_tools(below):
    """Return the rows of rooms of `tools.lib`: what each may import besides itself, by name."""
    return {
        f"tools.lib.{room}": (*(f"tools.lib.{name}" for name in [room, *names.split()]), *_FROM_HANDLERS)
        for room, names in below.items()
    }


ALLOWED = {
    "app": ("stacks", "tools.environment"),
    "tools.environment": (),
    # The edges and their wiring.
    "handlers": ("handlers",),
    "handlers.settings": (),
    "handlers.flows": ("handlers.flows", "handlers.adapters", "handlers.domain", "handlers.runtime"),
    "handlers.adapters": ("handlers.adapters", "handlers.domain", "handlers.runtime"),
    "handlers.domain": ("handlers.domain",),
    "handlers.runtime": ("handlers.runtime",),
    "stacks": ("stacks", "handlers.settings", "handlers.domain"),
    "tools.emulator": ("tools.emulator",),
    "tools.emulator.settings": (),
    "tools.emulator.core": _EMULATOR_GROUND,
    "tools.emulator.services": (),  # a new service needs a row of its own
    **{f"tools.emulator.services.{name}": (*_EMULATOR_GROUND, f"tools.emulator.services.{name}") for name in _EMULATED},
    "tools.emulator.services.rekognition": (*_EMULATOR_GROUND, "tools.emulator.cards", "tools.emulator.services.rekognition"),
    "tools.emulator.cards": (),
    "tools.emulator.services.lambda_": (*_EMULATOR_GROUND, "tools.emulator.services.lambda_", "tools.emulator.worker"),
    "tools.emulator.worker": ("tools.emulator.worker",),
    "tools.emulator.__main__": ("tools.emulator", "tools.environment"),
    "tools.lib": ("tools.lib", *_FROM_HANDLERS),
    **rooms_of_tools(
        {
            "errors": "",
            "text": "",
            "ordered_map": "",
            "videos": "text",
            "aws": "errors",
            "cli": "errors text aws",
            "listing": "errors text aws",
            "estimate": "errors text ordered_map aws cli listing",
            "manifest": "errors text ordered_map aws cli listing estimate",
            "doctor": "errors text aws cli",
            "scans": "errors text aws cli",
            "submit": "errors text aws cli listing estimate manifest doctor scans review",
        }
    ),
    "tools": ("tools", *_FROM_HANDLERS),
}
HANDLERS_FOREIGN = {"boto3", "botocore"}


def modules():
    """Return every source module with its path."""
    paths = [ROOT / "app.py", *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))]
    return [(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path) for path in paths]


def imports(path):
    """Return the names of the modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def inside(name, rooms):
    """Tell whether a module is one of these rooms or within one."""
    return any(name == room or name.startswith(room + ".") for room in rooms)


@pytest.mark.parametrize(("name", "path"), modules(), ids=[name for name, _ in modules()])
def test_direction(name, path):
    """No module imports from a room that it must not know."""
    room = max((room for room in ALLOWED if inside(name, [room])), key=len)

    forbidden = [target for target in imports(path) if inside(target, ROOMS) and not inside(target, ALLOWED[room])]

    assert [] == forbidden


@pytest.mark.parametrize(("name", "path"), [(name, path) for name, path in modules() if inside(name, ["handlers"])])
def test_handlers_need_boto3_alone(name, path):
    """What is uploaded imports the standard library and boto3; the domain not even that."""
    foreign = set() if inside(name, ["handlers.domain"]) else HANDLERS_FOREIGN

    # mypy_boto3_* holds types only: that nothing needs it at run time is shown where the handlers are imported with boto3 alone
    roots = {target.partition(".")[0] for target in imports(path) if not target.startswith("mypy_boto3_")}

    assert set() == roots - foreign - set(sys.stdlib_module_names) - {"handlers"}


def test_no_circles():
    """No modules of the functions import one another in a circle."""
    names = {name: path for name, path in modules() if inside(name, ["handlers"])}
    arrows = {name: set(_targets(path, names)) for name, path in names.items()}

    while ends := [name for name, targets in arrows.items() if not targets]:
        for end in ends:
            del arrows[end]
        for targets in arrows.values():
            targets.difference_update(ends)

    assert {} == arrows


def _targets(path, names):
    """Yield which of the named modules a file imports: a module as a name of its package is the module, not the package."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                within = f"{node.module}.{alias.name}"
                yield from {within if within in names else node.module} & names.keys()
