"""Writing to many records at a limited rate."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

from handlers.adapters.table import MAX_RECORDS
from handlers.domain import Record
from handlers.runtime import Clock

# Leaves most of the 4,000 writes a second of a new on-demand table to the scan itself.
RECORDS_A_SECOND = 300.0


def paced(records: Iterable[Record], work: Callable[[Sequence[Record]], None], clock: Clock, until: float) -> None:
    """Do the work on records in chunks, at most `RECORDS_A_SECOND`, until a time (epoch seconds)."""
    rest = iter(records)
    while clock.now() <= until:
        began = clock.now()
        chunk = list(itertools.islice(rest, MAX_RECORDS))
        if not chunk:
            return
        work(chunk)
        clock.sleep(max(0.0, began + len(chunk) / RECORDS_A_SECOND - clock.now()))
