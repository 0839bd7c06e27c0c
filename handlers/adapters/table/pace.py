"""The common pace of all workers that have images analysed: one item in which each of them reserves the time of its next call.

The item holds the earliest time that is still free. A reservation is one write per image, at a thousandth of the image's price.
"""

from __future__ import annotations

from handlers.adapters.table import codec, expressions
from handlers.adapters.table.client import ConditionFailedError, TableClient
from handlers.adapters.table.expressions import Condition
from handlers.runtime import Clock

PACE_KEY = {"pk": "PACE", "sk": "IMAGES"}


class Pace:
    """Hands out times for calls, no two of them closer together than the pace allows."""

    def __init__(self, table: TableClient, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def take_turn(self, seconds: float, *, ahead: float = 0.0) -> float:
        """Return a time (epoch seconds) at which the caller may make one call; no other time within `seconds` of it is handed out.

        If the response to a write is lost, a time remains unused.

        Args:
            seconds: The time between two calls.
            ahead: The least number of seconds from now to the time.
        """
        while True:
            soonest = self._clock.now() + ahead
            taken = self._queued(seconds, soonest)
            if taken is None:
                taken = self._first(seconds, soonest)
            if taken is not None:
                return taken

    def _queued(self, seconds: float, soonest: float) -> float | None:
        """Reserve the earliest free time; None if it lies before `soonest`."""
        request = expressions.update(
            PACE_KEY, adds={"next_at": codec.stored(seconds)}, when=Condition(least=codec.present({"next_at": soonest}))
        )
        try:
            return float(self._table.update(request)["next_at"]) - seconds
        except ConditionFailedError:
            return None

    def _first(self, seconds: float, soonest: float) -> float | None:
        """Reserve `soonest`; None if it is no longer free."""
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
