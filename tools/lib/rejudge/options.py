"""The command line of judging again."""

from __future__ import annotations

from pathlib import Path

import click

from tools.lib.cli.program import Command
from tools.lib.rejudge.command import PolicyRequest


def policy_options(command: Command) -> Command:
    """Add the options `policy`, `apply_policy` and `mail_newly_flagged`, which `policy_request` makes a request of."""
    options = (
        click.option(
            "--policy",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Show what another policy would make of the scan; nothing is analysed or paid again.",
        ),
        click.option("--apply-policy", is_flag=True, help="Write what --policy shows to the records."),
        click.option("--mail-newly-flagged", is_flag=True, help="With --apply-policy: mail the newly flagged videos, each once."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def policy_request(policy: Path | None, *, apply_policy: bool, mail_newly_flagged: bool) -> PolicyRequest | None:
    """Return what was asked for, or None where the scan is not to be judged again.

    Raises:
        click.UsageError: Something was asked for that needs another option.
    """
    if apply_policy and policy is None:
        raise click.UsageError("--apply-policy applies the policy of a file: name it with --policy FILE.")
    if mail_newly_flagged and not apply_policy:
        raise click.UsageError("--mail-newly-flagged mails what becomes flagged: that takes --apply-policy.")
    return None if policy is None else PolicyRequest(path=policy, apply=apply_policy, mail=mail_newly_flagged)
