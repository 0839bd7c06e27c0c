"""Random access to an object in S3: pieces read ahead are kept in memory, so that many small reads cost few GETs."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

# Bytes of the first GET at a new place and of the largest GET that reads ahead, and of all pieces that are kept.
_SMALLEST, _LARGEST = 64 * 1024, 2 * 1024**2
_MOST_KEPT = 8 * 1024**2
# The most that is fetched: this many times the object's size, and this many bytes more. An honest film may be read twice, if its
# index turns out to be wrong; a file that needs more than this was built to make us read.
_MOST_TIMES, _MOST_BESIDES = 3, 64 * 1024**2


class Source(Protocol):
    """An object that is read in ranges. Errors of `read` pass through `open_media` and `Media.frames` unchanged."""

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer at the end of the object."""
        ...


class ReadTooMuchError(Exception):
    """A file made the decoder read far more than its size."""


class Ranges:
    """Reads a source in pieces, which double in size while reading is sequential."""

    def __init__(self, source: Source) -> None:
        self.size = source.size
        self._source = source
        self._pieces: OrderedDict[int, bytes] = OrderedDict()
        self._kept = 0
        self._end, self._length = -1, 0
        self._left = _MOST_TIMES * source.size + _MOST_BESIDES

    def read(self, offset: int, length: int, until: int) -> bytes:
        """Return at least one byte and at most `length` bytes from an offset within the object.

        Args:
            offset: Where the bytes begin.
            length: How many are needed now.
            until: Where what will be needed soon ends; a value up to the offset if that is not known.

        Raises:
            ReadTooMuchError: Far more than the object's size was read.
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
            raise ReadTooMuchError("the file makes the decoder read in circles: far more was read than the object holds")
        piece = self._source.read(offset, length)
        self._end, self._length = offset + len(piece), length
        self._pieces[offset] = piece
        self._kept += len(piece)
        while self._kept > _MOST_KEPT:
            _, oldest = self._pieces.popitem(last=False)
            self._kept -= len(oldest)
        return piece
