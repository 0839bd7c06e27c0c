"""The outcome of a conditional write."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from handlers.adapters.table.client import ConditionFailedError


class Outcome(Enum):
    """Derived from the item that DynamoDB returns with a failed condition.

    DONE: this call did it. DONE_BEFORE: it was done already, by this caller or another. BY_ANOTHER: another change came first, and
    the write no longer applies.
    """

    DONE = "done"
    DONE_BEFORE = "done before"
    BY_ANOTHER = "by another"


def once(write: Callable[[], object]) -> Outcome:
    """Write what only one kind of writer does: if its condition does not hold, it was DONE_BEFORE."""
    try:
        write()
    except ConditionFailedError:
        return Outcome.DONE_BEFORE
    return Outcome.DONE
