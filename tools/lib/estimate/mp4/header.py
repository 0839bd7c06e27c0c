"""Reads the headers of videos in a bucket, their lengths and codecs, with two or three ranged GETs each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from handlers.domain import Problem, objects, reasons
from tools.lib.estimate.mp4.fragments import fragments_seconds
from tools.lib.estimate.mp4.movie import find_movie, has_movie_behind, read_movie
from tools.lib.estimate.mp4.ranged_reader import BeyondLimitsError, BrokenError, RangedReading
from tools.lib.listing import UNKNOWN_SIZE, ListedObject
from tools.lib.text import printable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

# Rekognition takes stored videos of up to 6 hours (docs/aws.md#7-rekognition).
LONGEST_SECONDS = 6 * 3_600

# The only codec that Rekognition takes in mp4 and mov (docs/aws.md#7-rekognition).
CODEC = "h264"


# Codes of an unreadable header that are named more than once.
_AWS, _BROKEN, _GONE = "aws", "broken", "gone"


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a video.

    Attributes:
        codec: "" if there is no picture.
        gets: How many GETs reading it took.
        bytes: How many bytes reading it took.
    """

    seconds: float
    codec: str
    gets: int = 0
    bytes: int = 0

    @property
    def fault(self) -> Problem | None:
        """Return why Rekognition would not take the video, None if nothing is known."""
        if not self.codec:
            return Problem(reasons.NO_PICTURE, "The file has no video track.")
        if self.codec != CODEC:
            return Problem(reasons.CODEC, f"The codec is {printable(self.codec)}; Rekognition takes H.264.")
        if self.seconds > LONGEST_SECONDS:
            return Problem(reasons.TOO_LONG, f"The video is {self.seconds / 3600:,.1f} h long; Rekognition takes up to 6 hours.")
        return None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a header could not be read, and what trying took.

    Attributes:
        code: not-a-video (the functions will skip it), broken (it has no usable header), other-container, unknown-beginning,
            beyond-limits, no-length, no-size, forbidden, gone, changed, or aws.
    """

    code: str
    message: str
    gets: int = 0
    bytes: int = 0

    @property
    def worthless(self) -> bool:
        """Tell whether none of it will be analysed; of the others nothing is known."""
        return self.code in {reasons.NOT_A_VIDEO, _BROKEN, _GONE}


Reading = Header | Unreadable

_REFUSED = {
    Fault.FORBIDDEN: reasons.FORBIDDEN,
    Fault.ARCHIVED: reasons.FORBIDDEN,
    Fault.MISSING: _GONE,
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
            result = _read(reading) if has_size else _without_size(reading)
        except BrokenError as error:
            result = Unreadable(_BROKEN, f"The file has no usable header: {error}.")
        except BeyondLimitsError as error:
            result = Unreadable("beyond-limits", f"The header was not found: {error}.")
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
    reading.read(0, 1)
    return Unreadable("no-size", "The size of the object is not known.")


def _read(reading: RangedReading) -> Reading:
    first_bytes = reading.read(0, min(objects.FIRST_BYTES, reading.size))
    if found := objects.not_a_video(first_bytes, reading.size):
        return Unreadable(reasons.NOT_A_VIDEO, f"The object is not a video but {found}.")
    container = objects.container(first_bytes, reading.size)
    if container is None:
        return Unreadable("unknown-beginning", "The beginning of the object is of no known format.")
    if container != "ISO-BMFF":
        return Unreadable("other-container", f"The file is {container}, not mp4 or mov.")
    movie = read_movie(reading, find_movie(reading))
    if not movie.tracks:
        raise BrokenError("its moov box has no track that can be read")
    seconds = fragments_seconds(reading, movie) if movie.fragmented else movie.seconds
    codec = (movie.picture.codec or "") if movie.picture else ""
    if codec and not seconds:
        return Unreadable("no-length", "The header does not say how long the video is.")
    header = Header(seconds or 0.0, codec)
    if header.fault and has_movie_behind(reading, movie):
        raise BrokenError("it has more than one moov box")  # only Rekognition knows which one counts
    return header
