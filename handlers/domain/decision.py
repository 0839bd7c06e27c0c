"""Decisions of people about videos. They are about the content, so they hold for later scans of the same content."""

from __future__ import annotations

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
    def content(self) -> tuple[str, str]:
        """Return what it is about, whichever scan it was made in (see `content_of`)."""
        return content_of(self.video, self.etag)


def content_of(video: Video, etag: str) -> tuple[str, str]:
    """Return a content as scans and uploads name it alike: the id of the object as a manifest names it, and the etag."""
    return video.in_manifest.id, etag
