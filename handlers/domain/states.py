"""The states of a video in a scan, and which may follow which."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What has become of a video in a scan."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    CLEAN = "CLEAN"
    FLAGGED = "FLAGGED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def final(self) -> bool:
        """Tell whether nothing more happens to the video by itself."""
        return self in FINAL


FINAL = frozenset({State.CLEAN, State.FLAGGED, State.FAILED, State.CANCELLED})
# A retry (attempt + 1) may take a video out of these.
RETRIABLE = frozenset({State.FAILED, State.CANCELLED})


class Lane(StrEnum):
    """The two queues, so that ten urgent videos do not wait behind a million."""

    NORMAL = "normal"
    EXPRESS = "express"


class ScanStatus(StrEnum):
    """What a scan as a whole is doing."""

    OPEN = "open"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class ScanMail(StrEnum):
    """What is mailed about a scan as a whole."""

    JOB_BROKEN = "job-broken"
    LIMIT = "limit"
    DIGEST = "digest"
