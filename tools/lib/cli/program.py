"""What every tool has in common: its options, what it needs from its program_context, and how it ends."""

from __future__ import annotations

import os
import shlex
import sys
import tomllib
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import click
from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.table import ThrottledError
from handlers.runtime.clock import Clock, SystemClock
from tools.lib.aws.clients import Clients, connect, explain
from tools.lib.aws.deployment import DEFAULT_STACK
from tools.lib.cli.output import ExitCode, Terminal
from tools.lib.errors import ToolError

Command = TypeVar("Command", bound=Callable[..., Any])

ROOT = Path(__file__).resolve().parents[3]

# What every program and every group passes to click as `context_settings`; their commands inherit it.
CONTEXT_SETTINGS = {"max_content_width": 100, "help_option_names": ["-h", "--help"]}


@dataclass(frozen=True, kw_only=True)
class ProgramContext:
    """What a program takes from the machine it runs on; tests hand in their own as click's `obj`.

    Attributes:
        entropy: Gives this many random bytes.
        interactive: Whether a person can be asked; None finds out.
    """

    connect: Callable[[str | None, str | None], Clients] = connect
    clock: Clock = field(default_factory=SystemClock)
    entropy: Callable[[int], bytes] = os.urandom
    interactive: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which deployment is meant: stack name, and Region and profile where they were given."""

    stack: str
    region: str | None
    profile: str | None

    def command(self, program: str, *arguments: str) -> str:
        """Return the command line of a tool for the same deployment, to copy."""
        named = [
            ("--stack", self.stack if self.stack != DEFAULT_STACK else None),
            ("--region", self.region),
            ("--profile", self.profile),
        ]
        options = [word for option, value in named if value for word in (option, value)]
        return shlex.join(["python", f"tools/{program}", *arguments, *options])


def version() -> str:
    """Return the project's version: that of the installed package, else of the checkout that the tools run from."""
    try:
        return metadata.version("video-moderation")
    except metadata.PackageNotFoundError:
        with (ROOT / "pyproject.toml").open("rb") as file:
            return str(tomllib.load(file)["project"]["version"])


def version_option(command: Command) -> Command:
    """Add `--version`; the version is looked up only where it is asked for."""

    def show(context: click.Context, _: click.Parameter, asked: bool) -> None:
        if asked:
            click.echo(f"{context.info_name} {version()}")
            context.exit()

    option = click.option(
        "--version", is_flag=True, expose_value=False, is_eager=True, callback=show, help="Show the version and exit."
    )
    return option(command)


def options(*decorators: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Return a decorator that adds several options, shown in this order."""

    def add(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return add


# Which deployment is meant.
target_options = options(
    click.option("--stack", default=DEFAULT_STACK, show_default=True, metavar="NAME", help="The deployed stack."),
    click.option("--region", metavar="REGION", help="Its Region; default: that of your AWS configuration."),
    click.option("--profile", metavar="NAME", help="The AWS profile whose credentials to use."),
)

# How results and faults are shown.
output_options = options(
    click.option("--json", "as_json", is_flag=True, help="Write the result to stdout as JSON."),
    click.option("--debug", is_flag=True, help="Show the traceback of an error."),
)


def poll_seconds_option(default: float) -> Callable[[Command], Command]:
    """Return a decorator that adds the time between two looks, which tests and the rehearsal set."""
    return click.option(
        "--poll-seconds",
        type=click.FloatRange(min=0.01),
        envvar="VIDEO_MODERATION_POLL_SECONDS",
        default=default,
        hidden=True,
    )


@contextmanager
def ending(terminal: Terminal, *, debug: bool) -> Iterator[None]:
    """Turn what goes wrong in the block into a message with its cure and an exit code; a traceback only with `debug`.

    click's own exceptions (bad usage, a prompt that was left, an exit) pass: click ends those itself.
    """
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise
    except KeyboardInterrupt:
        terminal.info("Interrupted.")
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the outermost edge: whatever comes must end in a sentence
        if debug:
            terminal.info(traceback.format_exc())
        terminal.error(as_tool_error(error))
        sys.exit(ExitCode.FAILED)


def as_tool_error(error: Exception) -> ToolError:
    """Return an error as one with a cure."""
    if isinstance(error, ToolError):
        return error
    if isinstance(error, BotoCoreError | ClientError):
        return explain(error)
    if isinstance(error, ThrottledError):
        return ToolError(f"The table asked to slow down, and went on asking: {error}", cure="Wait a minute, then run again.")
    if isinstance(error, OSError) and error.filename is not None:
        return ToolError(
            f"{error.filename}: {error.strerror}", cure="Make room, or make the path readable and writable, and run again."
        )
    return ToolError(
        f"unexpected {type(error).__name__}: {error}",
        cure="This is a fault of the tool: please report it with the output of --debug.",
    )
