"""The join of manifest, completion reports and table."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.identity import Video
from handlers.domain.languages import phrase
from handlers.domain.reasons import INELIGIBLE, SUPERSEDED
from handlers.domain.record import Problem, Record, Scan
from handlers.domain.states import State
from tools.lib.cli import ExitCode
from tools.lib.review.completion_report import ReportRow
from tools.lib.review.join import ObjectStatus, ReportNotes, TaskNote, TruthTable, join, note_of, result_of
from tools.lib.review.summary import Review

SCAN = "01JDABCDEFGHJKMNPQRSTVWXYZ"
WAITING = '{"state":"WAITING","scan":"x"}'
SKIPPED = '{"state":"SKIPPED","reason":"not-a-video","scan":"x"}'


class Table:
    """Records in memory, of which no index tells."""

    def __init__(self, *records):
        self.items = {record.video.digest: record for record in records}

    def ask(self, rows):
        """Return each with its record, if there is one."""
        return ((row, self.items.get(row.key)) for row in rows)


def video(name):
    """Make a video of this key."""
    return Video("bucket", name)


def record(name, state, **more):
    """Make a record of this key."""
    return Record(video(name), SCAN, state, **more)


def row(name, message=WAITING, *, succeeded=True, code=""):
    """Make a row of a report."""
    return ReportRow("bucket", name, None, succeeded, "200", code, message)


def joined(names, notes, table, truth):
    """Join a manifest of these keys."""
    return list(join(lambda: (("bucket", name, None) for name in names), notes, table, truth))


def run(names, rows, *records):
    """Join and return what came out, and the truth."""
    notes = ReportNotes()
    for each in rows:
        notes.take(each)
    truth = TruthTable(expected=len(names))
    return joined(names, notes, Table(*records), truth), truth


def test_every_object_is_in_one_state():
    """Table, report and manifest each say what only they know."""
    outcomes, truth = run(
        ["clean", "flagged", "failed", "empty", "text", "denied", "left"],
        [
            row("clean"),
            row("flagged"),
            row("failed"),
            row("empty"),
            row("text", SKIPPED),
            row("denied", "", succeeded=False, code="PermanentFailure"),
        ],
        record("clean", State.CLEAN),
        record("flagged", State.FLAGGED),
        record("failed", State.FAILED, problem=Problem("analysis-failed", "codec")),
        record("empty", State.FAILED, problem=Problem("empty", "0 bytes")),
    )

    assert ["clean", "flagged", "failed", "ineligible", "skipped", "failed", "never attempted"] == [
        outcome.status for outcome in outcomes
    ]
    assert ("analysis-failed", "codec") == (outcomes[2].reason, outcomes[2].message)
    assert ("empty", "0 bytes") == (outcomes[3].reason, outcomes[3].message)
    assert truth.adds_up
    assert not truth.settled


@pytest.mark.parametrize("code", sorted(INELIGIBLE - {SUPERSEDED}))
def test_ineligible(code):
    """What could not be analysed as it is has a state of its own, and keeps the scan from being settled."""
    outcomes, truth = run(["a"], [row("a")], record("a", State.FAILED, problem=Problem(code, "no")))

    assert [ObjectStatus.INELIGIBLE] == [outcome.status for outcome in outcomes]
    assert (True, False) == (truth.adds_up, truth.settled)


def test_left_out_of_the_job():
    """An object that was left out of the job is ineligible; once a retry took it up, the report and the table have the word."""
    notes, truth = ReportNotes(), TruthTable(expected=1, set_aside=3)
    for name in ("aside", "restored", "text"):
        notes.set_aside(video(name), Problem("archived", "It is in GLACIER."))
    for each in (row("in"), row("restored"), row("text", SKIPPED)):
        notes.take(each)
    known = Table(record("in", State.CLEAN), record("restored", State.FLAGGED))

    outcomes = joined(("in", "aside", "restored", "text"), notes, known, truth)

    assert [ObjectStatus.CLEAN, ObjectStatus.INELIGIBLE, ObjectStatus.FLAGGED, ObjectStatus.SKIPPED] == [
        outcome.status for outcome in outcomes
    ]
    assert ("archived", "It is in GLACIER.") == (outcomes[1].reason, outcomes[1].message)
    assert (4, True) == (truth.total, truth.adds_up)


def test_set_aside_hides_no_missing_row():
    """What was left out of the job does not replace a row that the manifest lacks."""
    notes, truth = ReportNotes(), TruthTable(expected=2, set_aside=1)
    notes.set_aside(video("aside"), Problem("empty", "It has 0 bytes."))

    joined(("in", "aside"), notes, Table(record("in", State.CLEAN)), truth)

    assert not truth.adds_up


@pytest.mark.parametrize("more", [{"foreign": 1}, {"expected": 2}, {"expected": 1}, {"set_aside": 1}])
def test_not_settled_though_all_are_clean(more):
    """An object too many or too few keeps a scan from being settled although all others are clean: the exit code is 3."""
    truth = TruthTable(**({"expected": 2} | more), statuses=Counter({ObjectStatus.CLEAN: 2}))
    if more == {"expected": 2}:
        truth.statuses[ObjectStatus.CLEAN] -= 1

    review = Review(Scan(SCAN, "bucket"), truth)

    assert (False, False, ExitCode.SOME_FAILED) == (truth.adds_up, truth.settled, review.exit_code)


def test_settled():
    """A scan is settled when everything is clean or flagged; what was skipped was not looked at, and that is not a verdict."""
    _, analysed = run(["a", "b"], [row("a"), row("b")], record("a", State.CLEAN), record("b", State.FLAGGED))
    _, skipped = run(["a", "b"], [row("a"), row("b", SKIPPED)], record("a", State.CLEAN))

    assert (True, True, True, False) == (analysed.adds_up, analysed.settled, skipped.adds_up, skipped.settled)


@pytest.mark.parametrize("state", [State.WAITING, State.RUNNING, State.FAILED, State.CANCELLED])
def test_not_settled(state):
    """One video that is unfinished, failed or cancelled keeps a scan from being settled."""
    _, truth = run(["a"], [row("a")], record("a", state))

    assert not truth.settled


def test_accepted_without_a_record():
    """An accepted task without a record is lost, and the table does not add up."""
    outcomes, truth = run(["a"], [row("a")])

    assert ObjectStatus.LOST == outcomes[0].status
    assert not truth.adds_up


def test_repeated_row():
    """A key that stands twice in the manifest is two rows and one record."""
    outcomes, truth = run(["a", "a"], [row("a"), row("a")], record("a", State.CLEAN))

    assert [False, True] == [outcome.again for outcome in outcomes]
    assert (2, 1) == (truth.total, truth.repeated)


def test_report_of_something_else():
    """A report that knows objects which the manifest does not is said to be of another manifest."""
    _, truth = run(["a"], [row("a"), row("b")], record("a", State.CLEAN))

    assert (1, False) == (truth.foreign, truth.adds_up)


def test_fewer_rows_than_expected():
    """A manifest that is shorter than the scan's count does not add up."""
    _, truth = run(["a"], [row("a")], record("a", State.CLEAN))
    truth.expected = 2

    assert not truth.adds_up


