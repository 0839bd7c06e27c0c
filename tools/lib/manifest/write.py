"""What becomes of a listing: a manifest of what can be analysed, and a side list of what cannot, with the reason.

The form of both is described in `manifests/README.md`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import BinaryIO

from handlers.domain import objects as rules
from tools.lib.cli.atomic_file import replace_atomically
from tools.lib.errors import ToolError
from tools.lib.estimate.inspection import HeaderInspection
from tools.lib.listing.objects import Batch, ListedObject
from tools.lib.listing.selection import Selection
from tools.lib.listing.sizes import SizeCounts
from tools.lib.manifest.remove_rows import remove_rows
from tools.lib.manifest.sample import drawn, limited

# What HeadObject's `x-amz-restore` says of a restored copy; a listing says it in another way.
_RESTORED = 'ongoing-request="false"'


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestStats:
    """What a listing came to.

    Attributes:
        rows: Objects in the manifest.
        versioned: Whether its rows have a version.
        sizes: Counted by size class.
        ineligible: Objects left out, by the code of the reason: `empty`, `too-large`, `archived`, and those of the inspection.
        sha256: Of the manifest, in hex.
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
) -> ManifestStats:
    """Write what can be analysed into a manifest and the rest into a side list, and count both.

    Sample and limit of the selection are taken of what can be analysed; with a limit the listing is read no further than needed.
    What the inspection refuses of that is left out too, every row of an object that is in the manifest more than once.
    Files appear when they are whole, the side list only if something is in it. `batches` is closed.

    Raises:
        ToolError: Some of the objects have versions, and some have none.
    """
    manifest.parent.mkdir(parents=True, exist_ok=True)
    with _whole(ineligible, even_empty=False) as left_out, _whole(manifest, even_empty=True) as target:
        side, main = _Side(selection.bucket, left_out), _Main(selection.bucket, target)
        with closing(batches) if isinstance(batches, Generator) else nullcontext():
            for batch in limited(drawn(side.eligible(batches), selection.sample), selection.limit):
                main.add(batch if inspection is None else side.without(batch, inspection.judge(batch)))
        if inspection is not None:
            main.remove_rows(inspection.conclude(), side)
    return main.stats(side.reasons)


def manifest_rows(bucket: str, batch: Batch) -> bytes:
    """Return a row per object: bucket, path and, where there are versions, the version ("null" is written out).

    No header (S3 would take it for a bucket), no blank lines, line ends LF; no field needs quotes: a path is percent-encoded.
    """
    if not batch:
        return b""
    columns = batch.paths if batch.versions is None else _joined(batch, batch.versions)
    between = f"\n{bucket},"
    return f"{bucket},{between.join(columns)}\n".encode()


def _joined(batch: Batch, versions: Sequence[str]) -> Iterable[str]:
    return map(",".join, zip(batch.paths, versions, strict=True))


def left_out_rows(bucket: str, batch: Batch, reasons: Iterable[str]) -> bytes:
    """Return a row per object that is left out: bucket, path, version or nothing, and the code of the reason."""
    versions = batch.versions or ("",) * len(batch)
    return "".join(f"{bucket},{','.join(row)}\n" for row in zip(batch.paths, versions, reasons, strict=True)).encode()


class _Main:
    """The manifest in the making."""

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
                cure='Name the version of every object; that of an object older than versioning is called "null".',
            )
        self._versioned = versioned
        rows = manifest_rows(self._bucket, batch)
        self._sha256.update(rows)
        self._target.write(rows)
        self._sizes.add(batch.sizes)

    def remove_rows(self, refused: Iterable[tuple[ListedObject, str]], side: _Side) -> None:
        """Move objects to the side list, with the code of the reason, whose rows are written already."""
        by_row = {manifest_rows(self._bucket, Batch.of([found])).removesuffix(b"\n"): (found, code) for found, code in refused}
        if not by_row:
            return
        self._sha256 = hashlib.sha256()
        taken = remove_rows(self._target, by_row, self._sha256.update)
        moved = list(chain.from_iterable(repeat(by_row[row], count) for row, count in taken.items()))
        self._sizes.subtract([found.size for found, _ in moved])
        side.put(Batch.of(found for found, _ in moved), [code for _, code in moved])

    def stats(self, reasons: Mapping[str, int]) -> ManifestStats:
        return ManifestStats(
            rows=self._sizes.objects,
            versioned=bool(self._versioned),
            sizes=self._sizes,
            ineligible=dict(reasons),
            sha256=self._sha256.hexdigest(),
        )


class _Side:
    """The side list in the making."""

    def __init__(self, bucket: str, target: BinaryIO) -> None:
        self._bucket = bucket
        self._target = target
        self.reasons: Counter[str] = Counter()

    def eligible(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yield what can be analysed, and write down what cannot."""
        for batch in batches:
            if not batch:
                continue
            if _is_clean(batch):
                yield batch
                continue
            if rest := self.without(batch, _codes(batch)):
                yield rest

    def without(self, batch: Batch, codes: Sequence[str]) -> Batch:
        """Write down those objects for which there is a code, and return the others."""
        if not any(codes):
            return batch
        self.put(batch.where(codes), [code for code in codes if code])
        return batch.where([not code for code in codes])

    def put(self, batch: Batch, reasons: Sequence[str]) -> None:
        """Write objects down, each with the code of its reason."""
        self.reasons.update(reasons)
        self._target.write(left_out_rows(self._bucket, batch, reasons))


def _is_clean(batch: Batch) -> bool:
    """Tell, without looking at each object, that nothing can be wrong with any."""
    return min(batch.sizes) > 0 and max(batch.sizes) <= rules.MAX_BYTES and rules.ARCHIVE_CLASSES.isdisjoint(batch.storage_classes)


def _codes(batch: Batch) -> list[str]:
    """Return why each object cannot be analysed, "" where it can."""
    restored = batch.restored or [False] * len(batch)
    found = (
        rules.eligibility(size, storage_class, _RESTORED if readable else None)
        for size, storage_class, readable in zip(batch.sizes, batch.storage_classes, restored, strict=True)
    )
    return ["" if problem is None else problem.code for problem in found]


@contextmanager
def _whole(path: Path, *, even_empty: bool) -> Iterator[BinaryIO]:
    """Open a file that has its name only once it is whole, to be written and read."""
    with replace_atomically(path) as part:
        with part.open("w+b") as target:
            yield target
            empty = not target.tell()
        if empty and not even_empty:
            part.unlink()
