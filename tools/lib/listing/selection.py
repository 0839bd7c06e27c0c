"""Which objects of a bucket are selected: what the options say, and what a plan stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from tools.lib.text import iso_time

# Suffixes of the containers that Rekognition takes (docs/aws.md#7-rekognition).
DEFAULT_SUFFIXES = (".mp4", ".m4v", ".mov")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A uniform sample: a number of objects, or each object with a probability in percent.

    The draw depends on seed, key and version alone: the same objects are drawn again, whatever else was added to the bucket.
    """

    count: int | None = None
    percent: float | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which objects of a bucket are selected: those that meet all of these conditions.

    Attributes:
        prefixes: Keys begin with one of them.
        suffixes: Keys end in one of them, in any case; without any, or with an empty one, every key does.
        include: Keys match one of these patterns: a shell's, where `*` also matches slashes, or `re:` and a regular expression
            that is found anywhere in the key.
        exclude: Keys match none of these patterns.
        min_size: Bytes, inclusive, as is `max_size`.
        modified_after: Inclusive.
        modified_before: Exclusive.
        storage_classes: S3's names; without any, all classes are selected.
        sample: Drawn from the objects that can be analysed.
        limit: At most this many of the objects that can be analysed and were drawn, in the order of the listing.
        all_versions: Whether every version of each object is selected, not only the latest; delete markers never are.
    """

    bucket: str
    prefixes: tuple[str, ...] = ("",)
    suffixes: tuple[str, ...] = DEFAULT_SUFFIXES
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
        """Return the prefixes in order, without those that begin with another one; `("",)` selects every key."""
        kept: list[str] = []
        for prefix in sorted(self.prefixes or ("",)):
            if not (kept and prefix.startswith(kept[-1])):
                kept.append(prefix)
        return tuple(kept)

    @property
    def uri(self) -> str:
        """Return the s3 URI of the bucket and prefix, or several of them separated by spaces."""
        return " ".join(f"s3://{self.bucket}/{prefix}" for prefix in self.ranges)

    def as_json(self) -> dict[str, Any]:
        """Return JSON values from which `from_json` makes the same selection; unset conditions are omitted."""
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
            ValueError, TypeError: The values are not from `as_json`.
        """
        if unknown := set(values) - {field.name for field in fields(cls)}:
            raise ValueError(f"a selection has no {', '.join(sorted(unknown))}")
        return cls(**{name: _from_json(name, value) for name, value in values.items()})


def _as_json(value: object) -> object:
    if isinstance(value, datetime):
        return iso_time(value.timestamp())
    if isinstance(value, Sample):
        return {field.name: getattr(value, field.name) for field in fields(value) if getattr(value, field.name) is not None}
    return list(value) if isinstance(value, tuple) else value


def _from_json(name: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value, as any value of a selection
    if name in {"modified_after", "modified_before"}:
        return datetime.fromisoformat(value)
    if name == "sample":
        return Sample(**value)
    return tuple(value) if isinstance(value, list) else value