def test_table_before_report():
    """What the table knows counts more than what the report says of the task."""
    note = note_of(row("a", "boom", succeeded=False, code="PermanentFailure"))

    assert ObjectStatus.CLEAN == result_of(video("a"), note, record("a", State.CLEAN)).status


def test_reason_of_a_failed_task():
    """Our own JSON gives the reason; without it AWS's code and words do."""
    ours = note_of(row("a", '{"reason":"missing","message":"no such key"}', succeeded=False, code="PermanentFailure"))
    theirs = note_of(row("a", "Lambda returned function error", succeeded=False, code="PermanentFailure"))

    assert ("missing", "no such key") == (ours.reason, ours.message)
    assert ("PermanentFailure", "Lambda returned function error") == (theirs.reason, theirs.message)


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from([None, *State])), max_size=400))
def test_counts_add_up(entries):
    """Whatever the states, and however many rows, the counts sum to the rows and no object is in two states."""
    states = {str(number): state for number, state in entries}
    names = [str(number) for number, _ in entries]

    outcomes, truth = run(names, [], *(record(name, state) for name, state in states.items() if state))

    assert len(names) == truth.total == len(outcomes)
    assert truth.statuses == Counter(
        (ObjectStatus(states[name].lower()) if states[name] else ObjectStatus.NEVER_ATTEMPTED) for name in names
    )


@pytest.mark.parametrize("state", State)
def test_state_alone(state):
    """A state says the same of an object as its whole record does."""
    assert result_of(video("a"), None, record("a", state)).status is result_of(video("a"), None, state).status


def test_unreported():
    """Where reports are incomplete, an object without a row says so; one whose row is there does not."""
    notes = ReportNotes()
    notes.take(row("text", SKIPPED))
    notes.gaps.append(phrase("no report"))

    outcomes = joined(("text", "left"), notes, Table(), TruthTable())

    assert [(ObjectStatus.SKIPPED, "not-a-video"), (ObjectStatus.NEVER_ATTEMPTED, "not-reported")] == [
        (outcome.status, outcome.reason) for outcome in outcomes
    ]


def test_later_job_counts():
    """Of two rows about an object the later one counts."""
    notes = ReportNotes()
    notes.take(row("a", "boom", succeeded=False, code="PermanentFailure"))
    notes.take(row("a", SKIPPED))

    assert "SKIPPED" == notes.of(video("a").digest).state
    assert notes.of(video("b").digest) is None


