"""The second set of ports, for a million videos: the product's table on plain Python values in place of DynamoDB's engine.

The same calls in the same order with the same answers. That it behaves alike is shown by running 10,000 videos both ways:
Rekognition's book must be the same to the microsecond. What is rarely written (scans, lanes) stays with the engine.
"""

import heapq
from dataclasses import replace

from botocore.exceptions import ClientError

from handlers.adapters.table import (
    Control,
    Outcome,
    Records,
    Running,
    Scans,
    Situation,
    WaitingRecords,
    expressions,
    items,
    open_table,
    scan_items,
)
from handlers.adapters.table.client import TableClient
from handlers.adapters.table.scan_items import REVISION
from handlers.domain.identity import Video, shard
from handlers.domain.record import Record
from handlers.domain.states import FINAL, Lane, State
from tests.bench.simulation import clients
from tests.bench.simulation import world as worlds
from tests.bench.simulation.records import MAILS, Row, sort_key
from tests.bench.simulation.tables import SCAN_TABLE

_GET, _GET_MANY, _QUERY = "dynamodb.GetItem", "dynamodb.BatchGetItem", "dynamodb.Query"
_UPDATE, _TRANSACT = "dynamodb.UpdateItem", "dynamodb.TransactWriteItems"
_PAGE = 100
_NO = clients.refusal("ConditionalCheckFailedException")
_CANCELLED = clients.refusal("TransactionCanceledException")


class Shared:
    """What each part has for one environment; `records` are what all of them share."""

    def __init__(self, client, clock, records):
        self._table = TableClient(client, SCAN_TABLE, clock)
        self._clock = clock
        self._call = clock.call
        self._records = records

    def _change(self, operation, change):
        """Make a conditional write; `change` does it and returns None, or returns why not."""

        def act(_):
            nonlocal refusal
            refusal = change()
            if refusal is not None:
                raise (_CANCELLED if operation is _TRANSACT else _NO).with_traceback(None)

        refusal = None
        try:
            self._call(operation, act, None)
        except ClientError:
            return refusal
        return Outcome.DONE

    def _settings(self, _=None):
        return self._item(scan_items.SETTINGS_KEY["pk"], scan_items.SETTINGS_KEY["sk"], scan_items.settings_from)

    def _scan(self, _=None):
        return self._item(scan_items.SCANS_PK, self._records.scan_id, scan_items.scan_from)

    def _item(self, hash_key, sort, parse):
        """Return what an item of the engine's table says, parsed once for each time it was written."""
        row = self._records.engine.rows.get(hash_key, (sort,))
        if row is None:
            return None
        known, value = self._records.parsed.get(hash_key, (None, None))
        if known is not row:
            value = parse(expressions.deserialized_item(row.item))
            self._records.parsed[hash_key] = row, value
        return value

    def _row(self, record):
        return self._records.by_number[worlds.number_of(record.video.key)]


