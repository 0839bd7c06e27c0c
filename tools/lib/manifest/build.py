"""Builds the manifest of a scan: every source ends in the same kind of manifest and side list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from handlers.adapters.table import Table
from handlers.domain import Engine, ScanStatus
from tools.lib.aws import Clients
from tools.lib.cli import Bar, Terminal
from tools.lib.estimate import (
    BY_VIDEO,
    NO_HEADERS,
    READING_HEADERS,
    EngineChoice,
    HeaderInspection,
    InspectionResult,
    Measure,
    with_head,
)
from tools.lib.listing import Batch, Selection, UnselectedCounts
from tools.lib.manifest.sources import bucket, inventory, key_list, s3_generated
from tools.lib.manifest.sources.csv_manifest import OwnManifest
from tools.lib.manifest.sources.named import Repeats, batches_of
from tools.lib.manifest.sources.reading import opened
from tools.lib.manifest.sources.source import Kind, Source
from tools.lib.manifest.unchanged import Unchanged
from tools.lib.manifest.write import ManifestStats, write_manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# How many of a bucket's newest scans are searched for what they finished; each costs a read for every object.
EARLIER_SCANS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRequest:
    """What a manifest is built from.

    Attributes:
        skip_unchanged: Whether to leave out what an earlier scan finished.
        measure: How many headers to read.
        choice: The engine, which decides which objects are left out.
    """

    source: Source
    selection: Selection
    skip_unchanged: bool = False
    measure: Measure = NO_HEADERS
    choice: EngineChoice = BY_VIDEO


@dataclass(frozen=True, slots=True)
class BuiltManifest:
    """A manifest that was built.

    Attributes:
        measured: What the inspection measured; None if sizes are not known.
        warnings: What a person should know about it; sentences.
        unchanged: How many objects were left out because an earlier scan finished them.
        not_selected: How many other objects the source has, by suffix; None if it does not tell.
    """

    stats: ManifestStats
    measured: InspectionResult | None
    warnings: tuple[str, ...]
    unchanged: int
    not_selected: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a source yields; its warnings are complete once the batches have been read."""

    batches: Iterator[Batch]
    has_sizes: bool
    warnings: Callable[[], list[str]]
    unselected: UnselectedCounts = field(default_factory=UnselectedCounts)


def build_manifest(
    request: ManifestRequest, *, clients: Clients, table: Table, terminal: Terminal, now: float, manifest: Path, ineligible: Path
) -> BuiltManifest:
    """Write a manifest and its side list; both are complete or absent.

    Raises:
        ToolError: The source is not what it should be.
    """
    s3, bucket_name = clients.s3, request.selection.bucket
    with ExitStack() as stack:
        bar: Bar = stack.enter_context(terminal.bar("objects"))
        if request.measure.all:
            bar = _HeadersOnly(bar, f"{_step(request)} and reading the headers of videos")
        rows = _rows(request, clients, stack=stack, bar=bar, now=now, folder=manifest.parent)
        batches, has_sizes = rows.batches, rows.has_sizes
        if request.measure.all and not has_sizes and request.source.kind is not Kind.GENERATED:
            batches, has_sizes = with_head(s3, bucket_name, batches), True
        earlier = _earlier(table, bucket_name, request.choice) if request.skip_unchanged else None
        inspection = HeaderInspection(s3, bucket_name, request.measure, bar, request.choice) if has_sizes else None
        stats = write_manifest(
            batches if earlier is None else earlier.without(batches),
            selection=request.selection,
            manifest=manifest,
            ineligible=ineligible,
            inspection=inspection,
            engine=request.choice.engine,
        )
        warnings = (*rows.warnings(), *(earlier.warnings() if earlier else []))
    return BuiltManifest(
        stats,
        inspection.result if inspection else None,
        warnings,
        earlier.left_out if earlier else 0,
        rows.unselected.summary(),
    )


def bucket_of(s3: S3Client, source: Source) -> str:
    """Return the bucket of a manifest or an inventory.

    Raises:
        ToolError: The source is not one.
    """
    location = source.location or ""
    if source.kind is Kind.INVENTORY:
        return inventory.read(s3, location, None).bucket
    with opened(s3, location) as content:
        own = OwnManifest(location, None)
        next(own.rows(content))
    return own.bucket or ""


@dataclass(frozen=True, slots=True)
class _HeadersOnly:
    """A bar for two steps that take turns, a page of objects and their headers: one text, and the count of the headers."""

    bar: Bar
    text: str

    def show(self, text: str, done: int, total: int | None) -> None:
        if text == READING_HEADERS or not done:
            self.bar.show(self.text, done, total)


def _step(request: ManifestRequest) -> str:
    verb = "Listing" if request.source.kind is Kind.LISTING else "Reading"
    return f"{verb} {request.source.title(request.selection)}"


def _rows(request: ManifestRequest, clients: Clients, *, stack: ExitStack, bar: Bar, now: float, folder: Path) -> _Rows:
    source, selection, location = request.source, request.selection, request.source.location or ""
    if source.kind is Kind.GENERATED:
        s3_generated.filter_of(selection)  # refuses what S3 cannot filter by before anything is done
        return _Rows(iter(()), has_sizes=False, warnings=lambda: s3_generated.warnings(selection))
    text = _step(request)
    bar.show(text, 0, None)
    if source.kind is Kind.LISTING:
        unselected = UnselectedCounts()
        listed = bucket.batches(clients, selection, lambda count: bar.show(text, count, None), folder, unselected)
        return _Rows(listed, has_sizes=True, warnings=list, unselected=unselected)
    if source.kind is Kind.INVENTORY:
        found = inventory.read(clients.s3, location, selection.bucket)
        found.require(selection)
        unselected = UnselectedCounts()
        read = _shown(found.batches(clients.s3, selection, unselected), bar, text)
        return _Rows(read, has_sizes=found.has_sizes, warnings=lambda: found.warnings(now), unselected=unselected)
    content, repeats = stack.enter_context(opened(clients.s3, location)), Repeats()
    if source.kind is Kind.KEYS:
        keys = key_list.keys(content, location, selection.bucket)
        return _Rows(_shown(batches_of(keys, repeats), bar, text), has_sizes=False, warnings=repeats.warnings)
    own = OwnManifest(location, selection.bucket)
    read = _shown(batches_of(own.rows(content), repeats), bar, text)
    return _Rows(read, has_sizes=False, warnings=lambda: [*own.warnings(), *repeats.warnings()])


def _earlier(table: Table, bucket_name: str, choice: EngineChoice) -> Unchanged:
    scans = [scan for scan in table.scans.submitted() if scan.bucket == bucket_name]
    watches = table.watches if table.watches.is_known(bucket_name) else None
    earlier = [scan.id for scan in scans if scan.status is not ScanStatus.CANCELLED]
    newest, older = earlier[:EARLIER_SCANS], len(earlier[EARLIER_SCANS:])
    by_frames = {scan.id for scan in scans if scan.engine is Engine.FRAMES}
    return Unchanged(table.records, bucket_name, newest, by_frames=by_frames, choice=choice, watches=watches, older=older)


def _shown(batches: Iterator[Batch], bar: Bar, text: str) -> Iterator[Batch]:
    count = 0
    for batch in batches:
        count += len(batch)
        bar.show(text, count, None)
        yield batch
