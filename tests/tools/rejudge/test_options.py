"""The command line of judging again: what may be asked for together."""

import click
import pytest
from click.testing import CliRunner

from tools.lib.rejudge.options import policy_options, policy_request


@click.command()
@policy_options
def program(policy, apply_policy, mail_newly_flagged):
    """Say what was asked for."""
    request = policy_request(policy, apply_policy=apply_policy, mail_newly_flagged=mail_newly_flagged)
    click.echo("nothing" if request is None else f"{request.path.name} {request.apply} {request.mail}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing"),
        (["--policy", "new.json"], "new.json False False"),
        (["--policy", "new.json", "--apply-policy"], "new.json True False"),
        (["--policy", "new.json", "--apply-policy", "--mail-newly-flagged"], "new.json True True"),
    ],
)
def test_request(tmp_path, monkeypatch, arguments, said):
    """By default nothing is judged again; a policy is only shown, and nobody mailed, unless that is said."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new.json").touch()

    result = CliRunner().invoke(program, arguments)

    assert (0, said) == (result.exit_code, result.output.strip())


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (["--apply-policy"], "--policy FILE"),
        (["--policy", "new.json", "--mail-newly-flagged"], "takes --apply-policy"),
        (["--policy", "missing.json"], "does not exist"),
    ],
)
def test_usage(tmp_path, monkeypatch, arguments, cure):
    """What cannot be meant is bad usage, and says what is missing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new.json").touch()

    result = CliRunner().invoke(program, arguments)

    assert 2 == result.exit_code
    assert cure in result.output
