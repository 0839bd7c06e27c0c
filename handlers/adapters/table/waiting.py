"""Waiting records, many at a time: as the index `work` lists them, and written in transactions of fifty.

DynamoDB's batches have no conditions. A hundred conditional writes in one transaction take a tenth of the time of a hundred
requests and cost twice as much ($1.25 for a million records). The transaction is repeated without the records whose conditions
failed.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from handlers.adapters.table import codec, expressions, items, scan_items
from handlers.adapters.table.client import ConditionFailedError, TableClient
from handlers.adapters.table.expressions import Condition
from handlers.domain import Lane, Record, State

# Records of one transaction: with a totals item for each they fill its 100 actions (DynamoDB guide, Constraints).
MAX_RECORDS = 50

# Waiting records read at a time from a shard: a sweep must not read more than it has time for.
WAITING_PAGE = 100

Actions = list[Mapping[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """How many records were cancelled, and which were not, because their analysis may have started."""

    count: int
    may_have_started: tuple[Record, ...]


class WaitingRecords:
    """The waiting records of scans. Every read is of an index, which is eventually consistent: only a hint."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    def waiting_seems_empty(self, scan_id: str) -> bool:
        """Tell whether no record of a scan seems to wait."""
        partitions = (items.waiting_pk(scan_id, number) for number in range(items.INDEX_SHARDS))
        return not any(any(self._table.query(pk, index="work", limit=1)) for pk in partitions)

    def waiting_lanes(self, scan_id: str) -> set[Lane]:
        """Return the lanes in which records of a scan seem to wait, by the oldest record of each shard."""
        partitions = (items.waiting_pk(scan_id, number) for number in range(items.INDEX_SHARDS))
        return {Lane(item["lane"]) for pk in partitions for item in self._table.query(pk, index="work", limit=1)}

    def waiting_count(self, scan_id: str, most: int) -> int:
        """Return how many records of a scan seem to wait; counting stops soon after `most`."""
        found = 0
        for number in range(items.INDEX_SHARDS):
            found += self._table.count(items.waiting_pk(scan_id, number), index="work", most=most - found)
            if found > most:
                break
        return found

    def waiting(self, scan_id: str, *, before: float | None = None) -> Iterator[Record]:
        """Yield the records of a scan that seem to wait (since before a time), the oldest first, with the fields of the index."""
        below = "" if before is None else items.sort_time(before)
        shards = (
            self._table.query(items.waiting_pk(scan_id, number), index="work", below=below, page=WAITING_PAGE)
            for number in range(items.INDEX_SHARDS)
        )
        return map(items.waiting_from, heapq.merge(*shards, key=lambda item: item["work_sk"]))

    def requeue(self, records: Sequence[Record], *, at: float) -> int:
        """Note when the messages of at most `MAX_RECORDS` waiting records were sent; return how many records were changed.

        A record that was queued again since it was read, or no longer waits, is not changed.
        """
        done, _ = self._transact_what_holds(records, lambda left: [self._requeued(record, at) for record in left])
        return len(done)

    def cancel(self, records: Sequence[Record], *, at: float) -> Cancelled:
        """Take at most `MAX_RECORDS` waiting records to CANCELLED and count them, except those with a noted Start."""
        done, failed = self._transact_what_holds(records, lambda left: self._cancelled(left, at))
        may_have_started = tuple(
            items.record_from(old) for old in failed if old is not None and old["state"] == State.WAITING.value
        )
        return Cancelled(len(done), may_have_started)

    def _transact_what_holds(
        self, records: Sequence[Record], actions: Callable[[Sequence[Record]], Actions]
    ) -> tuple[Sequence[Record], list[dict[str, Any] | None]]:
        """Write the records whose conditions hold; return them, and the current items of the others.

        `actions` returns one action for each record, in order, and then any others.
        """
        left, failed = list(records), list[dict[str, Any] | None]()
        while left:
            try:
                self._table.transact(actions(left))
            except ConditionFailedError as failure:
                failed += failure.failed.values()
                left = [record for number, record in enumerate(left) if number not in failure.failed]
            else:
                break
        return left, failed

    def _requeued(self, record: Record, at: float) -> Mapping[str, dict[str, Any]]:
        now = items.index_attributes(replace(record, queued_at=at))
        seen = items.index_attributes(record)
        return self._update(
            record,
            sets={**codec.present({"queued_at": at}), "work_sk": now["work_sk"]},
            when=Condition(equal={**items.as_waiting(record), "work_sk": seen["work_sk"]}),
        )

    def _cancelled(self, records: Sequence[Record], at: float) -> Actions:
        cancelled = [replace(record, state=State.CANCELLED, finished_at=at) for record in records]
        totals = Counter(items.totals_key(record)["sk"] for record in cancelled)
        keys = {items.totals_key(record)["sk"]: items.totals_key(record) for record in cancelled}
        name = scan_items.videos_attribute(State.CANCELLED)
        return [
            *(
                self._update(
                    record,
                    sets={"state": record.state.value, **codec.present({"finished_at": at}), **items.index_attributes(record)},
                    removes=["work_pk", "work_sk"],
                    when=Condition(equal=items.as_waiting(record), absent=["start_tried_at"]),
                )
                for record in cancelled
            ),
            *({"Update": expressions.update(keys[sk], adds={name: count})} for sk, count in totals.items()),
        ]

    def _update(
        self, record: Record, *, sets: dict[str, Any], when: Condition, removes: Sequence[str] = ()
    ) -> Mapping[str, dict[str, Any]]:
        key = items.record_key(record.video.id, record.scan_id)
        return {"Update": expressions.update(key, sets=sets, removes=removes, when=when)}
