"""When a Start is called, deferred, dropped or given up: the rules, at their limits."""

from dataclasses import replace

import pytest

from handlers.adapters.table import Situation
from handlers.domain.record import Scan, Settings
from handlers.domain.states import ScanStatus, State
from handlers.flows import start_rules
from handlers.flows.start_rules import Defer, Drop, Fail, Limits, Try
from tests.handlers.doubles import BUCKET, SCAN, waiting

NOW = 1_800_000_000.0
DAY = 86_400.0


def decided(record, *, scan=None, settings=None, attempt=0, receives=1, own_note=None):
    """Return the step for a message of an attempt."""
    analysis = waiting(attempt=attempt).analysis
    return start_rules.decide(Situation(settings, scan, record), analysis, receives=receives, own_note=own_note, now=NOW)


@pytest.mark.parametrize("record", [None, waiting()], ids=["none", "of an earlier attempt"])
@pytest.mark.parametrize(("receives", "kind"), [(1, Defer), (20, Defer), (21, Drop)])
def test_no_record(record, receives, kind):
    """A message whose record is not there yet is deferred for 30 s, 20 times; no Start of its own can have happened."""
    step = decided(record, attempt=1, receives=receives)

    assert kind is type(step)
    assert kind is Drop or (30.0, True) == (step.seconds, step.certain)


@pytest.mark.parametrize(
    "record", [waiting(attempt=1), *(replace(waiting(), state=state) for state in State if state is not State.WAITING)]
)
def test_no_longer_waiting(record):
    """A message of an attempt that is over, or of one that no longer waits, is dropped."""
    assert Drop is type(decided(record))


@pytest.mark.parametrize(("own_note", "may_have_started"), [(None, True), (NOW - 6.0, True), (NOW - 5.0, False)])
def test_noted(own_note, may_have_started):
    """A Start that another invocation noted may have happened; one of this invocation was refused."""
    record = replace(waiting(), start_tried_at=NOW - 5.0)

    step = decided(record, own_note=own_note)

    assert Try(record, may_have_started=may_have_started) == step


@pytest.mark.parametrize(("age", "kind"), [(6 * DAY, Try), (6 * DAY + 1, Fail)])
def test_unknown_for_too_long(age, kind):
    """A Start is repeated for six days: its token may be forgotten then."""
    step = decided(replace(waiting(), start_tried_at=NOW - age))

    assert kind is type(step)
    assert kind is Try or "start-unknown" == step.problem.code


@pytest.mark.parametrize("status", [ScanStatus.PAUSED, ScanStatus.CANCELLED])
@pytest.mark.parametrize("tried_at", [None, NOW - 5.0])
def test_held_scan(status, tried_at):
    """A scan that is paused or cancelled starts nothing anew; what may have started is found out all the same."""
    step = decided(replace(waiting(), start_tried_at=tried_at), scan=Scan(SCAN, BUCKET, status=status))

    assert (Drop if tried_at is None else Try) is type(step)


def test_starting_is_paused():
    """While starting is paused a message is deferred for a minute."""
    step = decided(waiting(), settings=Settings(paused=True))

    assert (60.0, True) == (step.seconds, step.certain)


@pytest.mark.parametrize("settings", [None, Settings()])
@pytest.mark.parametrize("scan", [None, Scan(SCAN, BUCKET), Scan(SCAN, BUCKET, status=ScanStatus.CLOSED)])
def test_first_start(settings, scan):
    """What waits in a scan that is not held is started."""
    assert Try(waiting(), may_have_started=False) == decided(waiting(), settings=settings, scan=scan)


@pytest.mark.parametrize(
    ("may_have_started", "age", "expected"), [(True, DAY - 1, True), (True, DAY, False), (False, DAY - 1, False)]
)
def test_may_still_run(may_have_started, age, expected):
    """The job of a Start that may have happened is over, and its notice here, after a day."""
    step = Try(replace(waiting(), start_tried_at=NOW - age), may_have_started=may_have_started)

    assert expected is start_rules.may_still_run(step, now=NOW)


@pytest.mark.parametrize(
    ("settings", "slots"),
    [(None, 18), (Settings(), 18), (Settings(slots=1), 1), (Settings(slots=19), 19), (Settings(slots=20), 40)],
)
def test_slots(settings, slots):
    """Below the account's jobs the setting counts, else the stack's; at the quota our own count stops at twice of it."""
    assert slots == start_rules.slots(settings, Limits(18, 20))


@pytest.mark.parametrize(
    ("refusals", "age", "expected"), [(20, 3_600.0, True), (19, 3_600.0, False), (20, 3_599.0, False), (20, None, False)]
)
def test_hopeless(refusals, age, expected):
    """A video is given up after 20 refusals and an hour, not after one of the two."""
    record = replace(waiting(), refusals=refusals, refused_since=None if age is None else NOW - age)

    assert expected is start_rules.hopeless(record, now=NOW)
