"""What to do with a message of a lane of frames, by the state of the table: rules without AWS calls or waiting."""

from __future__ import annotations

from dataclasses import dataclass, replace

from handlers.adapters.table import Situation
from handlers.domain import Analysis, Engine, Problem, Record, ScanStatus, State, reasons, watch
from handlers.domain.mail import time_code
from handlers.flows.start_rules import Defer, Drop, held, no_record

# The pace is a little below the quota, and a reservation that could not be used in time lapses: so that no span of 10 s has more
# calls than the quota, although some come late: 0.97 x (10 s + 0.3 s) < 10 s.
PACE_SHARE = 0.97
LAPSE_SECONDS = 0.3

# The furthest ahead that a turn is asked for because the table answers slowly.
MOST_AHEAD = 10.0

# A worker writes its progress after this many images, or seconds, and reads then whether it is to go on.
IMAGES_KEPT = 20
WRITE_SECONDS = 30.0

# How long a lease holds, and until how long before its end calls are made: one takes 23 s at most (handlers/runtime/clients.py).
LEASE_SECONDS = 120.0
CALL_SECONDS = 25.0

# No call begins with less time left of an invocation: the verdict is written in it.
LAST_SECONDS = 90.0

# How many workers may die at an analysis in a row, until it is given up.
MAX_TRIES = 5


@dataclass(frozen=True, slots=True)
class Begin:
    """Nothing was paid for yet: look at the object, and take the record to RUNNING."""

    record: Record


@dataclass(frozen=True, slots=True)
class GoOn:
    """The analysis is under way: take its lease."""

    record: Record


@dataclass(frozen=True, slots=True)
class Cancel:
    """The analysis is under way, and its scan was cancelled."""

    record: Record


Step = Drop | Defer | Begin | GoOn | Cancel


def decide(situation: Situation, analysis: Analysis, *, receives: int) -> Step:
    """Return the next step."""
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
    """Return what a pause or a cancellation does to an analysis under way, or None.

    Once the minutes of a day are used up, a film goes on within the share that it has taken.
    """
    scan = situation.scan
    if scan is not None and (scan.status is ScanStatus.CANCELLED or scan.cancels(record)):
        return Cancel(record)
    is_within = record.reserved_ms is not None and record.reserved_ms > (record.spent_ms or 0)
    if scan is not None and scan.held_reason == watch.LIMIT_REACHED and is_within:
        situation = replace(situation, scan=replace(scan, status=ScanStatus.OPEN))
    return held(situation, record)


def ahead(before: float, *, late: float) -> float:
    """Return how far ahead the next turn is asked for, by how late the last one could be used: it must not lapse for ever."""
    return min(MOST_AHEAD, before + late) if late > LAPSE_SECONDS else 0.9 * before


def exhausted(tries: int) -> Problem | None:
    """Return why an analysis is given up that as many workers took in a row, or None."""
    if tries <= MAX_TRIES:
        return None
    return Problem(reasons.UNFINISHED, f"{MAX_TRIES} invocations ended while they looked at it, and left nothing.")


def partly_decoded(record: Record) -> Problem:
    """Return the problem of a damaged film in which nothing was found."""
    length = "unknown length" if record.duration_ms is None else time_code(record.duration_ms)
    return Problem(reasons.PARTLY_DECODED, f"Decoded up to {time_code(record.decoded_ms or 0)} of {length}.")
