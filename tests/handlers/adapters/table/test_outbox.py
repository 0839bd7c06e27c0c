"""The outbox: an item goes into it with each verdict, and leaves it only with the verdict that was carried out."""

from dataclasses import replace

import pytest

from handlers.adapters.table import Outcome, open_table, outbox_items
from handlers.adapters.table.outbox_items import SHARDS
from handlers.domain import outbox
from handlers.domain.identity import Video
from handlers.domain.outbox import Due
from handlers.domain.record import ObjectFacts, Problem, Scan, Segment
from handlers.domain.states import State
from tests.handlers.doubles import BUCKET, OTHER_SCAN, SCAN, TABLE, decision_about, waiting

FACTS = ObjectFacts("abc-1", 3, None)


@pytest.fixture(name="noted")
def _noted(dynamodb, clock):
    """Return the table of a deployment with consequences."""
    return open_table(dynamodb, TABLE, clock, has_outbox=True)


def finished(table, key="a.mp4", state=State.FLAGGED, **fields):
    """Finish a video and return its record."""
    record = replace(waiting(key), facts=FACTS)
    table.records.register(record, None)
    table.records.finish(replace(record, state=state, finished_at=1.0, policy_hash="p1", **fields))
    return table.records.record(record.video.id, SCAN)


def decision(record):
    """Return a decision about a record."""
    return decision_about(record, decided_at=5.0)


TRANSITIONS = {
    "finished": lambda table, _record: finished(table, "b.mp4"),
    "failed": lambda table, _record: finished(table, "b.mp4", State.FAILED, problem=Problem("result-lost", "?")),
    "failed at once": lambda table, _record: table.records.register(
        replace(waiting("b.mp4"), state=State.FAILED, problem=Problem("empty", "?")), None
    ),
    "judged anew": lambda table, record: table.records.judge_again(record, replace(record, policy_hash="p2")),
    "decided": lambda table, record: table.decisions.note_decisions([decision(record)]),
    "restored": lambda table, record: (
        table.records.supersede(record.video.id, SCAN),
        table.records.restore(table.records.record(record.video.id, SCAN)),
    ),
    "closed": lambda table, _record: (table.scans.put_scan(Scan(SCAN, BUCKET)), table.scans.close_scan(table.scans.scan(SCAN))),
}


@pytest.mark.parametrize("transition", TRANSITIONS.values(), ids=TRANSITIONS)
def test_in_the_same_transaction(noted, dynamodb, transition):
    """Whatever gives a verdict puts a new token into the outbox, in the transaction that writes it."""
    record = finished(noted)
    before = {due.token for due in noted.outbox.due()}
    dynamodb.calls.clear()

    transition(noted, record)

    new = [due for due in noted.outbox.due() if due.token not in before]
    assert 1 == len(new)
    [call] = [call for call in dynamodb.called("transact_write_items") if new[0].token in str(call)]
    assert len(call["TransactItems"]) > 1


@pytest.mark.parametrize("transition", TRANSITIONS.values(), ids=TRANSITIONS)
def test_without_consequences(table, raw, transition):
    """Where verdicts have none, nothing is put into it."""
    transition(table, finished(table))

    assert not [key for key in raw() if key[0].startswith("OUTBOX")]


@pytest.mark.parametrize(
    "fields",
    [
        {"state": State.CANCELLED},
        {"state": State.FAILED, "problem": Problem("missing", "?")},
        {"state": State.FAILED, "problem": Problem("superseded", "?")},
    ],
)
def test_no_object(noted, fields):
    """What has no object, or is not looked at, has no consequences."""
    finished(noted, **fields)

    assert [] == list(noted.outbox.due())


def test_done(noted):
    """An item is deleted once, and not if there is a newer verdict."""
    record = finished(noted)
    [old] = noted.outbox.due()
    noted.records.judge_again(record, replace(record, policy_hash="p2"))
    [new] = noted.outbox.due()

    outcomes = [noted.outbox.done(due) for due in (old, new, new)]

    assert [Outcome.DONE_BEFORE, Outcome.DONE, Outcome.DONE_BEFORE] == outcomes
    assert [] == list(noted.outbox.due())


def test_renewed(noted):
    """An item of a renewed token is kept by whoever read the old one, and is still of the same put; what is gone stays gone."""
    records = [finished(noted), finished(noted, "b.mp4")]
    due, gone = (next(due for due in noted.outbox.due() if due.video_id == each.video.id) for each in records)
    noted.outbox.done(gone)

    noted.outbox.renew(records)
    noted.outbox.renew(records)

    [renewed] = noted.outbox.due()
    assert (replace(due, token=renewed.token), True) == (renewed, outbox.of_one_put(due.token, renewed.token))
    assert [Outcome.DONE_BEFORE, Outcome.DONE] == [noted.outbox.done(each) for each in (due, renewed)]


def test_put_since(noted):
    """A newer verdict's item is of another put, renewed or not."""
    record = finished(noted)
    [due] = noted.outbox.due()
    noted.outbox.put_again([record])
    noted.outbox.renew([record])

    [new] = noted.outbox.due()

    assert not outbox.of_one_put(due.token, new.token)


def test_when_it_was_put(noted, clock, dynamodb):
    """An item says when it was put, also once it was postponed; one of an earlier version says nothing of it."""
    finished(noted)
    put_at = clock.now()
    [due] = noted.outbox.due()
    clock.time += 60
    noted.outbox.postpone(due, at=clock.now(), event_sent=False)

    [later] = noted.outbox.due()
    key = {name: {"S": value} for name, value in outbox_items.key(due).items()}
    dynamodb.update_item(TableName=TABLE, Key=key, UpdateExpression="REMOVE put_at")
    [earlier] = noted.outbox.due()

    assert (put_at, put_at, None) == (due.put_at, later.put_at, earlier.put_at)


