"""Counting a listing as it passes: how many objects, how large, and which of them cannot be analysed as they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tools.lib.listing import ListedObject

MAX_VIDEO_BYTES = 10 * 1024**3
"""Rekognition takes stored videos of up to 10 GB (aws-facts 7)."""

ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes that must be restored before anyone can read the object. GLACIER_IR can be read at once."""

_CLASSES: tuple[tuple[str, int], ...] = (
    ("empty", 0),
    ("up to 10 MiB", 10 * 1024**2),
    ("up to 100 MiB", 100 * 1024**2),
    ("up to 1 GiB", 1024**3),
    ("up to 10 GiB", MAX_VIDEO_BYTES),
)
_BEYOND = "over 10 GiB"


@dataclass(slots=True)
class Tally:
    """What passed so far: objects, bytes, objects per size class, archived ones."""

    objects: int = 0
    bytes: int = 0
    archived: int = 0
    sizes: dict[str, int] = field(default_factory=lambda: dict.fromkeys([name for name, _ in _CLASSES] + [_BEYOND], 0))

    def counting(self, listing: Iterable[ListedObject]) -> Iterator[ListedObject]:
        """Yield what the listing yields, counting it."""
        for found in listing:
            self.objects += 1
            self.bytes += found.size
            self.archived += found.storage_class in ARCHIVED
            self.sizes[_size_class(found.size)] += 1
            yield found

    @property
    def empty(self) -> int:
        """Return how many objects have no bytes."""
        return self.sizes[_CLASSES[0][0]]

    @property
    def too_large(self) -> int:
        """Return how many objects are larger than Rekognition takes."""
        return self.sizes[_BEYOND]


def _size_class(size: int) -> str:
    return next((name for name, limit in _CLASSES if size <= limit), _BEYOND)
