"""What all commands have in common: their options, what they run with, how they end; and groups with a default command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any

import click

from handlers.adapters.table import Table, open_table
from handlers.runtime.clock import Clock
from tools.lib.aws import Clients, Deployment, deployment
from tools.lib.cli.output import ExitCode, Result, Terminal
from tools.lib.cli.program import ProgramContext, Target, ending, output_options, target_options


@dataclass(frozen=True)
class Invocation:
    """One run of a command: its context, where its output goes, and the deployment that it is for."""

    program_context: ProgramContext
    terminal: Terminal
    target: Target

    @property
    def clock(self) -> Clock:
        return self.program_context.clock

    @cached_property
    def clients(self) -> Clients:
        """Return the clients for the given profile and Region."""
        return self.program_context.connect(self.target.profile, self.target.region)

    @cached_property
    def deployment(self) -> Deployment:
        """Return the deployment, looked up when it is first needed."""
        return deployment.find(self.clients.cloudformation, self.target.stack)

    @cached_property
    def table(self) -> Table:
        found = self.deployment
        return open_table(self.clients.dynamodb, found.table_name, self.clock, has_outbox=found.has_outbox)

    def require_agreement(self, cure: str, *, agreed: bool) -> None:
        """Make sure that the user has agreed, or can be prompted.

        Raises:
            click.UsageError: Neither is the case; the message ends with the cure.
        """
        if not (agreed or self.terminal.interactive):
            raise click.UsageError(f"Cannot prompt without a terminal; {cure}.")

    def agree(self, prompt: str, declined: str) -> None:
        """Prompt the user; if the answer is no, write what has not been done and exit as failed."""
        if not _confirmed(prompt):
            self.terminal.info(declined)
            raise click.exceptions.Exit(ExitCode.FAILED)


def _confirmed(prompt: str) -> bool:
    """Prompt; the end of the input means no, and Ctrl-C is an interruption as anywhere else."""
    try:
        return click.confirm(prompt, err=True)
    except click.Abort as aborted:  # click raises it for both
        if isinstance(aborted.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        click.echo(err=True)
        return False


def command(body: Callable[..., Result | ExitCode | None]) -> Callable[..., None]:
    """Add the options that all commands have, and run the body with an `Invocation`.

    The result that a body returns is written to stdout; its `exit_code`, if it has one, becomes the program's. A body that writes
    its own output returns the exit code.
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
            terminal.require_output()
            outcome = body(Invocation(program_context, terminal, target), **given)
            if outcome is None or isinstance(outcome, ExitCode):
                sys.exit(outcome or ExitCode.DONE)
            terminal.result(outcome)
            sys.exit(getattr(outcome, "exit_code", ExitCode.DONE))

    return run


class DefaultGroup(click.Group):
    """A group that runs a default command if the arguments do not begin with the name of one.

    Args:
        default: The name of the default command.
        former: Returns a usage error for options that the program had before it had commands, None if there are none of them.
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
        """Insert the default command before arguments that begin with one of its options."""
        own = {name for param in self.get_params(ctx) for name in param.opts}
        if not args or (args[0].startswith("-") and args[0] not in own):
            if answer := self._former(args):
                raise click.UsageError(answer, ctx)
            args = [self._default, *args]
        return super().parse_args(ctx, args)
