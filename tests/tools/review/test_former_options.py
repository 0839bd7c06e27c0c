"""The options from before review_report.py had commands: each is answered with the command to type instead."""

import click
import pytest
from click.testing import CliRunner

from tools.lib.review import former_options
from tools.review_report import main

PROGRAM = "python tools/review_report.py"


@pytest.mark.parametrize(
    ("former", "today"),
    [
        ("--html review.html", {"--html": "page FILE"}),
        ("--html=review.html", {"--html": "page FILE"}),
        ("--scan X --retry --dry-run", {"--retry": "retry", "--dry-run": "retry --dry-run"}),
        ("--csv a.csv --csv b.csv", {"--csv": "export --csv FILE"}),
    ],
)
def test_answer(former, today):
    """Every former option is bad usage that names the command which does the same, once."""
    result = CliRunner().invoke(main, former.split())

    said = [line.strip() for line in result.stderr.splitlines() if " is now: " in line]
    assert (2, "") == (result.exit_code, result.stdout)
    assert [f"{name} is now: {PROGRAM} {command}" for name, command in today.items()] == said


@pytest.mark.parametrize("arguments", [[], ["--scan", "X"], ["--json"], ["--stack", "S", "--debug"], ["--unheard-of"]])
def test_options_of_today(arguments):
    """What was never another command is not answered here."""
    assert former_options.answer(arguments) is None


@pytest.mark.parametrize("former", former_options._COMMANDS)
def test_the_answer_can_be_typed(former):
    """What is answered is a command that the program has, with options that it takes."""
    values = {"FILE": __file__, "videos|segments": "videos", "NAME": "Ada", "URI": "s3://bucket/key", "TIME": "7d"}
    name, *arguments = [values.get(word, word) for word in former_options._COMMANDS[former].split()]

    main.commands[name].make_context(name, arguments, parent=click.Context(main))
