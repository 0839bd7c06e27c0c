"""Reading an object here and there by ranged GETs: in blocks that are kept, and no more of them than the limits allow."""

from __future__ import annotations

from collections.abc import Callable

# Bytes of the first GET: the header of a faststart file begins within, and with it all that is wanted.
FIRST_BLOCK = 32 * 1024

# Bytes of each further GET. Of a header behind the pictures that is a short video's whole, or a long one's beginning.
NEXT_BLOCK = 256 * 1024

MAX_GETS = 6

# GETs and bytes at most for one object, whatever it holds.
MAX_BYTES = 1_100_000


class BeyondLimitsError(Exception):
    """What was wanted takes more GETs or bytes than one object may cost."""


class BrokenError(Exception):
    """What was wanted lies behind the end of the object, or makes no sense."""


class RangedReading:
    """An object of `size` bytes of which `get(first, length)` returns a part.

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
            BrokenError: The object ends before.
            BeyondLimitsError: That would be a GET, or bytes, too many.
        """
        if offset < 0 or offset + length > self.size:
            raise BrokenError(f"bytes {offset} to {offset + length} of {self.size}")
        for start, block in self._blocks:
            if start <= offset and offset + length <= start + len(block):
                return block[offset - start : offset - start + length]
        return self._fetch(offset, length)[:length]

    def tail(self) -> tuple[int, bytes]:
        """Return where the last block of the object begins, and what is in it."""
        start = max(0, self.size - NEXT_BLOCK)
        return start, self.read(start, self.size - start)

    def holds(self, offset: int, length: int) -> bool:
        """Tell whether these bytes were fetched already."""
        return any(start <= offset and offset + length <= start + len(block) for start, block in self._blocks)

    def _fetch(self, offset: int, length: int) -> bytes:
        block = max(length, NEXT_BLOCK if self._blocks else FIRST_BLOCK)
        wanted = min(block, self.size - offset)
        if self.gets == MAX_GETS or self.bytes + wanted > MAX_BYTES:
            raise BeyondLimitsError(f"{self.gets} GETs and {self.bytes} bytes were not enough")
        self.gets += 1
        arrived = self._get(offset, wanted)
        self.bytes += len(arrived)
        if len(arrived) != wanted:
            raise BrokenError(f"{len(arrived)} bytes came where {wanted} were asked for")
        self._blocks.append((offset, arrived))
        return arrived
