"""Records of videos, their segments, and the analyses that run: each transition is one conditional write or one transaction.

Each returns its `Outcome`, read from the item that DynamoDB returns with a failed condition, and may be repeated without harm.
`ThrottledError` is raised once the client's retries are used up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from handlers.adapters.table import codec, expressions, items, outbox_items, scan_items, watches
from handlers.adapters.table.client import ConditionFailedError, TableClient
from handlers.adapters.table.expressions import Condition, Item
from handlers.adapters.table.outcome import Outcome, once
from handlers.adapters.table.scan_items import REVISION, Running, Starting
from handlers.domain import Analysis, Engine, ObjectFacts, Record, Scan, Segment, Settings, StartParameters, State, consequence
from handlers.runtime import Clock

# The attributes that a final transition sets. Another writer may have changed the others since the record was read.
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
    "images",
    "position_ms",
    "decoded_ms",
)

# The attributes that another policy's verdict sets, and those that it adds if a mail is due.
_JUDGED = ("state", "judged_at", "policy_hash", "labels", "counted", "scan_pk", "scan_sk")
_MAIL = ("mail_due", "work_pk", "work_sk")


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides whether an analysis may start now, read in one request; each is None if the table has none."""

    settings: Settings | None
    scan: Scan | None
    record: Record | None


class DayUsedUpError(Exception):
    """The limit of minutes of a watched bucket's day is reached: the analysis was not begun."""


class Known(NamedTuple):
    """The state of a record, the content (ETag, "" if it was never looked at), and by which engine and interval it is analysed."""

    video_id: str
    state: State
    etag: str
    engine: Engine
    interval_ms: int | None


