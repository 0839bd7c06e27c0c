"""Sums over the measured headers by size class, so that any number of headers takes the same memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from handlers.domain.mp4 import Header, Reading
from tools.lib.estimate.engine_choice import BY_VIDEO, EngineChoice
from tools.lib.estimate.sampling import class_of
from tools.lib.listing import ListedObject


@dataclass(slots=True)
class ClassSums:
    """The measured objects of one class: sums over their sizes in bytes and their analysable seconds, or their images.

    Attributes:
        steepest: The highest number of seconds, or images, per byte.
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
    """What is known from the headers that were read, for one choice of the engine.

    Attributes:
        classes: Sums of seconds by size class, over the objects for which it is known how much will be analysed.
        images: Sums of images by size class, over the objects for which it is known how many images they cost.
        guessed: Sums of seconds by size class, over films whose length is guessed from their size.
        framed: How many films will be analysed by frames.
        faults: Objects that cannot be analysed, by the code of the reason.
        unreadable: The other objects whose header could not be read, by code.
        inspected: How many objects were inspected, whatever came of it.
        gets: The GETs that were made.
    """

    choice: EngineChoice = BY_VIDEO
    classes: dict[int, ClassSums] = field(default_factory=dict)
    images: dict[int, ClassSums] = field(default_factory=dict)
    guessed: dict[int, ClassSums] = field(default_factory=dict)
    framed: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    inspected: int = 0
    gets: int = 0

    def add(self, found: ListedObject, reading: Reading) -> None:
        """Add one object, whether its header could be read or not."""
        self.inspected += 1
        self.gets += reading.gets
        self.framed += self.choice.goes_by_frames(reading)
        if (problem := self.choice.problem(reading)) is not None:
            self.faults[problem.code] += 1
        elif not isinstance(reading, Header) and not self.choice.analyses_image(reading):
            self.unreadable[reading.code] += 1
        for sums, amount in (
            (self.classes, self.choice.seconds(reading)),
            (self.images, self.choice.pictures(reading)),
            (self.guessed, self.choice.guessed(reading, found.size)),
        ):
            if amount is not None:
                sums.setdefault(class_of(found.size), ClassSums()).add(found.size, amount)

    @property
    def known(self) -> int:
        """Count the objects for which it is known how much will be analysed."""
        return sum(sums.count for sums in self.classes.values())
