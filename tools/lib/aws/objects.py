"""Objects of S3: keys percent-encoded and decoded, and objects as files."""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, fault_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def key_of(path: str) -> str:
    """Decode a key in the form of `path_of` and of completion reports, in which a `+` is a plus.

    Raises:
        UnicodeDecodeError: It is not UTF-8.
    """
    if "%" not in path:
        return path
    try:
        # As Python's own escapes, in half of the time of unquote_to_bytes().
        escaped = path.replace("\\", r"\\").replace("%", r"\x").encode("ascii")
        return escaped.decode("unicode_escape").encode("latin-1").decode()
    except UnicodeError:  # a percent sign that begins no escape, a letter beyond ASCII, or not UTF-8
        return unquote_to_bytes(path).decode()


def key_of_form(text: str) -> str:
    """Decode a key in the form encoding of listings, inventories and manifests, in which `+` is a space.

    Raises:
        UnicodeDecodeError: It is not UTF-8.
    """
    return key_of(text.replace("+", " "))


def fetch(s3: S3Client, bucket: str, key: str, target: IO[bytes], most: int | None = None) -> bool:
    """Download an object into a file; return False if it does not exist.

    Of an object that is larger than `most`, one byte more is downloaded, so that the caller sees it.
    """
    try:
        if most is None:
            s3.download_fileobj(bucket, key, target)
        else:
            target.write(s3.get_object(Bucket=bucket, Key=key)["Body"].read(most + 1))
    except ClientError as error:
        if fault_of(error) is Fault.MISSING:
            return False
        raise
    return True


def md5_of(content: IO[bytes]) -> str:
    """Return the MD5 in hex of the rest of a file, and rewind it."""
    digest = hashlib.md5(usedforsecurity=False)
    while block := content.read(1024 * 1024):
        digest.update(block)
    content.seek(0)
    return digest.hexdigest()


def path_of(key: str) -> str:
    """Encode a key for a manifest: percent-encoded except for slashes, so that it has no `+` to misread."""
    return quote(key, safe="/")