class Records:
    """Reads and transitions of records. Reads of an index are eventually consistent: only a hint.

    With an outbox, each transition that gives a record a verdict puts the record into it.
    """

    def __init__(self, table: TableClient, clock: Clock, *, has_outbox: bool = False) -> None:
        self._table = table
        self._clock = clock
        self._has_outbox = has_outbox

    # --- reading -------------------------------------------------------------------------------------------------------

    def record(self, video_id: str, scan_id: str) -> Record | None:
        """Return the record of a video in a scan, if there is one."""
        item = self._table.get(items.record_key(video_id, scan_id))
        return None if item is None else items.record_from(item)

    def records(self, keys: Iterable[tuple[str, str]]) -> Iterator[Record]:
        """Yield the records of (video id, scan id), in any order and each once; missing ones are skipped."""
        return map(items.record_from, self._table.get_many(items.record_key(*names) for names in keys))

    def records_of(self, video_id: str) -> Iterator[Record]:
        """Yield the records of a video in all scans, in order of their ids: a request for each, and one more.

        What lies between them is not read: their segments, of which a record may have 5,000.
        """
        first = items.record_key(video_id, "")
        pk, after = first["pk"], first["sk"]
        while found := list(self._table.query(pk, above=after, limit=1)):
            scan_id = items.scan_of(found[0])
            if found[0]["sk"] == items.record_key(video_id, scan_id)["sk"]:
                yield items.record_from(found[0])
            after = items.after_scan(scan_id)

    def states(self, video_ids: Iterable[str], scan_id: str) -> Iterator[tuple[str, State]]:
        """Yield (video id, state) of the records of these videos, in any order and each once; missing ones are skipped."""
        keys = (items.record_key(video_id, scan_id) for video_id in video_ids)
        for item in self._table.get_many(keys, ["scan_sk"]):  # holds both, and is written with the state
            yield items.video_and_state(item["scan_sk"])

    def known_contents(self, names: Iterable[tuple[str, str]]) -> Iterator[Known]:
        """Yield what decides whether a verdict is still true, of the records of (video id, scan id), in any order and each once."""
        keys = (items.record_key(*each) for each in names)
        for item in self._table.get_many(keys, ["scan_sk", "etag", "engine", "interval_ms"]):
            yield Known(*items.video_and_state(item["scan_sk"]), item.get("etag", ""), *items.engine_of(item))

    def finished(
        self, names: Iterable[tuple[str, str]], counts: Callable[[Engine, int | None], bool] = lambda _engine, _interval_ms: True
    ) -> Iterator[tuple[str, str]]:
        """Yield (video id, etag) of each (video id, scan id) whose analysis succeeded, in any order and each once.

        `counts` tells of an engine and an interval whether a verdict that was reached by them is taken.
        """
        for each in self.known_contents(names):
            if each.state in (State.CLEAN, State.FLAGGED) and counts(each.engine, each.interval_ms):
                yield each.video_id, each.etag

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
            settings=None if settings is None else codec.read(Settings, settings),
            scan=None if scan is None else scan_items.scan_from(scan),
            record=None if record is None else items.record_from(record),
        )

    def segments(self, video_id: str, scan_id: str, attempt: int) -> Iterator[Segment]:
        """Yield the segments of an attempt in order of time."""
        analysis = Analysis(scan_id, video_id, attempt)
        pk = items.record_key(video_id, scan_id)["pk"]
        found = self._table.query(pk, begins_with=items.segments_prefix(analysis))
        return (codec.read(Segment, item) for item in found)

    def in_state(self, scan_id: str, state: State, *, shards: Iterable[int] = range(items.INDEX_SHARDS)) -> Iterator[str]:
        """Yield the ids of a scan's videos in a state, from the index `by_scan`; shards may be read concurrently."""
        prefix = items.scan_state_prefix(state)
        for number in shards:
            pk = items.scan_shard_pk(scan_id, number)
            for sort_key in self._table.sort_keys(pk, begins_with=prefix, index="by_scan"):
                yield sort_key.removeprefix(prefix)

    def mails_due(self, limit: int) -> list[tuple[str, str]]:
        """Return (video id, scan id) of records whose mail seems due, the oldest first."""
        return [items.names_of_record(item) for item in self._table.query(items.MAIL_PK, index="work", limit=limit)]

    def running_count(self) -> int:
        """Return how many analyses run, of all scans."""
        return self._table.count(items.RUNNING_PK)

    def slots_in_use(self) -> int:
        """Return how many analyses run or may run, because their Start is noted, of all scans."""
        # In this order one that begins to run in between counts twice, never not at all.
        starting = self._table.count(items.STARTING_PK)
        return starting + self._table.count(items.RUNNING_PK)

    def starting(self) -> list[Starting]:
        """Return the analyses whose Start is noted and that are not known to run, of all scans."""
        return [codec.read(Starting, item) for item in self._table.query(items.STARTING_PK)]

    def running(self) -> list[Running]:
        """Return the analyses that run, of all scans."""
        return [codec.read(Running, item) for item in self._table.query(items.RUNNING_PK)]

    # --- into WAITING --------------------------------------------------------------------------------------------------

    def register(self, record: Record, previous: Record | None) -> Outcome:
        """Write a record that is WAITING, or FAILED at once, which is counted in the totals.

        `previous` is the FAILED or CANCELLED record that a retry replaces, and is no longer counted.
        """
        put = expressions.put(items.record_item(record), when=_replacing(previous))
        missed = watches.count_missed(record) if previous is None else []
        count = [*self._count(previous, record), *missed, *self._put_into_outbox(record)]
        try:
            if count:
                self._table.transact([{"Put": put}, *count])
            else:  # the common case, a new record that waits: a transaction would cost twice as much
                self._table.put(put)
        except ConditionFailedError as failure:
            return _outcome(failure.old, lambda old: old["attempt"] == record.attempt)
        return Outcome.DONE

    # --- starting ------------------------------------------------------------------------------------------------------

    def note_start_tried(
        self, record: Record, facts: ObjectFacts, start: StartParameters, *, at: float, limit_ms: int | None = None
    ) -> Outcome:
        """Note, before the first Start of an attempt, its parameters and the object as it is now; from now on it takes a slot.

        It takes `record.reserved_ms`, if it has any, of the limit of the day as well. DONE_BEFORE: an earlier Start is noted, whose
        parameters must be repeated.

        Raises:
            DayUsedUpError: The limit is reached.
        """
        changed = record.facts is not None and record.facts.etag != facts.etag
        sets = {
            **codec.present({"start_tried_at": at}),
            "start": codec.attributes(start),
            **items.facts_attributes(facts),
            **codec.present({"reserved_ms": record.reserved_ms}),
            **({"changed_during_scan": True} if changed else {}),
        }
        when = Condition(equal=items.as_waiting(record), absent=["start_tried_at"])
        update = self._record_update(record, sets=sets, when=when)
        put = expressions.put(scan_items.starting_item(record, at))
        reserve = [] if record.reserved_ms is None else [watches.reserve(record, at, limit_ms)]
        try:
            self._table.transact([{"Update": update}, {"Put": put}, *reserve])
        except ConditionFailedError as failure:
            if failure.action:
                raise DayUsedUpError from failure
            return _outcome(failure.old, lambda old: _still_waiting(old, record))
        return Outcome.DONE

    def note_start_shared(self, record: Record) -> Outcome:
        """Note, before a Start is repeated, that its first note must no longer be withdrawn by its writer."""
        when = Condition(equal=_noted(record))
        return self._changed(self._record_update(record, sets={"start_shared": True}, when=when), lambda _old: False)

    def forget_start_tried(self, record: Record) -> Outcome:
        """Withdraw the note of a Start (the one of `record.start_tried_at`) that Rekognition certainly refused.

        BY_ANOTHER: another invocation wrote the note, or has repeated the Start since, so its outcome is unknown here.
        """
        when = Condition(equal=_noted(record), absent=["start_shared"])
        update = self._record_update(record, removes=["start_tried_at", "start", "reserved_ms"], when=when)
        return self._transition(
            [{"Update": update}, _no_longer_starting(record), *watches.give_back(record)],
            lambda old: _still_waiting(old, record) and "start_tried_at" not in old,
        )

    def note_refusal(self, record: Record) -> Record:
        """Count a refusal for a fault of ours, and return the record with the count; unchanged if it has another state now."""
        request = expressions.update(
            items.record_key(record.video.id, record.scan_id),
            adds={"refusals": 1},
            sets_if_absent=codec.present({"refused_since": self._clock.now()}),
            when=Condition(equal={"state": record.state.value, "attempt": record.attempt}),
        )
        try:
            return items.record_from(self._table.update(request))
        except ConditionFailedError:
            return record

    def enter_running(self, record: Record, job_id: str, *, repeated: bool = False) -> Outcome:
        """Take a WAITING record to RUNNING; `repeated` if an earlier Start may have started the job, which may be over by now."""
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
        put = expressions.put(scan_items.running_item(record, job_id, now, repeated=repeated))
        actions = [{"Update": update}, {"Put": put}, _no_longer_starting(record)]
        return self._transition(actions, lambda old: _runs(old, record, job_id))

    def note_polled(self, running: Running, *, at: float) -> Outcome:
        """Note that an analysis is being polled. DONE_BEFORE: another sweep has polled it since, or it is over."""
        unasked = running.asked_at is None
        when = Condition(
            equal={} if unasked else codec.present({"asked_at": running.asked_at}),
            absent=["asked_at"] if unasked else [],
            present=["pk"],
        )
        key = items.running_key(running.analysis)
        request = expressions.update(key, sets=codec.present({"asked_at": at}), when=when)
        return once(lambda: self._table.update(request))

    def forget_running(self, running: Running) -> Outcome:
        """Delete the RUNNING item of an analysis that its record does not know, so that it no longer takes a slot."""
        key = items.running_key(running.analysis)
        when = Condition(absent=["job_id"]) if running.job_id is None else Condition(equal={"job_id": running.job_id})
        request = expressions.delete(key, when=when)
        return once(lambda: self._table.delete(request))

    def note_message_sent(self, starting: Starting, *, at: float) -> Outcome:
        """Note that the message of an analysis that may run was sent again. DONE_BEFORE: its Start is no longer that one."""
        request = expressions.update(_key_of(starting), sets=codec.present({"sent_at": at}), when=_since(starting))
        return once(lambda: self._table.update(request))

    def forget_starting(self, starting: Starting) -> Outcome:
        """Delete the STARTING item of an analysis that its record does not know, so that it no longer takes a slot."""
        request = expressions.delete(_key_of(starting), when=_since(starting))
        return once(lambda: self._table.delete(request))

    def note_handed_over(self, running: Running) -> Outcome:
        """Note that `completion` is being invoked for a finished analysis. DONE_BEFORE: it was before, or the analysis is over."""
        key = items.running_key(running.analysis)
        when = Condition(present=["pk"], absent=["handed_over"])
        request = expressions.update(key, sets={"handed_over": True}, when=when)
        return once(lambda: self._table.update(request))

    # --- finishing -----------------------------------------------------------------------------------------------------

    def write_segments(self, record: Record, segments: Sequence[Segment]) -> None:
        """Write the segments of an attempt; call it before the final transition, so that no final record lacks them."""
        self._table.put_all(items.segment_items(record, segments))

    def finish(self, record: Record) -> Outcome:
        """Take a record from WAITING or RUNNING into the final state that it carries, and count it once."""
        waits_or_runs = {"state": [State.WAITING.value, State.RUNNING.value]}
        return self._finish(record, Condition(equal={"attempt": record.attempt}, one_of=waits_or_runs))

    def fail_waiting(self, record: Record, *, shared: bool) -> Outcome:
        """Take a record from WAITING to FAILED, if its noted Start and its upload are still what it was read with.

        BY_ANOTHER: its content was put again or replaced; or its Start was noted, or repeated by another invocation (unless the
        note may be `shared`), so it may have been started.
        """
        # Whoever notes that the same bytes were put again relies on an analysis of them.
        upload = codec.present({"put_at": record.put_at, "superseded_at": record.superseded_at})
        known = {**_noted(record), **upload}
        unknown = [name for name in ("start_tried_at", "put_at", "superseded_at") if name not in known]
        return self._finish(record, Condition(equal=known, absent=[*unknown, *([] if shared else ["start_shared"])]))

    def _finish(self, record: Record, when: Condition) -> Outcome:
        known = items.record_attributes(record)
        index = items.index_attributes(record)
        by_frames = record.engine is Engine.FRAMES
        removes = [name for name in ("work_pk", "work_sk") if name not in index]
        # An image is analysed without an interval.
        removes += ["interval_ms"] if by_frames and record.interval_ms is None else []
        update = self._record_update(
            record,
            sets={**{name: known[name] for name in _FINISHED if name in known}, **index},
            removes=removes,
            when=when,
        )
        running = items.sampling_key(record.analysis) if by_frames else items.running_key(record.analysis)
        gone = expressions.delete(running)
        return self._transition(
            [
                {"Update": update},
                {"Delete": gone},
                _no_longer_starting(record),
                *self._count(None, record),
                *watches.count_analysis(record),
                *self._put_into_outbox(record),
            ],
            lambda old: (old["state"], old["attempt"]) == (record.state.value, record.attempt),
        )

    def judge_again(self, record: Record, judged: Record) -> Outcome:
        """Write the verdict of another policy on a record that is CLEAN or FLAGGED and unchanged since it was read.

        `judged` carries the new state, `policy_hash`, `labels`, `counted` and `mail_due`; nothing else is written. If the state
        changes, the totals of both states change in the same transaction.
        """
        judged = replace(judged, judged_at=self._clock.now())
        known = items.record_attributes(judged) | items.index_attributes(judged)
        # The sweeper may have sent a mail that was due since the record was read: it is not made due again.
        set_anew = _JUDGED if record.mail_due else (*_JUDGED, *_MAIL)
        update = self._record_update(
            record,
            sets={name: known[name] for name in set_anew if name in known},
            removes=[name for name in ("counted", *_MAIL) if name not in known],
            when=_as_judged(record),
        )
        return self._transition(
            [{"Update": update}, *self._count(record, judged), *self._put_into_outbox(judged)],
            lambda old: (
                (old["state"], old["attempt"], old.get("policy_hash")) == (judged.state.value, judged.attempt, judged.policy_hash)
            ),
        )

    def supersede(self, video_id: str, scan_id: str) -> Outcome:
        """Note that another content was found under a record's key. DONE_BEFORE: that is noted, or there is no such record."""
        request = expressions.update(
            items.record_key(video_id, scan_id),
            sets=codec.present({"superseded_at": self._clock.now()}),
            when=Condition(present=["pk"], absent=["superseded_at"]),
        )
        return once(lambda: self._table.update(request))

    def restore(self, record: Record) -> Outcome:
        """Note that a superseded content is there again, and have a flagged one mailed: it was not while it was superseded.

        DONE_BEFORE: it is not superseded. BY_ANOTHER: it has changed since it was read.
        """
        mailed = replace(record, mail_due=record.state is State.FLAGGED and bool(record.counted))
        mail = {"mail_due": True, **items.index_attributes(mailed)} if mailed.mail_due else {}
        update = self._record_update(
            record,
            sets=mail,
            removes=["superseded_at"],
            when=Condition(equal={"attempt": record.attempt, "state": record.state.value}, present=["superseded_at"]),
        )
        due = self._put_into_outbox(replace(record, superseded_at=None))
        if not due:  # a transaction would cost twice as much
            return self._changed(update, lambda old: "superseded_at" not in old)
        return self._transition([{"Update": update}, *due], lambda old: "superseded_at" not in old)

    def note_put_again(self, record: Record, put_at: float) -> Outcome:
        """Note that the content of a waiting record was put once more. BY_ANOTHER: it may have been started, or waits no longer."""
        when = Condition(equal=items.as_waiting(record), absent=["start_tried_at"])
        update = self._record_update(record, sets=codec.present({"put_at": put_at}), removes=["superseded_at"], when=when)
        return self._changed(update, lambda _old: False)

    # --- mails ---------------------------------------------------------------------------------------------------------

    def mail_sent(self, record: Record) -> Outcome:
        """Note that a record's mail was sent, and count it in its scan."""
        update = self._no_mail_due(record)
        count = expressions.update(
            scan_items.scan_key(record.scan_id),
            adds={"mails_sent": 1, REVISION: 1},
            when=expressions.EXISTING,
        )
        try:
            self._table.transact([{"Update": update}, {"Update": count}])
        except ConditionFailedError as failure:
            if failure.action == 0:
                return _outcome(failure.old, lambda old: old["attempt"] == record.attempt)
            # The scan to count it in does not exist; the mail was sent nevertheless.
            self._table.update(update)
        return Outcome.DONE

    def mail_spared(self, record: Record) -> Outcome:
        """Note that a record's mail is no longer due: its scan has reached its limit of mails."""
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
        return expressions.update(key, sets=sets, removes=removes, when=when)

    def _changed(self, update: dict[str, Any], before: Callable[[Item], bool]) -> Outcome:
        try:
            self._table.update(update)
        except ConditionFailedError as failure:
            return _outcome(failure.old, before)
        return Outcome.DONE

    def _transition(self, actions: Sequence[Mapping[str, dict[str, Any]]], before: Callable[[Item], bool]) -> Outcome:
        """Write a transition; only its first action, the record's, has a condition."""
        try:
            self._table.transact(actions)
        except ConditionFailedError as failure:
            return _outcome(failure.old, before)
        return Outcome.DONE

    def _put_into_outbox(self, record: Record) -> list[dict[str, dict[str, Any]]]:
        """Return the action that puts a record into the outbox, if there is one and the record has consequences."""
        has_consequences = self._has_outbox and consequence.status_of(record) is not None
        return [outbox_items.put_action(record.video.id, record.scan_id, at=self._clock.now())] if has_consequences else []

    def _count(self, left: Record | None, entered: Record) -> list[dict[str, dict[str, Any]]]:
        change = scan_items.totals_change(left, entered)
        if not change:
            return []
        return [{"Update": expressions.update(items.totals_key(entered), adds=change)}]


