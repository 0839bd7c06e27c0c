"""docs/json.md lists every key of every `--json`, and the keys of scans and times have one form."""

import click
import pytest

from tests.docs.helptexts import BEGIN, END, PROGRAMS
from tests.docs.jsonkeys import OUTPUTS, PAGE, objects, shape, written
from tests.docs.markdown import ROOT
from tests.pins.pinned import FIXTURES

SHAPES = {commands[0]: shape(*where) for commands, where in OUTPUTS.items()}


def takes_json(command):
    """Tell whether a command has the option `--json`."""
    return any("--json" in param.opts for param in command.params)


def commands_of(main, name=""):
    """Yield each command of a program, also those of groups in it, by its words."""
    if isinstance(main, click.Group):
        for word, command in main.commands.items():
            yield from commands_of(command, f"{name} {word}".strip())
    else:
        yield name, main


def test_page():
    """docs/json.md has the keys that the programs print today."""
    text = PAGE.read_text("utf-8")

    assert (1, 1) == (text.count(BEGIN), text.count(END))
    assert written() == text, "run `make docs`"


def test_every_command():
    """Every command of every program that takes `--json` is in the inventory."""
    found = set()
    for program, main in PROGRAMS.items():
        found |= {f"{program} {name}".strip() for name, command in commands_of(main) if takes_json(command)}

    listed = {line for lines in OUTPUTS for line in lines}

    assert 16 < len(found)
    assert set() == {name for name in found if not any(line == name or line.startswith(f"{name} ") for line in listed)}


def test_every_output():
    """Everything that the pins saw printed is in the inventory."""
    pinned = {path.stem: path for path in (FIXTURES / "json").glob("*.json")}
    listed = {(file, name) for file, *names in OUTPUTS.values() for name in names}

    missing = [(file, name) for file in pinned if file != "submit_job_wait" for name in shape(file) if (file, name) not in listed]

    assert [] == missing
    assert set(pinned) == {where[0] for where in OUTPUTS.values()}


@pytest.mark.parametrize("command", SHAPES)
def test_scans(command):
    """The id of a scan is `scan_id`, wherever the former key `scan` is."""
    assert [] == [found for found in objects(SHAPES[command]) if "scan" in found and found["scan"] != found.get("scan_id")]


@pytest.mark.parametrize("command", SHAPES)
def test_times(command):
    """A time is in ISO 8601 under `..._time`, also wherever there are epoch seconds; and no other key has a time in ISO 8601."""
    former = {"at": "decided_time", "since": "since_time"}

    for found in objects(SHAPES[command]):
        seconds = {name for name in found if name.endswith("_at") or name in former}
        times = {name for name in found if name.endswith("_time")}

        assert {former.get(name, f"{name.removesuffix('_at')}_time") for name in seconds} <= times
        assert all(found[name] in ("time", None) or {"low", "best", "high"} == set(found[name]) for name in times)
        assert {name for name, value in found.items() if value == "time"} <= times | {"low", "best", "high"}


def test_former_keys_have_no_other_place():
    """The former keys are written in one module, so that the next release removes them there."""
    outside = [
        path.name
        for path in (ROOT / "tools").rglob("*.py")
        if '"scan":' in path.read_text("utf-8") and path.name not in {"json_keys.py", "decisions.py", "data.py", "application.py"}
    ]

    assert [] == outside
