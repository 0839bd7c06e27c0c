"""Waiting records, many at a time: as the index lists them, and written in transactions that some conditions of fail."""

from dataclasses import replace

import pytest

from handlers.adapters.table import Outcome
from handlers.adapters.table.items import INDEX_SHARDS, record_key
from handlers.adapters.table.waiting import MAX_RECORDS, WAITING_PAGE
from handlers.domain.identity import shard
from handlers.domain.record import ObjectFacts, StartParameters
from handlers.domain.states import Lane, State
from tests.handlers.doubles import COMPLETIONS, OTHER_SCAN, ROLE, SCAN, waiting

NOW = 1_700_000_500.0


def register(table, count=3, **fields):
    """Register waiting records, each a second after the one before, and return them."""
    records = [waiting(f"{number}.mp4", queued_at=1_700_000_000.0 + number, **fields) for number in range(count)]
    for record in records:
        assert table.records.register(record, None) is Outcome.DONE
    return records


def note_start(table, record):
    """Note a Start on a record."""
    table.records.note_start_tried(record, ObjectFacts("abc", 3, None), StartParameters(None, 50.0, COMPLETIONS, ROLE), at=5.0)


def left(table):
    """Return the keys of the records that wait, in the order in which the index has them."""
    return [record.video.key for record in table.waiting.waiting(SCAN)]


def test_nothing(table):
    """Of a scan of which nothing waits there is nothing, whatever waits of another."""
    register(table, scan_id=OTHER_SCAN)

    assert (True, False) == (table.waiting.waiting_seems_empty(SCAN), table.waiting.waiting_seems_empty(OTHER_SCAN))
    assert (0, set(), []) == (table.waiting.waiting_count(SCAN, 10), table.waiting.waiting_lanes(SCAN), left(table))


@pytest.mark.parametrize("number", range(INDEX_SHARDS))
def test_every_shard(table, number):
    """A record is found in whichever shard of the index it is."""
    key = next(f"{name}.mp4" for name in range(1_000) if shard(waiting(f"{name}.mp4").video.id, INDEX_SHARDS) == number)
    table.records.register(waiting(key, lane=Lane.EXPRESS), None)

    found = (table.waiting.waiting_seems_empty(SCAN), table.waiting.waiting_count(SCAN, 10), table.waiting.waiting_lanes(SCAN))

    assert (False, 1, {Lane.EXPRESS}) == found
    assert [key] == left(table)


def test_lanes(table):
    """The lanes are those of what has waited longest in each shard."""
    for number in range(60):
        table.records.register(waiting(f"{number}.mp4", lane=list(Lane)[number % 2]), None)

    assert set(list(Lane)[:2]) == table.waiting.waiting_lanes(SCAN)


@pytest.mark.parametrize("most", [0, 1, 5, 40])
def test_counted_to(table, dynamodb, most):
    """Counting stops soon after a number: what is returned is right up to it, and above it if there are more."""
    register(table, 40)
    dynamodb.calls.clear()

    count = table.waiting.waiting_count(SCAN, most)

    assert (count == 40) if most == 40 else (most < count <= 40)
    assert len(dynamodb.called("query")) == INDEX_SHARDS if most == 40 else len(dynamodb.called("query")) < INDEX_SHARDS
    assert {("COUNT", "work")} == {(call["Select"], call["IndexName"]) for call in dynamodb.called("query")}


def test_in_order(table):
    """All shards together are in the order of time, with all that is needed to send a message."""
    records = register(table, 40, lane=Lane.EXPRESS, attempt=2)

    found = list(table.waiting.waiting(SCAN))

    assert [replace(record, facts=None) for record in records] == found


@pytest.mark.parametrize(("before", "count"), [(1_700_000_000.0, 0), (1_700_000_000.001, 1), (1_700_000_002.0, 2), (None, 3)])
def test_before(table, before, count):
    """What has waited since before a time is found, and nothing that was queued at that time."""
    register(table)

    assert [f"{number}.mp4" for number in range(count)] == [each.video.key for each in table.waiting.waiting(SCAN, before=before)]


