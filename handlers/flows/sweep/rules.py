"""When the sweeper acts: rules without AWS and without waiting."""

from __future__ import annotations

from dataclasses import replace

from handlers.adapters import Subscribers
from handlers.adapters.table import MailWatch, Running
from handlers.domain import Problem, Scan, reasons

DAY_SECONDS = 86_400.0

# AWS discourages polling (Rekognition guide, api-video), so the longer an analysis runs, the more rarely it is polled.
POLL_AFTER_SECONDS = 60.0
POLL_AFTER_AGE = 0.1

# The same while all slots are in use: an analysis whose notice is lost holds one for nothing, and the other videos wait for it.
POLL_SOON_SECONDS = 20.0

# Rekognition keeps results for 7 days (developer guide, api-video).
RESULT_LOST_SECONDS = 6 * DAY_SECONDS

# A lane keeps a message for 14 days, the longest that SQS allows.
RESEND_SECONDS = 10 * DAY_SECONDS


def overdue(running: Running, now: float, *, soon: bool = False) -> bool:
    """Tell whether it is time to poll an analysis, or to give it up; `soon` while videos wait for its slot.

    At once if its Start was repeated: its notice may have come before the job was known to be ours.
    """
    if running.job_id is None or (running.repeated and running.asked_at is None):
        return True
    after = POLL_SOON_SECONDS if soon else POLL_AFTER_SECONDS
    return now - last_polled(running) >= after + POLL_AFTER_AGE * (now - running.since)


def last_polled(running: Running) -> float:
    """Return when an analysis was last polled, or when it began."""
    return running.since if running.asked_at is None else running.asked_at


def given_up(running: Running, now: float) -> Problem | None:
    """Return why the result of an analysis is lost, or None while it may still come."""
    if running.job_id is None:
        return Problem(reasons.START_UNKNOWN, "Rekognition did not return its job id: no result can be attributed to this video.")
    if now - running.since >= RESULT_LOST_SECONDS:
        return Problem(reasons.RESULT_LOST, "Its result was not stored within 6 days; Rekognition deletes results after 7.")
    return None


def sent_again_before(scan: Scan, now: float) -> float:
    """Return the time before which a video must have been queued for its message to be sent again.

    A scan's own mark counts only once its time has come: until then a purge may still delete what is sent.
    """
    forgotten = now - RESEND_SECONDS
    marked = scan.resend_before
    return forgotten if marked is None or marked > now else max(forgotten, marked)


def mail_watched(seen: MailWatch, found: Subscribers, now: float) -> MailWatch:
    """Return the notes about the subscriptions as they are now.

    A topic that never had an e-mail subscription is as its owner wants it.
    """
    unreached = seen.none_since is not None and seen.none_until is None
    if found.confirmed:
        return replace(seen, reached=True, none_until=now if unreached else seen.none_until)
    if unreached or not (seen.reached or found.unconfirmed):
        return seen
    return replace(seen, none_since=now, none_until=None)
