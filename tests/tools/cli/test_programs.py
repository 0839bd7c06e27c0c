"""Every program and each of its commands: help in both forms, the version, and what runs where no command is named."""

import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tools import control_scan, rehearse, review_report, submit_job
from tools.lib.cli import DefaultGroup

PROGRAMS = (control_scan, rehearse, review_report, submit_job)
PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"
VERSION = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["version"]


def command_lines():
    """Return every program alone and with each of its commands."""
    for module in PROGRAMS:
        yield pytest.param(module.main, [], id=module.__name__)
        for name in getattr(module.main, "commands", {}):
            yield pytest.param(module.main, [name], id=f"{module.__name__} {name}")


@pytest.mark.parametrize(("main", "words"), [*command_lines()])
def test_help(main, words):
    """-h is --help, of a program and of its commands, and both end well."""
    short, long = (CliRunner().invoke(main, [*words, option]) for option in ("-h", "--help"))

    assert (0, 0, long.stdout) == (short.exit_code, long.exit_code, short.stdout)
    assert "Exit codes:" in short.stdout
    assert "python tools/" in short.stdout


@pytest.mark.parametrize("module", PROGRAMS)
def test_version(module):
    """--version writes the project's version to stdout."""
    result = CliRunner().invoke(module.main, ["--version"], prog_name="program.py")

    assert (0, f"program.py {VERSION}\n") == (result.exit_code, result.stdout)


@pytest.mark.parametrize(
    ("arguments", "ran"),
    [
        ([], ["show", None]),
        (["--name", "x"], ["show", "x"]),
        (["show", "--name", "x"], ["show", "x"]),
        (["other"], ["other"]),
    ],
)
def test_default_command(arguments, ran):
    """Arguments that begin with an option, or none at all, are those of the default command."""
    calls = []
    group = DefaultGroup("program", default="show")
    group.add_command(click.Command("show", params=[click.Option(["--name"])], callback=lambda name: calls.extend(["show", name])))
    group.add_command(click.Command("other", callback=lambda: calls.append("other")))

    CliRunner().invoke(group, arguments, catch_exceptions=False)

    assert ran == calls


def test_unknown_command():
    """A word that is not a command is refused as one."""
    result = CliRunner().invoke(review_report.main, ["shwo"])

    assert 2 == result.exit_code
    assert "No such command 'shwo'" in result.stderr
