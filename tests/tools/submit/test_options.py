"""The options of commands that submit a job, as a command of one's own gets them."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tools.lib.aws import POLL_SECONDS
from tools.lib.cli import ROOT
from tools.lib.submit.options import SubmitOptions, submit_options

DEFAULTS = {"dry_run": False, "yes": False, "wait": False, "poll_seconds": POLL_SECONDS, "manifests": ROOT / "manifests"}


def given(*arguments, **environment):
    """Return what a command gets, and the rest of what it is called with."""
    found = []

    @click.command
    @submit_options("Change nothing here.")
    @click.option("--other")
    def command(how, other):
        found.append((how, other))

    done = CliRunner().invoke(command, arguments, env=environment)
    assert (0, "") == (done.exit_code, done.output)
    return found[0]


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        ([], {}),
        (["--dry-run"], {"dry_run": True}),
        (["--yes"], {"yes": True}),
        (["--wait"], {"wait": True}),
        (["--manifests", "here"], {"manifests": Path("here")}),
        (["--wait", "--yes"], {"wait": True, "yes": True}),
    ],
)
def test_how(arguments, changed):
    """Each option changes its own field and no other; the command's own options are left to it."""
    assert (SubmitOptions(**{**DEFAULTS, **changed}), "x") == given(*arguments, "--other", "x")


def test_environment():
    """Where copies of manifests go can be set for all commands."""
    how, _ = given(VIDEO_MODERATION_MANIFESTS="there")

    assert Path("there") == how.manifests


def test_a_file_is_no_folder(tmp_path):
    """Copies of manifests go into a folder: a file in its place is bad usage."""
    (tmp_path / "file").touch()

    @click.command
    @submit_options("Change nothing here.")
    def command(how):
        raise AssertionError(how)

    assert 2 == CliRunner().invoke(command, ["--manifests", str(tmp_path / "file")]).exit_code


def test_help():
    """The help has what the command says of a dry run, and not what is for programs that call it."""

    @click.command
    @submit_options("Change nothing here.")
    def command(how):
        raise AssertionError(how)

    text = CliRunner().invoke(command, ["--help"]).output

    shown = {"--dry-run": "Change nothing here.", "--yes": "Do not ask.", "--wait": "Follow the scan to its end."}
    assert list(shown.items()) == [
        (words[0], " ".join(words[1:]))
        for line in text.splitlines()
        if (words := line.split()) and words[0].startswith("--") and words[0] != "--help"
    ]
