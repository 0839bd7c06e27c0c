"""The table: every transition of a record as one conditional write or one transaction.

Each says what it came to (`Outcome`), read from the old image that DynamoDB returns with a failed condition. Doing any of them
twice equals doing it once. Throttling that outlasts the adapter's patience raises `ThrottledError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from handlers.adapters.aws_errors import ThrottledError
from handlers.adapters.table import expressions, items, scan_items
from handlers.adapters.table.bulk import BulkWriter
from handlers.adapters.table.client import ConditionFailedError
from handlers.adapters.table.decisions import DecisionTable
from handlers.adapters.table.expressions import Condition
from handlers.adapters.table.outcome import Outcome
from handlers.adapters.table.reading import Situation
from handlers.adapters.table.scan_items import REVISION, Running
from handlers.domain.record import ObjectFacts, Record, Segment, StartParameters
from handlers.domain.states import State

__all__ = ["Outcome", "Running", "ScanTable", "Situation", "ThrottledError"]

Old = Mapping[str, Any]

_FINISHED = (
    "state",
    "rekognition_job_id",
    "finished_at",
    "error_code",
    "error_message",
    "model_version",
    "policy_hash",
    "duration_ms",
    "labels",
    "gap_ms",
    "counted",
    "mail_due",
    "hits_key",
    "hits_count",
)
"""What a final transition sets; all else stays as it stands, though another hand may have changed it since the record was read."""

_JUDGED = ("state", "policy_hash", "counted", "scan_pk", "scan_sk")
"""What another policy's verdict sets; and what stands where a mail is due."""
_MAIL = ("mail_due", "work_pk", "work_sk")


