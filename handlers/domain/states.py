"""The states of videos and scans, the lanes, and the mails about scans."""

from __future__ import annotations

from enum import StrEnum

from handlers.domain.engine import Engine


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
    """The queues: two for each engine, so that ten urgent videos do not wait behind a million."""

    NORMAL = "normal"
    EXPRESS = "express"
    FRAMES = "frames"
    FRAMES_EXPRESS = "frames-express"

    @property
    def express(self) -> bool:
        """Tell whether what is urgent goes into it."""
        return self in (Lane.EXPRESS, Lane.FRAMES_EXPRESS)

    @property
    def engine(self) -> Engine:
        """Return what looks at the videos of this lane."""
        return Engine.FRAMES if self in (Lane.FRAMES, Lane.FRAMES_EXPRESS) else Engine.VIDEO

    def of(self, engine: Engine) -> Lane:
        """Return the lane of an engine that is as urgent as this one."""
        lanes = (Lane.NORMAL, Lane.EXPRESS) if engine is Engine.VIDEO else (Lane.FRAMES, Lane.FRAMES_EXPRESS)
        return lanes[self.express]


# The lanes that a scan can be given; what goes by frames goes into the lane of frames that is as urgent.
SCAN_LANES = (Lane.NORMAL, Lane.EXPRESS)


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
