"""Decisions in the table: about one content, on a record as it was looked at, the latest one stands."""

from dataclasses import replace

import pytest

from handlers.adapters.table import Outcome, expressions, open_table
from handlers.adapters.table.decisions import TOGETHER, decision_item, logged_from
from handlers.domain.decision import Judgement, time_of_decision, whole_log
from handlers.domain.record import ObjectFacts
from handlers.domain.states import State
from tests.handlers import tables
from tests.handlers.doubles import SCAN, TABLE, decision_about, waiting

KEY = '=1+1,"<script>"\n\u202e.mp4'


@pytest.fixture(name="decision")
def _decision(table):
    """Return a decision about a flagged video whose record is in the table."""
    record = replace(waiting(KEY), state=State.FLAGGED, facts=ObjectFacts("abc-1", 3, None))
    table.records.register(record, None)
    return made_about(record)


def made_about(record):
    """Return a decision about a record."""
    return decision_about(record, decided_at=1_700_000_000.123)


def test_round_trip(table, decision):
    """A decision comes back as it was written, by its content and by its video."""
    outcome = table.decisions.note_decisions([decision])[0]

    assert outcome is Outcome.DONE
    assert [decision] == list(table.decisions.decisions([(decision.video.id, "abc-1"), (decision.video.id, "other")]))
    assert [decision] == table.decisions.decisions_about(decision.video)


def test_twice(table, decision):
    """Doing it twice equals doing it once."""
    outcomes = [table.decisions.note_decisions([decision])[0] for _ in range(2)]

    assert [Outcome.DONE, Outcome.DONE_BEFORE] == outcomes


@pytest.mark.parametrize(("later", "stands"), [(1.0, True), (0.0, False), (-1.0, False)])
def test_latest(table, decision, later, stands):
    """A later decision takes the place of an earlier one, never the other way round."""
    other = replace(decision, decided_at=decision.decided_at + later, judgement=Judgement.FALSE_ALARM)
    table.decisions.note_decisions([decision])

    outcome = table.decisions.note_decisions([other])[0]

    assert (Outcome.DONE if stands else Outcome.BY_ANOTHER) is outcome
    assert [other if stands else decision] == table.decisions.decisions_about(decision.video)


@pytest.mark.slow
def test_many(table, decision):
    """Of many decisions, written fifty at a time, each has its own outcome: one that cannot be written keeps no other back."""
    decisions = [decision]
    for number in range(TOGETHER + 10):
        record = replace(waiting(f"{number}.mp4"), state=State.FLAGGED, facts=ObjectFacts("abc-1", 3, None))
        table.records.register(record, None)
        decisions.append(replace(decision, video=record.video))
    changed, stored = replace(decisions[7], attempt=1), decisions[TOGETHER + 3]
    table.decisions.note_decisions([decision])
    table.decisions.note_decisions([stored])

    outcomes = table.decisions.note_decisions([*decisions[:7], changed, *decisions[8:]])

    places = {outcome: [place for place, each in enumerate(outcomes) if each is outcome] for outcome in set(outcomes)}
    assert ([0, TOGETHER + 3], [7]) == (places[Outcome.DONE_BEFORE], places[Outcome.BY_ANOTHER])
    assert TOGETHER + 8 == len(places[Outcome.DONE])
    written = table.decisions.decisions((each.video.id, each.etag) for each in decisions)
    assert {each.video for each in decisions} - {decisions[7].video} == {each.video for each in written}


@pytest.mark.parametrize("changed", [{"attempt": 1}, {"etag": "other"}, {"scan_id": "01JDEM00000000000000000002"}])
def test_changed(table, decision, changed):
    """A decision about another attempt, content or scan than the record's is not written."""
    assert Outcome.BY_ANOTHER is table.decisions.note_decisions([replace(decision, **changed)])[0]
    assert [] == table.decisions.decisions_about(decision.video)


