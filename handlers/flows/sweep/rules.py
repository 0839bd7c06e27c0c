"""When the sweeper acts: rules without AWS and without waiting."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from handlers.adapters import ListedObject, Subscribers
from handlers.adapters.table import CurrentUpload, LaneWatch, MailWatch, Running, WatchState
from handlers.domain import Problem, Record, Scan, reasons, watch
from handlers.domain.watch import Watch

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

# Watched buckets are compared from half past midnight (UTC), when the events of the day before are in.
COMPARED_FROM_SECONDS = 1_800.0

# An event may come this late, and be registered this late.
EVENT_SECONDS = 900.0

# LastModified of a multipart upload is when it was initiated (S3 user guide, UsingMetadata): a comparison looks this far behind the
# last one.
COMPARED_AGAIN_SECONDS = 7 * DAY_SECONDS


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


def dead_letters_agreed(seen: LaneWatch, count: int) -> int:
    """Return how many dead letters a lane has by at least two of the noted number and the last two counts.

    SQS may be a minute late: while someone looks at dead letters, they may count as visible and as hidden, or as neither.
    """
    before = seen.dead_letters if seen.dead_letters_counted is None else seen.dead_letters_counted
    return sorted((seen.dead_letters, before, count))[1]


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


def compared_from(day: str) -> float:
    """Return from when watched buckets are compared on a day."""
    return watch.begin_of(day) + COMPARED_FROM_SECONDS


def comparison_due(state: WatchState, now: float) -> bool:
    """Tell whether a comparison of a bucket is under way, or the one of today is still to begin."""
    return state.comparison is not None or state.compared_at is None or watch.day_of(state.compared_at) < watch.day_of(now)


def compared_since(state: WatchState, at: float) -> bool:
    """Tell whether a comparison that began after a time is over, or none is to come, because the watch is not on."""
    return state.since is None or (state.comparison is None and state.compared_at is not None and state.compared_at >= at)


def prefixes_after(prefixes: Iterable[str], after_key: str) -> list[str]:
    """Return the prefixes, in order, with which there may be keys after a key; none lies within another one."""
    found: list[str] = []
    for prefix in sorted(prefixes) or [""]:
        within = bool(found) and prefix.startswith(found[-1])
        if not within and (prefix >= after_key or after_key.startswith(prefix)):
            found.append(prefix)
    return found


def is_compared(found: ListedObject, watched: Watch, state: WatchState, began_at: float) -> bool:
    """Tell whether a listed object is an upload to be looked at, whose event should have been dealt with before a comparison."""
    if not found.size or not watched.takes(found.key):
        return False
    # LastModified has no fraction.
    since = math.floor(state.since or 0.0)
    after = (state.compared_at or 0.0) - COMPARED_AGAIN_SECONDS
    return since <= found.modified_at < began_at - EVENT_SECONDS and found.modified_at > after


def is_missed(found: ListedObject, current: CurrentUpload | None, registered: Mapping[tuple[str, str], Record]) -> bool:
    """Tell whether a listed object is not registered.

    Args:
        found: The object.
        current: The note about the newest content of its key.
        registered: The records to which notes point, by video id and scan id.
    """
    if current is None or current.modified_at < found.modified_at:
        return True
    if current.scan_id is None:  # it is not a video, and so has no record; S3's times are whole seconds
        return current.modified_at == found.modified_at and current.etag not in (None, found.etag)
    record = registered.get((current.video_id, current.scan_id))
    if record is None:  # whoever wrote the note may have died before the record
        return True
    if record.put_at is not None and record.put_at < current.modified_at:  # it was put again, and waited in vain for an analysis
        return True
    # S3's times are whole seconds, a multipart upload has that of its beginning, a deleted version uncovers an earlier one.
    return record.facts is not None and record.facts.etag != found.etag
