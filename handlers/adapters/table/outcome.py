"""The outcome of a conditional write."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from handlers.adapters.table.client import ConditionFailedError


class Outcome(Enum):
    """Read from the item that DynamoDB returns, never guessed.

    DONE: this call did it. DONE_BEFORE: it had been done already, by this caller or another. BY_ANOTHER: something else was done,
    so that this no longer applies.
    """

    DONE = "done"
    DONE_BEFORE = "done before"
    BY_ANOTHER = "by another"


def once(write: Callable[[], object]) -> Outcome:
    """Write what only one writer does: where its condition does not hold, it was DONE_BEFORE."""
    try:
        write()
    except ConditionFailedError:
        return Outcome.DONE_BEFORE
    return Outcome.DONE
