"""What the doctor finds: one line for each subject or problem, with a level and a cure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tools.lib.cli import ExitCode
from tools.lib.errors import ToolError
from tools.lib.text import counted, printable


class Level(StrEnum):
    """How bad a finding is: all is well; a scan may go wrong, or it is not known; no scan may be submitted."""

    OK = "ok"
    WARNING = "warning"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the result.

    Attributes:
        text: A sentence.
        cure: What to do about it; None where all is well.
        subject: What was checked; `examine` fills it in.
    """

    level: Level
    text: str
    cure: str | None = None
    subject: str = ""

    def sentences(self) -> list[str]:
        line = f"{self.level.value:<8}{self.subject:<20}{printable(self.text)}"
        return [line, f"{'':<28}cure: {printable(self.cure)}"] if self.cure else [line]

    def as_json(self) -> dict[str, Any]:
        return {"subject": self.subject, "level": self.level.value, "text": self.text, "cure": self.cure}


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings, in the order of the checks."""

    found: tuple[Finding, ...]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.found)

    def of(self, level: Level) -> list[Finding]:
        return [finding for finding in self.found if finding.level is level]

    @property
    def exit_code(self) -> ExitCode:
        """Return the exit code of a check alone: done (0), even with warnings; failed (1) where something stops a scan."""
        return ExitCode.FAILED if self.of(Level.STOP) else ExitCode.DONE

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(f"{each.text} {each.cure}" for each in self.of(Level.WARNING))

    def require_none_stops(self) -> None:
        """Make sure that nothing stops a scan.

        Raises:
            ToolError: Something does; the error names all of it, with every cure.
        """
        if stops := self.of(Level.STOP):
            raise ToolError(" ".join(each.text for each in stops), cure=" ".join(each.cure or "" for each in stops))

    def sentences(self) -> list[str]:
        """Return the findings for a person, and how many there are of each level."""
        fine, warnings, stops = (len(self.of(level)) for level in (Level.OK, Level.WARNING, Level.STOP))
        counts = f"{fine} ok, {counted(warnings, 'warning')}, {counted(stops, 'stop')}"
        return [*(line for finding in self.found for line in finding.sentences()), counts]

    def as_json(self) -> dict[str, Any]:
        return {
            "findings": [finding.as_json() for finding in self.found],
            **{level.value: len(self.of(level)) for level in Level},
        }


def ok(text: str) -> Finding:
    """Return that all is well, which counts only where its check finds no problem."""
    return Finding(Level.OK, text)


def warning(text: str, cure: str) -> Finding:
    """Return a problem that does not keep anyone from scanning."""
    return Finding(Level.WARNING, text, cure)


def stop(text: str, cure: str) -> Finding:
    """Return a problem with which no scan may be submitted."""
    return Finding(Level.STOP, text, cure)
