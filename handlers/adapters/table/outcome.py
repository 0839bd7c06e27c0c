"""The outcome of a conditional write."""

from __future__ import annotations

from enum import Enum


class Outcome(Enum):
    """Read from the item that DynamoDB returns, never guessed.

    DONE: this call did it. DONE_BEFORE: it had been done already, by this caller or another. BY_ANOTHER: something else was done,
    so that this no longer applies.
    """

    DONE = "done"
    DONE_BEFORE = "done before"
    BY_ANOTHER = "by another"
