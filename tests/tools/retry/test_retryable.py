"""The table of what a retry is worth, against the codes that the functions and AWS use."""

import pytest

from handlers.adapters.aws_errors import FAULTS, Fault
from handlers.domain import reasons
from handlers.domain.identity import MAX_ATTEMPT, Video
from handlers.domain.mp4 import Header
from handlers.domain.reasons import REASONS
from handlers.domain.record import Problem, Record
from handlers.domain.states import State
from tools.lib.retry.retryable import IDLE_SECONDS, MESSAGE_SECONDS, RUNNING_SECONDS, Moment, diagnose
from tools.lib.review.join import ObjectResult, ObjectStatus

RETRYABLE = {code for code, reason in REASONS.items() if reason.retryable}
NOT_RETRYABLE = REASONS.keys() - RETRYABLE
NOW = 1_760_000_000.0
IDLE = Moment(NOW, anything_runs=False, paused=False)
BUSY = Moment(NOW, anything_runs=True, paused=False)
PAUSED = Moment(NOW, anything_runs=False, paused=True)
VIDEO = Video("amzn-s3-demo-bucket", "a.mp4")


def outcome(status, *, state=None, reason=None, **fields):
    """Return the status of a video, with a record where it has a state."""
    problem = Problem(reason, "") if reason and state else None
    record = Record(VIDEO, "01K742SG00000G40R40M30E209", state, problem=problem, **fields) if state else None
    return ObjectResult(VIDEO, status, record, reason)


def test_every_code_of_ours_is_judged():
    """Every reason code of our own has its row in the table, under its own name."""
    ours = {value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}

    assert ours
    assert ours <= REASONS.keys()
    assert [code for code in REASONS if REASONS[code].code != code] == []


@pytest.mark.parametrize("header", [Header(60.0, "hevc", 2, 9), Header(60.0, "", 2, 9), Header(6 * 3_600 + 1.0, "h264", 2, 9)])
def test_the_fault_of_a_header_is_judged(header):
    """What was left out of the job for its header is as it was, until somebody replaces it: it is not retried."""
    found = outcome(ObjectStatus.INELIGIBLE, reason=header.fault.code)

    assert header.fault.code in NOT_RETRYABLE
    assert [False, True] == [diagnose(found, IDLE, all_failed=all_failed).retried for all_failed in (False, True)]


def test_what_is_transient_is_retryable():
    """Every AWS code that the functions take for transient is worth a retry."""
    transient = {code for code, fault in FAULTS.items() if fault.transient}

    assert transient <= RETRYABLE


def test_the_objects_fault_is_not_retryable():
    """No AWS code that is the object's fault is retried before somebody insists, but one: a missing permission looks the same."""
    objects = {code for code, fault in FAULTS.items() if fault is Fault.OBJECT}

    assert {"InvalidS3ObjectException"} == objects & RETRYABLE


@pytest.mark.parametrize("fields", [{"reason": reasons.SUPERSEDED}, {"reason": "forbidden", "superseded_at": 1.0}])
def test_superseded(fields):
    """What another upload replaced is not retried, whatever is wanted: its content is gone."""
    failed = outcome(ObjectStatus.FAILED, state=State.FAILED, **fields)

    assert [None, None] == [diagnose(failed, IDLE, all_failed=all_failed) for all_failed in (False, True)]


def test_the_last_attempt():
    """A video that was retried as often as its keys can count is left, and said to be."""
    failed = outcome(ObjectStatus.FAILED, state=State.FAILED, reason="forbidden", attempt=MAX_ATTEMPT)

    found = diagnose(failed, IDLE, all_failed=True)

    assert ("retried too often", False) == (found.reason, found.retried)


@pytest.mark.parametrize("reason", [*sorted(NOT_RETRYABLE - {reasons.SUPERSEDED}), "SomethingNew"])
def test_stubborn(reason):
    """What will not get better by itself is left, unless everything is wanted."""
    failed = outcome(ObjectStatus.FAILED, state=State.FAILED, reason=reason)

    assert [False, True] == [diagnose(failed, IDLE, all_failed=all_failed).retried for all_failed in (False, True)]


@pytest.mark.parametrize(("reason", "retried"), [("archived", True), ("empty", False), ("too-large", False)])
def test_ineligible(reason, retried):
    """What is archived may have been restored; what is empty or too large stays so, with a record or left out of the job."""
    for state in (State.FAILED, None):
        found = outcome(ObjectStatus.INELIGIBLE, state=state, reason=reason)

        assert [retried, True] == [diagnose(found, IDLE, all_failed=all_failed).retried for all_failed in (False, True)]


@pytest.mark.parametrize("reason", ["PermanentFailure", "TemporaryFailure", None])
def test_task_that_failed_at_aws(reason):
    """A task without a record whose reason is none of ours failed at AWS: it is retried."""
    assert diagnose(outcome(ObjectStatus.FAILED, reason=reason), IDLE, all_failed=False).retried


@pytest.mark.parametrize("status", [ObjectStatus.CLEAN, ObjectStatus.FLAGGED, ObjectStatus.SKIPPED])
def test_done(status):
    """What is done is never retried, however stubborn one is."""
    assert diagnose(outcome(status), IDLE, all_failed=True) is None


@pytest.mark.parametrize(
    ("moment", "waited", "retried"),
    [
        (IDLE, IDLE_SECONDS, False),
        (IDLE, IDLE_SECONDS + 1, True),
        (BUSY, IDLE_SECONDS + 1, False),
        (PAUSED, IDLE_SECONDS + 1, False),
        (BUSY, MESSAGE_SECONDS + 1, True),
        (PAUSED, MESSAGE_SECONDS + 1, True),
    ],
)
def test_waiting(moment, waited, retried):
    """A waiting video is stuck when nothing moves, or when its message may be gone; not while the lane moves or is paused."""
    waiting = outcome(ObjectStatus.WAITING, state=State.WAITING, queued_at=NOW - waited)

    assert retried == diagnose(waiting, moment, all_failed=True).retried


@pytest.mark.parametrize(("ran", "reason"), [(1.0, "running"), (RUNNING_SECONDS + 1, "stuck running")])
def test_running(ran, reason):
    """What runs is never started a second time, and yet it is said that it runs for too long."""
    diagnosis = diagnose(outcome(ObjectStatus.RUNNING, state=State.RUNNING, started_at=NOW - ran), IDLE, all_failed=True)

    assert (reason, False) == (diagnosis.reason, diagnosis.retried)
