"""The states of videos and scans, the lanes, and the mails about scans."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """The state of a video in a scan."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    CLEAN = "CLEAN"
    FLAGGED = "FLAGGED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def final(self) -> bool:
        """Tell whether the state does not change by itself."""
        return self in FINAL


FINAL = frozenset({State.CLEAN, State.FLAGGED, State.FAILED, State.CANCELLED})
# A retry (attempt + 1) may leave these.
RETRIABLE = frozenset({State.FAILED, State.CANCELLED})


class Lane(StrEnum):
    """The two queues, so that ten urgent videos do not wait behind a million."""

    NORMAL = "normal"
    EXPRESS = "express"


class ScanStatus(StrEnum):
    """The status of a scan as a whole."""

    OPEN = "open"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class ScanMail(StrEnum):
    """The mails about a scan as a whole."""

    JOB_BROKEN = "job-broken"
    LIMIT = "limit"
    DIGEST = "digest"
    NOTICES = "notices-lost"
    DAY_LIMIT = "day-limit"
