"""A seeded random sample of a listing, stratified by size.

Size classes are powers of four. Long videos are large: with classes the sample cannot miss a few giants, and lengths differ little
within a class, so the error bar is narrow.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tools.lib.listing import ListedObject

# Headers that are read by default: this takes a few seconds, and costs less than a cent.
DEFAULT_SAMPLE = 1_000

# Number of size classes: sizes have up to 64 bits.
CLASSES = 33

# The least number of each class that is measured, unless it has fewer: less than that gives no error bar.
LEAST_OF_A_CLASS = 30

_GROWTH = 1.1


def class_of(size: int) -> int:
    """Return the class of a size in bytes."""
    return size.bit_length() // 2


@dataclass(frozen=True, slots=True)
class Population:
    """The objects of one class that were listed: their number and bytes."""

    count: int
    bytes: int

    def plus(self, other: Population) -> Population:
        return Population(self.count + other.count, self.bytes + other.bytes)


@dataclass(slots=True)
class Sampler:
    """Draws a sample from the objects that it is offered; the same listing and seed give the same sample.

    It keeps at most `size` objects of each class in memory, however long the listing is.

    Attributes:
        size: How many objects to draw; with 0 it only counts.
        seed: The seed of the draw.
    """

    size: int = DEFAULT_SAMPLE
    seed: int = 0
    _counts: list[int] = field(init=False, default_factory=lambda: [0] * CLASSES)
    _bytes: list[int] = field(init=False, default_factory=lambda: [0] * CLASSES)
    _kept: list[list[ListedObject]] = field(init=False, default_factory=lambda: [[] for _ in range(CLASSES)])
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - a sample must be repeatable, not secret

    def offer_all(self, sizes: Sequence[int], object_at: Callable[[int], ListedObject]) -> None:
        """Offer a batch, given by its sizes; `object_at` is called only for the few objects that are kept for now."""
        counts, total, kept, most, draw = self._counts, self._bytes, self._kept, self.size, self._random.random
        for number, size in enumerate(sizes):  # a plain loop, for up to a hundred million objects
            at = class_of(size)
            total[at] += size
            counts[at] += 1
            if counts[at] <= most:
                kept[at].append(object_at(number))
            elif (
                most and (place := int(draw() * counts[at])) < most
            ):  # algorithm R: every object so far is kept with the same probability
                kept[at][place] = object_at(number)

    @property
    def populations(self) -> dict[int, Population]:
        """Return what was offered, by class; classes without objects are missing."""
        return {at: Population(count, self._bytes[at]) for at, count in enumerate(self._counts) if count}

    def draw(self) -> list[ListedObject]:
        """Return the sample: `size` objects, a few more if there are many classes, or all that there are."""
        # A random part of a random sample is one. It has its own generator, so that drawing twice gives the same.
        order = random.Random(self.seed)  # noqa: S311 - a sample must be repeatable, not secret
        allotted = _allotted(self.populations, self.size)
        return [found for at, count in allotted.items() for found in order.sample(self._kept[at], count)]


def _allotted(populations: Mapping[int, Population], size: int) -> dict[int, int]:
    """Return how many to measure of each class: half by its share of the objects, half by its share of the bytes.

    By bytes alone, the lengths of many small files with a low bit rate would be estimated from a handful.
    """
    count = sum(each.count for each in populations.values())
    total = sum(each.bytes for each in populations.values()) or 1
    shares = {at: (each.count / count + each.bytes / total) / 2 for at, each in populations.items()}
    least, factor = min(LEAST_OF_A_CLASS, size), float(size)
    while True:
        allotted = {at: min(each.count, size, max(least, math.ceil(factor * shares[at]))) for at, each in populations.items()}
        if sum(allotted.values()) >= min(size, count):
            return allotted
        factor *= _GROWTH  # small classes are used up: the others get more
