"""What is to be done with a message of a lane, by what the table says: rules without AWS and without waiting."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.adapters.table import Situation
from handlers.domain import reasons
from handlers.domain.identity import Analysis
from handlers.domain.record import Problem, Record, Settings
from handlers.domain.states import ScanStatus, State

# How long, and how often, a message is deferred whose record does not exist yet: a batch task that takes longer has failed.
NO_RECORD_SECONDS = 30.0
NO_RECORD_RECEIVES = 20

# A lane's message may be received 1,000 times before it is dead: a pause must not use them up before the mapping is disabled.
PAUSED_SECONDS = 60.0

# Rekognition keeps tokens and results for 7 days (developer guide, api-video): after 6 a repeated Start might be paid again.
START_UNKNOWN_SECONDS = 6 * 86_400.0

HOPELESS_REFUSALS = 20
HOPELESS_SECONDS = 3_600.0

# At the account's quota Rekognition's refusal decides; at this multiple of it our own count stops everything: something is broken.
OVERSHOOT = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """How many jobs we use where the settings item does not say, and how many the account has."""

    slots: int
    account_jobs: int


@dataclass(frozen=True, slots=True)
class Drop:
    """The message is of no use any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Defer:
    """The message is to come back after `seconds`. `certain`: no Start of this invocation can have happened."""

    seconds: float
    reason: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Fail:
    """The record is to become FAILED."""

    record: Record
    problem: Problem


@dataclass(frozen=True, slots=True)
class Try:
    """Start is to be called. `may_have_started`: by an earlier invocation, so that only repeating that Start is allowed."""

    record: Record
    may_have_started: bool


Step = Drop | Defer | Fail | Try


def decide(situation: Situation, analysis: Analysis, *, receives: int, own_note: float | None, now: float) -> Step:
    """Return what is to be done; `own_note` is the `start_tried_at` that this invocation has written itself."""
    record = situation.record
    if record is None or record.attempt < analysis.attempt:
        if receives > NO_RECORD_RECEIVES:
            return Drop("its record never came")
        return Defer(NO_RECORD_SECONDS, "its record is not there yet")
    if record.attempt > analysis.attempt or record.state is not State.WAITING:
        return Drop("its record no longer waits for it")
    if record.start_tried_at is not None and record.start_tried_at != own_note:
        return _repeat_start(record, record.start_tried_at, now)
    return _held(situation) or Try(record, may_have_started=False)


def _held(situation: Situation) -> Drop | Defer | None:
    """Return what a pause or a cancellation does to a message; a scan that comes on again has its messages sent again."""
    if situation.scan is not None and situation.scan.status in (ScanStatus.PAUSED, ScanStatus.CANCELLED):
        return Drop(f"its scan is {situation.scan.status.value}")
    if situation.settings is not None and situation.settings.paused:
        return Defer(PAUSED_SECONDS, "starting is paused")
    return None


def _repeat_start(record: Record, tried_at: float, now: float) -> Step:
    if now - tried_at <= START_UNKNOWN_SECONDS:
        return Try(record, may_have_started=True)
    message = "For 6 days it stayed unknown whether the analysis had been started; a later Start might be paid twice."
    return Fail(record, Problem(reasons.START_UNKNOWN, message))


def slots(settings: Settings | None, limits: Limits) -> int:
    """Return at how many running analyses our own count stops a Start."""
    wanted = limits.slots if settings is None or settings.slots is None else settings.slots
    return wanted if wanted < limits.account_jobs else OVERSHOOT * limits.account_jobs


def hopeless(record: Record, *, now: float) -> bool:
    """Tell whether a video was refused for a reason of ours often enough, and long enough, that the cause must be the video."""
    since = now if record.refused_since is None else record.refused_since
    return record.refusals >= HOPELESS_REFUSALS and now - since >= HOPELESS_SECONDS
