"""Counts the objects with other suffixes than the selected ones, so that no video is left out unnoticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from handlers.domain.unselected import OTHERS, VIDEO_SUFFIXES, WITHOUT

# How many suffixes are named; those of videos are named in any case.
NAMED = 10

# The most suffixes that are counted separately, and the most characters of one: keys may hold anything.
_MOST = 10_000
_LONGEST = 12


class UnselectedCounts:
    """Objects that meet every condition of a selection but its suffixes, by their own suffix.

    Attributes:
        complete: Whether the whole source was read; a limit ends the reading early.
    """

    def __init__(self) -> None:
        self.complete = False
        self._counts: Counter[str] = Counter()

    def add(self, counts: Mapping[str, int]) -> None:
        for suffix, count in counts.items():
            known = len(self._counts) < _MOST or suffix in self._counts or suffix in VIDEO_SUFFIXES
            self._counts[suffix if known else OTHERS] += count

    def summary(self) -> dict[str, int] | None:
        """Return the counts of the most frequent suffixes and of those of videos, and the sum of the others; None if incomplete."""
        if not self.complete:
            return None
        suffixes = [suffix for suffix, _ in sorted(self._counts.items(), key=lambda each: (-each[1], each[0])) if suffix[0] == "."]
        named = {*suffixes[:NAMED], *VIDEO_SUFFIXES, WITHOUT}
        found = {suffix: count for suffix, count in self._counts.most_common() if suffix in named}
        others = self._counts.total() - sum(found.values())
        return {**found, OTHERS: others} if others else found


def suffixes_of(keys: Iterable[str]) -> Counter[str]:
    """Return how many keys have which suffix, in lower case."""
    return Counter(map(_suffix, keys))


def _suffix(key: str) -> str:
    stem, _, end = key.rpartition("/")[2].rpartition(".")
    if not stem or not end:
        return WITHOUT
    return f".{end.lower()}" if len(end) <= _LONGEST and end.isascii() and end.isalnum() else OTHERS
