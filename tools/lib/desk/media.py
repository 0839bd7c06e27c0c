"""A video as a browser plays it: the bytes that were analysed, piece by piece from S3, and none of any other content."""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio import to_thread
from botocore.exceptions import BotoCoreError, ClientError
from starlette.responses import Response, StreamingResponse

from handlers.adapters.objects import ObjectError, ObjectStore
from handlers.domain import ObjectFacts, Video, beginnings, objects
from handlers.domain.languages import Language, phrase
from handlers.domain.objects import FIRST_BYTES, ObjectKind
from handlers.runtime.clock import Clock
from tools.lib.desk.refusal import RefusedError, refusal, refused
from tools.lib.evidence import unread

T = TypeVar("T")

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from starlette.types import Receive, Scope, Send

# Bytes of the first GET of an answer, so that a film begins at once, and of the largest one. Each is read as a whole: a player that
# is paused for an hour holds no connection to S3.
FIRST_PIECE, LARGEST_PIECE = 256 * 1024, 1024 * 1024
# Answers that stream at the same time; each holds one piece.
MOST_STREAMS = 64
# Requests to S3 at the same time.
MOST_REQUESTS = 24
# Videos whose type is remembered.
_MOST_TYPES = 1_000

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
# The types by container: a browser finds out what it can decode. MOV is MP4 to it.
_TYPES = {
    "ISO-BMFF": "video/mp4",
    "Matroska": "video/webm",
    "MPEG-TS": "video/mp2t",
    "AVI": "video/x-msvideo",
    "FLV": "video/x-flv",
    "MPEG-PS": "video/mpeg",
    "ASF": "video/x-ms-asf",
}
_IMAGES = {
    "a JPEG image": "image/jpeg",
    "a PNG image": "image/png",
    "a GIF image": "image/gif",
    "a WebP image": "image/webp",
    "a BMP image": "image/bmp",
}
_UNKNOWN = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Analysed:
    """A content that was analysed, in S3."""

    video: Video
    facts: ObjectFacts


class S3Reader:
    """Reads contents in ranges, each only while it is the one that was analysed."""

    def __init__(self, s3: S3Client, clock: Clock) -> None:
        self._objects = ObjectStore(s3)
        self._clock = clock
        self._types: OrderedDict[Analysed, str] = OrderedDict()

    def read(self, content: Analysed, offset: int, length: int) -> bytes:
        """Return `length` bytes from an offset within the content.

        Raises:
            RefusedError: The object is another one now, or cannot be read.
        """
        try:
            return self._objects.ranges(content.video, content.facts, self._clock, until=math.inf).read(offset, length)
        except ObjectError as error:
            raise refused(unread(content.video, error.problem)) from error

    def media_type(self, content: Analysed, *, anew: bool) -> str:
        """Return the type of a content by its first bytes, never one that a browser runs; `anew`: they are read, known or not.

        Raises:
            RefusedError: As `read`, if they are.
        """
        known = None if anew else self._types.get(content)
        if known is None:
            size = content.facts.size
            known = media_type(self.read(content, 0, min(size, FIRST_BYTES)), size) if size else _UNKNOWN
            self._types[content] = known
            while len(self._types) > _MOST_TYPES:
                self._types.popitem(last=False)
        return known


def media_type(first_bytes: bytes, size: int) -> str:
    """Return the type under which a browser is given an object that begins like this."""
    if objects.kind(first_bytes, size) is ObjectKind.IMAGE:
        return _IMAGES.get(beginnings.image(first_bytes) or "", _UNKNOWN)
    return _TYPES.get(objects.container(first_bytes, size) or "", _UNKNOWN)


def requested_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first byte and the end of the one range that a header names, None for the whole (RFC 9110, 14.2).

    A header that is not understood, or names several ranges, is ignored, as the RFC allows; so is every header where there is no
    byte, for players ask for the first one of whatever it is.

    Raises:
        RefusedError: The range lies beyond the end.
    """
    found = _RANGE.fullmatch(header.replace(" ", "")) if header and size else None
    if found is None or not (found[1] or found[2]) or (found[1] and found[2] and int(found[1]) > int(found[2])):
        return None
    if found[1]:
        first, end = int(found[1]), min(int(found[2]) + 1 if found[2] else size, size)
    else:
        first, end = max(0, size - int(found[2])), size
    if first >= end:
        raise RefusedError(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, phrase("The object has {size} bytes.", size=size), phrase("Ask for fewer.")
        )
    return first, end


@dataclass(slots=True)
class Streams:
    """How many answers stream now, and the requests to S3 that they share."""

    s3: S3Reader
    language: Language
    running: int = 0
    _requests: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(MOST_REQUESTS))

    async def answer(self, content: Analysed, range_header: str | None, *, head: bool) -> Response:
        """Return an answer whose first piece has been read: what was replaced is refused before anything is sent."""
        size = content.facts.size
        try:
            asked = requested_range(range_header, size)
        except RefusedError as error:
            return refusal(error, self.language, {"content-range": f"bytes */{size}"})
        first, end = asked or (0, size)
        kind = await self._in_thread(lambda: self.s3.media_type(content, anew=head))  # nothing else would be read then
        headers = {"accept-ranges": "bytes", "content-length": str(end - first), "content-type": kind}
        if asked:
            headers["content-range"] = f"bytes {first}-{end - 1}/{size}"
        status = HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK
        if head or first == end:
            return Response(None, status, headers)
        if self.running >= MOST_STREAMS:
            reason = phrase("{count} videos are being read already.", count=MOST_STREAMS)
            busy = RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, reason, phrase("Close some of the pages."))
            return refusal(busy, self.language, {"retry-after": "2"})
        self.running += 1  # before anything is awaited: others ask at the same moment
        try:
            piece = await self._read(content, first, min(FIRST_PIECE, end - first))
        except BaseException:  # whatever ends it, also that its reader left, makes room for another
            self.running -= 1
            raise
        return _Stream(self, self._pieces(content, piece, first, end), status, headers)

    async def _pieces(self, content: Analysed, piece: bytes, first: int, end: int) -> AsyncIterator[bytes]:
        """Yield a piece and those after it, each read when the one before has been taken."""
        length = len(piece)
        while True:
            yield piece
            first += len(piece)
            if first >= end:
                return
            length = min(2 * length, LARGEST_PIECE, end - first)
            piece = await self._read(content, first, length)

    async def _read(self, content: Analysed, offset: int, length: int) -> bytes:
        return await self._in_thread(lambda: self.s3.read(content, offset, length))

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await to_thread.run_sync(call, limiter=self._requests, abandon_on_cancel=True)


class _Stream(StreamingResponse):
    """An answer that is counted until it ends."""

    def __init__(self, streams: Streams, pieces: AsyncIterator[bytes], status: HTTPStatus, headers: dict[str, str]) -> None:
        super().__init__(pieces, status, headers)
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except (RefusedError, BotoCoreError, ClientError):
            return  # the answer has begun: it ends here, short of its length, and the server cuts the connection
        finally:
            self._streams.running -= 1
