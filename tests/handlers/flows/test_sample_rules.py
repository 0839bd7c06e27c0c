"""When a film or image is begun, continued, stopped or given up: the rules, at their limits."""

from dataclasses import replace

import pytest

from handlers.adapters.table import Situation
from handlers.domain import Engine, Scan, ScanStatus, Settings, State, reasons, watch
from handlers.flows import sample_rules
from handlers.flows.sample_rules import Begin, Cancel, GoOn
from handlers.flows.start_rules import Defer, Drop
from tests.handlers.doubles import BUCKET, SCAN, waiting

WAITS = waiting(engine=Engine.FRAMES)
RUNS = replace(WAITS, state=State.RUNNING)
OPEN = Scan(SCAN, BUCKET)
PAUSED = replace(OPEN, status=ScanStatus.PAUSED, held_reason="by Ada")
USED_UP = replace(PAUSED, held_reason=watch.LIMIT_REACHED)
CANCELLED = replace(OPEN, status=ScanStatus.CANCELLED)
ALL_PAUSED = Settings(paused=True)


def decided(record, *, scan=OPEN, settings=None, attempt=0, receives=1):
    """Return the step for a message of an attempt."""
    analysis = waiting(attempt=attempt).analysis
    return sample_rules.decide(Situation(settings, scan, record), analysis, receives=receives)


@pytest.mark.parametrize("record", [None, WAITS], ids=["none", "of an earlier attempt"])
@pytest.mark.parametrize(("receives", "kind"), [(20, Defer), (21, Drop)])
def test_no_record(record, receives, kind):
    """A message whose record is not there yet is deferred, twenty times."""
    assert kind is type(decided(record, attempt=1, receives=receives))


@pytest.mark.parametrize(
    "record",
    [
        replace(WAITS, attempt=1),
        replace(RUNS, attempt=1),
        replace(WAITS, engine=Engine.VIDEO),
        replace(RUNS, engine=Engine.VIDEO),
        *(replace(WAITS, state=state) for state in State if state.final),
    ],
)
def test_no_longer_waits(record):
    """A message of an attempt that is over, or of a record that goes by the video API, is dropped."""
    assert Drop("its record no longer waits for it") == decided(record)


@pytest.mark.parametrize("scan", [OPEN, None])
def test_goes_on(scan):
    """What waits is begun, and what was begun goes on."""
    assert (Begin(WAITS), GoOn(RUNS)) == (decided(WAITS, scan=scan), decided(RUNS, scan=scan))


@pytest.mark.parametrize(
    ("given", "waits", "runs"),
    [
        ({"scan": PAUSED}, Drop("its scan is paused"), Drop("its scan is paused")),
        ({"scan": CANCELLED}, Drop("its scan is cancelled"), Cancel(RUNS)),
        ({"scan": replace(OPEN, cancel_before=9e9)}, Drop("it is cancelled"), Cancel(RUNS)),
        ({"settings": ALL_PAUSED}, Defer(60.0, "starting is paused"), Defer(60.0, "starting is paused")),
        ({"scan": None, "settings": ALL_PAUSED}, Defer(60.0, "starting is paused"), Defer(60.0, "starting is paused")),
        ({"scan": replace(OPEN, cancel_before=1.0)}, Begin(WAITS), GoOn(RUNS)),
    ],
)
def test_stopped(given, waits, runs):
    """A pause stops what waits and what runs; a cancellation drops the message of the former and cancels the latter."""
    assert (waits, runs) == (decided(WAITS, **given), decided(RUNS, **given))


@pytest.mark.parametrize(
    ("reserved_ms", "images", "is_within"),
    [(None, 0, False), (1, 0, True), (0, 0, False), (601, 1, True), (600, 1, False), (599, 1, False)],
)
def test_within_its_share(reserved_ms, images, is_within):
    """Once the minutes of a day are used up, a film goes on while less was paid for than it has taken."""
    record = replace(RUNS, reserved_ms=reserved_ms, images=images)

    assert (GoOn(record) if is_within else Drop("its scan is paused")) == decided(record, scan=USED_UP)


def test_share_and_other_pauses():
    """No share makes a film go on while a person has paused its scan, or all starting."""
    record = replace(RUNS, reserved_ms=9_000)

    assert Drop("its scan is paused") == decided(record, scan=PAUSED)
    assert Defer(60.0, "starting is paused") == decided(record, scan=USED_UP, settings=ALL_PAUSED)


@pytest.mark.parametrize(
    ("before", "late", "expected"),
    [(0.0, 0.3, 0.0), (1.0, 0.3, 0.9), (1.0, -1.0, 0.9), (0.0, 0.31, 0.31), (1.0, 2.0, 3.0), (9.5, 0.5, 10.0), (9.5, 0.6, 10.0)],
)
def test_ahead(before, late, expected):
    """A turn is requested as much further ahead as the last one was late, up to ten seconds, and a tenth less where it was not."""
    assert pytest.approx(expected) == sample_rules.ahead(before, late=late)


def test_exhausted():
    """A film is given up once more than five workers in a row have left nothing."""
    problem = sample_rules.exhausted(6)

    assert sample_rules.exhausted(5) is None
    assert (reasons.UNFINISHED, "5 invocations ended during its analysis, without progress.") == (problem.code, problem.message)


@pytest.mark.parametrize(
    ("decoded_ms", "duration_ms", "message"),
    [
        (61_000, 3_600_000, "Decoded up to 0:01:01 of 1:00:00."),
        (None, 0, "Decoded up to 0:00:00 of unknown length."),
        (18_000, 18_000, "Decoded up to 0:00:18 of unknown length."),
        (18_000, 18_001, "Decoded up to 0:00:18 of 0:00:18."),
        (5_000, None, "Decoded up to 0:00:05 of unknown length."),
    ],
)
def test_partly_decoded(decoded_ms, duration_ms, message):
    """A damaged film says how far it could be decoded, of how much if that is known."""
    problem = sample_rules.partly_decoded(replace(RUNS, decoded_ms=decoded_ms, duration_ms=duration_ms))

    assert (reasons.PARTLY_DECODED, message) == (problem.code, problem.message)
