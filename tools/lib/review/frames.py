"""Evidence frames for a page that opens from disk: as many as its size allows, the surest videos first."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.domain.languages import Phrase, phrase
from tools.lib.aws import explain
from tools.lib.cli import Bar
from tools.lib.errors import ToolError
from tools.lib.evidence import FrameReader, Moment, moments
from tools.lib.ordered_map import ordered_map
from tools.lib.review.summary import FlaggedVideo

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MEGABYTE = 1_000_000
# The most frames of one video.
MOST_FRAMES = 12
# What a frame of 320 pixels takes as a data URI, about, and how many of these a video gets at least while there is room.
_TYPICAL_BYTES = 12_000
_FEWEST = 3
# Bytes of a frame on the page beside its data URI: its time, brackets and commas.
_AROUND = 24
# Videos that are read at once: each has a decoder, which waits for S3 most of the time.
_WORKERS = 4

# A time in milliseconds, and a JPEG as a data URI.
Frame = tuple[int, str]


@dataclass(frozen=True, slots=True)
class _Taken:
    """The frames of a video in order of time, how many there could be, and why it has none."""

    frames: tuple[Frame, ...]
    possible: int
    reason: str | Phrase | None = None

    @property
    def size(self) -> int:
        return sum(len(uri) + _AROUND for _, uri in self.frames)


@dataclass(slots=True)
class _Room:
    """The bytes of the page that are left, shared among the videos that follow; what one does not use others get."""

    left: int
    videos: int

    def shares(self, videos: Sequence[FlaggedVideo]) -> Iterator[tuple[FlaggedVideo, int]]:
        """Yield each video with the bytes that its frames may take, which are taken from what is left."""
        for video in videos:
            share = min(self.left, max(self.left // self.videos, _FEWEST * _TYPICAL_BYTES))
            self.left -= share
            self.videos -= 1
            yield video, share


class EvidenceFrames:
    """Reads the frames of the flagged videos of a page."""

    def __init__(self, s3: S3Client, bar: Bar) -> None:
        self._s3 = s3
        self._bar = bar
        self._frames = 0
        self._possible = 0
        self._unread: list[str | Phrase] = []

    def put(self, videos: Sequence[FlaggedVideo], described: Sequence[dict[str, Any]], most_bytes: int) -> None:
        """Put `evidence` into the descriptions of videos, in their order: [[milliseconds, data URI], ...].

        Args:
            videos: The flagged videos, the surest first.
            described: What the page holds of each.
            most_bytes: What all frames together may take.
        """
        room = _Room(max(0, most_bytes), len(videos))
        for number, ((_, share), taken) in enumerate(
            ordered_map(lambda each: self._taken(*each), room.shares(videos), workers=_WORKERS, ahead=2 * _WORKERS)
        ):
            self._bar.show("Reading frames", number, len(videos))
            room.left += share - taken.size
            self._possible += taken.possible
            self._frames += len(taken.frames)
            if taken.reason is not None:
                self._unread.append(taken.reason)
            if taken.frames:
                described[number]["evidence"] = [list(frame) for frame in taken.frames]

    def warnings(self, limit_mb: int) -> list[Phrase]:
        """Return what is not on the page, and why."""
        warnings = []
        if self._frames < self._possible:
            warnings.append(
                phrase(
                    "Of {possible} evidence frames {frames} are on the page, the surest ones, to keep it below {limit} MB.",
                    possible=self._possible,
                    frames=self._frames,
                    limit=limit_mb,
                )
            )
        if self._unread:
            warnings.append(
                phrase(
                    "Without evidence frames: {count} {count:video|videos}. The first reason: {reason}",
                    count=len(self._unread),
                    reason=self._unread[0],
                )
            )
        return warnings

    def _taken(self, video: FlaggedVideo, share: int) -> _Taken:
        counted = video.counted_segments
        possible = len(moments(counted, MOST_FRAMES))
        chosen = moments(counted, min(MOST_FRAMES, share // _TYPICAL_BYTES))
        facts = video.outcome.facts
        if not chosen or facts is None:
            return _Taken((), possible)
        try:
            with FrameReader(self._s3, video.outcome.video, facts) as reader:
                read = [(moment, _data_uri(reader.frame(moment.at_ms))) for moment in chosen]
        except ToolError as error:
            return _Taken((), 0, error.phrases[0])
        except (BotoCoreError, ClientError) as error:
            return _Taken((), 0, explain(error).phrases[0])
        return _Taken(tuple(_fitting(read, share)), possible)


def _fitting(read: Sequence[tuple[Moment, str]], share: int) -> list[Frame]:
    """Return the frames that fit, the surest ones, in order of time."""
    kept = []
    for moment, uri in sorted(read, key=lambda each: -each[0].confidence):
        share -= len(uri) + _AROUND
        if share < 0:
            break
        kept.append((moment.at_ms, uri))
    return sorted(kept)


def _data_uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
