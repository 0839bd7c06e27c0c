"""Uploads of manifests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from boto3.s3.transfer import TransferConfig

from tools.lib.cli import Bar
from tools.lib.text import byte_size

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A larger manifest is uploaded in parts of this size; boto3 makes them larger if S3's 10,000 parts would not suffice.
PART_BYTES = 16 * 1024 * 1024

# Without threads, Ctrl-C ends an upload at once, and boto3 removes its parts.
_TRANSFER = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False)
_EXTRA = {"ContentType": "text/csv", "ServerSideEncryption": "AES256"}


@dataclass(frozen=True, slots=True)
class UploadedManifest:
    """A manifest in S3. Its etag has no quotes, for with them its job would fail."""

    bucket: str
    key: str
    etag: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def upload_manifest(s3: S3Client, path: Path, target: tuple[str, str], bar: Bar) -> UploadedManifest:
    """Upload a local manifest to a bucket and key, and show the progress.

    It is encrypted with S3's own keys whatever the bucket's default is: S3 Batch cannot read a CSV manifest under a KMS key. The
    same bytes always have the same ETag.
    """
    bucket, key = target
    size, arrived = path.stat().st_size, 0

    def sent(count: int) -> None:
        nonlocal arrived
        arrived += count
        bar.show(f"Uploading {path.name} ({byte_size(size)})", arrived, size)

    with path.open("rb") as source:
        # Not upload_file, which wraps AWS's errors so that their codes are lost.
        s3.upload_fileobj(source, bucket, key, ExtraArgs=_EXTRA, Callback=sent, Config=_TRANSFER)
    return UploadedManifest(bucket, key, s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"'))
