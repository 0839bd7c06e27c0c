"""What the table knows about a scan's videos: its index names the clean ones; the records themselves say everything else."""

from __future__ import annotations

import gc
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain, islice
from typing import Protocol, TypeAlias, TypeVar

from handlers.adapters.table import Table
from handlers.adapters.table.items import INDEX_SHARDS
from handlers.domain import FINAL, Record, Scan, State
from tools.lib.review.ids import ID_BYTES

# States whose records a review shows; the others it only counts.
SHOWN = frozenset({State.FLAGGED, State.FAILED, State.CANCELLED})
# The order in which a video passes through states.
_ONWARDS = (State.WAITING, State.RUNNING, *sorted(FINAL))
# Threads, and rows that each reads at a time, with five BatchGetItems.
_AT_ONCE = 8
_CHUNK = 500

# What the table knows about a video: its record, or only its state where no more was read.
Known: TypeAlias = Record | State


class Identified(Protocol):
    """Anything that names an object by its id."""

    @property
    def key(self) -> bytes:
        """Return the video id as its 16 bytes."""
        ...


AnyRow = TypeVar("AnyRow", bound=Identified)


def collect_rarely() -> None:
    """Keep the garbage collector of a program that reads a million records off its modules, and have it look less often.

    What is read has no cycles; searching it and all modules every few pages takes half of the time of reading an index.
    """
    gc.freeze()
    gc.set_threshold(10_000)


@contextmanager
def recorded_of(table: Table, scan: Scan, *, whole: bool) -> Iterator[Recorded]:
    """Open the records of a scan while the block runs."""
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        yield Recorded(table, scan, pool, whole=whole)
    finally:
        pool.shutdown(cancel_futures=True)  # the block may end before everything is read


class Recorded:
    """The records of one scan, read by several threads, because a round trip to AWS takes longer than everything else.

    With `whole`, each record is read, those of clean videos too, and the index is not used.
    """

    def __init__(self, table: Table, scan: Scan, pool: ThreadPoolExecutor, *, whole: bool) -> None:
        self._records = table.records
        self._scans = table.scans
        self._scan_id = scan.id
        self._pool = pool
        self._whole = whole
        # In a scan that is over, nearly every video that is not clean is shown: reading states first would double the requests.
        self._states_first = scan.live and not whole
        self._before: Mapping[State, int] = {}

    def clean(self) -> Iterator[bytes]:
        """Return the ids of the videos that the index calls clean; reading begins at once.

        The index is not a snapshot, and it lags; `agrees` checks it.
        """
        if self._whole:
            return iter(())
        self._before = self.totals()
        return self._in_state(State.CLEAN)

    def named(self) -> Iterator[bytes]:
        """Return the ids of all records that the index names; one that moves on meanwhile may come twice, but is not missed."""
        return chain.from_iterable(map(self._in_state, _ONWARDS))

    def _in_state(self, state: State) -> Iterator[bytes]:
        parts = [self._records.in_state(self._scan_id, state, shards=[number]) for number in range(INDEX_SHARDS)]
        shards = self._pool.map(_joined, parts)
        return (ids[at : at + ID_BYTES] for ids in shards for at in range(0, len(ids), ID_BYTES))

    def agrees(self, counted: Counter[State]) -> bool:
        """Tell whether these counts equal the scan's totals, now and when `clean` was called.

        Where everything that the index does not call clean was read from the table, a record that only the index calls clean makes
        the count of clean records too high.
        """
        return all(totals.get(state, 0) == counted[state] for totals in (self._before, self.totals()) for state in FINAL)

    def ask(self, rows: Iterable[AnyRow]) -> Iterator[tuple[AnyRow, Known | None]]:
        """Yield each row with what the table itself knows about it, in the order of the rows; read ahead meanwhile."""
        source, ahead = iter(rows), deque[tuple[list[AnyRow], Future[dict[bytes, Known]]]]()
        while (chunk := list(islice(source, _CHUNK))) or ahead:
            if chunk:
                ahead.append((chunk, self._pool.submit(self._read, [row.key for row in chunk])))
            if len(ahead) == _AT_ONCE or not chunk:
                first, answer = ahead.popleft()
                known = answer.result()
                yield from ((row, known.get(row.key)) for row in first)

    def _read(self, keys: list[bytes]) -> dict[bytes, Known]:
        names, known = [key.hex() for key in keys], dict[bytes, Known]()
        if self._states_first:
            states = dict(self._records.states(names, self._scan_id))
            known.update((bytes.fromhex(name), state) for name, state in states.items())
            names = [name for name, state in states.items() if state in SHOWN]
        # Read a moment later: if the record has changed in between, this is newer.
        for record in self._records.records((name, self._scan_id) for name in names):
            known[record.video.digest] = record
        return known

    def totals(self) -> Mapping[State, int]:
        """Return how many videos are in each final state by the totals of the scan, which are exact."""
        return self._scans.totals(self._scan_id).videos


def _joined(video_ids: Iterator[str]) -> bytes:
    """Return ids one after the other, in a quarter of the memory of separate objects, which one join would collect first."""
    ids = bytearray()
    while some := "".join(islice(video_ids, _CHUNK)):
        ids += bytes.fromhex(some)
    return bytes(ids)
