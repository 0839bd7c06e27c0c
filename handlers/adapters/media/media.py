"""What `sample_frames` takes from an object: pictures in order of time, and how far it could be decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from handlers.adapters.media.process import Decoder, DecoderFailedError
from handlers.adapters.media.ranges import Ranges, ReadTooMuchError, Source
from handlers.adapters.media.still import still_size
from handlers.decoder import FRAME, OPENED, PROBLEM
from handlers.domain import Problem, reasons
from handlers.domain.sampling import MOST_BYTES_STORED, MOST_PIXELS, takes


class MediaError(Exception):
    """The object cannot be decoded; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame to analyse: its presentation time in milliseconds (0 for an image), and a JPEG that Rekognition takes."""

    at_ms: int
    data: bytes


class Media:
    """An open object, for a `with` statement.

    Attributes:
        kind: "film" if it has a time axis, as an animated image has.
        duration_ms: The length that its header states, None if it states none. A film may have frames beyond that.
        passthrough: Whether it is an image that Rekognition can read from S3 as it is; then `frames` yields nothing.
        decoded_ms: The time up to which it could be decoded; final once `frames` has ended.
        complete: Whether that is the whole film; False as soon as a part is found to be missing, final once `frames` has ended.
    """

    def __init__(self, decoder: Decoder | None, kind: Literal["film", "image"], duration_ms: int | None, *, resumed: bool) -> None:
        self._decoder = decoder
        self._resumed = resumed
        self.kind = kind
        self.duration_ms = duration_ms
        self.passthrough = decoder is None
        self.decoded_ms: int | None = None
        self.complete = True

    def __enter__(self) -> Self:
        """Return the object itself, whose decoder is already running."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the decoder."""
        if self._decoder is not None:
            self._decoder.close()

    def frames(self) -> Iterator[Frame]:
        """Yield the frames to analyse, in order of time; each is read and decoded only when it is requested.

        Raises:
            MediaError: Not one frame can be decoded.
        """
        if self._decoder is None:
            return
        try:
            message, data = self._decoder.step()
            while message["is"] == FRAME:
                self.decoded_ms, self.complete = message["at_ms"], message.get("complete", True)
                yield Frame(message["at_ms"], data)
                message, data = self._decoder.step()
        except (DecoderFailedError, ReadTooMuchError) as error:
            if self.decoded_ms is None and not self._resumed:
                raise MediaError(Problem(reasons.UNDECODABLE, str(error))) from error
            self.complete = False
            return
        if message["is"] == PROBLEM:
            raise MediaError(Problem(message["code"], message["message"]))
        self.decoded_ms, self.complete = message["decoded_ms"], message["complete"]


def open_media(source: Source, *, interval_ms: int, after_ms: int | None, start: Callable[[Ranges], Decoder] = Decoder) -> Media:
    """Open an object; `after_ms` is the time of the last frame that was analysed, None to begin at the start.

    `start` starts the decoder that reads it, if one is needed.

    Raises:
        MediaError: It cannot be opened, or FFmpeg cannot decode its contents.
    """
    ranges = Ranges(source)
    if _can_be_sent_as_it_is(ranges):
        return Media(None, "image", None, resumed=False)
    decoder = start(ranges)
    with ExitStack() as unless_opened:
        unless_opened.callback(decoder.close)
        try:
            message, _ = decoder.step(size=source.size, interval_ms=interval_ms, after_ms=after_ms)
        except (DecoderFailedError, ReadTooMuchError) as error:
            raise MediaError(Problem(reasons.UNDECODABLE, str(error))) from error
        if message["is"] != OPENED:
            raise MediaError(Problem(message["code"], message["message"]))
        unless_opened.pop_all()
    return Media(decoder, message["kind"], message["duration_ms"], resumed=after_ms is not None)


def _can_be_sent_as_it_is(ranges: Ranges) -> bool:
    """Tell whether the object is an image that Rekognition can read from S3.

    Raises:
        MediaError: It is an image that Rekognition refuses and that has too many pixels to be decoded and scaled here.
    """
    size = still_size(lambda offset, length: ranges.read(offset, length, 0) if offset < ranges.size else b"")
    if size is None:
        return False
    if takes(size) and ranges.size <= MOST_BYTES_STORED:
        return True
    if size.width * size.height > MOST_PIXELS:
        found = f"it has {size.width} x {size.height} pixels; at most {MOST_PIXELS:,} are decoded"
        raise MediaError(Problem(reasons.TOO_MANY_PIXELS, found))
    return False
