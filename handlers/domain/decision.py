"""What a person decided about a flagged video. It is about the content, so that a later scan of the same content has it too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from handlers.domain.identity import Video


class Judgement(StrEnum):
    """What a person says of a flagged video."""

    CONFIRMED = "confirmed"
    FALSE_ALARM = "false-alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who decided what about which content of a video, and when."""

    video: Video
    etag: str  # the content: in a bucket without versions it distinguishes successive objects under one key
    scan_id: str  # the scan whose review was looked at, and in it the attempt
    attempt: int
    judgement: Judgement
    note: str
    decided_by: str
    decided_at: float  # epoch seconds, to the millisecond
