"""Reading the headers of videos in a bucket: how long each is and in which codec, for two ranged GETs or three."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from handlers.domain import objects, reasons
from handlers.domain.record import Problem
from tools.lib.estimate.mp4.fragments import fragments_seconds
from tools.lib.estimate.mp4.movie import find_movie, has_movie_behind, read_movie
from tools.lib.estimate.mp4.ranged_reader import BeyondLimitsError, BrokenError, RangedReading
from tools.lib.listing import ListedObject
from tools.lib.listing.sizes import UNKNOWN_SIZE
from tools.lib.text import printable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

# Rekognition takes stored videos of up to 6 hours (docs/aws.md#7-rekognition).
LONGEST_SECONDS = 6 * 3_600

# The only codec that Rekognition takes in mp4 and mov (docs/aws.md#7-rekognition).
CODEC = "h264"


@dataclass(frozen=True, slots=True)
class Header:
    """What a video's header says: length in seconds, codec ("" where it has no picture), and what reading it took."""

    seconds: float
    codec: str
    gets: int
    bytes: int

    @property
    def fault(self) -> Problem | None:
        """Return why Rekognition would not take the video, None where nothing speaks against it."""
        if not self.codec:
            return Problem(reasons.NO_PICTURE, "The file has no video track.")
        if self.codec != CODEC:
            return Problem(reasons.CODEC, f"The codec is {printable(self.codec)}; Rekognition takes H.264.")
        if self.seconds > LONGEST_SECONDS:
            return Problem(reasons.TOO_LONG, f"The video is {self.seconds / 3600:,.1f} h long; Rekognition takes up to 6 hours.")
        return None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a header could not be read: a code, a sentence, and what trying took.

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
        """Tell whether no minute of it will be analysed; of the others nothing is known."""
        return self.code in {reasons.NOT_A_VIDEO, "broken", "gone"}


Reading = Header | Unreadable

_REFUSED = {
    Fault.FORBIDDEN: "forbidden",
    Fault.ARCHIVED: "forbidden",
    Fault.MISSING: "gone",
    Fault.CHANGED: "changed",
}


class HeaderReader:
    """Reads headers with one client; may be used by many threads at a time."""

    def __init__(self, s3: S3Client) -> None:
        self._s3 = s3

    def read(self, bucket: str, found: ListedObject) -> Reading:
        """Return what the header of an object says; whatever is in the object, this ends, and within the limits."""
        reading = RangedReading(lambda first, length: self._get(bucket, found, first, length), found.size)
        try:
            if found.size <= UNKNOWN_SIZE:
                self._get(bucket, found, 0, 1)  # S3's refusal is the better reason, and mostly why the size is unknown
                return Unreadable("no-size", "The size of the object is not known.", 1, 1)
            return _read(reading)
        except BrokenError as error:
            return Unreadable("broken", f"The file has no usable header: {error}.", reading.gets, reading.bytes)
        except BeyondLimitsError as error:
            return Unreadable("beyond-limits", f"The header was not found: {error}.", reading.gets, reading.bytes)
        except ClientError as error:
            code = _REFUSED.get(fault_of(error), "aws")
            return Unreadable(code, f"The object could not be read: {error}", reading.gets, reading.bytes)
        except (BotoCoreError, OSError) as error:  # OSError: the connection broke while the body came
            return Unreadable("aws", f"The object could not be read: {error}", reading.gets, reading.bytes)

    def _get(self, bucket: str, found: ListedObject, first: int, length: int) -> bytes:
        request: GetObjectRequestTypeDef = {
            "Bucket": bucket,
            "Key": found.key,
            "Range": f"bytes={first}-{first + length - 1}",
        }
        if found.version_id is not None:
            request["VersionId"] = found.version_id
        # A server may ignore the range: no more is read than was asked for.
        return self._s3.get_object(**request)["Body"].read(length)


def _read(reading: RangedReading) -> Reading:
    first_bytes = reading.read(0, min(objects.FIRST_BYTES, reading.size))
    if found := objects.not_a_video(first_bytes, reading.size):
        return Unreadable(reasons.NOT_A_VIDEO, f"The object is not a video but {found}.", reading.gets, reading.bytes)
    container = objects.container(first_bytes, reading.size)
    if container is None:
        return Unreadable("unknown-beginning", "The object begins in no known way.", reading.gets, reading.bytes)
    if container != "ISO-BMFF":
        return Unreadable("other-container", f"The file is {container}, not mp4 or mov.", reading.gets, reading.bytes)
    movie = read_movie(reading, find_movie(reading))
    if not movie.tracks:
        raise BrokenError("its moov box has no track that can be read")
    seconds = fragments_seconds(reading, movie) if movie.fragmented else movie.seconds
    picture = movie.picture
    codec = picture.codec or "" if picture else ""
    if codec and not seconds:
        return Unreadable("no-length", "The header does not say how long the video is.", reading.gets, reading.bytes)
    if Header(seconds or 0.0, codec, 0, 0).fault and has_movie_behind(reading, movie):
        raise BrokenError("it has more than one moov box")  # which of them counts is Rekognition's to say
    return Header(seconds or 0.0, codec, reading.gets, reading.bytes)