def test_postponed(noted, clock):
    """A postponed item is due later; a newer verdict is due at once."""
    record = finished(noted)
    [due] = noted.outbox.due()

    noted.outbox.postpone(due, at=clock.now(), event_sent=True)

    [later] = noted.outbox.due()
    assert (1, True, False, True) == (later.tries, later.event_sent, later.is_due(clock.now()), later.is_due(clock.now() + 60))
    noted.records.judge_again(record, replace(record, policy_hash="p2"))
    [new] = noted.outbox.due()
    assert (0, False, True) == (new.tries, new.event_sent, new.is_due(clock.now()))


def test_put_again(noted):
    """Records can be put into it on purpose."""
    record = finished(noted)
    noted.outbox.done(next(noted.outbox.due()))

    noted.outbox.put_again([record])

    assert [(record.video.id, SCAN)] == [(due.video_id, due.scan_id) for due in noted.outbox.due()]


@pytest.mark.slow
def test_many_decisions(noted, dynamodb):
    """Many decisions fit into transactions with their items, each with its own outcome."""
    decisions = [decision(finished(noted, f"{number}.mp4")) for number in range(40)]
    changed = [*decisions[:7], replace(decisions[7], attempt=1), *decisions[8:]]
    dynamodb.calls.clear()

    outcomes = noted.decisions.note_decisions(changed)

    assert ([7], 39) == (
        [place for place, each in enumerate(outcomes) if each is Outcome.BY_ANOTHER],
        outcomes.count(Outcome.DONE),
    )
    assert max(len(call["TransactItems"]) for call in dynamodb.called("transact_write_items")) <= 100


class TestContent:
    """What the consequences of a record depend on."""

    def test_no_record(self, noted):
        """An item whose record is gone has no content."""
        assert noted.outbox.content(Due(waiting().video.id, SCAN, "t")) is None

    @pytest.mark.parametrize(
        ("version", "other", "is_read"),
        [
            ("v1", Video(BUCKET, "a.mp4", "v1"), True),
            ("v1", Video(BUCKET, "a.mp4", "v2"), False),
            ("v1", Video(BUCKET, "a.mp4", None, "abc-1"), False),
            (None, Video(BUCKET, "a.mp4", None, "abc-1"), True),
            (None, Video(BUCKET, "a.mp4", None, "def"), False),
            ("null", Video(BUCKET, "a.mp4", None, "abc-1"), True),
            (None, Video(BUCKET, "b.mp4"), False),
        ],
    )
    def test_names(self, noted, version, other, is_read):
        """An object is known by its name in a manifest without versions, by that of its version, and as an upload."""
        record = replace(waiting(), facts=replace(FACTS, version_id=version))
        noted.records.register(record, None)
        noted.records.register(replace(record, video=other, scan_id=OTHER_SCAN), None)

        content = noted.outbox.content(Due(record.video.id, SCAN, "t"))

        assert (record, None) == (content.record, content.decision)
        assert {(record.video, SCAN), *([(other, OTHER_SCAN)] if is_read else [])} == {
            (each.video, each.scan_id) for each in content.others
        }

    def test_by_another_name(self, noted):
        """Whichever of its names a record has, that in a manifest without versions is read, too."""
        plain = replace(waiting(scan_id=OTHER_SCAN), facts=FACTS)
        upload = replace(waiting(), video=Video(BUCKET, "a.mp4", None, "abc-1"), facts=FACTS)
        for record in (plain, upload):
            noted.records.register(record, None)

        content = noted.outbox.content(Due(upload.video.id, SCAN, "t"))

        assert {SCAN, OTHER_SCAN} == {each.scan_id for each in content.others}

    def test_records_alone(self, noted):
        """Segments and logs of decisions beside records are neither; decisions come with the one that counts."""
        record = finished(noted)
        noted.records.write_segments(record, [Segment("Weapons", "Violence", 2, 0, 1_000, 99.0, 1)])
        noted.decisions.note_decisions([decision(record)])

        content = noted.outbox.content(Due(record.video.id, SCAN, "t"))

        assert ((record,), (decision(record),), decision(record)) == (content.others, content.decisions, content.decision)

    def test_uploads(self, noted):
        """The uploads of a content are read by its etag."""
        upload = replace(waiting(), video=Video(BUCKET, "a.mp4", None, "abc-1"))
        noted.records.register(upload, None)

        assert [upload] == noted.outbox.uploads_of(waiting().video, "abc-1")
        assert [] == noted.outbox.uploads_of(waiting().video, "def")


@pytest.mark.parametrize("first", [0, 1, SHARDS - 1, SHARDS, 5 * SHARDS + 3])
def test_every_shard(noted, first):
    """Whichever shard comes first, each comes once, in turn."""
    records = [finished(noted, f"{number}.mp4") for number in range(40)]

    shards = [int(outbox_items.key(due)["pk"].partition("#")[2]) for due in noted.outbox.due(first)]

    assert sorted((shard - first) % SHARDS for shard in shards) == [(shard - first) % SHARDS for shard in shards]
    assert len(records) == len(shards)


def test_closed_again(noted):
    """That a scan was closed can be told again."""
    noted.outbox.put_closed_again(SCAN)

    assert [("", SCAN)] == [(due.video_id, due.scan_id) for due in noted.outbox.due()]
