"""Records of videos, their segments, and the analyses that run: each transition is one conditional write or one transaction.

Each returns its `Outcome`, read from the old image that DynamoDB returns with a failed condition. Doing any of them
twice equals doing it once. Throttling that outlasts the client's retries raises `ThrottledError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from handlers.adapters.table import codec, expressions, items, scan_items
from handlers.adapters.table.client import ConditionFailedError, TableClient
from handlers.adapters.table.expressions import Condition, Item
from handlers.adapters.table.outcome import Outcome, once
from handlers.adapters.table.scan_items import REVISION, Running
from handlers.domain.identity import Analysis
from handlers.domain.record import ObjectFacts, Record, Scan, Segment, Settings, StartParameters
from handlers.domain.states import State
from handlers.runtime.clock import Clock

# What a final transition sets. All else stays as it is: another writer may have changed it since the record was read.
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

# What another policy's verdict sets, and what it adds where a mail is due.
_JUDGED = ("state", "policy_hash", "counted", "scan_pk", "scan_sk")
_MAIL = ("mail_due", "work_pk", "work_sk")


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides whether an analysis may start now, read at one time; each is None where the table has none."""

    settings: Settings | None
    scan: Scan | None
    record: Record | None


class Records:
    """Reads and transitions of records. Reads are consistent unless an index is asked; indexes only suggest."""

    def __init__(self, table: TableClient, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    # --- reading -------------------------------------------------------------------------------------------------------

    def record(self, video_id: str, scan_id: str) -> Record | None:
        """Return the record of a video in a scan, if there is one."""
        item = self._table.get(items.record_key(video_id, scan_id))
        return None if item is None else items.record_from(item)

    def records(self, keys: Iterable[tuple[str, str]]) -> Iterator[Record]:
        """Yield the records of (video id, scan id), in any order and each once; missing ones are skipped."""
        return map(items.record_from, self._table.get_many(items.record_key(*names) for names in keys))

    def states(self, video_ids: Iterable[str], scan_id: str) -> Iterator[tuple[str, State]]:
        """Yield (video id, state) of the records there are, in any order and each once: all that is needed of most videos."""
        keys = (items.record_key(video_id, scan_id) for video_id in video_ids)
        for sort_key in self._table.get_text(keys, "scan_sk"):  # says both, and is written with the state
            yield items.video_and_state(sort_key)

    def finished(self, video_ids: Iterable[str], scan_id: str) -> Iterator[tuple[str, str]]:
        """Yield (video id, etag) of those that a scan analysed to the end as they were at its start, in any order and each once."""
        keys = (items.record_key(video_id, scan_id) for video_id in video_ids)
        for item in self._table.get_attributes(keys, items.ANALYSED):
            if found := items.analysed(item):
                yield found

    def situation(self, analysis: Analysis) -> Situation:
        """Return settings, scan and record of an analysis."""
        keys = (
            scan_items.SETTINGS_KEY,
            scan_items.scan_key(analysis.scan_id),
            items.record_key(analysis.video_id, analysis.scan_id),
        )
        found = {(item["pk"], item["sk"]): item for item in self._table.get_many(keys)}
        settings, scan, record = (found.get((key["pk"], key["sk"])) for key in keys)
        return Situation(
            settings=None if settings is None else scan_items.settings_from(settings),
            scan=None if scan is None else scan_items.scan_from(scan),
            record=None if record is None else items.record_from(record),
        )

    def segments(self, video_id: str, scan_id: str, attempt: int) -> Iterator[Segment]:
        """Yield the segments of an attempt in order of time."""
        analysis = Analysis(scan_id, video_id, attempt)
        pk = items.record_key(video_id, scan_id)["pk"]
        return map(items.segment_from, self._table.query(pk, begins_with=items.segments_prefix(analysis)))

    def in_state(self, scan_id: str, state: State, *, shards: Iterable[int] = range(items.INDEX_SHARDS)) -> Iterator[str]:
        """Yield the ids of a scan's videos in a state, as the index `by_scan` has it: eventually consistent.

        Shards may be read at the same time.
        """
        prefix = items.scan_state_prefix(state)
        for number in shards:
            pk = items.scan_shard_pk(scan_id, number)
            for sort_key in self._table.sort_keys(pk, begins_with=prefix, index="by_scan"):
                yield sort_key.removeprefix(prefix)

    def mails_due(self, limit: int) -> list[tuple[str, str]]:
        """Return (video id, scan id) of records whose mail seems due, the oldest first: only a hint."""
        return [items.names_of_record(item) for item in self._table.query(items.MAIL_PK, index="work", limit=limit)]

    def running_count(self) -> int:
        """Return how many analyses run, of all scans."""
        return self._table.count(items.RUNNING_PK)

    def running(self) -> list[Running]:
        """Return the analyses that run, of all scans."""
        return list(map(scan_items.running_from, self._table.query(items.RUNNING_PK)))

    # --- into WAITING --------------------------------------------------------------------------------------------------

    def register(self, record: Record, previous: Record | None) -> Outcome:
        """Write a record that is WAITING, or FAILED at once (then counted in the totals too).

        `previous` is the FAILED or CANCELLED record that a retry replaces; its counts are taken back.
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

    # --- starting ------------------------------------------------------------------------------------------------------

    def note_start_tried(self, record: Record, facts: ObjectFacts, start: StartParameters, *, at: float) -> Outcome:
        """Write, before the first Start of an attempt, that it is being tried and how; pins the object as it is now.

        DONE_BEFORE: an earlier try is noted, whose parameters must be repeated.
        """
        changed = record.facts is not None and record.facts.etag != facts.etag
        sets = {
            **codec.present({"start_tried_at": at}),
            "start": codec.attributes(start),
            **items.facts_attributes(facts),
            **({"changed_during_scan": True} if changed else {}),
        }
        when = Condition(equal=items.as_waiting(record), absent=["start_tried_at"])
        return self._changed(self._record_update(record, sets=sets, when=when), lambda old: _still_waiting(old, record))

    def note_start_shared(self, record: Record) -> Outcome:
        """Write, before a Start is repeated, that the note of its first try may no longer be withdrawn by its writer alone."""
        when = Condition(equal=_noted(record))
        return self._changed(self._record_update(record, sets={"start_shared": True}, when=when), lambda _old: False)

    def forget_start_tried(self, record: Record) -> Outcome:
        """Withdraw the note of a try (the one of `record.start_tried_at`) that Rekognition certainly refused.

        BY_ANOTHER: another invocation wrote the note, or repeated the Start meanwhile, so that its outcome is unknown here.
        """
        when = Condition(equal=_noted(record), absent=["start_shared"])
        update = self._record_update(record, removes=["start_tried_at", "start"], when=when)
        return self._changed(update, lambda old: _still_waiting(old, record) and "start_tried_at" not in old)

    def note_refusal(self, record: Record) -> Record:
        """Count a Start that was refused for a reason of ours, and return the record with the count; BY_ANOTHER changes nothing."""
        request = expressions.update(
            self._table.name,
            items.record_key(record.video.id, record.scan_id),
            adds={"refusals": 1},
            sets_if_absent=codec.present({"refused_since": self._clock.now()}),
            when=Condition(equal=items.as_waiting(record)),
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
                **codec.present({"started_at": now, "rekognition_job_id": job_id}),
            },
            removes=["work_pk", "work_sk"],
            when=Condition(equal=items.as_waiting(record)),
        )
        put = expressions.put(self._table.name, scan_items.running_item(record, job_id, now, repeated=repeated))
        return self._transition([{"Update": update}, {"Put": put}], lambda old: _runs(old, record, job_id))

    def note_asked(self, running: Running, *, at: float) -> Outcome:
        """Write that an analysis is being polled. DONE_BEFORE: another sweep polled it since it was read, or it is over."""
        unasked = running.asked_at is None
        when = Condition(
            equal={} if unasked else codec.present({"asked_at": running.asked_at}),
            absent=["asked_at"] if unasked else [],
            present=["pk"],
        )
        key = items.running_key_of(Analysis(running.scan_id, running.video_id, running.attempt))
        request = expressions.update(self._table.name, key, sets=codec.present({"asked_at": at}), when=when)
        return once(lambda: self._table.update(request))

    # --- finishing -----------------------------------------------------------------------------------------------------

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

    def judge_again(self, record: Record, judged: Record) -> Outcome:
        """Write the verdict of another policy on a record that is CLEAN or FLAGGED and unchanged since it was read.

        `judged` carries the new state, `policy_hash`, `counted` and `mail_due`; everything else stays as
        it is. Where the state changes, the totals of both states change in the same transaction.
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

    # --- mails ---------------------------------------------------------------------------------------------------------

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
            # The scan to count in is gone; the mail was sent all the same.
            self._table.update(update)
        return Outcome.DONE

    def mail_spared(self, record: Record) -> Outcome:
        """Write that a record's mail is no longer due though it was not sent: its scan has reached its limit of mails."""
        return self._changed(self._no_mail_due(record), lambda old: old["attempt"] == record.attempt)

    def _no_mail_due(self, record: Record) -> dict[str, Any]:
        return self._record_update(
            record,
            removes=["mail_due", "work_pk", "work_sk"],
            when=Condition(equal={"attempt": record.attempt, "mail_due": True}),
        )

    # --- requests -----------------------------------------------------------------------------------------------------------

    def _record_update(
        self, record: Record, *, when: Condition, sets: dict[str, Any] | None = None, removes: Sequence[str] = ()
    ) -> dict[str, Any]:
        key = items.record_key(record.video.id, record.scan_id)
        return expressions.update(self._table.name, key, sets=sets, removes=removes, when=when)

    def _changed(self, update: dict[str, Any], before: Callable[[Item], bool]) -> Outcome:
        try:
            self._table.update(update)
        except ConditionFailedError as failure:
            return _outcome(failure.old, before)
        return Outcome.DONE

    def _transition(self, actions: Sequence[Mapping[str, dict[str, Any]]], before: Callable[[Item], bool]) -> Outcome:
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


def _noted(record: Record) -> dict[str, Any]:
    return {**items.as_waiting(record), **codec.present({"start_tried_at": record.start_tried_at})}


def _still_waiting(old: Item, record: Record) -> bool:
    return (old["state"], old["attempt"]) == (State.WAITING.value, record.attempt)


def _runs(old: Item, record: Record, job_id: str) -> bool:
    return (old["state"], old["attempt"], old.get("rekognition_job_id")) == (State.RUNNING.value, record.attempt, job_id)


def _outcome(old: Item | None, before: Callable[[Item], bool]) -> Outcome:
    return Outcome.DONE_BEFORE if old is not None and before(old) else Outcome.BY_ANOTHER