def test_pages(table, dynamodb):
    """Waiting records are read by the hundred: a sweep that has time for few reads no more."""
    register(table)
    dynamodb.calls.clear()

    next(table.waiting.waiting(SCAN))

    assert {WAITING_PAGE} == {call["Limit"] for call in dynamodb.called("query")}


def test_an_upload(table):
    """A waiting upload is found by its etag, which is part of its name."""
    record = waiting()
    record = replace(record, video=replace(record.video, etag="a#b"))
    table.records.register(record, None)

    assert [record.video] == [each.video for each in table.waiting.waiting(SCAN)]


class TestRequeue:
    def test_time(self, table):
        """Messages that were sent are noted, and the records go to the end of the index; all else stays."""
        first, *others = register(table)

        assert 1 == table.waiting.requeue([first], at=NOW)

        assert replace(first, queued_at=NOW) == table.records.record(first.video.id, SCAN)
        assert [*(record.video.key for record in others), first.video.key] == left(table)

    @pytest.mark.parametrize("change", ["queued again", "started", "another attempt"])
    def test_changed_meanwhile(self, table, raw, dynamodb, change):
        """What was queued again since it was read, or no longer waits so, is not changed; the others are."""
        changed, *others = register(table)
        if change == "queued again":
            table.waiting.requeue([changed], at=NOW - 100)
        elif change == "started":
            table.records.enter_running(changed, "job")
        else:
            changed = replace(changed, attempt=1)
        key = tuple(record_key(changed.video.id, SCAN).values())
        before = raw()[key]

        count = table.waiting.requeue([others[0], changed, others[1]], at=NOW)

        assert (2, before) == (count, raw()[key])
        assert [NOW, NOW] == [table.records.record(each.video.id, SCAN).queued_at for each in others]

    def test_many(self, table, dynamodb):
        """As many as a transaction takes are written in one."""
        records = register(table, MAX_RECORDS)
        dynamodb.calls.clear()

        assert MAX_RECORDS == table.waiting.requeue(records, at=NOW)
        assert 1 == len(dynamodb.called("transact_write_items"))


class TestCancel:
    def test_cancelled(self, table):
        """What waits becomes CANCELLED, with its time, waits no longer, and is counted."""
        records = register(table)

        cancelled = table.waiting.cancel(records, at=NOW)

        assert (3, ()) == (cancelled.count, cancelled.may_have_started)
        expected = [replace(record, state=State.CANCELLED, finished_at=NOW) for record in records]
        assert expected == [table.records.record(record.video.id, SCAN) for record in records]
        assert ([], 3) == (left(table), table.scans.totals(SCAN).videos[State.CANCELLED])
        assert sorted(record.video.id for record in records) == sorted(table.records.in_state(SCAN, State.CANCELLED))

    def test_what_may_have_started(self, table):
        """What has a noted Start is not cancelled, and is named; what is over or was retried is neither."""
        noted, running, retried, waits = register(table, 4)
        note_start(table, noted)
        table.records.enter_running(running, "job")

        cancelled = table.waiting.cancel([noted, running, replace(retried, attempt=1), waits], at=NOW)

        names = [(record.video.key, record.start_tried_at) for record in cancelled.may_have_started]
        assert 1 == cancelled.count == table.scans.totals(SCAN).videos[State.CANCELLED]
        assert [(noted.video.key, 5.0), (retried.video.key, None)] == names
        states = [table.records.record(each.video.id, SCAN).state for each in (noted, running, retried, waits)]
        assert [State.WAITING, State.RUNNING, State.WAITING, State.CANCELLED] == states

    def test_gone(self, table):
        """A record that was deleted is neither cancelled nor counted."""
        cancelled = table.waiting.cancel([waiting()], at=NOW)

        assert (0, (), 0) == (cancelled.count, cancelled.may_have_started, table.scans.totals(SCAN).final)
