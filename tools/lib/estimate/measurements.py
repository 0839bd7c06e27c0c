"""Sums over the measured headers by size class, so that any number of headers takes the same memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tools.lib.estimate.mp4.header import Header, Reading
from tools.lib.estimate.sampling import class_of
from tools.lib.listing import ListedObject


@dataclass(slots=True)
class ClassSums:
    """The measured objects of one class: sums over their sizes in bytes and their analysable seconds.

    Attributes:
        steepest: The highest number of seconds per byte.
    """

    count: int = 0
    sizes: float = 0.0
    seconds: float = 0.0
    sizes_squared: float = 0.0
    seconds_squared: float = 0.0
    products: float = 0.0
    steepest: float = 0.0

    def add(self, size: int, seconds: float) -> None:
        """Add one object, with 0 seconds if it will not be analysed."""
        self.count += 1
        self.sizes += size
        self.seconds += seconds
        self.sizes_squared += size * size
        self.seconds_squared += seconds * seconds
        self.products += size * seconds
        self.steepest = max(self.steepest, seconds / max(size, 1))

    def plus(self, other: ClassSums) -> ClassSums:
        return ClassSums(
            self.count + other.count,
            self.sizes + other.sizes,
            self.seconds + other.seconds,
            self.sizes_squared + other.sizes_squared,
            self.seconds_squared + other.seconds_squared,
            self.products + other.products,
            max(self.steepest, other.steepest),
        )


@dataclass(slots=True)
class Measurements:
    """What the headers that were read say.

    Attributes:
        classes: Sums by size class, over the objects of which it is known how much will be analysed.
        faults: Objects that Rekognition would not take, by the code of the reason.
        unreadable: The other objects whose header could not be read, by code.
        inspected: How many objects were inspected, whatever came of it.
        gets: The GETs that were made.
    """

    classes: dict[int, ClassSums] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    inspected: int = 0
    gets: int = 0

    def add(self, found: ListedObject, reading: Reading) -> None:
        """Add what the header of an object says."""
        self.inspected += 1
        self.gets += reading.gets
        if reading.fault is not None:
            self.faults[reading.fault.code] += 1
            self._sums(found).add(found.size, 0.0)
        elif isinstance(reading, Header):
            self._sums(found).add(found.size, reading.seconds)
        else:
            self.unreadable[reading.code] += 1
            if reading.worthless:
                self._sums(found).add(found.size, 0.0)

    @property
    def known(self) -> int:
        """Return of how many objects it is known how much will be analysed."""
        return sum(sums.count for sums in self.classes.values())

    def _sums(self, found: ListedObject) -> ClassSums:
        return self.classes.setdefault(class_of(found.size), ClassSums())
