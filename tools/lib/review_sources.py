"""Where a review gets its rows from: manifest and report files in the work bucket, and the jobs of a scan."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from handlers.domain.identity import Video
from tools.lib.aws import code_of
from tools.lib.errors import ToolError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MISSING = frozenset({"404", "NoSuchKey", "NoSuchBucket"})
_SPOOL_BYTES = 8 * 1024 * 1024
_COLUMNS = (2, 3)
"""Bucket and key, and the version where the bucket has versions."""


class BucketFiles:
    """Files of one bucket; a `ReportFiles`."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def fetch(self, key: str, target: IO[bytes]) -> bool:
        """Write the file to the target; False where there is none."""
        try:
            self._s3.download_fileobj(self._bucket, key, target)
        except ClientError as error:
            if code_of(error) in _MISSING:
                return False
            raise
        return True


def manifest_videos(files: BucketFiles, uri: str) -> Iterator[Video]:
    """Yield the videos of a scan's manifest, in its order, one for each row.

    Raises:
        ToolError: The manifest is gone, or a row of it is none.
    """
    key = uri.removeprefix("s3://").partition("/")[2]
    with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as spool:
        if not files.fetch(key, spool):
            raise ToolError(
                f"{uri}: the manifest of the scan is gone, so nobody can say what should have been scanned.",
                cure="Put the local copy from manifests/ back there, or review the job's report alone with --without-manifest.",
            )
        spool.seek(0)
        text = io.TextIOWrapper(spool, encoding="utf-8", newline="")
        for number, row in enumerate(csv.reader(text), 1):
            yield _video(uri, number, row)
        text.detach()


def _video(uri: str, number: int, row: list[str]) -> Video:
    if len(row) not in _COLUMNS:
        raise ToolError(
            f"{uri}, row {number}: {len(row)} columns where a manifest of ours has {' or '.join(map(str, _COLUMNS))}.",
            cure="Put the local copy from manifests/ back there.",
        )
    # As the function decodes the key of a task: the record was written under that name.
    return Video(row[0], unquote_plus(row[1], errors="strict"), (row[2] or None) if len(row) == max(_COLUMNS) else None)
