"""What becomes of a listing: a manifest of what can be analysed, and a side list of what cannot, with the reason."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import BinaryIO

from handlers.domain import objects as rules
from tools.lib.errors import ToolError
from tools.lib.listing.objects import Batch, ListedObject
from tools.lib.listing.rows import left_out_rows, manifest_rows
from tools.lib.listing.sampling import Reservoir, drawn, limited
from tools.lib.listing.selection import Selection
from tools.lib.tally import Tally

SAMPLE = 1_000
"""Objects drawn for the estimate."""

_RESTORED = 'ongoing-request="false"'
"""What HeadObject's `x-amz-restore` says of a restored copy; a listing says it in another way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """What a listing came to.

    Attributes:
        rows: Objects in the manifest.
        versioned: Whether its rows have a version.
        tally: Their sizes.
        ineligible: Objects left out, by the code of the reason: `empty`, `too-large`, `archived`.
        sample: Up to 1,000 objects of the manifest, drawn uniformly, in its order.
        sha256: Of the manifest, in hex.
    """

    rows: int
    versioned: bool
    tally: Tally
    ineligible: Mapping[str, int]
    sample: tuple[ListedObject, ...]
    sha256: str


def harvest(
    batches: Iterable[Batch],
    *,
    selection: Selection,
    manifest: Path | None,
    ineligible: Path | None,
    seed: int = 0,
    sample_size: int = SAMPLE,
) -> Harvest:
    """Write what can be analysed into a manifest and the rest into a side list, and count both.

    Sample and limit of the selection are taken of what can be analysed; with a limit the listing is read no further than needed.
    Files appear when they are whole, the side list only if something is in it; None writes nothing. `batches` is closed.

    Raises:
        ToolError: Some of the objects have versions, and some have none.
    """
    with ExitStack() as stack:
        if isinstance(batches, Generator):
            stack.enter_context(closing(batches))
        side = _Side(selection.bucket, stack.enter_context(_whole(ineligible, even_empty=False)))
        main = _Main(selection.bucket, stack.enter_context(_whole(manifest, even_empty=True)), Reservoir(sample_size, seed))
        for batch in limited(drawn(side.eligible(batches), selection.sample), selection.limit):
            main.add(batch)
    return main.harvest(side.reasons)


class _Main:
    """The manifest in the making."""

    def __init__(self, bucket: str, target: BinaryIO | None, reservoir: Reservoir) -> None:
        self._bucket = bucket
        self._target = target
        self._reservoir = reservoir
        self._tally = Tally()
        self._sha256 = hashlib.sha256()
        self._versioned: bool | None = None

    def add(self, batch: Batch) -> None:
        versioned = batch.versions is not None and all(batch.versions)
        if self._versioned not in (None, versioned) or (batch.versions is not None and not versioned):
            raise ToolError(
                "Some of the objects have a version and some have none; the rows of a manifest must all have one, or none.",
                cure='Name the version of every object; that of an object older than versioning is called "null".',
            )
        self._versioned = versioned
        rows = manifest_rows(self._bucket, batch)
        self._sha256.update(rows)
        if self._target is not None:
            self._target.write(rows)
        self._tally.add(batch.sizes)
        self._reservoir.see(batch)

    def harvest(self, reasons: Mapping[str, int]) -> Harvest:
        return Harvest(
            rows=self._tally.objects,
            versioned=bool(self._versioned),
            tally=self._tally,
            ineligible=dict(reasons),
            sample=self._reservoir.sample,
            sha256=self._sha256.hexdigest(),
        )


class _Side:
    """The side list in the making."""

    def __init__(self, bucket: str, target: BinaryIO | None) -> None:
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
            codes = _codes(batch)
            self._put(batch.taking(codes), [code for code in codes if code])
            if rest := batch.taking([not code for code in codes]):
                yield rest

    def _put(self, batch: Batch, reasons: list[str]) -> None:
        self.reasons.update(reasons)
        if self._target is not None:
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
def _whole(path: Path | None, *, even_empty: bool) -> Iterator[BufferedWriter | None]:
    """Open a file that has its name only once it is whole: neither an error nor Ctrl-C leaves half of it."""
    if path is None:
        yield None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as target:
            yield target
            empty = not target.tell()
        if not empty or even_empty:
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)
