"""Which source the rows of a manifest come from: what the options say, and what a plan stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tools.lib.listing import DEFAULT_SUFFIXES, Selection
from tools.lib.manifest.sources.s3_generated import SUFFIX
from tools.lib.text import printable


class Kind(StrEnum):
    """The kinds of sources; each but the listing has its option."""

    LISTING = "listing"
    MANIFEST = "manifest"
    INVENTORY = "inventory"
    KEYS = "keys"
    GENERATED = "generated"


_NAMED = {
    Kind.MANIFEST: "the objects of the manifest",
    Kind.INVENTORY: "the inventory",
    Kind.KEYS: "the keys in",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A source: its kind, and its file or URI if it has one (`-` is standard input)."""

    kind: Kind = Kind.LISTING
    location: str | None = None

    @property
    def has_sizes(self) -> bool:
        """Tell whether it gives the sizes of objects; a manifest and a list of keys do not."""
        return self.kind in {Kind.LISTING, Kind.INVENTORY}

    @property
    def filters(self) -> bool:
        """Tell whether filters select its objects; a source that names each object is itself a selection."""
        return self.kind in {Kind.LISTING, Kind.INVENTORY, Kind.GENERATED}

    def title(self, selection: Selection) -> str:
        if self.location is None:
            return printable(selection.uri)
        return f"s3://{printable(selection.bucket)}/ by {_NAMED[self.kind]} {printable(self.location)}"

    def chosen(self, selection: Selection) -> str:
        if not self.filters:
            return "as named there; sizes are not known"
        suffixes = ", ".join(printable(suffix) for suffix in selection.suffixes if suffix)
        return f"keys ending in {suffixes}, in any case" if suffixes and "" not in selection.suffixes else "every key"

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Return what keys end in unless the options say otherwise; objects that are named one by one may end in anything."""
        if self.kind is Kind.GENERATED:
            return (SUFFIX,)
        return DEFAULT_SUFFIXES if self.filters else ()

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind.value, "location": self.location}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Source:
        """Return the source that `as_json` wrote.

        Raises:
            ValueError, KeyError: The values are not from `as_json`.
        """
        location = values["location"]
        return cls(Kind(values["kind"]), None if location is None else str(location))


LISTING = Source()