@pytest.mark.parametrize(("different", "remembered"), [(1, 1), (3, 3), (4, 3)])
def test_bounded_memory(monkeypatch, different, remembered):
    """The texts of a limited number of different rows are remembered; the others are noted all the same."""
    monkeypatch.setattr("tools.lib.review.join._MAX_ROWS", 3)
    notes = ReportNotes()
    names = [f"{number}.mp4" for number in range(different)]

    for _ in range(2):
        for name in names:
            notes.take(row(name, f'{{"state":"{name}"}}'))

    assert remembered == len(notes._rows)
    assert names == [notes.of(video(name).digest).state for name in names]
    assert (2 * different, different, different + 1) == (notes.rows, notes.unmet, len(notes._notes))


def test_the_index_names_one_twice():
    """An object that the index names twice, because it moved meanwhile, is clean once; one that a report named is too."""
    notes = ReportNotes()
    notes.take(row("a"))

    notes.take_clean([video("a").digest, video("b").digest, video("a").digest, video("b").digest])

    assert (2, 1) == (notes.clean, notes.unmet)


def test_met():
    """An object that the manifest names is met once, however often it does; what no report named is none of them."""
    notes = ReportNotes()
    for name in ("a", "b"):
        notes.take(row(name))
    notes.set_aside(video("c"), Problem("empty", "It is empty."))

    for name in ("a", "a", "d", "c"):
        notes.meet(video(name).digest)

    assert 1 == notes.unmet


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (row("a", '{"state":"SKIPPED","reason":"r","message":"m","more":5}'), (True, "SKIPPED", "r", "m")),
        (row("a", "no JSON"), (True, None, None, None)),
        (row("a", "[1]"), (True, None, None, None)),
        (row("a", '{"state":5}'), (True, None, None, None)),
        (row("a", "no JSON", succeeded=False, code="Odd"), (False, None, "Odd", "no JSON")),
        (row("a", "", succeeded=False), (False, None, None, "")),
        (row("a", '{"reason":"r"}', succeeded=False, code="Odd"), (False, None, "r", None)),
        (row("a", '{"reason":"r","message":"m","state":"FAILED"}', succeeded=False), (False, None, "r", "m")),
        (row("a", "{}", succeeded=False, code="Odd"), (False, None, "Odd", "{}")),
    ],
)
def test_what_a_row_says(given, expected):
    """A row says what our function answered, or, where it did not, what AWS did."""
    note = note_of(given)

    assert expected == (note.succeeded, note.state, note.reason, note.message)


@pytest.mark.parametrize(
    ("note", "status"),
    [
        (TaskNote(succeeded=True, state="SKIPPED"), ObjectStatus.SKIPPED),
        (TaskNote(succeeded=True, state="INELIGIBLE"), ObjectStatus.INELIGIBLE),
        (TaskNote(succeeded=True, state="WAITING"), ObjectStatus.LOST),
        (TaskNote(succeeded=True), ObjectStatus.LOST),
        (TaskNote(succeeded=False, state="SKIPPED"), ObjectStatus.FAILED),
        (None, ObjectStatus.NEVER_ATTEMPTED),
    ],
)
@pytest.mark.parametrize("again", [False, True])
def test_without_a_record(note, status, again):
    """Without a record the report decides, and without that the manifest."""
    found = result_of(video("a"), note, None, again=again)

    assert (video("a"), status, None, None, None, again) == (
        found.video,
        found.status,
        found.record,
        found.reason,
        found.message,
        found.again,
    )


@pytest.mark.parametrize(("why", "reason"), [(None, None), ("It is incomplete.", "not-reported")])
def test_not_reported(why, reason):
    """Where a report is known to lack rows, an object without one says so."""
    found = result_of(video("a"), None, None, unreported=why)

    assert (ObjectStatus.NEVER_ATTEMPTED, reason, why) == (found.status, found.reason, found.message)


@pytest.mark.parametrize("state", list(State))
def test_with_a_record(state):
    """A record decides, whatever the report says; what failed for what the object is, is ineligible."""
    note = TaskNote(succeeded=False, reason="r")
    empty = record("a", state, problem=Problem("empty", "It is empty."))
    other = record("a", state, problem=Problem("odd", "It is odd."))

    found = [result_of(video("a"), note, each) for each in (empty, other)]

    ineligible = ObjectStatus.INELIGIBLE if state is State.FAILED else ObjectStatus(state.value.lower())
    assert [ineligible, ObjectStatus(state.value.lower())] == [each.status for each in found]
    assert [("empty", "It is empty."), ("odd", "It is odd.")] == [(each.reason, each.message) for each in found]


@pytest.mark.parametrize("state", list(State))
def test_with_a_state(state):
    """Where only the state is known, it is all that there is."""
    found = result_of(video("a"), TaskNote(succeeded=False, reason="r"), state, again=True)

    assert (ObjectStatus(state.value.lower()), None, None, None, True) == (
        found.status,
        found.record,
        found.reason,
        found.message,
        found.again,
    )
