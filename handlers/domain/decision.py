"""Decisions of people about videos. They are about the content, so they hold for later scans of the same content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from handlers.domain.identity import Video
from handlers.domain.states import State

# The states of a record that a person may decide about: it has a verdict, right or wrong, or none because it failed.
DECIDABLE = (State.FLAGGED, State.CLEAN, State.FAILED)


class Judgement(StrEnum):
    """The judgement of a person who looked at a video. The words are stored, and are those about a flagged one.

    They say the same of any other video, whatever the analysis made of it: what must not be there is there, or it is not.
    """

    CONFIRMED = "confirmed"
    FALSE_ALARM = "false-alarm"
    # Taken back: no decision stands, the machine's verdict holds again. It is stored as the others are.
    WITHDRAWN = "withdrawn"


# What a person can find in a video.
FOUND = (Judgement.CONFIRMED, Judgement.FALSE_ALARM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who decided what about which content of a video, and when."""

    video: Video
    etag: str  # identifies the content (see `Record.etag`): without versioning, successive objects have the same key
    scan_id: str  # the reviewed scan
    attempt: int
    judgement: Judgement
    note: str
    decided_by: str
    decided_at: float  # epoch seconds, to the millisecond

    @property
    def stands(self) -> bool:
        """Tell whether it says something about the video; one that was withdrawn counts as none."""
        return self.judgement is not Judgement.WITHDRAWN

    @property
    def content(self) -> tuple[str, str]:
        """Return what it is about, whichever scan it was made in (see `content_of`)."""
        return content_of(self.video, self.etag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """The decision that another one replaced, as the log keeps it."""

    judgement: Judgement
    decided_by: str
    decided_at: float


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A decision as it was made, and what it replaced: None if it was the first one about its content."""

    decision: Decision
    before: Replaced | None


def whole_log(log: Sequence[LogEntry], decision: Decision | None) -> list[LogEntry]:
    """Return a log with the decision that is in the table, which versions before 0.3 wrote without an entry."""
    known = any(entry.decision == decision for entry in log)
    return [*log] if decision is None or known else [*log, LogEntry(decision, None)]


def unless_withdrawn(decision: Decision | None) -> Decision | None:
    """Return a decision that stands, None for one that was withdrawn or for none."""
    return decision if decision is not None and decision.stands else None


def time_of_decision(now: float, before: Decision | None) -> float:
    """Return the time of a decision that is made now: later than the one it replaces, whose clock may have been ahead."""
    return round(max(now, before.decided_at + 0.001 if before else now), 3)


def content_of(video: Video, etag: str) -> tuple[str, str]:
    """Return a content as scans and uploads name it alike: the id of the object as a manifest names it, and the etag."""
    return video.in_manifest.id, etag
