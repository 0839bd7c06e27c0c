"""What goes wrong in front of a person: always the thing and the rule, and the cure."""

from __future__ import annotations


class ToolError(Exception):
    """Something that a person can fix: says what is wrong in a sentence, and what to do about it.

    Attributes:
        cure: What to do, as a sentence or as a command to copy.
    """

    def __init__(self, message: str, *, cure: str) -> None:
        super().__init__(message)
        self.cure = cure
