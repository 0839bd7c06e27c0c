"""An object in S3 as a file: what was read last is kept, so that small reads are few GETs."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

_SMALLEST, _LARGEST = 64 * 1024, 2 * 1024**2
_MOST_KEPT = 8 * 1024**2
# A film may be read twice, once to find that its index lies; a file that makes us read more than this does so on purpose.
_MOST_TIMES, _MOST_BESIDES = 3, 64 * 1024**2


class Source(Protocol):
    """An object that is read by ranges. What `read` raises comes out of `open_media` and `Media.frames` as it is."""

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes from `offset`, `length` of them or as many as there are."""
        ...


class ReadTooMuchError(Exception):
    """A file makes us read it again and again."""


class Ranges:
    """Reads a source in pieces that grow while they follow one another."""

    def __init__(self, source: Source) -> None:
        self.size = source.size
        self._source = source
        self._pieces: OrderedDict[int, bytes] = OrderedDict()
        self._kept = 0
        self._end, self._length = -1, 0
        self._left = _MOST_TIMES * source.size + _MOST_BESIDES

    def read(self, offset: int, length: int, until: int) -> bytes:
        """Return some bytes from an offset, at most `length`.

        Args:
            offset: Where they begin.
            length: How many are needed now.
            until: The end of what is needed soon; anything before the offset if that is not known.

        Raises:
            ReadTooMuchError: Far more was read than there is.
        """
        for start, piece in self._pieces.items():
            if start <= offset < start + len(piece):
                self._pieces.move_to_end(start)
                return piece[offset - start : offset - start + length]
        piece = self._fetch(offset, max(length, min(_LARGEST, self._ahead(offset, until))))
        return piece[:length]

    def _ahead(self, offset: int, until: int) -> int:
        if until > offset:
            return until - offset
        return 2 * self._length if offset == self._end else _SMALLEST

    def _fetch(self, offset: int, length: int) -> bytes:
        length = min(length, self._source.size - offset)
        self._left -= length
        if self._left < 0:
            raise ReadTooMuchError("its file leads in circles: far more was read than there is")
        piece = self._source.read(offset, length)
        self._end, self._length = offset + len(piece), length
        self._pieces[offset] = piece
        self._kept += len(piece)
        while self._kept > _MOST_KEPT:
            _, oldest = self._pieces.popitem(last=False)
            self._kept -= len(oldest)
        return piece
