"""Records of uploads, whose contents are replaced and come back, and what is read of many records at once."""

from dataclasses import replace

import pytest

from handlers.adapters.table import Lease, Outcome
from handlers.adapters.table.items import record_key
from handlers.adapters.table.records import Known
from handlers.domain.engine import Engine
from handlers.domain.record import ObjectFacts, Problem, StartParameters
from handlers.domain.states import State
from tests.handlers.doubles import COMPLETIONS, OTHER_SCAN, ROLE, SCAN, TABLE, waiting

DONE, BEFORE, ANOTHER = Outcome.DONE, Outcome.DONE_BEFORE, Outcome.BY_ANOTHER
FACTS = ObjectFacts("abc", 3, None)
FINAL = {
    State.CLEAN: {"finished_at": 1.0},
    State.FLAGGED: {"finished_at": 1.0, "counted": ("Weapons",)},
    State.FAILED: {"finished_at": 1.0, "problem": Problem("empty", "?")},
    State.CANCELLED: {"finished_at": 1.0},
}


def put(table, state, **fields):
    """Bring a record to a state, and return it as the table has it."""
    record = waiting()
    table.records.register(record, None)
    if state is State.RUNNING:
        table.records.enter_running(record, "job")
    elif state is not State.WAITING:
        table.records.finish(replace(record, state=state, **{**FINAL[state], **fields}))
    return read(table)


def read(table):
    """Return the record as the table has it."""
    return table.records.record(waiting().video.id, SCAN)


class TestSuperseded:
    @pytest.mark.parametrize("state", State)
    def test_once(self, table, clock, state):
        """Whatever its state, a record notes once since when its content is another one; all else stays."""
        record = put(table, state)
        at = clock.now()
        outcomes = [table.records.supersede(record.video.id, SCAN)]
        clock.time += 60

        outcomes.append(table.records.supersede(record.video.id, SCAN))

        assert ([DONE, BEFORE], replace(record, superseded_at=at)) == (outcomes, read(table))

    def test_no_record(self, table, raw):
        """A record that is not there is not made by it."""
        assert BEFORE is table.records.supersede(waiting().video.id, SCAN)
        assert {} == raw()

    @pytest.mark.parametrize(
        ("state", "counted", "is_mailed"),
        [
            (State.FLAGGED, ("Weapons",), True),
            (State.FLAGGED, (), False),
            (State.CLEAN, ("Weapons",), False),
            (State.CLEAN, (), False),
            (State.FAILED, (), False),
            (State.CANCELLED, (), False),
        ],
    )
    def test_restored(self, table, state, counted, is_mailed):
        """A content that is there again is no longer superseded, and mailed if it is flagged for labels that count."""
        record = put(table, state, counted=counted)
        table.records.supersede(record.video.id, SCAN)

        outcome = table.records.restore(read(table))

        assert (DONE, replace(record, mail_due=is_mailed)) == (outcome, read(table))
        assert ([(record.video.id, SCAN)] if is_mailed else []) == table.records.mails_due(10)

    def test_restored_twice(self, table):
        """What is not superseded is not restored, nor what has changed since it was read."""
        record = put(table, State.WAITING)
        outcomes = [table.records.restore(record)]
        table.records.supersede(record.video.id, SCAN)
        table.records.enter_running(record, "job")

        outcomes += [table.records.restore(record), table.records.restore(replace(read(table), attempt=1))]

        assert ([BEFORE, ANOTHER, ANOTHER], True) == (outcomes, read(table).superseded)


class TestFinishByFrames:
    """The last transition of an analysis by frames, for which its record holds more than for one by the video API."""

    @pytest.fixture(name="film")
    def _film(self, table):
        """Return a record whose frames are under way, every two seconds."""
        record = waiting(engine=Engine.FRAMES, interval_ms=2_000)
        table.records.register(record, None)
        table.samplings.begin(record, FACTS, Lease("worker", 9.0), at=5.0)
        return read(table)

    @pytest.mark.parametrize("interval_ms", [2_000, None])
    def test_interval(self, table, film, interval_ms):
        """A film keeps its interval; an image, which turned out to be one, has none."""
        final = replace(film, state=State.CLEAN, finished_at=9.0, interval_ms=interval_ms, images=3, position_ms=4_000)

        assert DONE is table.records.finish(final)
        assert (final, []) == (read(table), table.samplings.all())

    def test_by_the_video_api(self, table):
        """Where the video API looked at a film, nothing is taken off its record."""
        record = waiting(interval_ms=2_000)
        table.records.register(record, None)

        table.records.finish(replace(record, state=State.CLEAN, finished_at=9.0, interval_ms=None))

        assert 2_000 == read(table).interval_ms


