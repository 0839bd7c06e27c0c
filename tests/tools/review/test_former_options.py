"""The options from before review_report.py had commands: a command line with some is answered with that of today."""

import shlex

import click
import pytest
from click.testing import CliRunner

from tools.lib.review import former_options
from tools.review_report import main

PROGRAM = "python tools/review_report.py"


@pytest.mark.parametrize(
    ("former", "today"),
    [
        ("--html review.html", "page review.html"),
        ("--html=review.html --json", "page review.html --json"),
        ("--html 'a b.html' --scan X", "page 'a b.html' --scan X"),
        ("--html", "page FILE"),
        ("--scan X --retry --dry-run", "retry --dry-run --scan X"),
        ("--retry-all-failed --yes --wait --stack S", "retry --all-failed --yes --wait --stack S"),
        ("--csv a.csv --csv b.csv", "export --csv b.csv"),
        ("--csv a.csv --jsonl a.jsonl --rows segments", "export --csv a.csv --jsonl a.jsonl --rows segments"),
        ("--rows segments", "export --csv FILE --rows segments"),
        ("--html a.html --csv a.csv --job J", f"page a.html --job J && {PROGRAM} export --csv a.csv --job J"),
        ("--apply decisions.json --decided-by 'Ada Lovelace'", "apply decisions.json --decided-by 'Ada Lovelace'"),
        ("--policy new.json --apply-policy --mail-newly-flagged", "policy new.json --apply --mail-newly-flagged"),
        (
            "--policy new.json --apply-policy --retry --yes",
            f"policy new.json --apply && {PROGRAM} retry --yes",
        ),
        ("--video s3://bucket/key", "video s3://bucket/key"),
        ("--since 7d", "list --since 7d"),
    ],
)
def test_answer(former, today):
    """A command line with former options is bad usage, answered with the one command line that does the same."""
    result = CliRunner().invoke(main, shlex.split(former))

    assert (2, "") == (result.exit_code, result.stdout)
    assert f"This program has commands now; type:\n  {PROGRAM} {today}\n" in result.stderr
    assert 1 == result.stderr.count("type:")


@pytest.mark.parametrize(
    ("former", "missing"),
    [
        ("--policy new.json --apply-policy --mail-newly-flagged --yes", "--yes requires --retry or --retry-all-failed"),
        ("--apply decisions.json --dry-run", "--dry-run requires --retry or --retry-all-failed"),
        ("--wait --scan X", "--wait requires --retry or --retry-all-failed"),
        ("--policy new.json --mail-newly-flagged", "--mail-newly-flagged requires --apply-policy"),
    ],
)
def test_what_is_not_requested(former, missing):
    """An option that only qualifies another is refused without it, as before: no answer starts what was not requested."""
    result = CliRunner().invoke(main, shlex.split(former))

    assert (2, "") == (result.exit_code, result.stdout)
    assert f"{missing}: add that, or omit {missing.partition(' ')[0]}.\n" in result.stderr
    assert PROGRAM not in result.stderr.partition("Error:")[2]


@pytest.mark.parametrize("arguments", [[], ["--scan", "X"], ["--json"], ["--stack", "S", "--debug"], ["--unheard-of"]])
def test_options_of_today(arguments):
    """A command line without former options is not answered here."""
    assert former_options.answer(arguments) is None


@pytest.mark.parametrize("former", former_options._FORMER)
def test_the_answer_can_be_typed(former):
    """The answer is a command that the program has, with options that it takes."""
    values = {"FILE": __file__, "videos|segments": "videos", "NAME": "Ada", "URI": "s3://bucket/key", "TIME": "7d"}
    requested = former_options._BELONGS.get(former, ())[:1]
    answered = former_options.answer([*requested, former]).rpartition(PROGRAM)[2]
    name, *arguments = [values.get(word, word) for word in shlex.split(answered)]

    main.commands[name].make_context(name, arguments, parent=click.Context(main, **main.context_settings))