def _replacing(previous: Record | None) -> Condition:
    if previous is None:
        return expressions.NEW
    return Condition(equal={"attempt": previous.attempt, "state": previous.state.value})


def _as_judged(record: Record) -> Condition:
    """Return the condition that a record still has the verdict and policy with which it was read."""
    equal = {"attempt": record.attempt, "state": record.state.value}
    if record.policy_hash is None:
        return Condition(equal=equal, absent=["policy_hash"])
    return Condition(equal=equal | {"policy_hash": record.policy_hash})


def _no_longer_starting(record: Record) -> dict[str, dict[str, Any]]:
    return {"Delete": expressions.delete(items.starting_key(record.analysis))}


def _key_of(starting: Starting) -> dict[str, str]:
    return items.starting_key(Analysis(starting.scan_id, starting.video_id, starting.attempt))


def _since(starting: Starting) -> Condition:
    return Condition(equal=codec.present({"since": starting.since}))


def _noted(record: Record) -> dict[str, Any]:
    return {**items.as_waiting(record), **codec.present({"start_tried_at": record.start_tried_at})}


def _still_waiting(old: Item, record: Record) -> bool:
    return (old["state"], old["attempt"]) == (State.WAITING.value, record.attempt)


def _runs(old: Item, record: Record, job_id: str) -> bool:
    return (old["state"], old["attempt"], old.get("rekognition_job_id")) == (State.RUNNING.value, record.attempt, job_id)


def _outcome(old: Item | None, before: Callable[[Item], bool]) -> Outcome:
    return Outcome.DONE_BEFORE if old is not None and before(old) else Outcome.BY_ANOTHER
