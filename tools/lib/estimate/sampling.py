"""A seeded random sample of a listing that passes by, more of it where more is at stake: stratified by size.

Sizes are classed by powers of four. What is long is large: with classes a few giants cannot be missed, and within a class lengths
differ little, so that the error bar is narrow.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tools.lib.listing import ListedObject

# Videos whose headers are read unless told otherwise: a few seconds, and less than a cent.
DEFAULT_SAMPLE = 1_000

# Classes by size: sizes are numbers of 64 bits.
CLASSES = 33

# How many of each class are measured at least, or all: fewer give no error bar.
LEAST_OF_A_CLASS = 30


def class_of(size: int) -> int:
    """Return the class of a size in bytes."""
    return size.bit_length() // 2


@dataclass(frozen=True, slots=True)
class Population:
    """How many objects of one class were listed, and their bytes."""

    count: int
    bytes: int

    def plus(self, other: Population) -> Population:
        """Return both together."""
        return Population(self.count + other.count, self.bytes + other.bytes)


@dataclass(frozen=True, slots=True)
class Sample:
    """What was listed, class by class (one without objects is missing), and what was drawn of it."""

    populations: dict[int, Population]
    chosen: tuple[ListedObject, ...]


@dataclass(slots=True)
class Sampler:
    """Keeps a sample of what it is offered; the same listing and seed give the same sample.

    Memory: at most `size` objects of each class that occurs, whatever the listing.

    Attributes:
        size: How many objects are wanted; 0 counts only.
        seed: Of the choice.
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
        """Take note of a batch, given by its sizes; `object_at` is called only for the few that are kept for now."""
        counts, total, kept, most, draw = self._counts, self._bytes, self._kept, self.size, self._random.random
        for number, size in enumerate(sizes):  # as plain as it is because a hundred million may pass
            at = class_of(size)
            total[at] += size
            counts[at] += 1
            if counts[at] <= most:
                kept[at].append(object_at(number))
            elif most and (place := int(draw() * counts[at])) < most:  # algorithm R: each of those so far is as likely kept
                kept[at][place] = object_at(number)

    def draw(self) -> Sample:
        """Return the sample: `size` objects, or a few more where there are many classes, or all that there are."""
        populations = {at: Population(count, self._bytes[at]) for at, count in enumerate(self._counts) if count}
        wanted = _allotted(populations, self.size)
        # A random part of a random sample is one. A generator of its own: drawing twice gives the same.
        order = random.Random(self.seed)  # noqa: S311 - a sample must be repeatable, not secret
        chosen = [found for at, count in wanted.items() for found in order.sample(self._kept[at], count)]
        return Sample(populations, tuple(chosen))


def _allotted(populations: Mapping[int, Population], size: int) -> dict[int, int]:
    """Return how many to measure of each class: half of them by its share of the objects, half by its share of the bytes.

    By bytes alone, the lengths of many small files at a low bit rate would rest on a handful.
    """
    count = sum(each.count for each in populations.values())
    total = sum(each.bytes for each in populations.values()) or 1
    shares = {at: (each.count / count + each.bytes / total) / 2 for at, each in populations.items()}
    least, factor = min(LEAST_OF_A_CLASS, size), float(size)
    while True:
        wanted = {at: min(each.count, size, max(least, math.ceil(factor * shares[at]))) for at, each in populations.items()}
        if sum(wanted.values()) >= min(size, count):
            return wanted
        factor *= _MORE  # small classes are used up: the others take what those could not


_MORE = 1.1
