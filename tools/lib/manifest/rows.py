"""The rows of manifests and side lists (`manifests/README.md`)."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable
from pathlib import Path

from handlers.domain import Problem, Video
from tools.lib.aws import path_of
from tools.lib.listing import Batch
from tools.lib.text import printable


def manifest_rows(bucket: str, batch: Batch) -> bytes:
    """Return a row for each object: bucket, path and, if there are versions, the version ("null" is written out).

    There is no header (S3 would take it for a bucket) and no blank line, lines end in LF, and no field needs quotes because paths
    are percent-encoded.
    """
    if not batch:
        return b""
    columns = batch.paths if batch.versions is None else map(",".join, zip(batch.paths, batch.versions, strict=True))
    between = f"\n{bucket},"
    return f"{bucket},{between.join(columns)}\n".encode()


def left_out_rows(bucket: str, batch: Batch, problems: Iterable[Problem]) -> bytes:
    """Return a row for each object that is left out: bucket, path, version or nothing, reason code, what was found, etag, size.

    The etag is empty where the source does not have it; the size may be `UNKNOWN_SIZE`.
    """
    versions = batch.versions or ("",) * len(batch)
    rows = zip(batch.paths, versions, problems, batch.etags, batch.sizes, strict=True)
    return "".join(
        f"{bucket},{path},{version},{problem.code},{_quoted(problem.message)},{_quoted(etag)},{size}\n"
        for path, version, problem, etag, size in rows
    ).encode()


def _quoted(sentence: str) -> str:
    """Return a field of one line of CSV; a part of it may come from an object."""
    return '"' + printable(sentence).replace('"', '""') + '"'


def write_videos(path: Path, videos: Iterable[Video]) -> bool:
    """Write a manifest of videos, and return whether it has a version column, which it has if any video has a version.

    That is known only at the end, so rows are written to a draft first: memory does not grow with them.
    """
    versioned = False
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as draft:
        writer = csv.writer(draft, lineterminator="\n")
        for video in videos:
            writer.writerow([video.bucket, path_of(video.key), video.version_id or ""])
            versioned = versioned or video.version_id is not None
        draft.seek(0)
        with path.open("w", encoding="utf-8", newline="") as target:
            # Neither a bucket nor an encoded key has a comma, so a row without a version ends in one.
            target.writelines(line if versioned else line.removesuffix(",\n") + "\n" for line in draft)
    return versioned
