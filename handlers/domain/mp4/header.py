"""What the header of a video says of its length and codec, and whether Rekognition would take it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from handlers.domain import Problem, objects, reasons
from handlers.domain.mp4.codecs import H264
from handlers.domain.mp4.length import LONGEST_SECONDS, seconds_of
from handlers.domain.mp4.movie import Movie, NoHeaderError, find_movie, has_movie_behind, read_movie
from handlers.domain.mp4.ranged_reader import BeyondLimitsError, BrokenError, RangedReading
from handlers.domain.objects import ObjectKind

# AWS's API reference names AVI, its limits do not (docs/aws.md#7-rekognition): only Rekognition knows.
_PERHAPS_TAKEN = "AVI"

# The code of a container of which only Rekognition knows whether it takes it.
OTHER_CONTAINER = "other-container"

# The code of an object that is not there any more.
GONE = "gone"


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a video.

    Attributes:
        seconds: 0 if there is no video track, or if its codec is not H.264 and its length is not known.
        codec: "" if there is no video track.
        gets: How many GETs reading it took.
        bytes: How many bytes reading it took.
        image: Whether the file begins like an image: it is an animated one.
    """

    seconds: float
    codec: str
    gets: int = 0
    bytes: int = 0
    image: bool = False

    @property
    def fault(self) -> Problem | None:
        """Return why Rekognition would not take the video, None if nothing is known."""
        if not self.codec:
            return Problem(reasons.NO_PICTURE, "The file has no video track.")
        if self.codec != H264:
            return Problem(reasons.CODEC, f"The codec is {self.codec}; Rekognition takes H.264.")
        if self.seconds > LONGEST_SECONDS:
            return Problem(reasons.TOO_LONG, f"The video lasts {_hours(self.seconds)} hours; Rekognition takes up to 6:00:00.")
        return None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a header could not be read, and what trying took.

    Attributes:
        code: container, no-header, not-a-video (the functions will skip it), broken (the header makes no sense, or there may be
            another), unknown-codec, no-length, other-container, unknown-beginning, beyond-limits, no-size, forbidden, gone,
            changed, or aws.
        image: Whether the object is an image.
    """

    code: str
    message: str
    gets: int = 0
    bytes: int = 0
    image: bool = False

    @property
    def fault(self) -> Problem | None:
        """Return why Rekognition would certainly not take the object, None if nothing is known."""
        return Problem(self.code, self.message) if self.code in {reasons.CONTAINER, reasons.NO_HEADER} else None

    @property
    def worthless(self) -> bool:
        """Tell whether it is certain that nothing of the object will be analysed."""
        return self.fault is not None or self.code in {reasons.NOT_A_VIDEO, GONE}


Reading = Header | Unreadable


def _hours(seconds: float) -> str:
    """Return a length as h:mm:ss, the begun second counted: what is too long never shows as the limit."""
    minutes, rest = divmod(math.ceil(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def read_header(reading: RangedReading) -> Reading:
    """Read the header of an object; whatever the object holds, this ends, and keeps within the limits of the reading."""
    try:
        return _read(reading)
    except NoHeaderError as error:
        return Unreadable(reasons.NO_HEADER, f"The file has no header: {error}.")
    except BrokenError as error:
        return Unreadable("broken", f"The file has no usable header: {error}.")
    except BeyondLimitsError as error:
        return Unreadable("beyond-limits", f"The header was not found: {error}.")


def _read(reading: RangedReading) -> Reading:
    first_bytes = reading.read(0, min(objects.FIRST_BYTES, reading.size))
    is_image = objects.kind(first_bytes, reading.size) is ObjectKind.IMAGE
    if found := objects.not_a_video(first_bytes, reading.size):
        return Unreadable(reasons.NOT_A_VIDEO, f"The object is not a video but {found}.", image=is_image)
    container = objects.container(first_bytes, reading.size)
    if container is None:
        return Unreadable("unknown-beginning", "The beginning of the object is of no known format.")
    if is_image:
        return _image_or_movie(reading)
    movie = _movie(reading) if container == "ISO-BMFF" else _movie_all_the_same(reading)
    if movie is None:
        message = f"The file is {container}, not mp4 or mov."
        return Unreadable(OTHER_CONTAINER, message) if container == _PERHAPS_TAKEN else Unreadable(reasons.CONTAINER, message)
    return _judged(reading, movie)


def _image_or_movie(reading: RangedReading) -> Reading:
    """Return the header of an animated image, or that the file is another image."""
    try:
        return replace(_judged(reading, _movie(reading)), image=True)
    except NoHeaderError as error:
        return Unreadable(reasons.NO_HEADER, f"The file is an image: {error}.", image=True)


def _movie(reading: RangedReading) -> Movie:
    return read_movie(reading, find_movie(reading))


def _movie_all_the_same(reading: RangedReading) -> Movie | None:
    """Return the header of a file that begins like another format but is one of boxes, the first of which players skip."""
    try:
        moov = find_movie(reading)
    except BrokenError:
        return None
    return read_movie(reading, moov)


def _judged(reading: RangedReading, movie: Movie) -> Reading:
    if not movie.tracks:
        raise BrokenError("its moov box has no track")
    if not movie.films and not movie.certain:
        return Unreadable("unknown-codec", f"The codec of the file is not known: {movie.codec or 'no readable track'!a}.")
    seconds = seconds_of(reading, movie) if movie.films else _seconds_of_others(reading, movie)
    if seconds is None:
        return Unreadable("no-length", "The header does not say how long the video is, or contradicts itself.")
    header = Header(seconds, H264 if movie.films else movie.codec or "")
    if header.fault and has_movie_behind(reading, movie):
        raise BrokenError("it has more than one moov box")  # only Rekognition knows which one counts
    return header


def _seconds_of_others(reading: RangedReading, movie: Movie) -> float:
    """Return the length of a film in a codec other than H.264, which only frames take; 0 if it is not known."""
    try:
        return seconds_of(reading, movie) or 0.0
    except (BrokenError, BeyondLimitsError):
        return 0.0
