"""Reads parts of an object by ranged GETs, in blocks that are kept, within limits on GETs and bytes."""

from __future__ import annotations

from collections.abc import Callable

# Bytes of the first GET: enough for what is needed of the header of a faststart file.
FIRST_BLOCK = 32 * 1024

# Bytes of the second GET: a whole header at the end of a short video, or the beginning of a long one's.
NEXT_BLOCK = 256 * 1024

# Bytes of each further GET: the beginning of another track, behind the tables of the one before.
LATER_BLOCK = 64 * 1024

# The limits for one object, whatever it holds.
MAX_GETS = 12
MAX_BYTES = 1_100_000


class BeyondLimitsError(Exception):
    """The read would take more GETs or bytes than one object may cost."""


class BrokenError(Exception):
    """The read is beyond the end of the object, or what it found makes no sense."""


class RangedReading:
    """An object of `size` bytes, parts of which `get(first, length)` returns.

    Attributes:
        gets: How many GETs were made.
        bytes: How many bytes they returned.
    """

    def __init__(self, get: Callable[[int, int], bytes], size: int) -> None:
        self._get = get
        self.size = size
        self.gets = 0
        self.bytes = 0
        self._blocks: list[tuple[int, bytes]] = []

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly this many bytes.

        Raises:
            BrokenError: The object ends before that.
            BeyondLimitsError: That would exceed the limits.
        """
        if offset < 0 or offset + length > self.size:
            raise BrokenError(f"bytes {offset} to {offset + length} of {self.size}")
        for start, block in self._blocks:
            if start <= offset and offset + length <= start + len(block):
                return block[offset - start : offset - start + length]
        return self._fetch(offset, length)[:length]

    def tail(self) -> tuple[int, bytes]:
        """Return where the last block of the object begins, and its bytes."""
        start = max(0, self.size - NEXT_BLOCK)
        return start, self.read(start, self.size - start)

    def holds(self, offset: int, length: int) -> bool:
        """Tell whether these bytes were read already."""
        return any(start <= offset and offset + length <= start + len(block) for start, block in self._blocks)

    def _fetch(self, offset: int, length: int) -> bytes:
        usual = (FIRST_BLOCK, NEXT_BLOCK, LATER_BLOCK)[min(len(self._blocks), 2)]
        block = max(length, usual)
        count = min(block, self.size - offset)
        if self.gets == MAX_GETS or self.bytes + count > MAX_BYTES:
            raise BeyondLimitsError(f"{MAX_GETS} GETs of {MAX_BYTES:,} bytes in all are not enough")
        self.gets += 1
        arrived = self._get(offset, count)
        self.bytes += len(arrived)
        if len(arrived) != count:
            raise BrokenError(f"a GET of {count} bytes returned {len(arrived)}")
        self._blocks.append((offset, arrived))
        return arrived
