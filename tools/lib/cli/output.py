"""The output of the tools: results go to stdout, as text or JSON; everything else goes to stderr."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tools.lib.errors import ToolError
from tools.lib.text import printable


class ExitCode(IntEnum):
    """The exit codes of all tools, as each tool's `--help` lists them."""

    DONE = 0
    FAILED = 1
    BAD_USAGE = 2
    SOME_FAILED = 3
    INTERRUPTED = 130


# The end of every help text.
EXIT_CODES = """\b
Exit codes:
  0    done
  1    failed: the message says why, and what to do about it
  2    bad usage
  3    finished, but not every object was analysed (failed, ineligible, skipped, cancelled or not
       final), or something was refused or left
  130  interrupted with Ctrl-C"""


class Result(Protocol):
    """A result with its two renderings: lines for a person, and JSON values for a program."""

    def sentences(self) -> list[str]: ...

    def as_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A result that has no class of its own: its lines and its JSON values."""

    lines: Sequence[str]
    values: dict[str, Any]

    def sentences(self) -> list[str]:
        return [*self.lines]

    def as_json(self) -> dict[str, Any]:
        return self.values


class Bar(Protocol):
    """Shows a text, and how much of a total is done; None means that the total is unknown."""

    def show(self, text: str, done: int, total: int | None) -> None: ...


class Terminal:
    """Where a program writes, be it a terminal or a pipe.

    Args:
        as_json: Whether results are written as JSON instead of text.
        out: Where results go.
        err: Where everything else goes.
        interactive: Whether a person can be prompted; None finds out.
    """

    def __init__(self, *, as_json: bool, out: TextIO, err: TextIO, interactive: bool | None = None) -> None:
        for stream in (out, err):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a key may hold characters that the encoding does not have
        self._as_json = as_json
        self._out = out
        self._console = Console(file=err, markup=False, highlight=False, emoji=False)
        self.interactive = sys.stdin.isatty() and err.isatty() if interactive is None else interactive

    def result(self, result: Result) -> None:
        text = json.dumps(result.as_json(), indent=2) if self._as_json else "\n".join(result.sentences())
        self._out.write(f"{text}\n")
        self._out.flush()

    def info(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)

    def error(self, error: ToolError) -> None:
        self._console.print(f"Error: {printable(str(error))}", style="red", soft_wrap=True)
        self._console.print(f"Cure:  {printable(error.cure)}", soft_wrap=True)

    @contextmanager
    def bar(self, unit: str) -> Iterator[Bar]:
        """Show progress while the block runs: as a bar on a terminal, otherwise as a line whenever the text changes."""
        if not self._console.is_terminal:
            yield _Lines(self.info)
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
        )
        with Progress(*columns, TimeElapsedColumn(), console=self._console, transient=True) as progress:
            yield _RichBar(progress)


class _Lines:
    """Progress in a log, without repeated lines."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._last: str | None = None

    def show(self, text: str, done: int, total: int | None) -> None:  # noqa: ARG002 - the protocol's signature; the text has the numbers
        if text != self._last:
            self._write(text)
        self._last = text


class _RichBar:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def show(self, text: str, done: int, total: int | None) -> None:
        self._progress.update(self._task, description=text, completed=done, total=total)
