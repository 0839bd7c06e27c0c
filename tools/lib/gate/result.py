"""A bucket's policy with or without its gate, as a difference for a person and whole for a program."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from tools.lib.cli import ExitCode
from tools.lib.gate.policy_document import Document, lines_of


@dataclass(frozen=True, slots=True)
class MergedPolicy:
    """What the policy of a bucket would be.

    Attributes:
        before: What it is now; None if the bucket has none.
        after: What it would be.
        unreadable: Of how many objects it is known that those who are not exempt could no longer read them, although nothing was
            found in them.
    """

    bucket: str
    before: Document | None
    after: Document
    unreadable: int = 0

    @property
    def lines_after(self) -> list[str]:
        """Return the new policy as text; none if no statement is left."""
        return lines_of(self.after)

    @property
    def changed(self) -> bool:
        return lines_of(self.before) != self.lines_after

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.SOME_FAILED if self.unreadable else ExitCode.DONE

    def sentences(self) -> list[str]:
        names = f"policy of {self.bucket} now", f"policy of {self.bucket} with this"
        lines = unified_diff(lines_of(self.before), self.lines_after, *names, lineterm="")
        return list(lines) or [f"The policy of {self.bucket} is like this already."]

    def as_json(self) -> dict[str, Any]:
        return self.after
