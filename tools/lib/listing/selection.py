"""Which objects of a bucket are meant: what the options say, and what a plan keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from tools.lib.listing.objects import s3_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A part of the objects, drawn uniformly: a number of them, or each with a probability in percent.

    The draw hangs on seed, key and version alone: the same objects are drawn again, whatever else was added to the bucket.
    """

    count: int | None = None
    percent: float | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which objects of a bucket are meant; each part narrows what the others leave.

    Attributes:
        prefixes: Keys that begin with one of them.
        suffixes: Keys that end in one of them, in any case; none, or an empty one, takes every key.
        include: Patterns, of which a key must match one: as a shell's, where `*` also takes slashes, or after `re:` a regular
            expression that is found anywhere in the key.
        exclude: Patterns, of which it must match none.
        min_size: Bytes, these included, as with `max_size`.
        modified_after: This moment included.
        modified_before: This moment not included.
        storage_classes: S3's names; none takes all.
        sample: Of what can be analysed.
        limit: How many of what can be analysed and was drawn, in the order of the listing.
        all_versions: Every version of each object that is not a delete marker, not only the latest.
    """

    bucket: str
    prefixes: tuple[str, ...] = ("",)
    suffixes: tuple[str, ...] = (".mp4",)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    min_size: int | None = None
    max_size: int | None = None
    modified_after: datetime | None = None
    modified_before: datetime | None = None
    storage_classes: tuple[str, ...] = ()
    sample: Sample | None = None
    limit: int | None = None
    all_versions: bool = False

    @property
    def ranges(self) -> tuple[str, ...]:
        """Return the prefixes in order, without those that another one takes in; none means every key."""
        kept: list[str] = []
        for prefix in sorted(self.prefixes or ("",)):
            if not (kept and prefix.startswith(kept[-1])):
                kept.append(prefix)
        return tuple(kept)

    @property
    def uri(self) -> str:
        """Return the s3 URI of bucket and prefix; several prefixes are set one after another."""
        return " ".join(f"s3://{self.bucket}/{prefix}" for prefix in self.ranges)

    def as_json(self) -> dict[str, Any]:
        """Return JSON values of which `from_json` makes the same selection: names as here, nothing that was not chosen."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            "bucket": values.pop("bucket"),
            "prefixes": list(values.pop("prefixes")),
            "suffixes": list(values.pop("suffixes")),
            **{name: _as_json(value) for name, value in values.items() if value is not None and value is not False and value != ()},
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Selection:
        """Return the selection that `as_json` wrote.

        Raises:
            ValueError, TypeError: `as_json` did not write these.
        """
        if unknown := set(values) - {field.name for field in fields(cls)}:
            raise ValueError(f"a selection has no {', '.join(sorted(unknown))}")
        return cls(**{name: _from_json(name, value) for name, value in values.items()})


def _as_json(value: object) -> object:
    if isinstance(value, datetime):
        return s3_time(value)
    if isinstance(value, Sample):
        return {field.name: getattr(value, field.name) for field in fields(value) if getattr(value, field.name) is not None}
    return list(value) if isinstance(value, tuple) else value


def _from_json(name: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value, as any value of a selection
    if name in {"modified_after", "modified_before"}:
        return datetime.fromisoformat(value)
    if name == "sample":
        return Sample(**value)
    return tuple(value) if isinstance(value, list) else value
