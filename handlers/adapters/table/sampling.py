"""Analyses by frames that are under way: which worker has the lease of one, how far it got, and what was found so far.

The lease in a SAMPLING item keeps a second worker off the same film, because every call is charged and none is idempotent. Each
write of a worker is conditional on its still having the lease.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from handlers.adapters.table import codec, expressions, items, scan_items, watches
from handlers.adapters.table.client import ConditionFailedError, TableClient
from handlers.adapters.table.expressions import Condition
from handlers.adapters.table.outcome import Outcome, once
from handlers.adapters.table.records import DayUsedUpError
from handlers.adapters.table.scan_items import Sampling
from handlers.domain import Hit, ObjectFacts, Record, State
from handlers.runtime import Clock

_MOMENT = 0.001


@dataclass(frozen=True, slots=True)
class Lease:
    """The exclusive right of a worker, `holder`, to go on with an analysis until a time (epoch seconds)."""

    holder: str
    until: float


class Samplings:
    """Reads and transitions of analyses by frames; all reads are consistent."""

    def __init__(self, table: TableClient, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    # --- reading -------------------------------------------------------------------------------------------------------

    def under_way(self) -> int:
        """Count the analyses by frames that are under way, over all scans."""
        return self._table.count(items.SAMPLING_PK)

    def all(self) -> list[Sampling]:
        """Return the SAMPLING items of all scans."""
        return [codec.read(Sampling, item) for item in self._table.query(items.SAMPLING_PK)]

    def hits(self, record: Record) -> Iterator[Hit]:
        """Yield the hits that were written for a record's current attempt, in order of time."""
        pk = items.record_key(record.video.id, record.scan_id)["pk"]
        for item in self._table.query(pk, begins_with=items.hits_prefix(record.analysis)):
            yield from items.hits_from(item)

    # --- the lease -----------------------------------------------------------------------------------------------------

    def begin(self, record: Record, facts: ObjectFacts, lease: Lease, *, at: float, limit_ms: int | None = None) -> Outcome:
        """Take a WAITING record to RUNNING, store the object's current `facts`, and give a worker the lease.

        It takes `record.reserved_ms`, if it has any, of the limit of the day as well. DONE_BEFORE: the attempt is RUNNING already;
        its lease may be taken over. BY_ANOTHER: the record no longer waits for it.

        Raises:
            DayUsedUpError: The limit is reached.
        """
        changed = record.facts is not None and record.facts.etag != facts.etag
        running = replace(record, state=State.RUNNING, mail_due=False)
        update = expressions.update(
            items.record_key(record.video.id, record.scan_id),
            sets={
                "state": State.RUNNING.value,
                **items.index_attributes(running),
                **codec.present({"started_at": at, "reserved_ms": record.reserved_ms}),
                **items.facts_attributes(facts),
                **({"changed_during_scan": True} if changed else {}),
            },
            removes=["work_pk", "work_sk"],
            when=Condition(equal=items.as_waiting(record)),
        )
        put = expressions.put(scan_items.sampling_item(record, at, lease.holder, lease.until))
        reserve = [] if record.reserved_ms is None else [watches.reserve(record, at, limit_ms)]
        try:
            self._table.transact([{"Update": update}, {"Put": put}, *reserve])
        except ConditionFailedError as failure:
            if failure.action:
                raise DayUsedUpError from failure
            old = failure.old
            runs = old is not None and (old["state"], old["attempt"]) == (State.RUNNING.value, record.attempt)
            return Outcome.DONE_BEFORE if runs else Outcome.BY_ANOTHER
        return Outcome.DONE

    def take_over(self, record: Record, lease: Lease) -> Sampling | None:
        """Take the lease of an analysis under way if it has expired, and return the SAMPLING item after that.

        None: another worker has the lease, or the analysis is over.
        """
        request = expressions.update(
            items.sampling_key(record.analysis),
            sets={"holder": lease.holder, **codec.present({"until": lease.until})},
            adds={"tries": 1},
            # A lease that ends now has expired.
            when=Condition(present=["pk"], below=codec.present({"until": self._clock.now() + _MOMENT})),
        )
        try:
            return codec.read(Sampling, self._table.update(request))
        except ConditionFailedError as failure:
            # The SDK may have repeated a write that had succeeded.
            taken = None if failure.old is None else codec.read(Sampling, failure.old)
            return taken if taken is not None and taken.holder == lease.holder else None

    def write_progress(self, record: Record, hits: Sequence[Hit], lease: Lease) -> bool:
        """Write how far an analysis got and the hits since the last write, and extend the lease; False if the lease is lost.

        Writing the same twice changes nothing.
        """
        kept = expressions.update(
            items.sampling_key(record.analysis),
            sets=codec.present({"until": lease.until}) | {"tries": 0},
            when=Condition(equal={"holder": lease.holder}),
        )
        return self._write_frames(record, hits, kept)

    def release_lease(self, record: Record, hits: Sequence[Hit], lease: Lease) -> bool:
        """Write the same as `write_progress`, and end the lease; `lease.until` is now."""
        given = expressions.update(
            items.sampling_key(record.analysis),
            sets=codec.present({"until": lease.until}) | {"tries": 0},
            removes=["holder"],
            when=Condition(equal={"holder": lease.holder}),
        )
        return self._write_frames(record, hits, given)

    def _write_frames(self, record: Record, hits: Sequence[Hit], lease: dict[str, Any]) -> bool:
        progress = expressions.update(
            items.record_key(record.video.id, record.scan_id),
            sets=codec.present(
                {
                    "images": record.images,
                    "position_ms": record.position_ms,
                    "decoded_ms": record.decoded_ms,
                    "model_version": record.model_version,
                    "reserved_ms": record.share_ms,
                }
            ),
            when=Condition(
                equal={
                    "state": State.RUNNING.value,
                    "attempt": record.attempt,
                    **codec.present({"reserved_ms": record.reserved_ms}),
                }
            ),
        )
        more = watches.reserve_more(record, self._clock.now())
        actions: list[Mapping[str, dict[str, Any]]] = [{"Update": lease}, {"Update": progress}, *more]
        if hits:
            found = items.hits_item(record.analysis, record.position_ms or 0, tuple(hits))
            actions.append({"Put": expressions.put(found)})
        try:
            self._table.transact(actions)
        except ConditionFailedError as failure:
            # What takes more of a day is not done twice: it may have been done before the SDK repeated it.
            return list(failure.failed) == [1] and _is_written(failure.failed[1], record)
        return True

    # --- the sweeper's -------------------------------------------------------------------------------------------------

    def note_message_sent(self, sampling: Sampling, *, at: float) -> Outcome:
        """Note that an analysis's message was sent again. DONE_BEFORE: a worker has taken the lease since, or it is over."""
        when = Condition(present=["pk"], equal=codec.present({"until": sampling.until}))
        request = expressions.update(items.sampling_key(sampling.analysis), sets=codec.present({"sent_at": at}), when=when)
        return once(lambda: self._table.update(request))

    def forget(self, sampling: Sampling) -> Outcome:
        """Delete a SAMPLING item that no record matches, unless a worker has taken its lease since it was read."""
        when = Condition(equal=codec.present({"until": sampling.until}))
        request = expressions.delete(items.sampling_key(sampling.analysis), when=when)
        return once(lambda: self._table.delete(request))


def _is_written(old: Mapping[str, Any] | None, record: Record) -> bool:
    """Tell whether a record has the progress that was to be written."""
    if old is None or (old["state"], old["attempt"]) != (State.RUNNING.value, record.attempt):
        return False
    return (old.get("images"), old.get("reserved_ms")) == (record.images, record.share_ms)
