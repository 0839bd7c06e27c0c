"""Manifests of S3 Batch Operations jobs (`S3BatchOperations_CSV_20180820`): written to disk, uploaded, referred to.

The form is described in `manifests/README.md`.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from boto3.s3.transfer import TransferConfig

from handlers.domain.identity import Video
from tools.lib.aws.objects import path_of
from tools.lib.cli.output import Bar
from tools.lib.text import byte_size

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# From this size on a manifest goes up in parts of it; boto3 makes them larger where S3's 10,000 would not suffice.
PART_BYTES = 16 * 1024 * 1024

# One part after another: Ctrl-C ends it at once, and nothing is left of it.
_TRANSFER = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False)
_EXTRA = {"ContentType": "text/csv", "ServerSideEncryption": "AES256"}


@dataclass(frozen=True, slots=True)
class UploadedManifest:
    """A manifest in S3; the etag is without the quotes that S3 puts around it (a job whose manifest has them fails)."""

    bucket: str
    key: str
    etag: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def write_videos(path: Path, videos: Iterable[Video]) -> bool:
    """Write a row per video, and return whether they have a version column: all have one where any video has a version.

    Which is known at the end only, so the rows are written twice: memory does not grow with them.
    """
    versioned = False
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as draft:
        rows_of = csv.writer(draft, lineterminator="\n")
        for video in videos:
            rows_of.writerow([video.bucket, path_of(video.key), video.version_id or ""])
            versioned = versioned or video.version_id is not None
        draft.seek(0)
        with path.open("w", encoding="utf-8", newline="") as target:
            # Neither a bucket nor an encoded key holds a comma: what ends with one is a row without a version.
            target.writelines(line if versioned else line.removesuffix(",\n") + "\n" for line in draft)
    return versioned


def upload(s3: S3Client, path: Path, target: tuple[str, str], bar: Bar) -> UploadedManifest:
    """Upload a local manifest to a bucket and key, show how much of it has arrived, and return where it is.

    Encrypted with S3's own keys whatever the bucket's default is: S3 Batch cannot read a CSV manifest under a KMS key. The same
    bytes have the same ETag each time.
    """
    bucket, key = target
    size, arrived = path.stat().st_size, 0

    def sent(count: int) -> None:
        nonlocal arrived
        arrived += count
        bar.show(f"Uploading {path.name} ({byte_size(size)})", arrived, size)

    with path.open("rb") as source:
        # Not upload_file: it wraps AWS's errors, which then say no more what they are.
        s3.upload_fileobj(source, bucket, key, ExtraArgs=_EXTRA, Callback=sent, Config=_TRANSFER)
    return UploadedManifest(bucket, key, s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"'))
