"""How long a video is by its header (ISO/IEC 14496-12): known before an analysis, but only as true as whoever wrote the file."""

from __future__ import annotations

from dataclasses import dataclass

# Rekognition takes no longer video (developer guide, limits).
LONGEST_MS = 6 * 3_600_000

# A file without such a header is taken to have this many bits a second: few videos have fewer.
SLOW_BITS_PER_SECOND = 250_000

_SMALL_HEADER, _LARGE_HEADER = 8, 16
# Special values of a box's 32-bit size: to the end of the file; a 64-bit size follows.
_TO_THE_END, _LARGE = 0, 1
# So many bytes of `mvhd` have all that is needed, with the longest header.
_MVHD = 48
# In `mvhd`, after its header, version and flags, the offset and the size of timescale and duration, by its version.
_TIMES = {0: (8, 4), 1: (16, 8)}


@dataclass(frozen=True, slots=True)
class ReadOn:
    """The header may be found from this byte on."""

    at: int


def length_ms(chunk: bytes, at: int, size: int) -> int | ReadOn | None:
    """Return the length of a video in milliseconds, where to read on, or None if it has no header that says.

    Args:
        chunk: Bytes that begin with a box.
        at: Their offset in the file.
        size: That of the file.
    """
    place = 0
    while place + _LARGE_HEADER <= len(chunk):
        stated, name = int.from_bytes(chunk[place : place + 4], "big"), chunk[place + 4 : place + 8]
        header = _LARGE_HEADER if stated == _LARGE else _SMALL_HEADER
        length = int.from_bytes(chunk[place + 8 : place + 16], "big") if stated == _LARGE else stated
        if name == b"mvhd":
            # In a whole chunk it is there whole.
            return _duration_ms(chunk[place + header :]) if place + _MVHD <= len(chunk) or not place else ReadOn(at + place)
        if name == b"moov":
            place += header
        elif stated == _TO_THE_END or length < header:
            return None
        else:
            place += length
    return ReadOn(at + place) if place > 0 and at + place < size else None


def expected_ms(size: int) -> int:
    """Return how long a video of so many bytes is taken to be, if its header does not say."""
    return min(LONGEST_MS, size * 8 * 1_000 // SLOW_BITS_PER_SECOND)


def _duration_ms(body: bytes) -> int | None:
    skipped, width = _TIMES.get(body[0] if body else -1, (0, 0))
    times = body[4 + skipped : 4 + skipped + 4 + width]
    if not width or len(times) < 4 + width:
        return None
    timescale, duration = int.from_bytes(times[:4], "big"), int.from_bytes(times[4:], "big")
    # A duration of only ones is not known, and a fragmented file has 0 (ISO/IEC 14496-12, 8.2.2).
    if not timescale or not duration or duration == (1 << 8 * width) - 1:
        return None
    return min(LONGEST_MS, -(-duration * 1_000 // timescale))
