"""When the sweeper acts: rules without AWS and without waiting."""

from __future__ import annotations

from handlers.adapters.table import Running
from handlers.domain import reasons
from handlers.domain.record import Problem, Scan

DAY_SECONDS = 86_400.0

# Polling an analysis is discouraged (Rekognition guide, api-video), so it becomes rarer the longer the analysis runs.
ASK_AFTER_SECONDS = 60.0
ASK_AFTER_AGE = 0.1

# Rekognition keeps results for 7 days (developer guide, api-video); what it says later would be half a truth.
RESULT_LOST_SECONDS = 6 * DAY_SECONDS

# A lane forgets a message after 14 days (the longest SQS keeps one).
RESEND_SECONDS = 10 * DAY_SECONDS


def overdue(running: Running, now: float) -> bool:
    """Tell whether it is time to poll an analysis, or to give it up.

    At once where its Start was repeated: its notice may have come before anyone knew that the job is ours.
    """
    if running.job_id is None or (running.repeated and running.asked_at is None):
        return True
    return now - last_asked(running) >= ASK_AFTER_SECONDS + ASK_AFTER_AGE * (now - running.since)


def last_asked(running: Running) -> float:
    """Return when Rekognition was last asked after an analysis, or when it began."""
    return running.since if running.asked_at is None else running.asked_at


def given_up(running: Running, now: float) -> Problem | None:
    """Return why nothing more can be learnt about an analysis, or None while something can."""
    if running.job_id is None:
        return Problem(
            reasons.START_UNKNOWN, "Rekognition would not say which job it is: no result can be attributed to this video."
        )
    if now - running.since >= RESULT_LOST_SECONDS:
        return Problem(reasons.RESULT_LOST, "For 6 days its result was not stored; Rekognition throws results away after 7.")
    return None


def sent_again_before(scan: Scan, now: float) -> float:
    """Return since before when a video of a scan must have waited for its message to be sent again.

    Before the scan's own mark has come nothing is sent again by it: the lane may still be losing what is sent.
    """
    forgotten = now - RESEND_SECONDS
    marked = scan.resend_before
    return forgotten if marked is None or marked > now else max(forgotten, marked)