@pytest.mark.parametrize("state", [State.CLEAN, State.FAILED])
def test_not_flagged(table, decision, state):
    """A person may have looked at a video that the analysis cleared, or that failed."""
    record = replace(waiting("b.mp4"), state=state, facts=ObjectFacts("abc-1", 3, None))
    table.records.register(record, None)
    decided = replace(decision, video=record.video)

    assert [Outcome.DONE] == table.decisions.note_decisions([decided])
    assert [decided] == table.decisions.decisions_about(record.video)


@pytest.mark.parametrize("state", [State.CANCELLED, State.WAITING, State.RUNNING])
def test_not_looked_at(table, decision, state):
    """There is nothing to decide about what is still to be looked at, or was cancelled."""
    record = replace(waiting("b.mp4"), state=state, facts=ObjectFacts("abc-1", 3, None))
    table.records.register(record, None)

    assert Outcome.BY_ANOTHER is table.decisions.note_decisions([replace(decision, video=record.video)])[0]


@pytest.mark.parametrize(
    ("named", "looked_at", "outcome"),
    [("abc-1", None, Outcome.DONE), ("abc-1", "other", Outcome.BY_ANOTHER), (None, None, Outcome.BY_ANOTHER)],
)
def test_never_read(table, decision, named, looked_at, outcome):
    """What could not be read is known by the etag of its upload alone, unless another content was looked at in its place."""
    facts = None if looked_at is None else ObjectFacts(looked_at, 3, None)
    record = replace(waiting("b.mp4"), state=State.FAILED, facts=facts)
    record = replace(record, video=replace(record.video, etag=named))
    table.records.register(record, None)

    assert [outcome] == table.decisions.note_decisions([replace(decision, video=record.video)])


def test_records_and_segments_are_apart(table, decision):
    """A decision is not taken for a record or a segment of its video."""
    table.decisions.note_decisions([decision])

    assert State.FLAGGED is table.records.record(decision.video.id, SCAN).state
    assert [] == list(table.records.segments(decision.video.id, SCAN, 0))


class TestLog:
    def test_entries(self, table, decision):
        """Each decision is in the log with what it replaced, the oldest first; what is decided now is one item beside it."""
        withdrawn = replace(decision, judgement=Judgement.WITHDRAWN, decided_at=decision.decided_at + 1, decided_by="Bo", note="oh")
        again = replace(decision, judgement=Judgement.FALSE_ALARM, decided_at=decision.decided_at + 2)
        for each in (decision, withdrawn, again):
            assert [Outcome.DONE] == table.decisions.note_decisions([each])

        log = table.decisions.log_of(decision.content)

        assert [decision, withdrawn, again] == [entry.decision for entry in log]
        assert [None, ("confirmed", "Ada", decision.decided_at), ("withdrawn", "Bo", withdrawn.decided_at)] == [
            entry.before and (entry.before.judgement, entry.before.decided_by, entry.before.decided_at) for entry in log
        ]
        assert log == table.decisions.log_about(decision.video)
        assert [again] == table.decisions.decisions_about(decision.video)
        assert [] == table.decisions.log_of((decision.video.id, "abc"))

    def test_refused(self, table, decision):
        """What is not written, or comes twice, is not logged."""
        earlier = replace(decision, decided_at=decision.decided_at - 1)
        for each in (decision, decision, earlier, replace(decision, attempt=1, decided_at=decision.decided_at + 1)):
            table.decisions.note_decisions([each])

        assert [decision] == [entry.decision for entry in table.decisions.log_about(decision.video)]

    def test_of_a_former_version(self, table, decision):
        """A decision that a former version wrote, without an entry, is what the next entry replaced."""
        table.decisions._table.put(expressions.put(decision_item(decision)))
        later = replace(decision, decided_at=decision.decided_at + 1)

        assert [decision] == [each.decision for each in whole_log(table.decisions.log_of(decision.content), decision)]
        assert [Outcome.DONE] == table.decisions.note_decisions([later])

        [entry] = table.decisions.log_of(decision.content)
        assert (later, decision.decided_at) == (entry.decision, entry.before.decided_at)

    @pytest.mark.parametrize("operation", ["batch_get_item", "transact_write_items"])
    def test_whoever_dies(self, clock, operation):
        """Whoever dies after any of the calls and does it again has one decision, one entry, and one item in the outbox."""
        dynamodb = tables.dynamodb(clock)
        table = open_table(dynamodb, TABLE, clock, has_outbox=True)
        record = replace(waiting(KEY), state=State.FLAGGED, facts=ObjectFacts("abc-1", 3, None))
        table.records.register(record, None)
        made = made_about(record)
        dynamodb.die_after(operation, RuntimeError("killed"))

        with pytest.raises(RuntimeError):
            table.decisions.note_decisions([made])
        outcomes = table.decisions.note_decisions([made])

        assert outcomes == [Outcome.DONE if operation == "batch_get_item" else Outcome.DONE_BEFORE]
        assert [(made, None)] == [(entry.decision, entry.before) for entry in table.decisions.log_about(record.video)]
        assert [(record.video.id, SCAN)] == [(due.video_id, due.scan_id) for due in table.outbox.due()]


