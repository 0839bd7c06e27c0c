"""Building the manifest of a scan: whichever source the rows come from, they end in the same manifest and the same side list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from handlers.adapters.table import Table
from handlers.domain.states import ScanStatus
from handlers.runtime.clock import Clock
from tools.lib.aws.clients import Clients
from tools.lib.cli.output import Bar, Terminal
from tools.lib.errors import ToolError
from tools.lib.estimate import NO_HEADERS, HeaderInspection, InspectionResult, Measure, with_head
from tools.lib.listing import Batch, Selection, is_versioned, list_batches
from tools.lib.manifest.sources import Kind, Source, inventory, key_list, s3_generated
from tools.lib.manifest.sources.csv_manifest import OwnManifest
from tools.lib.manifest.sources.reading import opened
from tools.lib.manifest.sources.rows import Repeats, batches_of
from tools.lib.manifest.unchanged import Unchanged
from tools.lib.manifest.write import ManifestStats, write_manifest

# How many of a bucket's last scans are asked for what they finished; each costs a read for every object.
EARLIER_SCANS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRequest:
    """What a manifest is built from.

    Attributes:
        skip_unchanged: Whether what an earlier scan finished is left out.
        measure: How many headers are read.
    """

    source: Source
    selection: Selection
    skip_unchanged: bool = False
    measure: Measure = NO_HEADERS


@dataclass(frozen=True, slots=True)
class BuiltManifest:
    """What was built: its counts, what was measured of it (None: sizes are not known), and warnings about its source.

    `unchanged` objects were left out, because an earlier scan finished them.
    """

    stats: ManifestStats
    measured: InspectionResult | None
    warnings: tuple[str, ...]
    unchanged: int = 0


@dataclass(slots=True)
class ManifestBuilder:
    """Builds one manifest.

    Attributes:
        warnings: What a person should know, as far as it is known by now.
        sizes: Whether the source tells sizes, without which there is no estimate, as far as that is known by now.
    """

    clients: Clients
    clock: Clock
    terminal: Terminal
    warnings: list[str] = field(default_factory=list)
    sizes: bool = True

    def build(self, request: ManifestRequest, table: Table, manifest: Path, ineligible: Path) -> BuiltManifest:
        """Write manifest and side list; both are there wholly or not at all.

        Raises:
            ToolError: The source is not what it should be.
        """
        with ExitStack() as stack:
            bar = stack.enter_context(self.terminal.bar("objects"))
            batches, repeats = self._batches(request, stack, bar, manifest.parent)
            if request.measure.all and not self.sizes and request.source.kind is not Kind.GENERATED:
                batches, self.sizes = with_head(self.clients.s3, request.selection.bucket, batches), True
            earlier = self._earlier(request, table) if request.skip_unchanged else None
            inspection = HeaderInspection(self.clients.s3, request.selection.bucket, request.measure, bar) if self.sizes else None
            stats = write_manifest(
                batches if earlier is None else earlier.without(batches),
                selection=request.selection,
                manifest=manifest,
                ineligible=ineligible,
                inspection=inspection,
            )
        if earlier is not None:
            self.warnings.append(
                f"{earlier.left_out:,} objects are left out: an earlier scan finished them, and they are unchanged."
            )
        warnings = (*self.warnings, *(repeats.warnings() if repeats else []))
        measured = None if inspection is None else inspection.result
        return BuiltManifest(stats, measured, warnings, earlier.left_out if earlier else 0)

    def _batches(
        self, request: ManifestRequest, stack: ExitStack, bar: Bar, folder: Path
    ) -> tuple[Iterator[Batch], Repeats | None]:
        source, selection = request.source, request.selection
        self.sizes = source.tells_sizes
        text = f"{'Listing' if source.kind is Kind.LISTING else 'Reading'} {source.title(selection)}"
        if source.kind is Kind.GENERATED:
            s3_generated.filter_of(selection)  # what S3 cannot do is refused before anything is done
            self.warnings.extend(s3_generated.warnings(selection))
            return iter(()), None
        bar.show(text, 0, None)
        if source.kind is Kind.LISTING:
            return self._listed(selection, lambda count: bar.show(text, count, None), folder), None
        if source.kind is Kind.INVENTORY:
            found = inventory.read(self.clients.s3, _location(source), selection.bucket)
            found.require(selection)
            self.sizes = found.tells_sizes
            self.warnings.extend(found.warnings(self.clock.now()))
            return _shown(found.batches(self.clients.s3, selection), bar, text), None
        repeats = Repeats()
        content = stack.enter_context(opened(self.clients.s3, _location(source)))
        if source.kind is Kind.KEYS:
            named = key_list.keys(content, _location(source), selection.bucket)
        else:
            own = OwnManifest(_location(source), selection.bucket)
            named = own.rows(content)
            stack.callback(lambda: self.warnings.extend(own.warnings()))
        return _shown(batches_of(named, repeats), bar, text), repeats

    def _listed(self, selection: Selection, progress: Callable[[int], None], folder: Path) -> Iterator[Batch]:
        versioned = is_versioned(self.clients.s3, selection.bucket)
        if selection.all_versions and not versioned:
            raise ToolError(f"The bucket {selection.bucket} has no versions.", cure="Omit --all-versions.")
        return list_batches(self.clients, selection, versioned=versioned, progress=progress, directory=folder)

    def _earlier(self, request: ManifestRequest, table: Table) -> Unchanged:
        bucket = request.selection.bucket
        scans = [scan.id for scan in table.scans.scans() if scan.bucket == bucket and scan.status is not ScanStatus.CANCELLED]
        if len(scans) > EARLIER_SCANS:
            self.warnings.append(
                f"Only the last {EARLIER_SCANS} of {len(scans):,} scans of this bucket were asked what they finished."
            )
        return Unchanged(table.records, bucket, scans[:EARLIER_SCANS])


def bucket_of(clients: Clients, source: Source) -> str:
    """Return the bucket that a manifest or an inventory is about.

    Raises:
        ToolError: It is none.
    """
    if source.kind is Kind.INVENTORY:
        return inventory.read(clients.s3, _location(source), None).bucket
    with opened(clients.s3, _location(source)) as content:
        own = OwnManifest(_location(source), None)
        next(own.rows(content))
    return own.bucket or ""


def _location(source: Source) -> str:
    if source.location is None:
        raise LookupError(f"a {source.kind} without a place")
    return source.location


def _shown(batches: Iterator[Batch], bar: Bar, text: str) -> Iterator[Batch]:
    count = 0
    for batch in batches:
        count += len(batch)
        bar.show(text, count, None)
        yield batch
