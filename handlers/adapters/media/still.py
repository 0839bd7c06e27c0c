"""The pixel sizes of JPEG and PNG images, from their headers and without FFmpeg."""

from __future__ import annotations

import struct
from collections.abc import Callable

from handlers.domain.sampling import Size

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
# The most segments of a JPEG, or chunks of a PNG, that are read to find its size.
_MOST_PARTS = 200
# The second bytes of the markers of frame headers, SOF0 to SOF15; DHT, JPG and DAC lie between them.
_SIZES_OF_JPEG = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN = 0xDA
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})


def still_size(read: Callable[[int, int], bytes]) -> Size | None:
    """Return the size of a JPEG, or of a PNG that is not animated; None if it is something else or has no readable header.

    Args:
        read: Takes an offset and a length, and returns that many bytes, fewer at the end.
    """
    first = read(0, 8)
    try:
        if first == _PNG:
            return _png(read)
        return _jpeg(read) if first.startswith(_JPEG) else None
    except (struct.error, IndexError):  # the file ends too early
        return None


def _png(read: Callable[[int, int], bytes]) -> Size | None:
    size = None
    at = len(_PNG)
    for _ in range(_MOST_PARTS):
        length, kind = struct.unpack(">I4s", read(at, 8))
        if kind == b"IHDR":
            size = Size(*struct.unpack(">II", read(at + 8, 8)))
        if kind == b"acTL":
            return None
        if kind == b"IDAT":
            return size
        at += 12 + length
    return None


def _jpeg(read: Callable[[int, int], bytes]) -> Size | None:
    at = 2
    for _ in range(_MOST_PARTS):
        marker = read(at, 2)
        if marker[0] != 0xFF:  # noqa: PLR2004  # begins every marker
            return None
        if marker[1] == 0xFF:  # noqa: PLR2004  # padding
            at += 1
        elif marker[1] in _WITHOUT_LENGTH:
            at += 2
        elif marker[1] in _SIZES_OF_JPEG:
            height, width = struct.unpack(">HH", read(at + 5, 4))
            return Size(width, height) if height else None
        elif marker[1] == _START_OF_SCAN:
            return None
        else:
            at += 2 + struct.unpack(">H", read(at + 2, 2))[0]
    return None
