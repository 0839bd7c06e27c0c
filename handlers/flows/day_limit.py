"""The minutes that an analysis takes from the day of a watched bucket before anything is paid for it.

See docs/architecture.md#limit-of-a-day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from handlers.adapters import Look
from handlers.adapters.table import Watches
from handlers.domain import ObjectFacts, Record, watch
from handlers.domain.engine import IMAGE_MS
from handlers.domain.objects import ObjectKind
from handlers.domain.watch import Watch


@dataclass(frozen=True, slots=True)
class DayLimit:
    """The limits of watched buckets, of which some may be lifted for today."""

    _watches: Watches
    _watched: Mapping[str, Watch]

    def reserving(self, record: Record, look: Look, facts: ObjectFacts, at: float) -> tuple[Record, int | None]:
        """Return the record with the time that it takes from its day, and the limit that the day must not have reached.

        Both are None where no limit applies; if a person has lifted the limit of the day, the record takes its share all the same.
        """
        found = self._watched.get(record.video.bucket) if record.uploaded_at is not None else None
        if found is None or found.limit_ms is None:
            return record, None
        stated_ms = IMAGE_MS if look.kind is ObjectKind.IMAGE else record.expected_ms
        record = replace(record, reserved_ms=stated_ms or watch.assumed_ms(facts.size))
        is_released = self._watches.state(record.video.bucket).released_day == watch.day_of(at)
        return record, None if is_released else found.limit_ms
