"""The length of an MP4 or MOV file by its header (ISO/IEC 14496-12): known before an analysis, but only as true as its author."""

from __future__ import annotations

from dataclasses import dataclass

# The longest video that Rekognition takes (developer guide, limits).
LONGEST_MS = 6 * 3_600_000

# The bit rate that is assumed for a file without such a header: few videos have a lower one.
SLOW_BITS_PER_SECOND = 250_000

_SMALL_HEADER, _LARGE_HEADER = 8, 16
# Special values of a box's 32-bit size: the box extends to the end of the file; a 64-bit size follows.
_TO_THE_END, _LARGE = 0, 1
# The first bytes of `mvhd` that hold everything needed, with the longest header.
_MVHD = 48
# By version of `mvhd`: the bytes from its flags to the timescale, and the width of the duration, which follows the 4 bytes of that.
_TIMES = {0: (8, 4), 1: (16, 8)}


@dataclass(frozen=True, slots=True)
class ReadOn:
    """The header may be found from this byte on."""

    at: int


def length_ms(chunk: bytes, at: int, size: int) -> int | ReadOn | None:
    """Return the length of a video in milliseconds, where to read on, or None if no header states it.

    Args:
        chunk: Bytes that begin with a box.
        at: Their offset in the file.
        size: The file's size.
    """
    place = 0
    while place + _LARGE_HEADER <= len(chunk):
        stated, name = int.from_bytes(chunk[place : place + 4], "big"), chunk[place + 4 : place + 8]
        header = _LARGE_HEADER if stated == _LARGE else _SMALL_HEADER
        length = int.from_bytes(chunk[place + 8 : place + 16], "big") if stated == _LARGE else stated
        if name == b"mvhd":
            # A chunk that begins with it holds it whole.
            return _duration_ms(chunk[place + header :]) if place + _MVHD <= len(chunk) or not place else ReadOn(at + place)
        if name == b"moov":
            place += header
        elif stated == _TO_THE_END or length < header:
            return None
        else:
            place += length
    return ReadOn(at + place) if place > 0 and at + place < size else None


def expected_ms(size: int) -> int:
    """Return the length in milliseconds that is assumed for a file of this size whose header states none."""
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
