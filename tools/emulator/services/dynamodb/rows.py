"""Sorted rows in partitions, of which tables and indexes consist; no operation visits rows that it does not return."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from tools.emulator.services.dynamodb.values import Item, item_size

# What sorts a row in its partition: the range key's value, if there is one; in an index also the table's key.
SortKey = tuple[Any, ...]
# A part of a partition: from the first position to before the last, by the partition's order.
Span = Callable[[list[SortKey]], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Row:
    """An item, which is never changed but only replaced, and its size in bytes as DynamoDB counts them."""

    item: Item
    size: int

    @staticmethod
    def of(item: Item) -> Row:
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


_range_value = itemgetter(0)


def everything(order: list[SortKey]) -> tuple[int, int]:
    """Return the span of a whole partition."""
    return 0, len(order)


def span(low: Any | None = None, high: Any | None = None, *, include_low: bool = True, include_high: bool = True) -> Span:  # noqa: ANN401
    """Return the span of range keys between two values; None means unbounded."""

    def bounds(order: list[SortKey]) -> tuple[int, int]:
        first = 0 if low is None else (bisect_left if include_low else bisect_right)(order, low, key=_range_value)
        last = len(order) if high is None else (bisect_right if include_high else bisect_left)(order, high, key=_range_value)
        return first, last

    return bounds


def prefixed(prefix: str | bytes) -> Span:
    """Return the span of range keys that begin with a prefix."""

    def beginning(sort_key: SortKey) -> Any:  # noqa: ANN401 - str or bytes
        return sort_key[0][: len(prefix)]

    return lambda order: (bisect_left(order, prefix, key=beginning), bisect_right(order, prefix, key=beginning))


class Rows:
    """Partitions by hash key; `visited` counts every row that was read, so that tests see what a query costs."""

    def __init__(self) -> None:
        self.visited = 0
        self._partitions: dict[Any, Partition] = {}
        self._digests: list[tuple[bytes, Any]] = []  # the order of a scan

    def get(self, hash_key: Any, sort_key: SortKey) -> Row | None:  # noqa: ANN401 - str, Decimal or bytes
        """Return the row with this key; it counts as visited, also if there is none."""
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

    def query(self, hash_key: Any, bounds: Span, *, forward: bool, after: SortKey | None) -> Iterator[Row]:  # noqa: ANN401 - as above
        """Yield the rows of a span of one partition, in order, beginning behind `after`."""
        partition = self._partitions.get(hash_key)
        if partition is None:
            return
        first, last = bounds(partition.order)
        if after is not None and forward:
            first = max(first, bisect_right(partition.order, after))
        elif after is not None:
            last = min(last, bisect_left(partition.order, after))
        for at in range(first, last) if forward else range(last - 1, first - 1, -1):
            self.visited += 1
            yield partition.rows[partition.order[at]]

    def scan(self, *, after: tuple[Any, SortKey] | None = None) -> Iterator[Row]:
        """Yield all rows, partition by partition, beginning behind `after`."""
        first = 0 if after is None else bisect_left(self._digests, (digest(after[0]), after[0]))
        for _, hash_key in self._digests[first:]:
            resume = after[1] if after is not None and hash_key == after[0] else None
            yield from self.query(hash_key, everything, forward=True, after=resume)


def digest(hash_key: Any) -> bytes:  # noqa: ANN401 - str, Decimal or bytes
    """Return what orders partitions in a scan: as in DynamoDB, not the key itself."""
    return hashlib.blake2b(repr(hash_key).encode(), digest_size=8).digest()