class MemoryRecords(Shared, Records):
    """Records of videos and the analyses that run."""

    def record(self, video_id, scan_id):
        """Return a record."""
        return self._call(_GET, self._records.record, video_id)

    def records(self, keys):
        """Yield records, a hundred with each call."""
        rest = iter(dict.fromkeys(video_id for video_id, _ in keys))
        while chunk := [video_id for video_id, _ in zip(rest, range(100), strict=False)]:
            yield from self._call(_GET_MANY, lambda chunk: [self._records.record(video_id) for video_id in chunk], chunk)

    def situation(self, analysis):
        """Return settings, scan and record."""
        return self._call(_GET_MANY, self._situation, analysis)

    def _situation(self, analysis):
        return Situation(self._settings(), self._scan(), self._records.record(analysis.video_id))

    def running_count(self):
        """Return how many analyses run."""
        return self._call(_QUERY, len, self._records.running)

    def running(self):
        """Return the analyses that run."""
        return self._call(_QUERY, lambda running: [running[video_id] for video_id in sorted(running)], self._records.running)

    def in_state(self, scan_id, state):
        """Yield the ids of flagged videos."""
        for number in range(items.INDEX_SHARDS):
            yield from self._call(_QUERY, sorted, self._records.flagged[number])

    def segments(self, video_id, scan_id, attempt):
        """Yield the segments of a video."""
        yield from self._call(_QUERY, lambda video_id: self._records.segments.get(video_id, ()), video_id)

    def mails_due(self, limit):
        """Return whose mails seem due."""
        found = self._call(_QUERY, lambda limit: self._records.first(MAILS, limit), limit)
        return [(row.video_id, self._records.scan_id) for _, row in found]

    def register(self, record, previous):
        """Write a new record that waits; whatever else is registered the simulation does not know."""
        if record.state is not State.WAITING or previous is not None:
            raise ValueError("the simulation registers each video once, as waiting")
        records, video_id = self._records, record.video.id

        def put():
            if video_id in records.by_id:
                return Outcome.DONE_BEFORE if records.by_id[video_id].attempt == record.attempt else Outcome.BY_ANOTHER
            number = worlds.number_of(record.video.key)
            row = Row(number, video_id, record.attempt, record.queued_at)
            records.by_id[video_id] = records.by_number[number] = row
            records.batch_job_id = record.batch_job_id
            records.plan(shard(video_id, items.INDEX_SHARDS), sort_key(record.queued_at, video_id), row)
            return None

        return self._change("dynamodb.PutItem", put)

    def note_start_tried(self, record, facts, start, *, at):  # all objects are alike
        """Note that a start is tried."""

        def update():
            row = self._row(record)
            if not _waits(row, record):
                return Outcome.BY_ANOTHER
            if row.start_tried_at is not None:
                return Outcome.DONE_BEFORE
            row.start_tried_at, row.start, row.record = at, start, None
            return None

        return self._change(_UPDATE, update)

    def note_start_shared(self, record):
        """Note that the note of a try is no longer its writer's alone."""

        def update():
            row = self._row(record)
            if not _waits(row, record) or row.start_tried_at != record.start_tried_at:
                return Outcome.BY_ANOTHER
            row.shared = True
            return None

        return self._change(_UPDATE, update)

    def forget_start_tried(self, record):
        """Take the note of a try back."""

        def update():
            row = self._row(record)
            if not _waits(row, record):
                return Outcome.BY_ANOTHER
            if row.shared or row.start_tried_at != record.start_tried_at:
                return Outcome.DONE_BEFORE if row.start_tried_at is None else Outcome.BY_ANOTHER
            row.start_tried_at = row.start = row.record = None
            return None

        return self._change(_UPDATE, update)

    def enter_running(self, record, job_id, *, repeated=False):
        """Let a waiting record run."""
        now, records = self._clock.now(), self._records

        def transact():
            row = self._row(record)
            if not _waits(row, record):
                same = (State.RUNNING, record.attempt, job_id) == (row.state, row.attempt, row.job_id)
                return Outcome.DONE_BEFORE if same else Outcome.BY_ANOTHER
            row.state, row.started_at, row.job_id, row.record = State.RUNNING, now, job_id, None
            video_id = row.video_id
            records.plan(shard(video_id, items.INDEX_SHARDS), sort_key(row.queued_at, video_id), None)
            records.running[video_id] = Running(record.scan_id, video_id, record.attempt, now, job_id, repeated=repeated)
            return None

        return self._change(_TRANSACT, transact)

    def write_segments(self, record, segments):
        """Keep segments, 25 with each call."""
        for first in range(0, len(segments), 25):
            self._call("dynamodb.BatchWriteItem", lambda _: None, first)
        if segments:
            self._records.segments[record.video.id] = segments

    def finish(self, record):
        """Take a record into its final state."""
        records = self._records

        def transact():
            row = self._row(record)
            if row.state in FINAL or row.attempt != record.attempt:
                same = (row.state, row.attempt) == (record.state, record.attempt)
                return Outcome.DONE_BEFORE if same else Outcome.BY_ANOTHER
            video_id = row.video_id
            number = shard(video_id, items.INDEX_SHARDS)
            if row.state is State.WAITING:
                records.plan(number, sort_key(row.queued_at, video_id), None)
            row.state, row.start, row.start_tried_at = record.state, None, None
            row.record = record if record.state is State.FLAGGED else None
            if record.mail_due:
                records.plan(MAILS, sort_key(record.finished_at, video_id), row)
            if record.state is State.FLAGGED:
                records.flagged[number].append(video_id)
            records.running.pop(video_id, None)
            records.videos[record.state] += 1
            records.milliseconds[record.state] += record.duration_ms or 0
            return None

        return self._change(_TRANSACT, transact)

    def mail_sent(self, record):
        """Note that a mail is sent, and count it in the scan."""
        count = expressions.update(
            self._table.name, scan_items.scan_key(record.scan_id), adds={"mails_sent": 1, REVISION: 1}, when=expressions.EXISTING
        )
        return self._no_mail(record, _TRANSACT, lambda: self._records.update(count))

    def mail_spared(self, record):
        """Note that a mail is not due any more."""
        return self._no_mail(record, _UPDATE, lambda: None)

    def _no_mail(self, record, operation, also):
        def change():
            row = self._row(record)
            stands = row.record
            if not stands.mail_due or stands.attempt != record.attempt:
                return Outcome.DONE_BEFORE if stands.attempt == record.attempt else Outcome.BY_ANOTHER
            row.record = replace(stands, mail_due=False)
            self._records.segments.pop(record.video.id, None)
            self._records.plan(MAILS, sort_key(record.finished_at, record.video.id), None)
            also()
            return None

        return self._change(operation, change)

    def note_asked(self, running, *, at):
        """Note that Rekognition is asked."""

        def update():
            stands = self._records.running.get(running.video_id)
            if stands is None or stands.asked_at != running.asked_at:
                return Outcome.DONE_BEFORE
            self._records.running[running.video_id] = replace(stands, asked_at=at)
            return None

        return self._change(_UPDATE, update)


