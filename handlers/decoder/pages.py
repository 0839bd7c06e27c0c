"""The pages of a TIFF image, of which FFmpeg decodes the first one alone (TIFF 6.0, section 2, and NewSubfileType in section 8)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Literal

from handlers.decoder.source import RemoteFile

_LITTLE = b"II*\0"
_ENTRY = 12
_KIND, _OLD_KIND = 254, 255
# Bits of the kind of an image that stands beside another one: a smaller copy, or its transparency. In files of long ago, a number.
_SMALLER, _MASK, _OLD_SMALLER = 1, 4, 2
# A hostile file may consist of nothing but pages.
_MOST_PAGES = 100


def has_several(source: RemoteFile) -> bool:
    """Tell whether a TIFF image has pages behind the first one, so far as it can be read; smaller copies and masks are none."""
    try:
        _, *further = _kinds(source)
    except (struct.error, ValueError):
        return False
    return any(not kind & (_SMALLER | _MASK) for kind in further)


def _kinds(source: RemoteFile) -> Iterator[int]:
    """Yield the kind of each image in the file."""
    order: Literal["<", ">"] = "<" if source.peek(0, len(_LITTLE)) == _LITTLE else ">"
    (at,) = struct.unpack(f"{order}I", source.peek(4, 4))
    for _ in range(_MOST_PAGES):
        if not at:
            return
        (count,) = struct.unpack(f"{order}H", source.peek(at, 2))
        entries = source.peek(at + 2, count * _ENTRY)
        (following,) = struct.unpack(f"{order}I", source.peek(at + 2 + count * _ENTRY, 4))
        yield _kind(entries, order)
        at = following


def _kind(entries: bytes, order: Literal["<", ">"]) -> int:
    for tag, _, _, value in struct.iter_unpack(f"{order}HHI4s", entries):
        if tag == _KIND:
            return int(struct.unpack(f"{order}I", value)[0])
        if tag == _OLD_KIND:
            return _SMALLER if struct.unpack(f"{order}H", value[:2])[0] == _OLD_SMALLER else 0
    return 0
