"""Decisions in the table: about one content, on a record as it was looked at, the latest one stands."""

from dataclasses import replace

import pytest

from handlers.adapters.table import Outcome
from handlers.adapters.table.decisions import TOGETHER
from handlers.domain.decision import Decision, Judgement
from handlers.domain.record import ObjectFacts
from handlers.domain.states import State
from tests.handlers.doubles import SCAN, waiting

KEY = '=1+1,"<script>"\n\u202e.mp4'


@pytest.fixture(name="decision")
def _decision(table):
    """Return a decision about a flagged video whose record is in the table."""
    record = replace(waiting(KEY), state=State.FLAGGED, facts=ObjectFacts("abc-1", 3, None))
    table.records.register(record, None)
    return Decision(
        video=record.video,
        etag="abc-1",
        scan_id=SCAN,
        attempt=0,
        judgement=Judgement.CONFIRMED,
        note="",
        decided_by="Ada",
        decided_at=1_700_000_000.123,
    )


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
