"""A table and its indexes: a write changes the table at once, and the indexes at once or after a lag."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.emulator.core import Clock
from tools.emulator.services.dynamodb.errors import ValidationError
from tools.emulator.services.dynamodb.rows import Row, Rows, SortKey
from tools.emulator.services.dynamodb.values import MAX_ITEM_BYTES, Item, Value, canonical, comparable, kind, size_of

MAX_HASH_BYTES = 2048
MAX_RANGE_BYTES = 1024


@dataclass(frozen=True, slots=True)
class KeySchema:
    """The names of the hash key and the range key, if there is one, and their type letters."""

    hash: str
    range: str | None
    types: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """The key's attributes."""
        return (self.hash,) if self.range is None else (self.hash, self.range)

    def pick(self, item: Item) -> Item:
        return {name: item[name] for name in self.names}

    def hash_of(self, item: Item) -> Any:  # noqa: ANN401 - str, Decimal or bytes
        """Return the value of the item's hash key, which identifies its partition."""
        return comparable(item[self.hash])

    def sort_of(self, item: Item) -> SortKey:
        """Return the sort key of the item within its partition."""
        return () if self.range is None else (comparable(item[self.range]),)


class Index:
    """A global secondary index: what it projects of the items that have its key."""

    def __init__(self, name: str, key: KeySchema, table_key: KeySchema, projected: frozenset[str] | None) -> None:
        self.name = name
        self.key = key
        self.projected = projected if projected is None else projected | set(key.names) | set(table_key.names)
        self._table_key = table_key
        self._rows = Rows()
        self._coming: deque[tuple[float, Item | None, Item | None]] = deque()

    def note(self, due: float, old: Item | None, new: Item | None) -> None:
        """Schedule a change of the table for a time at which the index shows it."""
        old, new = self.entry(old), self.entry(new)
        if old != new:
            self._coming.append((due, old, new))

    def rows(self, now: float) -> Rows:
        """Return the rows that the index shows at a time."""
        while self._coming and self._coming[0][0] <= now:
            _, old, new = self._coming.popleft()
            if old is not None:
                self._rows.remove(self.key.hash_of(old), self.sort_of(old))
            if new is not None:
                self._rows.put(self.key.hash_of(new), self.sort_of(new), Row.of(new))
        return self._rows

    def sort_of(self, item: Item) -> SortKey:
        """Return the sort key of an item; because items may share the index's key, it includes the table's."""
        return (*self.key.sort_of(item), self._table_key.hash_of(item), *self._table_key.sort_of(item))

    def entry(self, item: Item | None) -> Item | None:
        """Return what the index holds of an item, or None if the item is not in the index."""
        if item is None or any(name not in item for name in self.key.names):
            return None
        return item if self.projected is None else {name: item[name] for name in item if name in self.projected}


class Table:
    """A table; callers hold the engine's lock."""

    def __init__(self, name: str, key: KeySchema, indexes: Mapping[str, Index], *, clock: Clock, lag_seconds: float) -> None:
        self.name = name
        self.key = key
        self.indexes = indexes
        self.rows = Rows()
        self.key_names = frozenset(key.names)
        self._clock = clock
        self._lag = lag_seconds

    def key_of(self, given: Item) -> Item:
        """Check a request's Key and return it in canonical form.

        Raises:
            ValidationError: It is not exactly the table's key.
        """
        if given.keys() != self.key_names:
            raise ValidationError("The provided key element does not match the schema")
        key = {name: canonical(value) for name, value in given.items()}
        if any(kind(key[name]) != self.key.types[name] for name in self.key.names):
            raise ValidationError("The provided key element does not match the schema")
        self._check_key(key)
        return key

    def item_of(self, given: Item) -> Item:
        """Check an item to be put and return it in canonical form.

        Raises:
            ValidationError: A key is missing or of the wrong type.
        """
        item = {name: canonical(value) for name, value in given.items()}
        for name in self.key.names:
            if name not in item:
                raise ValidationError(f"One or more parameter values were invalid: Missing the key {name} in the item")
            if kind(item[name]) != self.key.types[name]:
                raise ValidationError(
                    "One or more parameter values were invalid: Type mismatch for key "
                    f"{name} expected: {self.key.types[name]} actual: {kind(item[name])}",
                )
        self._check_key(item)
        return item

    def row_of(self, item: Item) -> Row:
        """Return the row for an item that a write is to store.

        Raises:
            ValidationError: An index's key is of the wrong type, empty or too long, or the item exceeds 400 KB.
        """
        for index in self.indexes.values():
            for name in index.key.names:
                if name in item:
                    _check_index_key(index, name, item[name])
        row = Row.of(item)
        if row.size > MAX_ITEM_BYTES:
            raise ValidationError("Item size has exceeded the maximum allowed size")
        return row

    def get(self, key: Item) -> Item | None:
        """Return the item of a key, or None if there is none."""
        row = self.rows.get(self.key.hash_of(key), self.key.sort_of(key))
        return None if row is None else row.item

    def write(self, key: Item, new: Row | None) -> None:
        """Replace the row of a key, or delete it."""
        old = self.get(key)
        if new is not None:
            self.rows.put(self.key.hash_of(key), self.key.sort_of(key), new)
        elif old is not None:
            self.rows.remove(self.key.hash_of(key), self.key.sort_of(key))
        now = self._clock.now()
        for index in self.indexes.values():
            index.note(now + self.lag_seconds(), old, None if new is None else new.item)
            index.rows(now)  # lest changes pile up in an index that is not read

    def lag_seconds(self) -> float:
        """Return after how long the current write reaches the indexes; subclasses may vary it."""
        return self._lag

    def rows_of(self, index: Index | None) -> Rows:
        """Return the rows of the table, or those that an index shows now."""
        return self.rows if index is None else index.rows(self._clock.now())

    def _check_key(self, item: Item) -> None:
        for name in self.key.names:
            value = item[name]
            if value[kind(value)] == "":
                raise ValidationError(
                    "One or more parameter values are not valid. "
                    f"The AttributeValue for a key attribute cannot contain an empty string value. Key: {name}",
                )
            if name == self.key.hash and size_of(value) > MAX_HASH_BYTES:
                raise ValidationError(
                    "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes",
                )
            if name == self.key.range and size_of(value) > MAX_RANGE_BYTES:
                raise ValidationError(
                    "One or more parameter values were invalid: "
                    "Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
                )


@dataclass(slots=True)
class Tables:
    """The tables of the account, and its recent transactions."""

    find: Callable[[str], Table]  # by name or ARN; raises `DynamoDbError` if there is no such table
    clock: Clock
    # Client request tokens of transactions that succeeded: until when each counts, and the digest of the transaction.
    tokens: dict[str, tuple[float, bytes]] = field(default_factory=dict)


def _check_index_key(index: Index, name: str, value: Value) -> None:
    expected = index.key.types[name]
    if kind(value) != expected:
        raise ValidationError(
            f"One or more parameter values were invalid: Type mismatch for Index Key {name} "
            f"Expected: {expected} Actual: {kind(value)} IndexName: {index.name}",
        )
    if value[expected] == "":
        raise ValidationError(
            "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
            "The AttributeValue for a key attribute cannot contain an empty string value. "
            f"IndexName: {index.name}, IndexKey: {name}",
        )
    if size_of(value) > (MAX_HASH_BYTES if name == index.key.hash else MAX_RANGE_BYTES):
        raise ValidationError(
            "One or more parameter values were invalid: "
            f"Size of index key has exceeded the maximum size limit. IndexName: {index.name}",
        )
