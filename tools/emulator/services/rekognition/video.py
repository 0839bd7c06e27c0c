"""Videos: their metadata, and the test cards that they show, with times."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from tools.emulator.cards import recognise
from tools.emulator.services.rekognition.cells import cells_of

# https://docs.aws.amazon.com/rekognition/latest/dg/limits.html: stored videos up to 6 hours.
LONGEST_MS = 6 * 3_600_000
# https://docs.aws.amazon.com/rekognition/latest/dg/procedure-moderate-videos.html: about two frames a second are analysed.
SAMPLE_EVERY_MS = 500
UNSUPPORTED = "Unsupported codec/format."  # seen on AWS: aws-samples/amazon-rekognition-video-analyzer, issue 46
TOO_LONG = "The video is longer than 6 hours."  # our words; AWS's are unknown


class UnanalysableError(Exception):
    """Rekognition would end the job as FAILED; the message is its StatusMessage."""


@dataclass(frozen=True, slots=True)
class VideoMetadata:
    """What Rekognition reports about a video; the duration is in milliseconds, the colour range FULL or LIMITED."""

    codec: str
    duration_ms: int
    format: str
    frame_rate: float
    height: int
    width: int
    color_range: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """A label seen in a frame: when, in milliseconds, and with which confidence in per cent."""

    timestamp_ms: int
    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found in a video, by time."""

    metadata: VideoMetadata
    sightings: tuple[Sighting, ...]


class Analyser(Protocol):
    """What decodes videos for the engine."""

    def analyse(self, body: bytes) -> Analysis:
        """Return a video's metadata and what its frames show, or raise `UnanalysableError`."""


class VideoAnalyser:
    """Decodes H.264 in MP4 or MOV and recognises test cards; like Rekognition, it can analyse nothing else.

    It holds one frame at a time, shrunk to a few cells; calls are independent and may run in parallel.
    """

    def analyse(self, body: bytes) -> Analysis:
        """Return the video's metadata and the cards in its frames, sampled every 500 ms.

        Raises:
            UnanalysableError: It is not a video, has another codec or container, or is longer than 6 hours.
        """
        try:
            with av.open(io.BytesIO(body), "r", metadata_errors="replace") as container:
                return _analysis(container)
        except FFmpegError as error:
            raise UnanalysableError(UNSUPPORTED) from error


def _analysis(container: InputContainer) -> Analysis:
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream) or not _is_h264(stream) or not _is_mp4_or_mov(container):
        raise UnanalysableError(UNSUPPORTED)
    stream.codec_context.thread_count = 1  # each frame thread would hold frames, and many videos are decoded at a time
    if (container.duration or 0) / 1_000 > LONGEST_MS:
        raise UnanalysableError(TOO_LONG)
    sampler = _Sampler()
    sightings = tuple(sampler.sightings(container, stream))
    if sampler.last_ms is None:
        raise UnanalysableError(UNSUPPORTED)
    return Analysis(_metadata(container, stream, sampler.last_ms), sightings)


def _is_h264(stream: VideoStream) -> bool:
    return getattr(stream.codec_context, "name", None) == "h264"  # PyAV has no context where FFmpeg has no decoder


def _is_mp4_or_mov(container: InputContainer) -> bool:
    return {"mov", "mp4"} <= set(container.format.name.split(","))


def _metadata(container: InputContainer, stream: VideoStream, last_ms: int) -> VideoMetadata:
    context = stream.codec_context
    return VideoMetadata(
        codec=context.name,
        # A fragmented file may not say how long it is.
        duration_ms=round(container.duration / 1_000) if container.duration else last_ms,
        format=container.format.long_name,
        frame_rate=float(stream.average_rate or 0),
        height=context.height,
        width=context.width,
        color_range="FULL" if context.color_range == 2 else "LIMITED",  # noqa: PLR2004 - FFmpeg's AVCOL_RANGE_JPEG
    )


class _Sampler:
    """One pass over a video's frames that remembers the time of the last."""

    def __init__(self) -> None:
        self.last_ms: int | None = None
        self._next_ms = 0
        self._reformatter = VideoReformatter()

    def sightings(self, container: InputContainer, stream: VideoStream) -> Iterator[Sighting]:
        """Yield what the sampled frames show: the first at or after each multiple of 500 ms."""
        for frame in _frames(container, stream):
            if frame.pts is None:
                continue
            self.last_ms = _milliseconds(frame.pts, stream)
            if self.last_ms >= self._next_ms:
                self._next_ms = (self.last_ms // SAMPLE_EVERY_MS + 1) * SAMPLE_EVERY_MS
                yield from self._look(frame, self.last_ms)

    def _look(self, frame: VideoFrame, at_ms: int) -> Iterator[Sighting]:
        found = recognise(cells_of(frame, self._reformatter))
        if found is not None:
            card, confidence = found
            yield Sighting(at_ms, card.label, confidence)


def _milliseconds(pts: int, stream: VideoStream) -> int:
    return round(1_000 * (pts - (stream.start_time or 0)) * (stream.time_base or 0))


def _frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Yield the frames that can be decoded; broken ones are skipped, as players do."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            frames = [] if packet is None else packet.decode()
        except FFmpegError:
            continue
        if packet is None:
            return
        yield from (frame for frame in frames if isinstance(frame, VideoFrame))
