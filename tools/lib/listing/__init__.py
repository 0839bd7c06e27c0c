"""Listing a bucket: what is chosen (`Selection`) and what is there (`list_batches`), a batch of a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.lib.listing.filters import Filters
from tools.lib.listing.objects import Batch, ListedObject
from tools.lib.listing.parallel import WORKERS, list_batches
from tools.lib.listing.selection import Sample, Selection

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = [
    "WORKERS",
    "Batch",
    "Filters",
    "ListedObject",
    "Sample",
    "Selection",
    "is_versioned",
    "list_batches",
]


def is_versioned(s3: S3Client, bucket: str) -> bool:
    """Tell whether objects of this bucket have versions (also where versioning is suspended: then new ones are called null)."""
    return s3.get_bucket_versioning(Bucket=bucket).get("Status") in {"Enabled", "Suspended"}
