"""Rows in partitions, sorted: what a table is, and what an index is. Nothing here looks at a row that it was not asked for."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tools.emulator.services.dynamodb.values import Item, item_size

# What sorts a row in its partition: the range key's value, where there is one; in an index also the table's key.
SortKey = tuple[Any, ...]
DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True)
class Row:
    """An item as it is stored here (never changed, only replaced) and the bytes it counts for."""

    item: Item
    size: int

    @staticmethod
    def of(item: Item) -> Row:
        """Return the row for an item."""
        return Row(item, item_size(item))


@dataclass(slots=True)
class Partition:
    """The rows of one hash key."""

    rows: dict[SortKey, Row] = field(default_factory=dict)
    order: list[SortKey] = field(default_factory=list)

    def put(self, sort_key: SortKey, row: Row) -> None:
        """Add or replace a row."""
        if sort_key not in self.rows:
            insort(self.order, sort_key)
        self.rows[sort_key] = row

    def remove(self, sort_key: SortKey) -> None:
        """Take a row out, if it is there."""
        if self.rows.pop(sort_key, None) is not None:
            del self.order[bisect_left(self.order, sort_key)]


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a partition is wanted: from the first position to before the last, given a partition's order."""

    bounds: Callable[[list[SortKey]], tuple[int, int]]


EVERYTHING = Span(lambda order: (0, len(order)))


def _range_value(sort_key: SortKey) -> Any:  # noqa: ANN401 - str, Decimal or bytes
    return sort_key[0]


def span(low: Any | None = None, high: Any | None = None, *, include_low: bool = True, include_high: bool = True) -> Span:  # noqa: ANN401
    """Return the span of range keys between two values; None means unbounded."""

    def bounds(order: list[SortKey]) -> tuple[int, int]:
        first = 0 if low is None else (bisect_left if include_low else bisect_right)(order, low, key=_range_value)
        last = len(order) if high is None else (bisect_right if include_high else bisect_left)(order, high, key=_range_value)
        return first, last

    return Span(bounds)


def prefixed(prefix: str | bytes) -> Span:
    """Return the span of range keys that begin with a prefix."""

    def beginning(sort_key: SortKey) -> Any:  # noqa: ANN401 - str or bytes
        return sort_key[0][: len(prefix)]

    return Span(lambda order: (bisect_left(order, prefix, key=beginning), bisect_right(order, prefix, key=beginning)))


class Rows:
    """Partitions by hash key; `visited` counts every row that was ever looked at, so that tests can see how many a query costs."""

    def __init__(self) -> None:
        self.visited = 0
        self._partitions: dict[Any, Partition] = {}
        self._digests: list[tuple[bytes, Any]] = []  # the order in which a scan meets the partitions

    def get(self, hash_key: Any, sort_key: SortKey) -> Row | None:  # noqa: ANN401 - str, Decimal or bytes
        """Return one row."""
        self.visited += 1
        partition = self._partitions.get(hash_key)
        return None if partition is None else partition.rows.get(sort_key)

    def put(self, hash_key: Any, sort_key: SortKey, row: Row) -> None:  # noqa: ANN401 - as above
        """Add or replace a row."""
        partition = self._partitions.get(hash_key)
        if partition is None:
            partition = self._partitions[hash_key] = Partition()
            insort(self._digests, (digest(hash_key), hash_key))
        partition.put(sort_key, row)

    def remove(self, hash_key: Any, sort_key: SortKey) -> None:  # noqa: ANN401 - as above
        """Take a row out, if it is there."""
        partition = self._partitions.get(hash_key)
        if partition is None:
            return
        partition.remove(sort_key)
        if not partition.rows:
            del self._partitions[hash_key]
            del self._digests[bisect_left(self._digests, (digest(hash_key), hash_key))]

    def query(self, hash_key: Any, wanted: Span, *, forward: bool, after: SortKey | None) -> Iterator[Row]:  # noqa: ANN401 - as above
        """Yield the rows of one partition in a span, in order, those up to `after` left out."""
        partition = self._partitions.get(hash_key)
        if partition is None:
            return
        first, last = wanted.bounds(partition.order)
        if after is not None and forward:
            first = max(first, bisect_right(partition.order, after))
        elif after is not None:
            last = min(last, bisect_left(partition.order, after))
        for at in range(first, last) if forward else range(last - 1, first - 1, -1):
            self.visited += 1
            yield partition.rows[partition.order[at]]

    def scan(self, segment: int, segments: int, *, after: tuple[Any, SortKey] | None) -> Iterator[Row]:
        """Yield the rows of one of several segments, partition by partition, beginning after `after`."""
        span_of_segment = 256**DIGEST_BYTES // segments
        start = (segment * span_of_segment).to_bytes(DIGEST_BYTES, "big")
        first = bisect_left(self._digests, start, key=lambda entry: entry[0])
        if after is not None:
            first = max(first, bisect_left(self._digests, (digest(after[0]), after[0])))
        for found, hash_key in self._digests[first:]:
            if segment < segments - 1 and int.from_bytes(found, "big") >= (segment + 1) * span_of_segment:
                return
            resume = after[1] if after is not None and hash_key == after[0] else None
            yield from self.query(hash_key, EVERYTHING, forward=True, after=resume)

    def count(self) -> int:
        """Return how many rows there are."""
        return sum(len(partition.rows) for partition in self._partitions.values())


def digest(hash_key: Any) -> bytes:  # noqa: ANN401 - str, Decimal or bytes
    """Return what orders partitions in a scan: not the key itself, as DynamoDB does not keep that order either."""
    return hashlib.blake2b(repr(hash_key).encode(), digest_size=DIGEST_BYTES).digest()
