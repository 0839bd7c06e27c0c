"""How long a video is, by all that its header says of it.

Each of these may be nonsense: `mvhd`, `mdhd` and the samples of a film; index, fragments and `mehd` of a fragmented one. A video is
too long for Rekognition only if two of them say so and none says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

from handlers.domain.mp4.fragments import has_fragments, indexed_seconds, spanned_seconds
from handlers.domain.mp4.movie import Movie, samples_seconds
from handlers.domain.mp4.ranged_reader import RangedReading

# Rekognition takes stored videos of up to 6 hours (docs/aws.md#7-rekognition).
LONGEST_SECONDS = 6 * 3_600


def seconds_of(reading: RangedReading, movie: Movie) -> float | None:
    """Return the length of a film in seconds, None if it is not known.

    Raises:
        BrokenError: What was found makes no sense.
        BeyondLimitsError: It would take too many GETs.
    """
    return _settled(_of_fragments(reading, movie) if movie.fragmented else _of_tracks(reading, movie))


def _settled(lengths: Sequence[float | None]) -> float | None:
    """Return the first length that Rekognition would take or, if several exceed it and none is less, the first."""
    known = [length for length in lengths if length is not None]
    possible = next((length for length in known if 0 < length <= LONGEST_SECONDS), None)
    if possible is not None:
        return possible
    return known[0] if len(known) > 1 and all(known) else None


def _of_tracks(reading: RangedReading, movie: Movie) -> list[float | None]:
    """Return the lengths that a header without fragments states, the most reliable first."""
    if movie.seconds is not None and movie.seconds <= LONGEST_SECONDS and movie.is_confirmed:
        return [movie.seconds]
    return [
        *(samples_seconds(reading, track, LONGEST_SECONDS) for track in movie.pictures),
        *(track.seconds for track in movie.pictures),
        movie.seconds,
    ]


def _of_fragments(reading: RangedReading, movie: Movie) -> list[float | None]:
    """Return the lengths that the header, index and fragments state; `mvhd` may state that of the first fragment only."""
    indexed = indexed_seconds(reading, movie)
    if indexed and indexed <= LONGEST_SECONDS:
        return [indexed]
    spanned = spanned_seconds(reading, movie)
    if indexed is None and spanned is None and not has_fragments(reading, movie):
        return [*_of_tracks(reading, movie), movie.all_seconds]
    return [indexed, spanned, movie.all_seconds]
