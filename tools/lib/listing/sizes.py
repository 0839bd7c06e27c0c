"""How many objects go into a manifest, and how large they are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from handlers.domain import reasons
from handlers.domain.objects import MAX_BYTES

_CLASSES: tuple[tuple[str, int], ...] = (
    (reasons.EMPTY, 0),
    ("up to 10 MiB", 10 * 1024**2),
    ("up to 100 MiB", 100 * 1024**2),
    ("up to 1 GiB", 1024**3),
    ("up to 10 GiB", MAX_BYTES),
)
_BEYOND = "over 10 GiB"

# Stands for a size that is not known.
UNKNOWN_SIZE = -1


@dataclass(slots=True)
class SizeCounts:
    """Objects, bytes, and objects by size class."""

    objects: int = 0
    bytes: int = 0
    by_class: dict[str, int] = field(default_factory=lambda: dict.fromkeys([name for name, _ in _CLASSES] + [_BEYOND], 0))

    def add(self, sizes: Sequence[int]) -> None:
        """Add objects of these sizes in bytes; objects of unknown size add to the number of objects only."""
        self.objects += len(sizes)
        ascending = sorted(sizes)
        ascending = ascending[bisect_right(ascending, UNKNOWN_SIZE) :]
        self.bytes += sum(ascending)
        before = 0
        for name, limit in _CLASSES:
            below = bisect_right(ascending, limit)
            self.by_class[name] += below - before
            before = below
        self.by_class[_BEYOND] += len(ascending) - before

    def subtract(self, sizes: Sequence[int]) -> None:
        """Undo `add`."""
        other = SizeCounts()
        other.add(sizes)
        self.objects -= other.objects
        self.bytes -= other.bytes
        for name, count in other.by_class.items():
            self.by_class[name] -= count