class TestAsSeen:
    def test_what_was_seen(self, table, decision):
        """A decision is written if the one that stands is the one that the person saw."""
        later = replace(decision, judgement=Judgement.FALSE_ALARM, decided_at=decision.decided_at + 1)

        [first] = table.decisions.note_decisions_as_seen([decision], [None])
        [second] = table.decisions.note_decisions_as_seen([later], [decision.decided_at])

        assert [(Outcome.DONE, decision), (Outcome.DONE, later)] == [(each.outcome, each.stored) for each in (first, second)]

    @pytest.mark.parametrize("seen", [None, 1.0])
    def test_conflict(self, table, decision, seen):
        """Where another decision stands, nothing is written, however late it comes, and the other one is told."""
        table.decisions.note_decisions([decision])
        mine = replace(decision, decided_by="Bo", decided_at=decision.decided_at + 60)

        [noted] = table.decisions.note_decisions_as_seen([mine], [seen])

        assert (Outcome.BY_ANOTHER, decision, False) == (noted.outcome, noted.stored, noted.record_changed)
        assert [decision] == [entry.decision for entry in table.decisions.log_about(decision.video)]

    def test_it_was_withdrawn(self, table, decision):
        """A withdrawn decision counts as none: whoever saw none, or saw it, may decide; whoever saw the former one may not."""
        withdrawn = replace(decision, judgement=Judgement.WITHDRAWN, decided_at=decision.decided_at + 1)
        table.decisions.note_decisions([decision])
        table.decisions.note_decisions([withdrawn])

        def outcome_of(seen, later):
            return table.decisions.note_decisions_as_seen([replace(decision, decided_at=decision.decided_at + later)], [seen])[0]

        assert Outcome.BY_ANOTHER is outcome_of(decision.decided_at, 2).outcome
        assert Outcome.DONE is outcome_of(withdrawn.decided_at, 2).outcome
        table.decisions.note_decisions([replace(withdrawn, decided_at=decision.decided_at + 3)])
        assert Outcome.DONE is outcome_of(None, 4).outcome

    def test_the_record_changed(self, table, decision):
        """A record that is not as it was reviewed is told apart from a conflict."""
        [noted] = table.decisions.note_decisions_as_seen([replace(decision, attempt=1)], [None])

        assert (Outcome.BY_ANOTHER, None, True) == (noted.outcome, noted.stored, noted.record_changed)

    def test_twice(self, table, decision):
        """The same one again is no conflict."""
        table.decisions.note_decisions_as_seen([decision], [None])

        assert Outcome.DONE_BEFORE is table.decisions.note_decisions_as_seen([decision], [None])[0].outcome

    @pytest.mark.parametrize(("later", "stands"), [(-1.0, "mine"), (1.0, "theirs")])
    def test_two_at_once(self, table, decision, later, stands):
        """Of two who decide between each other's read and write, the second one has a conflict; by `apply` the latest wins."""
        theirs = replace(decision, decided_by="Bo", decided_at=decision.decided_at + later)
        transact = table.decisions._table.transact

        def overtaken(actions):
            table.decisions._table.transact = transact
            table.decisions.note_decisions([theirs])
            transact(actions)

        table.decisions._table.transact = overtaken
        [noted] = table.decisions.note_decisions_as_seen([decision], [None])
        assert (Outcome.BY_ANOTHER, theirs, False) == (noted.outcome, noted.stored, noted.record_changed)

        [outcome] = table.decisions.note_decisions([decision])
        assert (Outcome.DONE if stands == "mine" else Outcome.BY_ANOTHER) is outcome
        assert [decision if stands == "mine" else theirs] == table.decisions.decisions_about(decision.video)

    def test_apply_is_overtaken(self, table, decision):
        """A later decision is written although an earlier one came between its read and its write, and the log names that one."""
        theirs = replace(decision, decided_by="Bo", decided_at=decision.decided_at - 1)
        transact = table.decisions._table.transact

        def overtaken(actions):
            table.decisions._table.transact = transact
            table.decisions.note_decisions([theirs])
            transact(actions)

        table.decisions._table.transact = overtaken

        assert [Outcome.DONE] == table.decisions.note_decisions([decision])
        assert [None, "Bo"] == [entry.before and entry.before.decided_by for entry in table.decisions.log_of(decision.content)]

    def test_clocks_differ(self, decision):
        """A decision is later than what it replaces, though the other clock was ahead."""
        assert decision.decided_at + 0.001 == pytest.approx(time_of_decision(decision.decided_at - 60, decision), abs=1e-6)
        assert 2_000_000_000.5 == time_of_decision(2_000_000_000.5, decision)
        assert 5.0 == time_of_decision(5.0, None)


