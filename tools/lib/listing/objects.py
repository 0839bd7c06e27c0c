"""What a listing yields: objects, in batches of up to a page of a thousand that hold them by columns."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress, repeat
from typing import Any

from tools.lib.aws import key_of, path_of
from tools.lib.text import iso_time


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object or version as a listing or an inventory describes it.

    Attributes:
        size: In bytes; `UNKNOWN_SIZE` where the source does not have it.
        version_id: None where the bucket has no versions; "null" is a version.
        etag: Without quotes; None where the source does not have it.
        modified: When it was written; None where the source does not have it.
        restored: Whether an archived object has a restored copy that can be read now.
    """

    key: str
    size: int
    version_id: str | None = None
    storage_class: str = "STANDARD"
    etag: str | None = None
    modified: datetime | None = None
    restored: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Objects as columns of the same length, in their order; iterating yields them one by one.

    Millions of objects are processed by columns: making a Python object of each takes longer than listing it.

    Attributes:
        paths: The keys as manifests have them: percent-encoded except for the slash.
        versions: None where the bucket has no versions.
        etags: Without quotes; "" where the source does not have them.
        modified: As S3 writes times, `2026-11-22T16:30:00.000Z`; "" where the source does not have them.
        restored: None where none of these objects is restored.
    """

    paths: Sequence[str]
    sizes: Sequence[int]
    versions: Sequence[str] | None
    storage_classes: Sequence[str]
    etags: Sequence[str]
    modified: Sequence[str]
    restored: Sequence[bool] | None = None

    @classmethod
    def of(cls, objects: Iterable[ListedObject]) -> Batch:
        """Return objects as a batch; either all or none of them have versions."""
        found = list(objects)
        return cls(
            [path_of(one.key) for one in found],
            [one.size for one in found],
            [one.version_id or "" for one in found] if any(one.version_id is not None for one in found) else None,
            [one.storage_class for one in found],
            [one.etag or "" for one in found],
            ["" if one.modified is None else iso_time(one.modified.timestamp()) for one in found],
            [one.restored for one in found] if any(one.restored for one in found) else None,
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[ListedObject]:
        none: repeat[None] = repeat(None)
        columns = zip(
            self.keys,
            self.sizes,
            none if self.versions is None else self.versions,
            self.storage_classes,
            self.etags,
            self.modified,
            repeat(False) if self.restored is None else self.restored,
            strict=False,  # a repeated value has no end
        )
        for key, size, version, storage_class, etag, modified, restored in columns:
            time = datetime.fromisoformat(modified) if modified else None
            yield ListedObject(key, size, version or None, storage_class, etag or None, time, restored)

    def __getitem__(self, places: slice) -> Batch:
        return self._each(lambda column: column[places])

    @property
    def columns(self) -> tuple[Any, ...]:
        """Return the arguments that make the same batch again."""
        return (self.paths, self.sizes, self.versions, self.storage_classes, self.etags, self.modified, self.restored)

    @property
    def keys(self) -> Sequence[str]:
        """Return the keys as they are in the bucket."""
        # One test for the whole column saves a call for each key: most keys of most buckets need no decoding.
        return [key_of(path) for path in self.paths] if "%" in "".join(self.paths) else self.paths

    def where(self, chosen: Sequence[object]) -> Batch:
        """Return the objects at whose positions `chosen` is true."""
        if all(chosen):
            return self
        return self._each(lambda column: list(compress(column, chosen)))

    def up_to(self, key: str) -> Batch:
        """Return the objects of a sorted batch whose keys are not beyond this one."""
        return self[: bisect_right(self.paths, key, key=key_of)]

    def beyond(self, key: str) -> Batch:
        """Return the objects of a sorted batch whose keys are beyond this one."""
        return self[bisect_right(self.paths, key, key=key_of) :]

    def _each(self, change: Callable[[Any], Any]) -> Batch:
        columns: list[Any] = [column if column is None else change(column) for column in self.columns]
        return Batch(*columns)
