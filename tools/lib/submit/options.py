"""The options of every command that submits a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any

import click

from tools.lib.aws import POLL_SECONDS
from tools.lib.cli import ROOT, options, poll_seconds_option


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOptions:
    """How a job is submitted.

    Attributes:
        yes: Whether the person has agreed already.
        wait: Whether to follow the scan to its end.
        poll_seconds: How long to wait between two looks at the scan.
        manifests: The folder for local copies of manifests.
    """

    dry_run: bool
    yes: bool
    wait: bool
    poll_seconds: float
    manifests: Path


def submit_options(dry_run: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds the options and passes them as `how`; `dry_run` is that option's help."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run(*arguments: Any, **given: Any) -> Any:  # noqa: ANN401 - whatever the command takes and returns
            how = SubmitOptions(**{field.name: given.pop(field.name) for field in fields(SubmitOptions)})
            return command(*arguments, how=how, **given)

        return options(
            click.option("--dry-run", is_flag=True, help=dry_run),
            click.option("--yes", is_flag=True, help="Do not ask."),
            click.option("--wait", is_flag=True, help="Follow the scan to its end."),
            poll_seconds_option(POLL_SECONDS),
            click.option(
                "--manifests",
                type=click.Path(file_okay=False, path_type=Path),
                envvar="VIDEO_MODERATION_MANIFESTS",
                default=ROOT / "manifests",
                hidden=True,
            ),
        )(run)

    return add
