"""The labels of a page: each name once, with its ancestors and the top-level category that colours it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.domain import LabelSummary, taxonomy

# The categories that colour labels, in the order of AWS's page; the last one is for labels that model 7.0 did not have.
CATEGORIES = (*taxonomy.HIERARCHY, "Other labels")

OTHER = len(CATEGORIES) - 1
_INDEX = {taxonomy.folded(name): index for index, name in enumerate(taxonomy.HIERARCHY)}


@dataclass(slots=True)
class LabelTable:
    """Labels by number: a page with 200,000 segments names each label once."""

    _numbers: dict[str, int] = field(default_factory=dict)
    _entries: list[dict[str, Any]] = field(default_factory=list)

    def number(self, name: str, parents: Mapping[str, str]) -> int:
        """Return the number of a label; `parents` are those that Rekognition reported for the labels of its video."""
        if name not in self._numbers:
            above = lineage(name, parents)
            self._numbers[name] = len(self._entries)
            self._entries.append({"name": name, "above": above, "category": category(name, parents)})
        return self._numbers[name]

    def as_json(self) -> list[dict[str, Any]]:
        """Return the labels in the order of their numbers."""
        return self._entries


def parents_of(labels: Iterable[LabelSummary]) -> dict[str, str]:
    """Return the parent of each of a video's labels, as Rekognition reported it; that of a top-level one is empty."""
    return {label.name: label.parent for label in labels}


def lineage(name: str, parents: Mapping[str, str]) -> list[str]:
    """Return a label's ancestors, the nearest first: by the taxonomy, else as far up as Rekognition named parents."""
    above: list[str] = []
    while not taxonomy.known(name) and (parent := parents.get(name)) and parent not in above:
        above.append(parent)
        name = parent
    return [*above, *taxonomy.ancestors(name)]


def category(name: str, parents: Mapping[str, str]) -> int:
    """Return the number of a label's top-level category."""
    top = [name, *lineage(name, parents)][-1]
    return _INDEX.get(taxonomy.folded(top), OTHER)