class ScanTable(BulkWriter, DecisionTable):
    """All reads and writes of the design's table."""

    # --- into WAITING ------------------------------------------------------------------------------------------------

    def register(self, record: Record, previous: Record | None) -> Outcome:
        """Write a record that is WAITING, or FAILED at once (then counted in the totals too).

        `previous` is the FAILED or CANCELLED record that a retry takes up again; what it counted goes back.
        """
        put = expressions.put(self._table.name, items.record_item(record), when=_replacing(previous))
        count = self._count(previous, record)
        try:
            if count:
                self._table.transact([{"Put": put}, *count])
            else:  # the common case, a new record that waits: a transaction would cost twice as much
                self._table.put(put)
        except ConditionFailedError as failure:
            return _outcome(failure.old, lambda old: old["attempt"] == record.attempt)
        return Outcome.DONE

    # --- starting ----------------------------------------------------------------------------------------------------

    def note_start_tried(self, record: Record, facts: ObjectFacts, start: StartParameters, *, at: float) -> Outcome:
        """Write, before the first Start of an attempt, that it is being tried and with what; pins the object as looked at.

        DONE_BEFORE: an earlier try stands, whose parameters must be repeated.
        """
        changed = record.facts is not None and record.facts.etag != facts.etag
        sets = {
            **items.present({"start_tried_at": at}),
            "start": items.start_attribute(start),
            **items.facts_attributes(facts),
            **({"changed_during_scan": True} if changed else {}),
        }
        when = Condition(equal=_waiting(record), absent=["start_tried_at"])
        return self._change_record(record, sets=sets, when=when, before=lambda old: _still_waiting(old, record))

    def note_start_shared(self, record: Record) -> Outcome:
        """Write, before a Start is repeated, that the note of its first try is no longer its writer's alone to take back."""
        when = Condition(equal=_noted(record))
        return self._change_record(record, sets={"start_shared": True}, when=when, before=lambda _old: False)

    def forget_start_tried(self, record: Record) -> Outcome:
        """Take back the note of a try (the one of `record.start_tried_at`) after which Rekognition refused for certain.

        BY_ANOTHER: the note is another's, or another repeated the Start meanwhile, so that its outcome is not for us to know.
        """
        when = Condition(equal=_noted(record), absent=["start_shared"])
        return self._change_record(
            record,
            removes=["start_tried_at", "start"],
            when=when,
            before=lambda old: _still_waiting(old, record) and "start_tried_at" not in old,
        )

    def note_refusal(self, record: Record) -> Record:
        """Count a Start that was refused for a reason of ours, and return the record with the count; BY_ANOTHER changes nothing."""
        request = expressions.update(
            self._table.name,
            items.record_key(record.video.id, record.scan_id),
            adds={"refusals": 1},
            sets_if_absent=items.present({"refused_since": self._clock.now()}),
            when=Condition(equal=_waiting(record)),
        )
        try:
            return items.record_from(self._table.update(request))
        except ConditionFailedError:
            return record

    def enter_running(self, record: Record, job_id: str, *, repeated: bool = False) -> Outcome:
        """Take a WAITING record to RUNNING; `repeated` where an earlier Start may have opened the job, so that it may be over."""
        now = self._clock.now()
        running = replace(record, state=State.RUNNING, mail_due=False)
        update = self._record_update(
            record,
            sets={
                "state": State.RUNNING.value,
                **items.index_attributes(running),
                **items.present({"started_at": now, "rekognition_job_id": job_id}),
            },
            removes=["work_pk", "work_sk"],
            when=Condition(equal=_waiting(record)),
        )
        put = expressions.put(self._table.name, scan_items.running_item(record, job_id, now, repeated=repeated))
        return self._transition([{"Update": update}, {"Put": put}], lambda old: _runs(old, record, job_id))

    # --- finishing ---------------------------------------------------------------------------------------------------

    def write_segments(self, record: Record, segments: Sequence[Segment]) -> None:
        """Write the segments of an attempt; before its final transition, so that a final record is never without them."""
        self._table.put_all(items.segment_items(record, segments))

    def finish(self, record: Record) -> Outcome:
        """Take a record into the final state that it carries, from WAITING or RUNNING of the same attempt; counts it once."""
        known = items.record_attributes(record)
        index = items.index_attributes(record)
        update = self._record_update(
            record,
            sets={**{name: known[name] for name in _FINISHED if name in known}, **index},
            removes=[name for name in ("work_pk", "work_sk") if name not in index],
            when=Condition(equal={"attempt": record.attempt}, one_of={"state": [State.WAITING.value, State.RUNNING.value]}),
        )
        gone = expressions.delete(self._table.name, items.running_key(record))
        return self._transition(
            [{"Update": update}, {"Delete": gone}, *self._count(None, record)],
            lambda old: (old["state"], old["attempt"]) == (record.state.value, record.attempt),
        )

    def mail_sent(self, record: Record) -> Outcome:
        """Write that a record's mail is sent, and count it in its scan."""
        update = self._no_mail_due(record)
        count = expressions.update(
            self._table.name,
            scan_items.scan_key(record.scan_id),
            adds={"mails_sent": 1, REVISION: 1},
            when=expressions.EXISTING,
        )
        try:
            self._table.transact([{"Update": update}, {"Update": count}])
        except ConditionFailedError as failure:
            if failure.action == 0:
                return _outcome(failure.old, lambda old: old["attempt"] == record.attempt)
            # There is no scan to count in; the mail was sent all the same.
            self._table.update(update)
        return Outcome.DONE

    def judge_again(self, record: Record, judged: Record) -> Outcome:
        """Write the verdict of another policy on a record that is CLEAN or FLAGGED and still as it was read.

        `judged` carries the new state, `policy_hash`, `counted` and `mail_due`; all else, a person's decision above all, stays as
        it stands. Where the state changes, the totals of both states change in the same transaction.
        """
        known = items.record_attributes(judged) | items.index_attributes(judged)
        # The sweeper may have sent the mail since the record was read: one that was due already is not made due again.
        set_anew = _JUDGED if record.mail_due else (*_JUDGED, *_MAIL)
        update = self._record_update(
            record,
            sets={name: known[name] for name in set_anew if name in known},
            removes=[name for name in ("counted", *_MAIL) if name not in known],
            when=_as_judged(record),
        )
        return self._transition(
            [{"Update": update}, *self._count(record, judged)],
            lambda old: (
                (old["state"], old["attempt"], old.get("policy_hash")) == (judged.state.value, judged.attempt, judged.policy_hash)
            ),
        )

    def mail_spared(self, record: Record) -> Outcome:
        """Write that a record's mail is not due any more, without having been sent: its scan has sent as many as it may."""
        try:
            self._table.update(self._no_mail_due(record))
        except ConditionFailedError as failure:
            return _outcome(failure.old, lambda old: old["attempt"] == record.attempt)
        return Outcome.DONE

    def _no_mail_due(self, record: Record) -> dict[str, Any]:
        return self._record_update(
            record,
            removes=["mail_due", "work_pk", "work_sk"],
            when=Condition(equal={"attempt": record.attempt, "mail_due": True}),
        )

    # --- how -----------------------------------------------------------------------------------------------------------

    def _record_update(
        self, record: Record, *, when: Condition, sets: dict[str, Any] | None = None, removes: Sequence[str] = ()
    ) -> dict[str, Any]:
        key = items.record_key(record.video.id, record.scan_id)
        return expressions.update(self._table.name, key, sets=sets, removes=removes, when=when)

    def _change_record(
        self,
        record: Record,
        *,
        when: Condition,
        before: Callable[[Old], bool],
        sets: dict[str, Any] | None = None,
        removes: Sequence[str] = (),
    ) -> Outcome:
        try:
            self._table.update(self._record_update(record, sets=sets, removes=removes, when=when))
        except ConditionFailedError as failure:
            return _outcome(failure.old, before)
        return Outcome.DONE

    def _transition(self, actions: Sequence[Mapping[str, dict[str, Any]]], before: Callable[[Old], bool]) -> Outcome:
        """Do a transition, whose first action is the record's and the only one with a condition."""
        try:
            self._table.transact(actions)
        except ConditionFailedError as failure:
            return _outcome(failure.old, before)
        return Outcome.DONE

    def _count(self, left: Record | None, entered: Record) -> list[dict[str, dict[str, Any]]]:
        change = scan_items.totals_change(left, entered)
        if not change:
            return []
        return [{"Update": expressions.update(self._table.name, items.totals_key(entered), adds=change)}]


def _replacing(previous: Record | None) -> Condition:
    if previous is None:
        return expressions.NEW
    return Condition(equal={"attempt": previous.attempt, "state": previous.state.value})


def _as_judged(record: Record) -> Condition:
    """Return that a record has the verdict with which it was read, by the same policy."""
    equal = {"attempt": record.attempt, "state": record.state.value}
    if record.policy_hash is None:
        return Condition(equal=equal, absent=["policy_hash"])
    return Condition(equal=equal | {"policy_hash": record.policy_hash})


def _waiting(record: Record) -> dict[str, Any]:
    return {"state": State.WAITING.value, "attempt": record.attempt}


def _noted(record: Record) -> dict[str, Any]:
    return {**_waiting(record), **items.present({"start_tried_at": record.start_tried_at})}


def _still_waiting(old: Old, record: Record) -> bool:
    return (old["state"], old["attempt"]) == (State.WAITING.value, record.attempt)


def _runs(old: Old, record: Record, job_id: str) -> bool:
    return (old["state"], old["attempt"], old.get("rekognition_job_id")) == (State.RUNNING.value, record.attempt, job_id)


def _outcome(old: Old | None, before: Callable[[Old], bool]) -> Outcome:
    return Outcome.DONE_BEFORE if old is not None and before(old) else Outcome.BY_ANOTHER
