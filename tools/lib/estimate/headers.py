"""Reads the headers of videos in a bucket, with two or three ranged GETs each."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from handlers.domain import reasons
from handlers.domain.mp4 import GONE, BrokenError, RangedReading, Reading, Unreadable, read_header
from tools.lib.listing import UNKNOWN_SIZE, ListedObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

_AWS = "aws"
_REFUSED = {
    Fault.FORBIDDEN: reasons.FORBIDDEN,
    Fault.ARCHIVED: reasons.FORBIDDEN,
    Fault.MISSING: GONE,
    Fault.CHANGED: "changed",
}


class HeaderReader:
    """Reads headers with one client, which many threads may do at a time."""

    def __init__(self, s3: S3Client) -> None:
        self._s3 = s3

    def read(self, bucket: str, found: ListedObject) -> Reading:
        """Read the header of an object; whatever the object holds, this ends, and keeps within the limits."""
        has_size = found.size > UNKNOWN_SIZE
        reading = RangedReading(lambda first, length: self._get(bucket, found, first, length), found.size if has_size else 1)
        try:
            result = read_header(reading) if has_size else _without_size(reading)
        except ClientError as error:
            result = Unreadable(_REFUSED.get(fault_of(error), _AWS), f"The object could not be read: {error}")
        except (BotoCoreError, OSError) as error:  # OSError: the connection broke while the body came
            result = Unreadable(_AWS, f"The object could not be read: {error}")
        return replace(result, gets=reading.gets, bytes=reading.bytes)

    def _get(self, bucket: str, found: ListedObject, first: int, length: int) -> bytes:
        request: GetObjectRequestTypeDef = {
            "Bucket": bucket,
            "Key": found.key,
            "Range": f"bytes={first}-{first + length - 1}",
        }
        if found.version_id is not None:
            request["VersionId"] = found.version_id
        # A server may ignore the range: no more than the requested bytes are read.
        return self._s3.get_object(**request)["Body"].read(length)


def _without_size(reading: RangedReading) -> Reading:
    """Try to read one byte: S3's refusal is the better reason, and mostly why the size is unknown."""
    with suppress(BrokenError):
        reading.read(0, 1)
    return Unreadable("no-size", "The size of the object is not known.")
