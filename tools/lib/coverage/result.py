"""The coverage of a bucket, in sentences and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

from handlers.domain import unselected
from tools.lib.cli import ExitCode
from tools.lib.listing import Selection
from tools.lib.text import block, byte_size, counted


class Status(IntEnum):
    """What the table knows about an object as it is now; of several records the first of these counts."""

    CURRENT = 0
    IN_PROGRESS = 1
    FAILED = 2
    CANCELLED = 3
    CHANGED = 4
    NEVER = 5


# The content of these was never looked at, as it is now.
NOT_LOOKED_AT = frozenset({Status.CHANGED, Status.NEVER})
# By what a verdict is reached, as it is stored in JSON and as it is shown.
ENGINES = {"video": "by the video API", "frames": "by frames", "image": "as an image"}

_WORDS = {
    Status.CURRENT: "with a verdict",
    Status.IN_PROGRESS: "waiting or running",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
    Status.CHANGED: "changed since",
    Status.NEVER: "never looked at",
}


@dataclass(slots=True)
class Amount:
    """Objects and their bytes."""

    objects: int = 0
    bytes: int = 0

    def add(self, size: int) -> None:
        self.objects += 1
        self.bytes += size

    def as_json(self) -> dict[str, int]:
        return {"objects": self.objects, "bytes": self.bytes}


@dataclass(slots=True)
class Coverage:
    """How many objects of a bucket have which status, by their newest versions.

    Attributes:
        selection: Which objects were counted.
        scans: How many scans of the bucket were searched, those of uploads as one.
        not_selected: Objects with other suffixes, by suffix.
        engines: The objects with a verdict, by what it was reached by (`ENGINES`).
        keys_file: Where the keys were written whose content was never looked at; None if no file was asked for.
        next_command: What scans these objects, or lists them.
    """

    selection: Selection
    scans: int
    keys_file: Path | None = None
    next_command: str = ""
    not_selected: Mapping[str, int] | None = None
    statuses: dict[Status, Amount] = field(default_factory=lambda: {status: Amount() for status in Status})
    engines: dict[str, Amount] = field(default_factory=lambda: {engine: Amount() for engine in ENGINES})

    @property
    def total(self) -> Amount:
        amounts = self.statuses.values()
        return Amount(sum(each.objects for each in amounts), sum(each.bytes for each in amounts))

    @property
    def not_looked_at(self) -> int:
        """Return how many objects are something, as they are now, that was never looked at."""
        return sum(self.statuses[status].objects for status in NOT_LOOKED_AT)

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.DONE if self.statuses[Status.CURRENT].objects == self.total.objects else ExitCode.SOME_FAILED

    def sentences(self) -> list[str]:
        total, current = self.total, self.statuses[Status.CURRENT]
        suffixes = [each for each in self.selection.suffixes if each]
        end = "key ends" if total.objects == 1 else "keys end"
        which = f" whose {end} with {', '.join(suffixes)}" if suffixes and "" not in self.selection.suffixes else ""
        head = f"{self.selection.uri}: {counted(total.objects, 'object')}{which}, {byte_size(total.bytes)}; "
        return [
            f"{head}{current.objects:,} with a verdict ({_share(current.objects, total.objects)})",
            "",
            *self._table(),
            *block("Not counted", self._not_counted()),
            *block("Next", self._next()),
        ]

    def as_json(self) -> dict[str, Any]:
        total, current = self.total, self.statuses[Status.CURRENT].objects
        return {
            "bucket": self.selection.bucket,
            "prefixes": list(self.selection.ranges),
            "suffixes": list(self.selection.suffixes),
            "scans": self.scans,
            **total.as_json(),
            "share": current / total.objects if total.objects else None,
            "statuses": {status.name.lower(): amount.as_json() for status, amount in self.statuses.items()},
            "engines": {engine: amount.as_json() for engine, amount in self.engines.items()},
            "not_selected": unselected.as_json(self.not_selected),
            "keys_file": None if self.keys_file is None else str(self.keys_file),
        }

    def _table(self) -> list[str]:
        rows = [("", "objects", "bytes", "share")]
        for status, amount in self.statuses.items():
            rows.append(self._row(_WORDS[status], amount))
            if status is Status.CURRENT:
                rows += [self._row(f"  {ENGINES[engine]}", each) for engine, each in self.engines.items() if each.objects]
        return [f"  {name:<20}{objects:>14}{size:>12}{share:>18}".rstrip() for name, objects, size, share in rows]

    def _row(self, name: str, amount: Amount) -> tuple[str, str, str, str]:
        return name, f"{amount.objects:,}", byte_size(amount.bytes), _share(amount.objects, self.total.objects)

    def _not_counted(self) -> list[str]:
        others = unselected.as_json(self.not_selected)
        if not others or not others["objects"]:
            return []
        lines = [f"{counted(others['objects'], 'object')} with other suffixes"]
        if videos := unselected.look_like_videos(self.not_selected or {}):
            named = ", ".join(f"{count:,} {suffix}" for suffix, count in videos.items())
            look = "looks like a video" if others["look_like_videos"] == 1 else "look like videos"
            lines.append(f"{others['look_like_videos']:,} of them {look} ({named}): pass --suffix to count them.")
        return lines

    def _next(self) -> list[str]:
        if not self.not_looked_at:
            return []
        if self.keys_file is None:
            return [
                f"To list the {counted(self.not_looked_at, 'object')} that changed or were never looked at: {self.next_command}"
            ]
        return [f"Wrote {counted(self.not_looked_at, 'key')} to {self.keys_file}. To scan them: {self.next_command}"]


def _share(count: int, total: int) -> str:
    """Return a share that says neither all nor nothing where that is not so."""
    if not total:
        return "-"
    thousandths = 1_000 * count // total
    return "less than 0.1 %" if count and not thousandths else f"{thousandths / 10:.1f} %"
