"""What to do with a message of a frames lane, given the state of the table: rules without AWS calls or waiting."""

from __future__ import annotations

from dataclasses import dataclass, replace

from handlers.adapters.table import Situation
from handlers.domain import Analysis, Engine, Problem, Record, ScanStatus, State, reasons, watch
from handlers.domain.mail import time_code
from handlers.flows.start_rules import Defer, Drop, held, no_record

# The pace is a little below the quota, and a turn that could not be used in time lapses. So no span of 10 s has more calls than the
# quota, although some come late: 0.97 x (10 s + 0.3 s) < 10 s.
PACE_SHARE = 0.97
LAPSE_SECONDS = 0.3

# The furthest ahead, in seconds, that a turn is requested because the table answers slowly.
MOST_AHEAD = 10.0

# A worker writes its progress after this many images or seconds, and then reads whether it may continue.
IMAGES_KEPT = 20
WRITE_SECONDS = 30.0

# How long a lease lasts, and how long before its end the last call begins: a call takes up to 23 s (handlers/runtime/clients.py).
LEASE_SECONDS = 120.0
CALL_SECONDS = 25.0

# No call begins with less time than this left in the invocation: it is kept for the verdict.
LAST_SECONDS = 90.0

# How often in a row one image may stay without an answer, each of which may be charged, before its message is deferred.
UNKNOWN_ATTEMPTS = 5

# How many workers in a row may die during an analysis before it is given up.
MAX_TRIES = 5


@dataclass(frozen=True, slots=True)
class Begin:
    """Nothing was paid for yet: check the object, and take the record to RUNNING."""

    record: Record


@dataclass(frozen=True, slots=True)
class GoOn:
    """The analysis is under way: take over its lease."""

    record: Record


@dataclass(frozen=True, slots=True)
class Cancel:
    """The analysis is under way, and its scan was cancelled."""

    record: Record


Step = Drop | Defer | Begin | GoOn | Cancel


def decide(situation: Situation, analysis: Analysis, *, receives: int) -> Step:
    """Return the next step for a message, whose record may be missing, finished, or of a later attempt."""
    record = situation.record
    if record is None or record.attempt < analysis.attempt:
        return no_record(receives)
    waits_or_runs = record.state in (State.WAITING, State.RUNNING)
    if record.attempt > analysis.attempt or not waits_or_runs or record.engine is not Engine.FRAMES:
        return Drop("its record no longer waits for it")
    if record.state is State.WAITING:
        return held(situation, record) or Begin(record)
    return stopped(situation, record) or GoOn(record)


def stopped(situation: Situation, record: Record) -> Drop | Defer | Cancel | None:
    """Return how a pause or a cancellation stops an analysis under way; None if it may continue.

    Once the minutes of a day are used up, a film continues within the share that it has taken.
    """
    scan = situation.scan
    if scan is not None and (scan.status is ScanStatus.CANCELLED or scan.cancels(record)):
        return Cancel(record)
    is_within = record.reserved_ms is not None and record.reserved_ms > (record.spent_ms or 0)
    if scan is not None and scan.held_reason == watch.LIMIT_REACHED and is_within:
        situation = replace(situation, scan=replace(scan, status=ScanStatus.OPEN))
    return held(situation, record)


def ahead(before: float, *, late: float) -> float:
    """Return how far ahead the next turn is requested: further if the last one came too late, so that not all turns lapse."""
    return min(MOST_AHEAD, before + late) if late > LAPSE_SECONDS else 0.9 * before


def exhausted(tries: int) -> Problem | None:
    """Return the problem of an analysis that too many workers in a row began and ended without progress, or None."""
    if tries <= MAX_TRIES:
        return None
    return Problem(reasons.UNFINISHED, f"{MAX_TRIES} invocations ended during its analysis, without progress.")


def partly_decoded(record: Record) -> Problem:
    """Return the problem of a damaged film in whose readable part nothing was found."""
    # A header that states no more than was decoded describes what could be decoded, not the film.
    is_known = record.duration_ms is not None and record.duration_ms > (record.decoded_ms or 0)
    length = time_code(record.duration_ms or 0) if is_known else "unknown length"
    return Problem(reasons.PARTLY_DECODED, f"Decoded up to {time_code(record.decoded_ms or 0)} of {length}.")
