"""The outermost boxes of an MP4: in one of fragments, FFmpeg takes a broken box for the end of the film, without an error."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from handlers.decoder.source import RemoteFile

_HEADER, _LARGE_HEADER = 8, 16
_TO_THE_END, _LARGE = 0, 1
# In the midst of which boxes a recording may have been interrupted.
_INTERRUPTED = frozenset({b"mdat", b"moof"})
# A hostile file may consist of nothing but headers; the first fragment is among the first boxes.
_MOST_BOXES = 1_000
_MOST_BEFORE = 16


class BrokenBoxError(Exception):
    """Something is not a box, or ends behind the file."""


def is_whole_from(source: RemoteFile, offset: int) -> bool:
    """Tell whether one box follows another from an offset to the end of the file; the last one may be cut off."""
    try:
        return all(_kinds(source, offset, _MOST_BOXES))
    except BrokenBoxError:
        return False


def has_fragments(source: RemoteFile) -> bool:
    """Tell whether the film is in fragments, at least in part."""
    try:
        return b"moof" in _kinds(source, 0, _MOST_BEFORE)
    except BrokenBoxError:
        return False


def _kinds(source: RemoteFile, at: int, most: int) -> Iterator[bytes]:
    """Yield the types of the boxes from an offset on, at most that many."""
    for _ in range(most):
        left = source.size - at
        if left < _HEADER:
            return
        size, kind = _box(source.peek(at, _LARGE_HEADER), left)
        yield kind
        at += size


def _box(header: bytes, left: int) -> tuple[int, bytes]:
    size, kind = struct.unpack_from(">I4s", header)
    if size == _LARGE and len(header) == _LARGE_HEADER:
        (size,) = struct.unpack_from(">Q", header, _HEADER)
    elif size == _TO_THE_END and kind in _INTERRUPTED:
        size = left
    is_named = kind.isascii() and kind.decode().isprintable()
    if size < _HEADER or not is_named or (size > left and kind not in _INTERRUPTED):
        raise BrokenBoxError
    return size, kind
