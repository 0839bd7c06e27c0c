"""The error that all tools raise."""

from __future__ import annotations


class ToolError(Exception):
    """An error that the user can fix; the message, a sentence, names the thing and the rule.

    Attributes:
        cure: What to do, as a sentence or a command to copy.
    """

    def __init__(self, message: str, *, cure: str) -> None:
        super().__init__(message)
        self.cure = cure
