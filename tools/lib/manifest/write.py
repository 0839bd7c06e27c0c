"""Writes the manifest of what can be analysed, and the side list of what cannot, with the reasons."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from handlers.domain import Engine, Problem
from handlers.domain import objects as rules
from tools.lib.cli import replace_atomically
from tools.lib.errors import ToolError
from tools.lib.estimate import HeaderInspection
from tools.lib.listing import Batch, ListedObject, Selection, SizeCounts
from tools.lib.manifest.remove_rows import remove_rows
from tools.lib.manifest.rows import left_out_rows, manifest_rows
from tools.lib.manifest.sample import drawn, limited

# HeadObject's `x-amz-restore` of a restored copy; a listing has another form.
_RESTORED = 'ongoing-request="false"'


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestStats:
    """What was written.

    Attributes:
        rows: The number of objects in the manifest.
        versioned: Whether its rows have a version.
        ineligible: How many objects were left out, by the code of the reason: `empty`, `too-large`, `archived`, and those of the
            inspection.
        sha256: The hash of the manifest, in hex.
    """

    rows: int
    versioned: bool
    sizes: SizeCounts
    ineligible: Mapping[str, int]
    sha256: str


def write_manifest(
    batches: Iterable[Batch],
    *,
    selection: Selection,
    manifest: Path,
    ineligible: Path,
    inspection: HeaderInspection | None = None,
    engine: Engine = Engine.VIDEO,
) -> ManifestStats:
    """Write what can be analysed to a manifest and the rest to a side list, and count both.

    The selection's sample and limit apply to what can be analysed; with a limit, the listing is read no further than needed. What
    the inspection refuses is left out, too, with every row of an object that the manifest has more than once. The files appear
    when they are complete, the side list only if it is not empty. `batches` is closed.

    Raises:
        ToolError: Some of the objects have versions, and some have none.
    """
    manifest.parent.mkdir(parents=True, exist_ok=True)
    with _replacing(ineligible, even_empty=False) as left_out, _replacing(manifest, even_empty=True) as target:
        side, main = _SideList(selection.bucket, left_out), _Manifest(selection.bucket, target)
        with closing(batches) if isinstance(batches, Generator) else nullcontext():
            for batch in limited(drawn(side.eligible(batches, engine), selection.sample), selection.limit):
                main.add(batch if inspection is None else side.without(batch, inspection.judge(batch)))
        if inspection is not None:
            main.remove_rows(inspection.conclude(), side)
    return main.stats(side.reasons)


class _Manifest:
    """The manifest while it is written."""

    def __init__(self, bucket: str, target: BinaryIO) -> None:
        self._bucket = bucket
        self._target = target
        self._sizes = SizeCounts()
        self._sha256 = hashlib.sha256()
        self._versioned: bool | None = None

    def add(self, batch: Batch) -> None:
        if not batch:
            return
        versioned = batch.versions is not None and all(batch.versions)
        if self._versioned not in (None, versioned) or (batch.versions is not None and not versioned):
            raise ToolError(
                "Some of the objects have a version and some have none; the rows of a manifest must all have one, or none.",
                cure='Name the version of every object; "null" is that of an object older than versioning.',
            )
        self._versioned = versioned
        rows = manifest_rows(self._bucket, batch)
        self._sha256.update(rows)
        self._target.write(rows)
        self._sizes.add(batch.sizes)

    def remove_rows(self, refused: Iterable[tuple[ListedObject, Problem]], side: _SideList) -> None:
        """Move objects whose rows have been written to the side list, with the reasons."""
        by_row = {manifest_rows(self._bucket, Batch.of([found])).removesuffix(b"\n"): (found, why) for found, why in refused}
        if not by_row:
            return
        self._sha256 = hashlib.sha256()
        removed = remove_rows(self._target, by_row, self._sha256.update)
        moved = [by_row[row] for row in removed.elements()]
        self._sizes.subtract([found.size for found, _ in moved])
        side.put(Batch.of(found for found, _ in moved), [problem for _, problem in moved])

    def stats(self, reasons: Mapping[str, int]) -> ManifestStats:
        return ManifestStats(
            rows=self._sizes.objects,
            versioned=bool(self._versioned),
            sizes=self._sizes,
            ineligible=dict(reasons),
            sha256=self._sha256.hexdigest(),
        )


class _SideList:
    """The side list while it is written."""

    def __init__(self, bucket: str, target: BinaryIO) -> None:
        self._bucket = bucket
        self._target = target
        self.reasons: Counter[str] = Counter()

    def eligible(self, batches: Iterable[Batch], engine: Engine) -> Iterator[Batch]:
        for batch in batches:
            if not batch:
                continue
            if _is_clean(batch):
                yield batch
                continue
            if rest := self.without(batch, _problems(batch, engine)):
                yield rest

    def without(self, batch: Batch, problems: Sequence[Problem | None]) -> Batch:
        if not any(problems):
            return batch
        self.put(batch.where(problems), [problem for problem in problems if problem])
        return batch.where([not problem for problem in problems])

    def put(self, batch: Batch, problems: Sequence[Problem]) -> None:
        self.reasons.update(problem.code for problem in problems)
        self._target.write(left_out_rows(self._bucket, batch, problems))


def _is_clean(batch: Batch) -> bool:
    """Tell, by whole columns for speed, whether all objects can be analysed."""
    return min(batch.sizes) > 0 and max(batch.sizes) <= rules.MAX_BYTES and rules.ARCHIVE_CLASSES.isdisjoint(batch.storage_classes)


def _problems(batch: Batch, engine: Engine) -> list[Problem | None]:
    """Return for each object why an engine cannot analyse it, None if it can."""
    restored = batch.restored or [False] * len(batch)
    return [
        rules.eligibility(size, storage_class, _RESTORED if readable else None, engine=engine)
        for size, storage_class, readable in zip(batch.sizes, batch.storage_classes, restored, strict=True)
    ]


@contextmanager
def _replacing(path: Path, *, even_empty: bool) -> Iterator[BinaryIO]:
    """Open a file for writing and reading that gets its name only when it is complete."""
    with replace_atomically(path) as part:
        with part.open("w+b") as target:
            yield target
            empty = not target.tell()
        if empty and not even_empty:
            part.unlink()