def test_one_transaction(clock):
    """As many decisions as go together, with log and outbox, are the 100 actions that DynamoDB takes at once."""
    dynamodb = tables.dynamodb(clock)
    table = open_table(dynamodb, TABLE, clock, has_outbox=True)
    records = [
        replace(waiting(f"{number}.mp4"), state=State.FLAGGED, facts=ObjectFacts("abc-1", 3, None)) for number in range(TOGETHER)
    ]
    for record in records:
        table.records.register(record, None)
    before = len(dynamodb.called("transact_write_items"))

    outcomes = table.decisions.note_decisions([made_about(record) for record in records])

    [request] = dynamodb.called("transact_write_items")[before:]
    assert ([Outcome.DONE] * TOGETHER, 100) == (outcomes, len(request["TransactItems"]))


class TestLogOfAll:
    def test_by_the_time_of_the_write(self, table, clock, decision):
        """What was written since a time is named with its content, however long ago it was decided; what came before is not."""
        table.decisions.note_decisions([decision])
        clock.sleep(60.0)
        since = clock.now()
        clock.sleep(1.0)
        later = replace(decision, judgement=Judgement.WITHDRAWN, decided_at=decision.decided_at + 0.001)
        table.decisions.note_decisions([later])

        named = [(decision.content, round(1_000 * each.decided_at)) for each in (decision, later)]
        assert ({*named[1:]}, {*named}) == (table.decisions.logged_since(since), table.decisions.logged_since(0.0))

    def test_etag(self, table):
        """An etag may hold what separates the parts of a key."""
        assert (("v", "a#1#b"), 5) == logged_from({"pk": "VIDEO#v", "sk": "DECIDED#a#1#b#0000000000005"})

    def test_no_state(self, table, decision):
        """The log is in no state of a scan: what lists a scan's videos does not meet it."""
        table.decisions.note_decisions([decision])

        assert [[decision.video.id], []] == [list(table.records.in_state(SCAN, state)) for state in (State.FLAGGED, State.CLEAN)]
