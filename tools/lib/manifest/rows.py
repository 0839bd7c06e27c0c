"""Rows of a manifest and of the list of what is left out of it, a batch at a time.

The form is described in `manifests/README.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tools.lib.listing.objects import Batch


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
