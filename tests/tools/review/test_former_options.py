"""The options from before review_report.py had commands: each is answered with the command line to type instead."""

import shlex

import click
import pytest
from click.testing import CliRunner

from tools.lib.review import former_options
from tools.review_report import main

PROGRAM = "python tools/review_report.py"


def lines(*arguments):
    """Return the command lines that the program answers with."""
    result = CliRunner().invoke(main, list(arguments))
    assert (2, "") == (result.exit_code, result.stdout)
    return [line.strip() for line in result.stderr.splitlines() if line.startswith("  python ")]


@pytest.mark.parametrize(
    ("former", "today"),
    [
        ("--html review.html", "page review.html"),
        ("--html=review.html", "page review.html"),
        ("--csv a.csv", "export --csv a.csv"),
        ("--jsonl a.jsonl --rows segments", "export --jsonl a.jsonl --rows segments"),
        ("--rows videos", "export --csv FILE --rows videos"),
        ("--apply decisions.json --decided-by Ada", "apply decisions.json --decided-by Ada"),
        ("--decided-by Ada", "apply FILE --decided-by Ada"),
        ("--retry", "retry"),
        ("--retry --dry-run", "retry --dry-run"),
        ("--wait --yes --retry", "retry --yes --wait"),
        ("--dry-run", "retry --dry-run"),
        ("--retry-all-failed --yes", "retry --all-failed --yes"),
        ("--policy new.json", "policy new.json"),
        ("--policy new.json --apply-policy", "policy new.json --apply"),
        ("--policy new.json --apply-policy --mail-newly-flagged", "policy new.json --apply --mail-newly-flagged"),
        ("--apply-policy", "policy FILE --apply"),
        ("--video 's3://bucket/a b'", "video 's3://bucket/a b'"),
        ("--since 7d", "list --since 7d"),
        ("--html", "page FILE"),
    ],
)
def test_answer(former, today):
    """Every former option is bad usage that names the command which does the same."""
    assert [f"{PROGRAM} {today}"] == lines(*shlex.split(former))


def test_what_goes_along():
    """The scan, the deployment and the form of the output are taken along."""
    given = "--retry --scan X --job J --without-manifest --json --debug --stack 'My Stack' --region eu-west-1 --profile p"

    [line] = lines(*shlex.split(given))

    assert f"{PROGRAM} retry {given.removeprefix('--retry ')}" == line


def test_two_files_are_two_commands():
    """A page and an export, once written by one command line, are two."""
    assert [f"{PROGRAM} page a.html --scan X", f"{PROGRAM} export --csv a.csv --scan X"] == lines(
        "--html", "a.html", "--csv", "a.csv", "--scan", "X"
    )


@pytest.mark.parametrize("arguments", [[], ["--scan", "X"], ["--json"], ["--stack", "S", "--debug"], ["--unheard-of"]])
def test_options_of_today(arguments):
    """What was never another command is not answered here."""
    assert former_options.answer(arguments) is None


@pytest.mark.parametrize(
    "former",
    [
        "--html a",
        "--csv a",
        "--jsonl a --rows segments",
        f"--apply {__file__} --decided-by Ada",
        "--retry --dry-run --yes --wait",
        "--retry-all-failed",
        f"--policy {__file__} --apply-policy --mail-newly-flagged",
        "--video s3://bucket/key",
        "--since 7d",
    ],
)
def test_the_answer_can_be_typed(former):
    """The command line that is answered is one that the program takes."""
    [line] = lines(*shlex.split(former), "--stack", "S")
    name, *arguments = shlex.split(line)[2:]

    context = main.commands[name].make_context(name, arguments, parent=click.Context(main))

    assert "S" == context.params["stack"]
