"""Analyses by frames in the table: the lease that one worker has at a time, and progress that is written once."""

from dataclasses import replace

import pytest

from handlers.adapters.table import Lease, Outcome
from handlers.adapters.table.items import record_key
from handlers.adapters.table.scan_items import Sampling
from handlers.domain import Engine, Hit, ObjectFacts, State
from tests.handlers.doubles import SCAN, TABLE, client_error, waiting

FACTS = ObjectFacts("abc", 3, None)
RECORD = waiting(engine=Engine.FRAMES)
HITS = (Hit(2_500, "Weapons", "Violence", 2, 99.5), Hit(7_500, "Weapons", "Violence", 2, 91.25))


@pytest.fixture(name="begin")
def _begin(table, clock):
    """Return a function that registers a film and gives a worker its lease for a minute."""

    def begin(record=RECORD, facts=FACTS):
        table.records.register(record, None)
        return table.samplings.begin(record, facts, Lease("one", clock.now() + 60), at=clock.now())

    return begin


@pytest.fixture(name="record")
def _record(table):
    """Return a function that reads the record."""
    return lambda: table.records.record(RECORD.video.id, SCAN)


class TestBegin:
    def test_whole(self, begin, record, table, clock):
        """The record runs as it was looked at, and its analysis is listed with the lease."""
        assert Outcome.DONE is begin()

        assert replace(RECORD, state=State.RUNNING, started_at=clock.now(), facts=FACTS) == record()
        expected = Sampling(SCAN, RECORD.video.id, 0, clock.now(), clock.now() + 60, "one")
        assert ([expected], 1) == (table.samplings.all(), table.samplings.under_way())

    @pytest.mark.parametrize(("facts", "is_changed"), [(FACTS, False), (ObjectFacts("other", 4, "v1"), True)])
    def test_changed(self, begin, record, facts, is_changed):
        """An object that was replaced since it was registered is marked."""
        begin(facts=facts)

        assert (facts, is_changed) == (record().facts, record().changed_during_scan)

    def test_never_looked_at(self, begin, record):
        """One that could not be looked at before has not changed."""
        begin(replace(RECORD, facts=None))

        assert not record().changed_during_scan

    @pytest.mark.parametrize(
        ("changed", "outcome"),
        [
            ({"state": State.RUNNING}, Outcome.DONE_BEFORE),
            ({"state": State.RUNNING, "attempt": 1}, Outcome.BY_ANOTHER),
            ({"attempt": 1}, Outcome.BY_ANOTHER),
            ({"state": State.CANCELLED}, Outcome.BY_ANOTHER),
        ],
    )
    def test_too_late(self, table, clock, changed, outcome):
        """A film that runs was begun before; one that waits for another attempt, or no more, is not begun."""
        table.records.register(replace(RECORD, **changed), None)

        found = table.samplings.begin(RECORD, FACTS, Lease("two", 9e9), at=clock.now())

        assert (outcome, 0) == (found, table.samplings.under_way())

    def test_no_record(self, table, clock):
        """A film without a record is not begun."""
        assert Outcome.BY_ANOTHER is table.samplings.begin(RECORD, FACTS, Lease("two", 9e9), at=clock.now())


class TestLease:
    @pytest.mark.parametrize(("seconds", "is_taken"), [(59.999, False), (60.0, True), (61.0, True)])
    def test_taken_over(self, begin, table, clock, seconds, is_taken):
        """A lease is taken over from its end on, and how often that was is counted."""
        begin()
        clock.time += seconds

        found = table.samplings.take_over(RECORD, Lease("two", clock.now() + 60))

        assert (("two", clock.now() + 60, 1) if is_taken else None) == (found and (found.holder, found.until, found.tries))

    @pytest.mark.parametrize("name", ["write_progress", "release_lease"])
    def test_counted(self, begin, table, clock, name):
        """Each worker that takes it adds to the count, until one writes something or gives the lease back."""
        begin()
        tries = []
        for worker in ("two", "three"):
            clock.time += 60
            tries.append(table.samplings.take_over(RECORD, Lease(worker, clock.now() + 60)).tries)
        getattr(table.samplings, name)(replace(RECORD, images=1), (), Lease("three", clock.now() + 60))

        assert ([1, 2], 0) == (tries, table.samplings.all()[0].tries)

    def test_lost_answer(self, begin, table, clock, dynamodb):
        """A worker whose first write was answered with an error has the lease all the same."""
        begin()
        clock.time += 60
        dynamodb.die_after("update_item", client_error("ThrottlingException"))

        found = table.samplings.take_over(RECORD, Lease("two", clock.now() + 60))

        assert ("two", 1) == (found.holder, found.tries)

    def test_over(self, table, clock):
        """The lease of an analysis that is over cannot be taken."""
        assert table.samplings.take_over(RECORD, Lease("two", clock.now() + 60)) is None


