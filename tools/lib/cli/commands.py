"""Programs that are groups of commands: what all commands take, how each ends, and which one runs where none is named."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any

import click

from handlers.adapters.table import Table, open_table
from handlers.runtime.clock import Clock
from tools.lib.aws import deployment
from tools.lib.aws.clients import Clients
from tools.lib.aws.deployment import Deployment
from tools.lib.cli.output import ExitCode, Result, Terminal
from tools.lib.cli.program import ProgramContext, Target, ending, output_options, target_options


@dataclass(frozen=True)
class Invocation:
    """One command under way: what it takes from its machine, where its output goes, and the deployment it is about."""

    program_context: ProgramContext
    terminal: Terminal
    target: Target

    @property
    def clock(self) -> Clock:
        return self.program_context.clock

    @cached_property
    def clients(self) -> Clients:
        """Return the clients for the profile and Region that are meant."""
        return self.program_context.connect(self.target.profile, self.target.region)

    @cached_property
    def deployment(self) -> Deployment:
        """Return the deployment, looked for when it is first needed."""
        return deployment.find(self.clients.cloudformation, self.target.stack)

    @cached_property
    def table(self) -> Table:
        return open_table(self.clients.dynamodb, self.deployment.table_name, self.clock)

    def require_agreement(self, cure: str, *, agreed: bool) -> None:
        """Make sure that somebody has agreed, or can be asked.

        Raises:
            click.UsageError: Neither is so; it ends with the cure.
        """
        if not (agreed or self.terminal.interactive):
            raise click.UsageError(f"Cannot prompt without a terminal; {cure}.")

    def agree(self, question: str, otherwise: str) -> None:
        """Ask the person, and end the program as failed, saying what has not been done, where the answer is no."""
        if not self.terminal.confirm(question):
            self.terminal.info(otherwise)
            raise click.exceptions.Exit(ExitCode.FAILED)


def command(body: Callable[..., Result | ExitCode | None]) -> Callable[..., None]:
    """Add the options that all commands have, and run the body with an `Invocation`.

    A result is written to stdout and decides the exit code by its `exit_code`, if it has one. A body that writes its own output
    returns the exit code.
    """

    @target_options
    @output_options
    @click.pass_context
    @wraps(body)
    def run(
        context: click.Context,
        /,
        *,
        stack: str,
        region: str | None,
        profile: str | None,
        as_json: bool,
        debug: bool,
        **given: object,
    ) -> None:
        program_context: ProgramContext = context.obj or ProgramContext()
        terminal = Terminal(as_json=as_json, out=sys.stdout, err=sys.stderr, interactive=program_context.interactive)
        target = Target(stack=stack, region=region, profile=profile)
        with ending(terminal, debug=debug):
            outcome = body(Invocation(program_context, terminal, target), **given)
            if outcome is None or isinstance(outcome, ExitCode):
                sys.exit(outcome or ExitCode.DONE)
            terminal.result(outcome)
            sys.exit(getattr(outcome, "exit_code", ExitCode.DONE))

    return run


class DefaultGroup(click.Group):
    """A group that runs one of its commands where the first argument names none.

    Args:
        default: The name of that command.
        former: Returns what to answer to options from before the program had commands, or None where there are none of them.
    """

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401 - click's own
        default: str,
        former: Callable[[list[str]], str | None] = lambda _: None,
        **options: Any,  # noqa: ANN401 - click's own
    ) -> None:
        super().__init__(*arguments, **options)
        self._default = default
        self._former = former

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command before arguments that begin with one of its options."""
        own = {name for param in self.get_params(ctx) for name in param.opts}
        if not args or (args[0].startswith("-") and args[0] not in own):
            if answer := self._former(args):
                raise click.UsageError(answer, ctx)
            args = [self._default, *args]
        return super().parse_args(ctx, args)
