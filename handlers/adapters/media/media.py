"""What `sample_frames` takes from an object: pictures in order of time, and how far it could be decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self

from handlers.domain import Problem


class Source(Protocol):
    """An object that is read by ranges. What `read` raises comes out of `open_media` and `Media.frames` as it is."""

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes from `offset`, `length` of them or as many as there are."""
        ...


class MediaError(Exception):
    """Nothing can be decoded; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture to be paid for: its presentation time (0 for an image), and a JPEG within the limits of Rekognition."""

    at_ms: int
    data: bytes


class Media:
    """An open object. `decoded_ms` and `complete` are valid once `frames` has ended."""

    kind: Literal["film", "image"]
    duration_ms: int | None
    # An image that Rekognition can read in S3 as it is: `frames` yields nothing.
    passthrough: bool
    # How far frames came out; None if none did.
    decoded_ms: int | None
    # False: the film is damaged before its end.
    complete: bool

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        raise NotImplementedError

    def frames(self) -> Iterator[Frame]:
        """Yield the frames to analyse, in order of time; each is decoded when it is asked for."""
        raise NotImplementedError


def open_media(source: Source, *, interval_ms: int, after_ms: int | None) -> Media:
    """Open an object as a context manager; `after_ms` is the time of the frame that was analysed last, None at the start.

    Raises:
        MediaError: Nothing in it can be decoded.
    """
    raise NotImplementedError