class TestProgress:
    @pytest.mark.parametrize("name", ["write_progress", "release_lease"])
    def test_written(self, begin, table, record, clock, name):
        """Images, position, model and hits are written, and with them the lease is extended, or given back."""
        begin()
        paid = replace(RECORD, images=2, position_ms=7_500, model_version="7.0")

        assert getattr(table.samplings, name)(paid, HITS, Lease("one", clock.now() + 90))

        now, (sampling,) = record(), table.samplings.all()
        assert (2, 7_500, "7.0", State.RUNNING) == (now.images, now.position_ms, now.model_version, now.state)
        assert list(HITS) == list(table.samplings.hits(RECORD))
        holder = "one" if name == "write_progress" else None
        assert (holder, clock.now() + 90) == (sampling.holder, sampling.until)

    @pytest.mark.parametrize("name", ["write_progress", "release_lease"])
    def test_lost(self, begin, table, record, clock, name):
        """Who has lost the lease writes nothing."""
        begin()
        before = record(), table.samplings.all()

        assert not getattr(table.samplings, name)(replace(RECORD, images=2), HITS, Lease("two", clock.now() + 90))
        assert (before, []) == ((record(), table.samplings.all()), list(table.samplings.hits(RECORD)))

    @pytest.mark.parametrize("changed", [{"attempt": 1}, {"reserved_ms": 5}])
    def test_another_record(self, begin, table, record, clock, changed):
        """Progress of another attempt, or of another share of the day, is not written."""
        begin()
        before = record()

        assert not table.samplings.write_progress(replace(RECORD, images=2, **changed), (), Lease("one", clock.now() + 90))
        assert before == record()

    def test_no_longer_running(self, begin, table, record, clock):
        """Nor is that of a film that is over, whose lease is gone."""
        begin()
        table.records.finish(replace(RECORD, state=State.CLEAN, finished_at=1.0))

        assert not table.samplings.write_progress(replace(RECORD, images=2), (), Lease("one", clock.now() + 90))
        assert (State.CLEAN, 0) == (record().state, record().images)

    def test_no_record(self, begin, table, raw, dynamodb, clock):
        """Nor is that of a film whose record was deleted, though its lease is there."""
        begin()
        key = record_key(RECORD.video.id, SCAN)
        dynamodb.delete_item(TableName=TABLE, Key={name: {"S": text} for name, text in key.items()})
        before = raw()

        assert not table.samplings.write_progress(replace(RECORD, images=2), HITS, Lease("one", clock.now() + 90))
        assert before == raw()

    def test_in_order(self, begin, table, clock):
        """Hits of several writes come back in order of time; those of another attempt do not."""
        begin()
        lease = Lease("one", clock.now() + 90)
        for position, hits in ((2_500, HITS[:1]), (7_500, ()), (100_000, HITS[1:])):
            table.samplings.write_progress(replace(RECORD, images=1, position_ms=position), hits, lease)

        assert list(HITS) == list(table.samplings.hits(RECORD))
        assert [] == list(table.samplings.hits(replace(RECORD, attempt=1)))

    def test_twice(self, begin, table, record, clock):
        """Writing the same again changes nothing."""
        begin()
        paid, lease = replace(RECORD, images=2, position_ms=7_500), Lease("one", clock.now() + 90)

        assert [True, True] == [table.samplings.write_progress(paid, HITS, lease) for _ in range(2)]
        assert (2, list(HITS)) == (record().images, list(table.samplings.hits(RECORD)))
