"""What a look at a deployment found: a line for each thing looked at, ok, warning or stop, with its cure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tools.lib.cli.output import ExitCode
from tools.lib.errors import ToolError
from tools.lib.text import printable


class Level(StrEnum):
    """How bad it is: nothing to do; a scan may go wrong, or it is not known; no scan must be submitted."""

    OK = "ok"
    WARNING = "warning"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it stands, a sentence, and what to do about it (None where all is well)."""

    subject: str
    level: Level
    text: str
    cure: str | None = None

    def sentences(self) -> list[str]:
        line = f"{self.level.value:<8}{self.subject:<20}{printable(self.text)}"
        return [line, f"{'':<28}cure: {printable(self.cure)}"] if self.cure else [line]

    def as_json(self) -> dict[str, Any]:
        return {"subject": self.subject, "level": self.level.value, "text": self.text, "cure": self.cure}


@dataclass(frozen=True, slots=True)
class Findings:
    """All lines, in the order of looking."""

    found: tuple[Finding, ...]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.found)

    def of(self, level: Level) -> list[Finding]:
        return [finding for finding in self.found if finding.level is level]

    @property
    def exit_code(self) -> ExitCode:
        """Return what a check alone tells the shell: done (0), also with warnings; failed (1) where something stops a scan."""
        return ExitCode.FAILED if self.of(Level.STOP) else ExitCode.DONE

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(f"{each.text} {each.cure}" if each.cure else each.text for each in self.of(Level.WARNING))

    def require_none_stops(self) -> None:
        """Make sure that nothing speaks against a scan.

        Raises:
            ToolError: Something does: all of it, with every cure.
        """
        if stops := self.of(Level.STOP):
            raise ToolError(
                " ".join(each.text for each in stops),
                cure=" ".join(each.cure or "" for each in stops) or "Fix it, then run again.",
            )

    def sentences(self) -> list[str]:
        """Return the lines for a person, and how many there are of each level."""
        counts = ", ".join(f"{len(self.of(level))} {level.value}" for level in Level)
        return [*(line for finding in self.found for line in finding.sentences()), counts]

    def as_json(self) -> dict[str, Any]:
        return {
            "findings": [finding.as_json() for finding in self.found],
            **{level.value: len(self.of(level)) for level in Level},
        }


def ok(subject: str, text: str) -> Finding:
    """Return a line that needs nothing done."""
    return Finding(subject, Level.OK, text)


def warning(subject: str, text: str, cure: str) -> Finding:
    """Return a line that warns."""
    return Finding(subject, Level.WARNING, text, cure)


def stop(subject: str, text: str, cure: str) -> Finding:
    """Return a line that stops a scan."""
    return Finding(subject, Level.STOP, text, cure)


def unless(faults: Iterable[Finding], otherwise: Finding) -> list[Finding]:
    """Return the faults, or the other line where there is none."""
    return [*faults] or [otherwise]