class MemoryWaiting(Shared, WaitingRecords):
    """What waits."""

    def waiting_seems_empty(self, scan_id):
        """Tell whether nothing seems to wait."""
        return not any(map(self._first, range(items.INDEX_SHARDS)))

    def waiting_lanes(self, scan_id):
        """Return the lanes of what seems to wait."""
        found = [self._first(number) for number in range(items.INDEX_SHARDS)]
        return {Lane.NORMAL} if any(found) else set()

    def _first(self, number):
        return self._call(_QUERY, lambda number: self._records.first(number, 1), number)

    def waiting(self, scan_id, *, before=None):
        """Yield what seems to wait since before a time, the oldest first."""
        shards = (self._waiting_in(number, before) for number in range(items.INDEX_SHARDS))
        return (record for _, record in heapq.merge(*shards, key=lambda found: found[0]))

    def _waiting_in(self, number, before):
        """Yield the waiting of a shard, in pages; a page that is full has another after it."""
        after = -1
        while True:
            page = self._call(_QUERY, lambda after: self._records.first(number, _PAGE, before=before, after=after), after)
            for key, row in page:
                yield key, _as_index_shows(self._records.scan_id, key, row)
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def requeue(self, records, *, at):
        """Note that the messages of waiting records were sent again; one whose condition fails does not keep the others back."""
        left = list(records)
        while left:
            failed = []

            def transact(left=left, failed=failed):
                failed += [record for record in left if not self._as_seen(record)]
                for record in () if failed else left:
                    self._requeue(record, at)
                return Outcome.BY_ANOTHER if failed else None

            if self._change(_TRANSACT, transact) is Outcome.DONE:
                break
            left = [record for record in left if record not in failed]
        return len(left)

    def _as_seen(self, seen):
        row = self._row(seen)
        return _waits(row, seen) and round(row.queued_at * 1000) == round(seen.queued_at * 1000)

    def _requeue(self, record, at):
        row = self._row(record)
        video_id = row.video_id
        number = shard(video_id, items.INDEX_SHARDS)
        self._records.plan(number, sort_key(row.queued_at, video_id), None)
        row.queued_at, row.record = at, None
        self._records.plan(number, sort_key(at, video_id), row)


class MemoryScans(Shared, Scans):
    """The scan, of which there is one."""

    def scans(self):
        """Return all scans: there is one."""
        return [self._call(_QUERY, self._scan, None)]

    def totals(self, scan_id):
        """Return the totals."""
        return self._call(_QUERY, lambda _: self._records.counted(), None)


class MemoryControl(Shared, Control):
    """Settings and the sweeper's lease."""

    def settings(self):
        """Return the settings."""
        return self._call(_GET, self._settings, None)

    def take_lease(self, holder, until):
        """Tell whether this sweeper is the one for now."""
        now, records = round(self._clock.now()), self._records

        def update():
            if records.lease is not None and records.lease[1] >= now:
                return Outcome.BY_ANOTHER
            records.lease = holder, round(until)
            return None

        return self._change(_UPDATE, update) is Outcome.DONE or records.lease[0] == holder

    def return_lease(self, holder):
        """Give the lease back, if this sweeper still has it."""

        def delete():
            if self._records.lease is None or self._records.lease[0] != holder:
                return Outcome.BY_ANOTHER
            self._records.lease = None
            return None

        self._change("dynamodb.DeleteItem", delete)


def memory_table(client, clock, records):
    """Return the product's table for one environment."""
    parts = {"records": MemoryRecords, "waiting": MemoryWaiting, "scans": MemoryScans, "control": MemoryControl}
    made = {name: part(client, clock, records) for name, part in parts.items()}
    return replace(open_table(client, SCAN_TABLE, clock), **made)


def _waits(row, record):
    return row.state is State.WAITING and row.attempt == record.attempt


def _as_index_shows(scan_id, key, row):
    return Record(
        video=Video(worlds.BUCKET, worlds.key_of(row.number)),
        scan_id=scan_id,
        state=State.WAITING,
        attempt=row.attempt,
        queued_at=(key >> 128) / 1000,
    )
