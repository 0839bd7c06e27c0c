"""The filters of a selection, applied to whole columns: a call for each object would be too slow."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from tools.lib.listing.objects import Batch
from tools.lib.listing.selection import Selection

# Prefix of a pattern that is a regular expression.
REGEX = "re:"

_SECONDS = len("2026-11-22T16:30:00")

ColumnFilter = Callable[[Batch], Sequence[object]]


class Filters:
    """What a selection demands of each object by itself, so not its sample and limit.

    Args:
        listed: Whether the objects come from a listing that was already restricted to the prefixes.
    """

    def __init__(self, selection: Selection, *, listed: bool = False) -> None:
        self._filters: list[ColumnFilter] = [*_of_keys(selection, listed=listed), *_of_columns(selection)]
        endings = tuple(suffix.lower() for suffix in selection.suffixes)
        self._endings = () if "" in endings else endings

    def apply(self, batch: Batch) -> Batch:
        return self.split(batch)[0]

    def split(self, batch: Batch) -> tuple[Batch, Sequence[str]]:
        """Return the selected objects, and the keys of those that are not selected only because of their suffix, in order."""
        for passes in self._filters:
            if batch:
                batch = batch.where(passes(batch))
        if not batch or not self._endings:
            return batch, ()
        keys, endings = batch.keys, self._endings
        chosen = [key.lower().endswith(endings) for key in keys]
        return batch.where(chosen), [key for key, found in zip(keys, chosen, strict=True) if not found]


def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of `Selection.include` as a regular expression for `search`.

    Raises:
        re.error: It is not valid.
    """
    if pattern.startswith(REGEX):
        return re.compile(pattern.removeprefix(REGEX))
    return re.compile(f"(?s:\\A){fnmatch.translate(pattern)}")


def _of_keys(selection: Selection, *, listed: bool) -> Iterable[ColumnFilter]:
    if not listed and "" not in selection.ranges:
        yield lambda batch: [key.startswith(selection.ranges) for key in batch.keys]
    for patterns, found in ((selection.include, True), (selection.exclude, False)):
        if patterns:
            yield _matching([compiled(pattern) for pattern in patterns], found=found)


def _matching(patterns: Sequence[re.Pattern[str]], *, found: bool) -> ColumnFilter:
    return lambda batch: [any(pattern.search(key) for pattern in patterns) is found for key in batch.keys]


def _of_columns(selection: Selection) -> Iterable[ColumnFilter]:
    least, most = selection.min_size, selection.max_size
    if least is not None:
        yield lambda batch: [size >= least for size in batch.sizes]
    if most is not None:
        yield lambda batch: [size <= most for size in batch.sizes]
    if selection.modified_after is not None:
        after = _whole_seconds(selection.modified_after)
        yield lambda batch: [text[:_SECONDS] >= after for text in batch.modified]
    if selection.modified_before is not None:
        before = _whole_seconds(selection.modified_before)
        yield lambda batch: ["" < text[:_SECONDS] < before for text in batch.modified]  # an unknown time is not before
    if selection.storage_classes:
        classes = frozenset(selection.storage_classes)
        yield lambda batch: [name in classes for name in batch.storage_classes]


def _whole_seconds(moment: datetime) -> str:
    """Return a bound as text that sorts like S3's times, rounded up because those are whole seconds."""
    up = moment.astimezone(UTC) + timedelta(microseconds=-moment.microsecond % 1_000_000)
    return up.isoformat(timespec="seconds")[:_SECONDS]
