"""What every program has in common: its options, its context, and how errors end it."""

from __future__ import annotations

import getpass
import os
import shlex
import sys
import tomllib
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click
from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.table import ThrottledError
from handlers.domain.languages import phrase
from handlers.runtime.clock import Clock, SystemClock
from tools.lib.aws import DEFAULT_STACK, Clients, connect, explain
from tools.lib.cli.output import ExitCode, Terminal
from tools.lib.errors import ToolError

Command = TypeVar("Command", bound=Callable[..., Any])

ROOT = Path(__file__).resolve().parents[3]

# What every program and every group passes to click as `context_settings`; their commands inherit it.
CONTEXT_SETTINGS = {"max_content_width": 100, "help_option_names": ["-h", "--help"]}


@dataclass(frozen=True, kw_only=True)
class ProgramContext:
    """What a program uses of the machine that it runs on; tests pass their own as click's `obj`.

    Attributes:
        connect: Returns the clients for a profile and a Region.
        entropy: Returns this many random bytes.
        interactive: Whether a person can be prompted; None finds out.
    """

    connect: Callable[[str | None, str | None], Clients] = connect
    clock: Clock = field(default_factory=SystemClock)
    entropy: Callable[[int], bytes] = os.urandom
    interactive: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The deployment to use: its stack, and the Region and profile if they were given."""

    stack: str
    region: str | None
    profile: str | None

    def command(self, program: str, *arguments: str) -> str:
        """Return a command line for the same deployment, to copy."""
        named = [
            ("--stack", self.stack if self.stack != DEFAULT_STACK else None),
            ("--region", self.region),
            ("--profile", self.profile),
        ]
        options = [word for option, value in named if value for word in (option, value)]
        return shlex.join(["python", f"tools/{program}", *arguments, *options])


def user_name() -> str:
    """Return the user's name, so that others know whom to ask."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name, as in a container (KeyError before Python 3.13)
        return "control_scan.py"


def version_option(command: Command) -> Command:
    """Add `--version`, which shows the version of the checkout that the tools run from."""

    def show(context: click.Context, _: click.Parameter, requested: bool) -> None:
        if requested:
            project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
            click.echo(f"{context.info_name} {project['version']}")
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


# `stack`, `region` and `profile`: the deployment to use.
target_options = options(
    click.option("--stack", default=DEFAULT_STACK, show_default=True, metavar="NAME", help="The deployed stack."),
    click.option("--region", metavar="REGION", help="Its Region; default: the one in your AWS configuration."),
    click.option("--profile", metavar="NAME", help="The AWS profile whose credentials to use."),
)

# `as_json` and `debug`: how results and errors are shown.
output_options = options(
    click.option("--json", "as_json", is_flag=True, help="Write the result to stdout as JSON."),
    click.option("--debug", is_flag=True, help="Show the traceback of an error."),
)


def poll_seconds_option(default: float) -> Callable[[Command], Command]:
    """Return a decorator that adds the time between two polls, which only tests and the rehearsal set."""
    return click.option(
        "--poll-seconds",
        type=click.FloatRange(min=0.01),
        envvar="VIDEO_MODERATION_POLL_SECONDS",
        default=default,
        hidden=True,
    )


@contextmanager
def ending(terminal: Terminal, *, debug: bool) -> Iterator[None]:
    """Turn an exception in the block into a message with a cure and an exit code; `debug` adds the traceback.

    click handles its own exceptions (bad usage, an aborted prompt, an exit).
    """
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise
    except KeyboardInterrupt:
        terminal.info("Interrupted.")
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the outermost edge: every error must end in a sentence
        if debug:
            terminal.info(traceback.format_exc())
        terminal.error(as_tool_error(error))
        sys.exit(ExitCode.FAILED)
    finally:
        terminal.show_cursor()


def as_tool_error(error: Exception) -> ToolError:
    """Return an error as one that has a cure."""
    if isinstance(error, ToolError):
        return error
    if isinstance(error, BotoCoreError | ClientError):
        return explain(error)
    if isinstance(error, ThrottledError):
        return ToolError(
            phrase("The table is still throttling requests: {error}", error=str(error)),
            cure=phrase("Wait a minute, then run again."),
        )
    if isinstance(error, OSError) and error.filename is not None:
        return ToolError(
            f"{error.filename}: {error.strerror}", cure="Make room, or make the path readable and writable, and run again."
        )
    if isinstance(error, OSError) and error.strerror:  # no file is named, as when a disk is full
        return ToolError(f"A file could not be read or written: {error.strerror}.", cure="Make room on the disk, and run again.")
    return ToolError(
        phrase("unexpected {kind}: {error}", kind=type(error).__name__, error=str(error)),
        cure=phrase("This is a bug in the tool: please report it with the output of --debug."),
    )
