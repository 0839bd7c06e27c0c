"""What a listing yields: objects, one by one or by columns, a page of a thousand at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import compress, repeat
from typing import Any

from tools.lib.aws.objects import key_of, path_of


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One object of a listing: size in bytes, version None where the bucket has no versions ("null" is a version).

    Attributes:
        etag: Without quotes; None where the source does not tell.
        modified: When it was written; None where the source does not tell.
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
    """Objects in their order, by columns of the same length; iterating yields them one by one.

    Work on a million objects goes by columns: an object each costs more than listing it did.

    Attributes:
        paths: The keys as manifests have them: percent-encoded but for the slash.
        versions: None where the bucket has no versions.
        etags: Without quotes; "" where the source does not tell.
        modified: As S3 writes times, `2026-11-22T16:30:00.000Z`; "" where the source does not tell.
        restored: None where no object of these is a restored one.
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
        """Return objects as a batch; either all of them have versions or none."""
        found = list(objects)
        return cls(
            [path_of(one.key) for one in found],
            [one.size for one in found],
            [one.version_id or "" for one in found] if any(one.version_id is not None for one in found) else None,
            [one.storage_class for one in found],
            [one.etag or "" for one in found],
            ["" if one.modified is None else s3_time(one.modified) for one in found],
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
            strict=False,  # what is repeated has no end
        )
        for key, size, version, storage_class, etag, modified, restored in columns:
            yield ListedObject(key, size, version or None, storage_class, etag or None, time_of(modified), restored)

    def __getitem__(self, places: slice) -> Batch:
        return self._each(lambda column: column[places])

    @property
    def columns(self) -> tuple[Any, ...]:
        """Return the columns, which make the same batch again."""
        return (self.paths, self.sizes, self.versions, self.storage_classes, self.etags, self.modified, self.restored)

    @property
    def keys(self) -> Sequence[str]:
        """Return the keys as they are in the bucket."""
        # Asking once spares a million calls: most keys of most buckets are their own encoding.
        return [key_of(path) for path in self.paths] if "%" in "".join(self.paths) else self.paths

    def taking(self, wanted: Sequence[object]) -> Batch:
        """Return those objects at whose places something true stands."""
        if all(wanted):
            return self
        return self._each(lambda column: list(compress(column, wanted)))

    def up_to(self, key: str) -> Batch:
        """Return the objects of a sorted batch whose keys are not beyond this one."""
        return self[: bisect_right(self.paths, key, key=key_of)]

    def beyond(self, key: str) -> Batch:
        """Return the objects of a sorted batch whose keys are beyond this one."""
        return self[bisect_right(self.paths, key, key=key_of) :]

    def _each(self, change: Callable[[Any], Any]) -> Batch:
        columns: list[Any] = [column if column is None else change(column) for column in self.columns]
        return Batch(*columns)


def s3_time(moment: datetime) -> str:
    """Return a time as S3 writes it, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_of(text: str) -> datetime | None:
    """Return the time that S3 wrote, or None for an empty text."""
    return datetime.fromisoformat(text) if text else None
