"""The rows of the scan of a day's uploads: it has no manifest and no reports, so its rows are its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from handlers.domain import FINAL, Record, State
from handlers.runtime.clock import Clock
from tools.lib.review.join import ObjectResult, TruthTable, result_of
from tools.lib.review.recorded import Recorded

# Seconds to wait before the index is read again, as it names too few records: it mostly lags less than a second.
_LAG_SECONDS = (1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class _Named:
    """A record that the index names."""

    key: bytes


def uploads(recorded: Recorded, truth: TruthTable, clock: Clock) -> Iterator[ObjectResult]:
    """Yield the result of each record that the index names, as the table has it, and count it in `truth`.

    The totals of the scan show whether records are missing because the index lags: then it is read again, for a few seconds.
    """
    seen, counted = set[bytes](), Counter[State]()
    before = recorded.totals()
    for pause in (*_LAG_SECONDS, None):
        for _, known in recorded.ask(_unseen(recorded.named(), seen)):
            if isinstance(known, Record):
                counted[known.state] += 1
                outcome = result_of(known.video, None, known)
                truth.count(outcome)
                yield outcome
        after = recorded.totals()
        agree = all(_is_between(counted[state], before.get(state, 0), after.get(state, 0)) for state in FINAL)
        if agree or pause is None:
            break
        clock.sleep(pause)
    ended = sum(counted[state] for state in FINAL)
    truth.expected = truth.total if agree else truth.total - ended + sum(after.values())


def _is_between(count: int, before: int, after: int) -> bool:
    """Tell whether a count is that of totals before or after it was made, or in between: videos end meanwhile."""
    return min(before, after) <= count <= max(before, after)


def _unseen(keys: Iterable[bytes], seen: set[bytes]) -> Iterator[_Named]:
    for key in keys:
        if key not in seen:
            seen.add(key)
            yield _Named(key)
