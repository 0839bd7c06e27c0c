"""The output of the tools: results go to stdout, as text or JSON; everything else goes to stderr."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol, TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

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
  2    bad usage, or a file that is not there
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
        out: Where results go; None, as `sys.stdout` is, if it is closed.
        err: Where everything else goes; if it is closed, nowhere.
        interactive: Whether a person can be prompted; None finds out.
    """

    def __init__(self, *, as_json: bool, out: TextIO | None, err: TextIO | None, interactive: bool | None = None) -> None:
        err = err or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open as long as the program runs
        for stream in (out, err):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a key may hold characters that the encoding does not have
        self.as_json = as_json
        self._out = out
        self._console = Console(file=err, markup=False, highlight=False, emoji=False)
        can_answer = sys.stdin is not None and sys.stdin.isatty() and err.isatty()
        self.interactive = can_answer if interactive is None else interactive

    def require_output(self) -> None:
        """Make sure that results can be written, before anything is done.

        Raises:
            ToolError: stdout is closed.
        """
        if self._out is None:
            raise ToolError("stdout is closed, so no result can be written.", cure=f"Redirect it to a file, or to {os.devnull}.")

    def result(self, result: Result) -> None:
        self.write(json.dumps(result.as_json(), indent=2) if self.as_json else "\n".join(result.sentences()))

    def write(self, text: str) -> None:
        """Write lines to stdout.

        Raises:
            ToolError: stdout does not take them; a reader that has left raises BrokenPipeError instead.
        """
        with self.data() as out:
            out.write(f"{text}\n")

    @contextmanager
    def data(self) -> Iterator[TextIO]:
        """Yield stdout for the block to write to.

        Raises:
            ToolError: stdout does not take it; a reader that has left raises BrokenPipeError instead.
        """
        self.require_output()
        out: TextIO = self._out  # type: ignore[assignment]  # `require_output` has seen to it
        try:
            yield out
            out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            _discard(out)
            raise ToolError(
                f"The result could not be written to stdout: {error.strerror}. Everything else was done.",
                cure="Make room, or redirect stdout elsewhere; review_report.py and control_scan.py show what was done.",
            ) from error

    def info(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)

    def error(self, error: ToolError) -> None:
        self._console.print(f"Error: {printable(str(error))}", style="red", soft_wrap=True)
        self._console.print(f"Cure:  {printable(error.cure)}", soft_wrap=True)

    def show_cursor(self) -> None:
        """Show the cursor again, which a bar hides, whatever ended it: this program, or one that it started."""
        self._console.show_cursor()

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Write what a step was and how long it took; on a terminal, show it while it runs."""
        began = time.monotonic()
        try:
            if self._console.is_terminal:
                with self.bar("") as bar:
                    bar.show(text, 0, None)
                    yield
            else:
                yield
        finally:
            self.info(f"  {text}: {time.monotonic() - began:.1f} s")

    @contextmanager
    def bar(self, unit: str) -> Iterator[Bar]:
        """Show progress while the block runs: as a bar on a terminal, otherwise as a line whenever the text changes."""
        if not self._console.is_terminal:
            yield _Lines(self.info)
            return
        columns = (
            SpinnerColumn(),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
        )
        with _TextAboveBar(*columns, TimeElapsedColumn(), console=self._console, transient=True) as progress:
            yield _RichBar(progress)


def _discard(out: TextIO) -> None:
    """Redirect a stream that can no longer be written to the null device, or Python would fail again when it exits."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


class _TextAboveBar(Progress):
    """A bar with its text on separate lines, which wrap: on the bar's own line a narrow terminal would truncate it."""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from (Text(task.description, overflow="fold") for task in self.tasks if task.description)
        yield self.make_tasks_table(self.tasks)


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
