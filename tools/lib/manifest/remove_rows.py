"""Taking rows out of a manifest that is written already, in its own file: neither memory nor disk grows with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from typing import BinaryIO

_BLOCK = 1024 * 1024


def remove_rows(file: BinaryIO, unwanted: Collection[bytes], kept: Callable[[bytes], object]) -> Counter[bytes]:
    """Take rows out of a file that is open for reading and writing, wherever and however often they occur in it.

    `unwanted` rows are lines without their line feed. `kept` hears of the bytes that stay, in their order. Returns what was
    taken out, in the order in which it stood there, and how often; the file ends behind its last row.
    """
    taken: Counter[bytes] = Counter()
    rows = frozenset(unwanted)
    read = written = 0
    while block := _whole_lines(file, read):
        read += len(block)
        lines = block.split(b"\n")
        if not rows.isdisjoint(lines):  # asked of a block at once: most hold nothing that is meant
            taken.update(line for line in lines if line in rows)
            block = b"\n".join(line for line in lines if line not in rows)
        file.seek(written)
        file.write(block)
        written += len(block)
        kept(block)
    file.seek(written)
    file.truncate()
    return taken


def _whole_lines(file: BinaryIO, start: int) -> bytes:
    """Return the lines from an offset on that fit into a block; a longer one alone, and b"" behind the last."""
    file.seek(start)
    block = file.read(_BLOCK)
    end = block.rfind(b"\n") + 1
    return block[:end] if end else block + file.readline()
