"""The policy of a bucket as S3 returns it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, code_of, fault_of
from tools.lib.errors import ToolError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Document = dict[str, Any]

# S3 user guide, add-bucket-policy: 20 KB.
MAX_BYTES = 20_480


def read_policy(s3: S3Client, bucket: str) -> Document | None:
    """Return the policy of a bucket as S3 has it, with the statements of others; None if it has none.

    Raises:
        ClientError: It may not be read, or there is no such bucket.
    """
    try:
        document: Document = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    except ClientError as error:
        if code_of(error) == "NoSuchBucketPolicy":
            return None
        raise
    return document


def read_whole_policy(s3: S3Client, bucket: str) -> Document | None:
    """Return the policy of a bucket, None if it has none, to be changed and put again.

    Raises:
        ToolError: It may not be read, so putting another would delete the statements in it; or there is no such bucket.
    """
    try:
        return read_policy(s3, bucket)
    except ClientError as error:
        if fault_of(error) is Fault.MISSING:
            raise ToolError(
                f"There is no bucket named {bucket}.",
                cure="`aws s3 ls` lists the buckets of your account; is the name spelt right?",
            ) from error
        if fault_of(error) is not Fault.FORBIDDEN:
            raise
        raise ToolError(
            f"You may not read the policy of {bucket}, and S3 replaces policies as a whole: a new one would delete its statements.",
            cure="Have s3:GetBucketPolicy on the bucket added to your user or role.",
        ) from error


def statements_of(document: Document) -> list[dict[str, Any]]:
    """Return a policy's statements; a single one need not be in a list."""
    found = document.get("Statement", [])
    return found if isinstance(found, list) else [found]


def byte_count(document: Document) -> int:
    """Return the size of a policy as S3 counts it, without the white space between its elements."""
    return len(json.dumps(document, separators=(",", ":")).encode())


def lines_of(document: Document | None) -> list[str]:
    """Return a policy as text; a bucket cannot have one without statements."""
    return json.dumps(document, indent=2).splitlines() if document and statements_of(document) else []
