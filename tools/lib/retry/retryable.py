"""Which objects a retry includes, and why; `handlers/domain/reasons.py` has what each reason code means."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.domain.identity import MAX_ATTEMPT
from handlers.domain.reasons import REASONS
from tools.lib.review import ObjectResult, ObjectStatus

# While nothing is analysed and nothing is paused, a video that has waited this long is stuck.
IDLE_SECONDS = 3_600.0
# A lane keeps messages for 14 days: a video that has waited this long may soon have none (docs/architecture.md#sending-again).
MESSAGE_SECONDS = 10 * 86_400.0
# Longer than Rekognition takes for the longest video that it accepts (6 hours).
RUNNING_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Moment:
    """The time (epoch seconds), whether any analysis is running then, and whether starting is paused."""

    now: float
    anything_runs: bool
    paused: bool


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why an object has no verdict, as a reason and a sentence, and whether it is retried."""

    reason: str
    why: str
    retried: bool


_UNRECORDED = {
    ObjectStatus.NEVER_ATTEMPTED: Diagnosis("never attempted", "the batch job ended before its turn", retried=True),
    ObjectStatus.LOST: Diagnosis("lost", "its task succeeded, but it has no record", retried=True),
}


def diagnose(outcome: ObjectResult, moment: Moment, *, all_failed: bool) -> Diagnosis | None:
    """Return why an object has no verdict, or None if it has one, cannot have one, or is superseded and needs none."""
    if outcome.superseded:
        return None
    found = _diagnosed(outcome, moment, all_failed=all_failed)
    if found is not None and found.retried and outcome.record is not None and outcome.record.attempt == MAX_ATTEMPT:
        return Diagnosis("retried too often", f"was retried {MAX_ATTEMPT} times: upload it again, or scan it anew", retried=False)
    return found


def _diagnosed(outcome: ObjectResult, moment: Moment, *, all_failed: bool) -> Diagnosis | None:
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
        # The reason is not about the video: S3 Batch or Lambda gave up the task.
        return Diagnosis(reason, "its task failed at AWS before anything was recorded", retried=True)
    return Diagnosis(reason, "it is unknown whether a retry would succeed", retried=all_failed)


def _waiting(outcome: ObjectResult, moment: Moment) -> Diagnosis:
    queued_at = outcome.record.queued_at if outcome.record else None
    waited = moment.now - (queued_at or moment.now)
    if waited > MESSAGE_SECONDS:
        return Diagnosis("stuck waiting", "has waited for more than 10 days: its message is sent again", retried=True)
    if moment.paused or moment.anything_runs or waited <= IDLE_SECONDS:
        return Diagnosis("waiting", "is still to be analysed", retried=False)
    return Diagnosis(
        "stuck waiting", "has waited for more than an hour while nothing was analysed: its message is sent again", retried=True
    )


def _running(outcome: ObjectResult, moment: Moment) -> Diagnosis:
    started_at = outcome.record.started_at if outcome.record else None
    if moment.now - (started_at or moment.now) > RUNNING_SECONDS:
        # Starting it again could be paid for twice, and its result may still be there.
        return Diagnosis(
            "stuck running", "has run for more than a day: the sweeper polls Rekognition, and gives up after 6 days", retried=False
        )
    return Diagnosis("running", "is being analysed", retried=False)