class TestPutAgain:
    def test_noted(self, table):
        """That the bytes of what waits were put once more is noted, and they are not superseded then."""
        record = put(table, State.WAITING)
        table.records.supersede(record.video.id, SCAN)

        assert DONE is table.records.note_put_again(record, 7.5)
        assert replace(record, put_at=7.5) == read(table)

    @pytest.mark.parametrize("change", ["noted", "running", "final", "another attempt"])
    def test_too_late(self, table, change):
        """What may have been started, waits no longer or waits anew may have read other bytes."""
        record = put(table, {"running": State.RUNNING, "final": State.CLEAN}.get(change, State.WAITING))
        if change == "noted":
            table.records.note_start_tried(record, FACTS, StartParameters(None, 50.0, COMPLETIONS, ROLE), at=5.0)
        before = read(table)

        outcome = table.records.note_put_again(replace(record, attempt=1) if change == "another attempt" else record, 7.5)

        assert (ANOTHER, before) == (outcome, read(table))


class TestMailSpared:
    def test_once(self, table):
        """A mail beyond a scan's limit is due no longer, and is not counted as sent."""
        record = put(table, State.FLAGGED, mail_due=True)

        outcomes = [table.records.mail_spared(record) for _ in range(2)]

        assert ([DONE, BEFORE], False, []) == (outcomes, read(table).mail_due, table.records.mails_due(10))

    def test_retried(self, table):
        """The mail of another attempt stays due."""
        record = put(table, State.FLAGGED, mail_due=True)

        assert ANOTHER is table.records.mail_spared(replace(record, attempt=1))
        assert [(record.video.id, SCAN)] == table.records.mails_due(10)


@pytest.mark.parametrize(
    ("fields", "etag", "engine", "interval_ms"),
    [
        ({}, "abc", Engine.VIDEO, None),
        ({"facts": None}, "", Engine.VIDEO, None),
        ({"engine": Engine.FRAMES, "interval_ms": 2_000}, "abc", Engine.FRAMES, 2_000),
        ({"engine": Engine.FRAMES}, "abc", Engine.FRAMES, None),
    ],
)
def test_known_contents(table, dynamodb, fields, etag, engine, interval_ms):
    """What decides whether a verdict is still true is read of many records, without what else they hold."""
    record = waiting(**fields)
    table.records.register(record, None)
    dynamodb.calls.clear()

    found = list(table.records.known_contents([(record.video.id, SCAN), (record.video.id, OTHER_SCAN)]))

    assert [Known(record.video.id, State.WAITING, etag, engine, interval_ms)] == found
    [call] = dynamodb.called("batch_get_item")
    assert 4 == len(call["RequestItems"][TABLE]["ProjectionExpression"].split(","))


@pytest.mark.parametrize(
    ("state", "is_finished"),
    [(State.CLEAN, True), (State.FLAGGED, True), (State.FAILED, False), (State.CANCELLED, False), (State.RUNNING, False)],
)
def test_finished(table, state, is_finished):
    """Only a verdict counts as finished, and only by an engine that counts."""
    record = put(table, state)
    names, asked = [(record.video.id, SCAN)], []

    found = list(table.records.finished(names))
    none = list(table.records.finished(names, lambda *chosen: bool(asked.append(chosen))))

    assert ([(record.video.id, "abc")] if is_finished else [], []) == (found, none)
    assert ([(Engine.VIDEO, None)] if is_finished else []) == asked


def test_slots(table):
    """What runs and what may run take slots, in whichever scan it is; what waits or is over takes none."""
    noted, runs, waits, over = (waiting(f"{number}.mp4", scan_id=(SCAN, OTHER_SCAN)[number % 2]) for number in range(4))
    for record in (noted, runs, waits, over):
        table.records.register(record, None)
    table.records.note_start_tried(noted, FACTS, StartParameters(None, 50.0, COMPLETIONS, ROLE), at=5.0)
    table.records.enter_running(runs, "job")
    table.records.finish(replace(over, state=State.CLEAN, finished_at=1.0))

    assert (2, 1) == (table.records.slots_in_use(), table.records.running_count())
    assert [noted.video.id] == [each.video_id for each in table.records.starting()]
    assert [runs.video.id] == [each.video_id for each in table.records.running()]


def test_records_of_a_video(table, dynamodb):
    """All scans' records of a video are read in the order of their ids, each with one request, whatever lies between them."""
    for scan_id in (OTHER_SCAN, SCAN):
        table.records.register(waiting(scan_id=scan_id), None)
    table.records.register(waiting("b.mp4"), None)
    # A record that was deleted by hand leaves its segments.
    key = {name: {"S": text} for name, text in record_key(waiting().video.id, "01JD0#SEGMENT#00#1").items()}
    dynamodb.put_item(TableName=TABLE, Item=key)

    assert sorted([SCAN, OTHER_SCAN]) == [record.scan_id for record in table.records.records_of(waiting().video.id)]
