"""The boxes of mp4 and mov files (ISO/IEC 14496-12, 4.2), found by their headers without reading their contents."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from handlers.domain.mp4.ranged_reader import BeyondLimitsError, BrokenError, RangedReading

SMALL_HEADER = 8
LARGE_HEADER = 16

# A hostile file may consist of nothing but headers.
MAX_BOXES = 10_000


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its type, and where the box, its body and what follows it start."""

    kind: bytes
    start: int
    body: int
    end: int


def boxes(reading: RangedReading, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two offsets; the last one may claim to end further on, as in a truncated file.

    Raises:
        BrokenError: Something is not a box.
        BeyondLimitsError: There are too many.
    """
    at = start
    for _ in range(MAX_BOXES):
        if at + SMALL_HEADER > end:
            return
        box = _box(reading, at, end)
        yield box
        at = box.end
    raise BeyondLimitsError(f"more than {MAX_BOXES} boxes in a row were not enough")


def child(reading: RangedReading, parent: Box, kind: bytes) -> Box | None:
    """Return the first child of a kind, None if there is none."""
    return next((box for box in children(reading, parent) if box.kind == kind), None)


def children(reading: RangedReading, parent: Box) -> Iterator[Box]:
    """Yield the boxes inside another one.

    Raises:
        BrokenError: They do not fit into it.
    """
    for box in boxes(reading, parent.body, parent.end):
        if box.end > parent.end:
            raise BrokenError(f"the box {box.kind!r} is larger than the one around it")
        yield box


def unsigned(data: bytes, offset: int, width: int) -> int:
    """Return a big-endian number of 4 or 8 bytes.

    Raises:
        BrokenError: The data ends before.
    """
    if offset + width > len(data):
        raise BrokenError("a box ends in the middle of a field")
    return int.from_bytes(data[offset : offset + width], "big")


def _box(reading: RangedReading, at: int, end: int) -> Box:
    size, kind = struct.unpack(">I4s", reading.read(at, SMALL_HEADER))
    header = SMALL_HEADER
    if size == 1:
        (size,) = struct.unpack(">Q", reading.read(at + SMALL_HEADER, LARGE_HEADER - SMALL_HEADER))
        header = LARGE_HEADER
    elif size == 0:  # up to the end of the file
        size = end - at
    if size < header:
        raise BrokenError(f"a box whose size is {size}")
    return Box(kind, at, at + header, at + size)
