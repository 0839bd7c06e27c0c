"""Removes rows from a manifest in place, so that neither memory nor disk space grows with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from typing import BinaryIO

_BLOCK = 1024 * 1024


def remove_rows(file: BinaryIO, unwanted: Collection[bytes], kept: Callable[[bytes], object]) -> Counter[bytes]:
    """Remove all occurrences of rows from a file that is open for reading and writing.

    Args:
        file: Positioned after its last row when this returns.
        unwanted: Lines without their line feed.
        kept: Called with the bytes that stay, in their order.

    Returns:
        How often each row was removed, in the order of their first occurrences.
    """
    removed: Counter[bytes] = Counter()
    rows = frozenset(unwanted)
    read = written = 0
    while block := _whole_lines(file, read):
        read += len(block)
        lines = block.split(b"\n")
        if not rows.isdisjoint(lines):  # one test for the whole block: most blocks have none of the rows
            removed.update(line for line in lines if line in rows)
            block = b"\n".join(line for line in lines if line not in rows)
        file.seek(written)
        file.write(block)
        written += len(block)
        kept(block)
    file.seek(written)
    file.truncate()
    return removed


def _whole_lines(file: BinaryIO, start: int) -> bytes:
    """Return the lines from an offset on that fit into a block, or one longer line; b"" at the end."""
    file.seek(start)
    block = file.read(_BLOCK)
    end = block.rfind(b"\n") + 1
    return block[:end] if end else block + file.readline()
