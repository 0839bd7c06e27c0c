"""The common pace of all workers that pay for images: one item, on which each reserves the time of its next call.

A reservation is a write for each image, which costs a thousandth of the image. The item holds the first time that is still free.
"""

from __future__ import annotations

from handlers.adapters.table import codec, expressions
from handlers.adapters.table.client import ConditionFailedError, TableClient
from handlers.adapters.table.expressions import Condition
from handlers.runtime import Clock

PACE_KEY = {"pk": "PACE", "sk": "IMAGES"}


class Pace:
    """Gives out times of calls, of which no two are closer than the pace allows."""

    def __init__(self, table: TableClient, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def take_turn(self, seconds: float, *, ahead: float = 0.0) -> float:
        """Return a time (epoch seconds) at which the caller may make one call; none other is within `seconds` of it.

        If the answer of a write is lost, a time is left unused.

        Args:
            seconds: The time between two calls.
            ahead: How far ahead of now it is at least.
        """
        while True:
            soonest = self._clock.now() + ahead
            taken = self._queued(seconds, soonest)
            if taken is None:
                taken = self._first(seconds, soonest)
            if taken is not None:
                return taken

    def _queued(self, seconds: float, soonest: float) -> float | None:
        """Reserve the next free time, if others have reserved all up to it."""
        request = expressions.update(
            PACE_KEY, adds={"next_at": codec.stored(seconds)}, when=Condition(least=codec.present({"next_at": soonest}))
        )
        try:
            return float(self._table.update(request)["next_at"]) - seconds
        except ConditionFailedError:
            return None

    def _first(self, seconds: float, soonest: float) -> float | None:
        """Reserve the soonest time, if it is free."""
        request = expressions.update(
            PACE_KEY,
            sets=codec.present({"next_at": soonest + seconds}),
            when=Condition(below=codec.present({"next_at": soonest})),
        )
        try:
            self._table.update(request)
        except ConditionFailedError:
            return None
        return soonest
