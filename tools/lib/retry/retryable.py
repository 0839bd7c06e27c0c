"""Which objects a retry takes up, and why; what each reason code means is in `handlers/domain/reasons.py`."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.domain.reasons import REASONS
from tools.lib.review.join import ObjectResult, ObjectStatus

IDLE_SECONDS = 3_600.0
"""Where nothing is analysed and nothing is paused, what has waited this long waits in vain."""
MESSAGE_SECONDS = 10 * 86_400.0
"""A lane keeps its messages for 14 days: what has waited this long may soon have none (docs/architecture.md#sending-again)."""
RUNNING_SECONDS = 86_400.0
"""Longer than Rekognition takes for its longest video (6 hours of it)."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is looked at (epoch seconds), whether any analysis runs, and whether starting is paused."""

    now: float
    anything_runs: bool
    paused: bool


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why an object is not as it should be, in a word and a sentence, and whether a retry takes it up."""

    reason: str
    why: str
    retried: bool


_UNRECORDED = {
    ObjectStatus.NEVER_ATTEMPTED: Diagnosis("never attempted", "the batch job ended before its turn", retried=True),
    ObjectStatus.LOST: Diagnosis("lost", "its task succeeded, but it has no record", retried=True),
}


def diagnose(outcome: ObjectResult, moment: Moment, *, all_failed: bool) -> Diagnosis | None:
    """Return what is wrong with an object, or None where nothing is."""
    match outcome.status:
        case ObjectStatus.WAITING:
            return _waiting(outcome, moment)
        case ObjectStatus.RUNNING:
            return _running(outcome, moment)
        case ObjectStatus.FAILED | ObjectStatus.INELIGIBLE:
            return _failed(outcome, all_failed=all_failed)
        case ObjectStatus.CANCELLED:
            return Diagnosis("cancelled", "was cancelled", retried=all_failed)
    return _UNRECORDED.get(outcome.status)


def _failed(outcome: ObjectResult, *, all_failed: bool) -> Diagnosis:
    reason = outcome.reason or "no reason given"
    if known := REASONS.get(reason):
        return Diagnosis(reason, known.sentence, retried=known.retryable or all_failed)
    if outcome.record is None:
        # Neither our functions nor a service said it of the video: S3 Batch or Lambda gave up the task.
        return Diagnosis(reason, "its task failed at AWS before anything was recorded", retried=True)
    return Diagnosis(reason, "whether a retry would succeed is unknown", retried=all_failed)


def _waiting(outcome: ObjectResult, moment: Moment) -> Diagnosis:
    queued_at = outcome.record.queued_at if outcome.record else None
    waited = moment.now - (queued_at or moment.now)
    if waited > MESSAGE_SECONDS:
        return Diagnosis("stuck waiting", "waits for more than 10 days: its message is sent again", retried=True)
    if moment.paused or moment.anything_runs or waited <= IDLE_SECONDS:
        return Diagnosis("waiting", "its turn comes", retried=False)
    return Diagnosis(
        "stuck waiting", "waits for more than an hour while nothing is analysed: its message is sent again", retried=True
    )


def _running(outcome: ObjectResult, moment: Moment) -> Diagnosis:
    started_at = outcome.record.started_at if outcome.record else None
    if moment.now - (started_at or moment.now) > RUNNING_SECONDS:
        # To start it anew could be paid twice, and its result may still be there.
        return Diagnosis(
            "stuck running", "runs for more than a day: the sweeper asks Rekognition, and after 6 days gives it up", False
        )
    return Diagnosis("running", "is being analysed", retried=False)
