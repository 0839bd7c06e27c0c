"""Manifests of S3 Batch Operations jobs (`S3BatchOperations_CSV_20180820`): written to disk, uploaded, referred to.

The form is described in `manifests/README.md`.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError

from handlers.domain.identity import Video
from tools.lib.aws.objects import path_of
from tools.lib.cli.output import Bar
from tools.lib.text import byte_size

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

# Size of an upload's parts. S3 takes 10,000 parts of 5 MiB to 5 GiB, the last may be smaller: manifests of up to 156 GiB.
PART_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class UploadedManifest:
    """A manifest in S3; the etag is without the quotes that S3 puts around it (a job whose manifest has them fails)."""

    bucket: str
    key: str
    etag: str

    @property
    def uri(self) -> str:
        """Return the manifest's s3 URI."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class Written:
    """A manifest on disk: how many rows it has, and whether they have a version column."""

    rows: int
    versioned: bool


def write_videos(path: Path, videos: Iterable[Video]) -> Written:
    """Write a row per video; all rows have a version column where any video has a version.

    Which is known at the end only, so the rows are written twice: memory does not grow with them.
    """
    rows, versioned = 0, False
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as draft:
        rows_of = csv.writer(draft, lineterminator="\n")
        for video in videos:
            rows_of.writerow([video.bucket, path_of(video.key), video.version_id or ""])
            rows, versioned = rows + 1, versioned or video.version_id is not None
        draft.seek(0)
        with path.open("w", encoding="utf-8", newline="") as target:
            # Neither a bucket nor an encoded key holds a comma: what ends with one is a row without a version.
            target.writelines(line if versioned else line.removesuffix(",\n") + "\n" for line in draft)
    return Written(rows, versioned)


def upload(
    s3: S3Client, path: Path, target: tuple[str, str], sent: Callable[[int], None], span: tuple[int, int] | None = None
) -> UploadedManifest:
    """Upload a local manifest in parts to a bucket and key and return where it is; `sent` hears how many more bytes have arrived.

    `span` is the first byte and the one after the last, where only those are wanted. Encrypted with S3's own keys whatever the
    bucket's default is: S3 Batch cannot read a CSV manifest under a KMS key. The same bytes have the same ETag each time.
    """
    bucket, key = target
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key=key, ContentType="text/csv", ServerSideEncryption="AES256")[
        "UploadId"
    ]
    try:
        with path.open("rb") as source:
            parts: list[CompletedPartTypeDef] = []
            for number, part in enumerate(_blocks(source, span or (0, path.stat().st_size)), 1):
                arrived = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=part)
                parts.append({"PartNumber": number, "ETag": arrived["ETag"]})
                sent(len(part))
        done = s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts})
    except BaseException:  # also Ctrl-C: parts of an open upload are invisible and are paid for
        with suppress(BotoCoreError, ClientError):  # what went wrong first is what the person must hear
            s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
        raise
    return UploadedManifest(bucket, key, done["ETag"].strip('"'))


def upload_shown(
    s3: S3Client, path: Path, target: tuple[str, str], bar: Bar, span: tuple[int, int] | None = None
) -> UploadedManifest:
    """Upload as `upload` does, and show how much of it has arrived."""
    start, end = span or (0, path.stat().st_size)
    size, arrived = end - start, 0

    def sent(count: int) -> None:
        nonlocal arrived
        arrived += count
        bar.show(f"Uploading {path.name} ({byte_size(size)})", arrived, size)

    return upload(s3, path, target, sent, (start, end))


def _blocks(source: BinaryIO, span: tuple[int, int]) -> Iterator[bytes]:
    start, end = span
    source.seek(start)
    while start < end and (block := source.read(min(PART_BYTES, end - start))):
        start += len(block)
        yield block
