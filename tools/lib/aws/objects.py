"""Objects of S3: keys percent-encoded and decoded, and objects as files."""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING
from urllib.parse import quote, unquote

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, fault_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def key_of(path: str) -> str:
    """Return the key of a path as `path_of` and completion reports write it: a `+` is a plus.

    Raises:
        UnicodeDecodeError: It is not UTF-8.
    """
    return unquote(path, errors="strict") if "%" in path else path  # of a million keys most have nothing to decode


def key_of_form(text: str) -> str:
    """Return the key of a text encoded as forms are, in which `+` is a space.

    Listings with EncodingType=url are, and inventories, and manifests, as the function decodes the key of a task.

    Raises:
        UnicodeDecodeError: It is not UTF-8.
    """
    return key_of(text.replace("+", " "))


def fetch(s3: S3Client, bucket: str, key: str, target: IO[bytes]) -> bool:
    """Write an object to a file; False where there is none."""
    try:
        s3.download_fileobj(bucket, key, target)
    except ClientError as error:
        if fault_of(error) is Fault.MISSING:
            return False
        raise
    return True


def md5_of(content: IO[bytes]) -> str:
    """Return the MD5 of a file in hex, from where it stands, and go back to its beginning."""
    digest = hashlib.md5(usedforsecurity=False)
    while block := content.read(1024 * 1024):
        digest.update(block)
    content.seek(0)
    return digest.hexdigest()


def path_of(key: str) -> str:
    """Return a key as manifests have it: percent-encoded except for the slash.

    Both kinds of readers, those that take `+` for a space and those that do not, read that form alike.
    """
    return quote(key, safe="/")
