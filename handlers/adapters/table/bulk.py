"""Writes to many waiting records at a time: as transactions, because DynamoDB's batches know no conditions.

A hundred conditional writes in one request take a tenth of the time of a hundred requests and twice their price (a dollar and a
quarter for a million records). What the condition of one record keeps back does not keep the others back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from handlers.adapters.table import expressions, items, scan_items
from handlers.adapters.table.client import ConditionFailedError
from handlers.adapters.table.control_writing import ControlWriter
from handlers.adapters.table.expressions import Condition
from handlers.domain.record import Record
from handlers.domain.states import State

MAX_RECORDS = 50
"""Records of one write: with a totals item for each they fill a transaction of 100 actions (DynamoDB guide, Constraints)."""

Actions = list[Mapping[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What cancelling came to: how many records it cancelled, and which may have been started, so that it left them alone."""

    count: int
    owed: tuple[Record, ...]


class BulkWriter(ControlWriter):
    """What is written to many records at a time."""

    def requeue(self, records: Sequence[Record], *, at: float) -> int:
        """Write of waiting records, at most `MAX_RECORDS`, that their messages were sent at a time; return of how many.

        A record that was queued again since the index showed it, or waits no more, stays as it is.
        """
        done, _ = self._transact_what_holds(records, lambda left: [self._requeued(record, at) for record in left])
        return len(done)

    def cancel(self, records: Sequence[Record], *, at: float) -> Cancelled:
        """Take waiting records, at most `MAX_RECORDS`, to CANCELLED and count them; never one that a Start was tried for."""
        done, failed = self._transact_what_holds(records, lambda left: self._cancelled(left, at))
        owed = tuple(items.record_from(old) for old in failed if old is not None and old["state"] == State.WAITING.value)
        return Cancelled(len(done), owed)

    def _transact_what_holds(
        self, records: Sequence[Record], actions: Callable[[Sequence[Record]], Actions]
    ) -> tuple[Sequence[Record], list[dict[str, Any] | None]]:
        """Write the records whose conditions hold; return them, and what stands there for the others.

        `actions` returns one action for each record, in their order, and any after them.
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
            sets={**items.present({"queued_at": at}), "work_sk": now["work_sk"]},
            when=Condition(equal={**_waiting(record), "work_sk": seen["work_sk"]}),
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
                    sets={"state": record.state.value, **items.present({"finished_at": at}), **items.index_attributes(record)},
                    removes=["work_pk", "work_sk"],
                    when=Condition(equal=_waiting(record), absent=["start_tried_at"]),
                )
                for record in cancelled
            ),
            *({"Update": expressions.update(self._table.name, keys[sk], adds={name: count})} for sk, count in totals.items()),
        ]

    def _update(
        self, record: Record, *, sets: dict[str, Any], when: Condition, removes: Sequence[str] = ()
    ) -> Mapping[str, dict[str, Any]]:
        key = items.record_key(record.video.id, record.scan_id)
        return {"Update": expressions.update(self._table.name, key, sets=sets, removes=removes, when=when)}


def _waiting(record: Record) -> dict[str, Any]:
    return {"state": State.WAITING.value, "attempt": record.attempt}
