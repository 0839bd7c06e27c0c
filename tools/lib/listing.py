"""Listing a bucket as a stream: memory does not grow with the bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One object of a listing: size in bytes, version None where the bucket has no versions ("null" is a version)."""

    key: str
    size: int
    version_id: str | None = None
    storage_class: str = "STANDARD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which objects of a bucket are meant: those under a prefix whose key ends in one of the suffixes, in any case.

    No suffix, or an empty one, takes every key.
    """

    bucket: str
    prefix: str = ""
    suffixes: tuple[str, ...] = (".mp4",)

    def takes(self, key: str) -> bool:
        """Tell whether a key has one of the suffixes."""
        return not self.suffixes or key.lower().endswith(tuple(suffix.lower() for suffix in self.suffixes))

    @property
    def uri(self) -> str:
        """Return the s3 URI of bucket and prefix."""
        return f"s3://{self.bucket}/{self.prefix}"


def is_versioned(s3: S3Client, bucket: str) -> bool:
    """Tell whether objects of this bucket have versions (also where versioning is suspended: then new ones are called null)."""
    return s3.get_bucket_versioning(Bucket=bucket).get("Status") in {"Enabled", "Suspended"}


def list_objects(s3: S3Client, selection: Selection, *, versioned: bool) -> Iterator[ListedObject]:
    """Yield the selected objects page by page; of a versioned bucket the latest version of each, without deleted ones."""
    listed = _latest_versions(s3, selection) if versioned else _objects(s3, selection)
    return (found for found in listed if selection.takes(found.key))


def _objects(s3: S3Client, selection: Selection) -> Iterator[ListedObject]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=selection.bucket, Prefix=selection.prefix):
        for entry in page.get("Contents", []):
            yield ListedObject(entry["Key"], entry["Size"], None, entry.get("StorageClass", "STANDARD"))


def _latest_versions(s3: S3Client, selection: Selection) -> Iterator[ListedObject]:
    # Delete markers come in a list of their own; where one is the latest, no version is.
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=selection.bucket, Prefix=selection.prefix):
        for entry in page.get("Versions", []):
            if entry["IsLatest"]:
                yield ListedObject(entry["Key"], entry["Size"], entry["VersionId"], entry.get("StorageClass", "STANDARD"))
