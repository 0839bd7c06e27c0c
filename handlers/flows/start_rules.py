"""What to do with a message of a lane, by the state of the table: rules without AWS calls or waiting."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.adapters import Look
from handlers.adapters.table import Situation
from handlers.domain import Analysis, ObjectFacts, Problem, Record, ScanStatus, Settings, State, reasons, upload

# How long and how often a message without a record is deferred: a batch task that takes longer has failed.
NO_RECORD_SECONDS = 30.0
NO_RECORD_RECEIVES = 20

# A message may be received 1,000 times before it is a dead letter: a pause must not use them up before the mapping is disabled.
PAUSED_SECONDS = 60.0

# Rekognition keeps tokens for 7 days (developer guide, api-video): after 6 a repeated Start might be paid for again.
START_UNKNOWN_SECONDS = 6 * 86_400.0

# What Rekognition answers for an object that it cannot read. We have just read it, so if it cannot read many of them, a permission
# is missing (a key, a bucket policy) or the bucket is in another Region.
UNREADABLE_FOR_REKOGNITION = "InvalidS3ObjectException"

# A job of a video of 6 hours is over within a day, and its notice has come. From then on a refusal of the object is believed.
JOB_OVER_SECONDS = 86_400.0

HOPELESS_REFUSALS = 20
HOPELESS_SECONDS = 3_600.0

# At the account's quota Rekognition's refusal decides. At this multiple of it our own count stops all Starts: something is broken.
OVERSHOOT = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """How many jobs to use unless the settings item sets it, and how many the account has."""

    slots: int
    account_jobs: int


@dataclass(frozen=True, slots=True)
class Drop:
    """Delete the message: it is no longer needed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Defer:
    """Let the message come back after `seconds`. `certain`: no Start of this invocation can have happened."""

    seconds: float
    reason: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Fail:
    """Make the record FAILED."""

    record: Record
    problem: Problem


@dataclass(frozen=True, slots=True)
class Try:
    """Call Start. `may_have_started`: an earlier invocation may have, so only the same Start may be repeated."""

    record: Record
    may_have_started: bool


Step = Drop | Defer | Fail | Try


def decide(situation: Situation, analysis: Analysis, *, receives: int, own_note: float | None, now: float) -> Step:
    """Return the next step; `own_note` is the `start_tried_at` that this invocation itself wrote."""
    record = situation.record
    if record is None or record.attempt < analysis.attempt:
        return no_record(receives)
    if record.attempt > analysis.attempt or record.state is not State.WAITING:
        return Drop("its record no longer waits for it")
    if record.start_tried_at is not None and record.start_tried_at != own_note:
        return _repeat_start(record, record.start_tried_at, now)
    return held(situation, record) or Try(record, may_have_started=False)


def no_record(receives: int) -> Drop | Defer:
    """Return what becomes of a message whose record is not written yet."""
    if receives > NO_RECORD_RECEIVES:
        return Drop("its record never came")
    return Defer(NO_RECORD_SECONDS, "its record is not there yet")


def checked(look: Look, record: Record) -> ObjectFacts | Problem:
    """Return an object as it is now, or why it is not analysed any more."""
    if look.problem is not None or look.facts is None:
        return look.problem or Problem(reasons.MISSING, "The object is gone.")
    return upload.superseded(record) or upload.replaced(record.video, look.facts) or look.facts


def held(situation: Situation, record: Record) -> Drop | Defer | None:
    """Return what a pause or a cancellation does to a message; resuming a scan sends its messages again."""
    scan = situation.scan
    if scan is not None and scan.status in (ScanStatus.PAUSED, ScanStatus.CANCELLED):
        return Drop(f"its scan is {scan.status.value}")
    if scan is not None and scan.cancels(record):
        return Drop("it is cancelled")
    if scan is not None and scan.cancel_due:
        return Defer(PAUSED_SECONDS, "what waits of its scan is being cancelled")
    if situation.settings is not None and situation.settings.paused:
        return Defer(PAUSED_SECONDS, "starting is paused")
    return None


def _repeat_start(record: Record, tried_at: float, now: float) -> Step:
    if now - tried_at <= START_UNKNOWN_SECONDS:
        return Try(record, may_have_started=True)
    message = "For 6 days it remained unknown whether the analysis was started; a later Start might be paid for twice."
    return Fail(record, Problem(reasons.START_UNKNOWN, message))


def may_still_run(step: Try, *, now: float) -> bool:
    """Tell whether a job may run, or its notice may come, of a Start that an earlier invocation noted."""
    return step.may_have_started and now - (step.record.start_tried_at or 0.0) < JOB_OVER_SECONDS


def slots(settings: Settings | None, limits: Limits) -> int:
    """Return how many running analyses stop a further Start."""
    count = limits.slots if settings is None or settings.slots is None else settings.slots
    return count if count < limits.account_jobs else OVERSHOOT * limits.account_jobs


def hopeless(record: Record, *, now: float) -> bool:
    """Tell whether a video was refused so often, and for so long, that the video itself must be the cause."""
    since = now if record.refused_since is None else record.refused_since
    return record.refusals >= HOPELESS_REFUSALS and now - since >= HOPELESS_SECONDS
