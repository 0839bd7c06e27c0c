"""Measures the coverage of a bucket: lists it, and looks up each object in the table."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from tools.lib.cli import Invocation, replace_atomically
from tools.lib.coverage.lookup import Found, Lookup
from tools.lib.coverage.result import NOT_LOOKED_AT, Coverage
from tools.lib.listing import Batch, Selection, UnselectedCounts, is_versioned, list_batches
from tools.lib.ordered_map import ordered_map

# Batches that are looked up at a time: ten BatchGetItems for each and scan, twenty for the notes about uploads.
_AT_ONCE = 8
# Between two keys of a file: a key may hold any character but this one.
_SEPARATOR = b"\0"


def measure(run: Invocation, selection: Selection, keys_file: Path | None) -> Coverage:
    """Count the selected objects by their status; write the keys whose content was never looked at to a file.

    Raises:
        ClientError: The bucket cannot be listed, or the table cannot be read.
    """
    scan_ids = [scan.id for scan in run.table.scans.submitted() if scan.bucket == selection.bucket]
    of_uploads = run.table.watches.is_known(selection.bucket)
    lookup = Lookup(run.table.records, selection.bucket, scan_ids, run.table.watches if of_uploads else None)
    coverage = Coverage(selection, len(scan_ids) + of_uploads, keys_file)
    others = UnselectedCounts()
    with ExitStack() as stack:
        keys = _opened(stack, keys_file) if keys_file else None
        for batch, found in stack.enter_context(closing(_looked_up(run, selection, lookup, others, stack))):
            _count(coverage, batch, found, keys)
    coverage.not_selected = others.summary()
    coverage.next_command = _next_command(run, selection, keys_file)
    return coverage


def _looked_up(
    run: Invocation, selection: Selection, lookup: Lookup, others: UnselectedCounts, stack: ExitStack
) -> Generator[tuple[Batch, list[Found]], None, None]:
    bar = stack.enter_context(run.terminal.bar("objects"))
    text = f"Listing {selection.uri} and looking up its objects"
    bar.show(text, 0, None)
    batches = list_batches(
        run.clients,
        selection,
        versioned=is_versioned(run.clients.s3, selection.bucket),
        directory=Path(stack.enter_context(TemporaryDirectory())),
        unselected=others,
    )
    done = 0
    with closing(batches):
        for batch, found in ordered_map(lookup.find, batches, workers=_AT_ONCE, ahead=_AT_ONCE + 1):
            done += len(batch)
            bar.show(text, done, None)
            yield batch, found


def _opened(stack: ExitStack, path: Path) -> BinaryIO:
    return stack.enter_context(stack.enter_context(replace_atomically(path)).open("wb"))


def _count(coverage: Coverage, batch: Batch, found: list[Found], keys: BinaryIO | None) -> None:
    for key, size, each in zip(batch.keys, batch.sizes, found, strict=True):
        coverage.statuses[each.status].add(size)
        if each.engine is not None:
            coverage.engines[each.engine].add(size)
        if keys is not None and each.status in NOT_LOOKED_AT:
            keys.write(key.encode() + _SEPARATOR)


def _next_command(run: Invocation, selection: Selection, keys_file: Path | None) -> str:
    if keys_file is not None:
        return run.target.command("submit_job.py", "--bucket", selection.bucket, "--keys-from", str(keys_file))
    chosen = [
        *(word for prefix in selection.ranges if prefix for word in ("--prefix", prefix)),
        *(
            word
            for suffix in selection.suffixes
            if selection.suffixes != Selection(bucket="").suffixes
            for word in ("--suffix", suffix)
        ),
    ]
    return run.target.command("control_scan.py", "coverage", selection.bucket, *chosen, "--keys", "unseen.keys")
