"""Checking an object before its analysis: whether it can be read, may be analysed, and is a video by its first bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters import aws_errors
from handlers.adapters.aws_errors import Fault, fault_of
from handlers.domain import Engine, ObjectFacts, Problem, Video, objects, reasons
from handlers.domain.engine import OTHERS_BY_FRAMES
from handlers.domain.mp4 import LONGEST_SECONDS, Header, RangedReading, Reading, read_header
from handlers.domain.objects import ObjectKind
from handlers.runtime import Clock, backoff_seconds

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_s3 import S3Client

# Attempts to check an object that is replaced between the two requests.
CHECKS = 3

# Attempts to read a range, besides those of the SDK.
READS = 3

# An answer to HEAD has no body, so that S3 cannot say why (S3 API reference, HeadObject).
_UNREADABLE = "S3 refuses to describe the object: its version id is malformed, or it is encrypted with a key of its owner (SSE-C)."


@dataclass(frozen=True, slots=True)
class Look:
    """The result of a check: `facts` if the object could be read, `problem` if it cannot be analysed."""

    facts: ObjectFacts | None
    problem: Problem | None
    # What it is by its first bytes or, where that matters, by its header; once these were read.
    kind: ObjectKind | None = None


class ObjectError(Exception):
    """An object cannot be read any further; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class OutOfTimeError(Exception):
    """An object is still being read although the time for it is over."""


class ObjectStore:
    """The objects of all source buckets. `images`: whether images can be analysed, because frames are deployed."""

    def __init__(self, client: S3Client, *, images: bool = False) -> None:
        self._client: Any = client  # parameters are built as dicts, which the stubs' TypedDicts do not take
        self._images = images

    def look(self, video: Video, engine: Engine = Engine.VIDEO, others: Engine | None = None) -> Look:
        """Check an object; transient errors (throttling, 5xx, time-outs) and unknown ones are raised unchanged.

        `others`: what analyses films that `engine` does not take. If there is such an engine, their headers are read.
        """
        for _ in range(CHECKS):
            try:
                look = self._look_once(_named(video), engine)
                if others is None or look.facts is None or look.problem is not None or look.kind is not ObjectKind.VIDEO:
                    return look
                return Look(look.facts, None, self._kind_by_header(_named(video), look.facts))
            except ClientError as error:
                fault = fault_of(error)
                if fault is Fault.CHANGED:
                    continue
                return Look(None, _problem(fault, error))
        raise aws_errors.ThrottledError(f"the object was replaced {CHECKS} times while it was checked")

    def length_ms(self, video: Video, facts: ObjectFacts) -> int | None:
        """Return how long a video is by its header, None if it does not tell; errors that pass are raised unchanged."""
        try:
            header = self._header(_named(video), facts)
        except ClientError as error:
            if fault_of(error).transient:
                raise
            return None
        seconds = header.seconds if isinstance(header, Header) else 0.0
        return math.ceil(1_000 * min(seconds, LONGEST_SECONDS)) or None

    def _look_once(self, named: Mapping[str, str], engine: Engine) -> Look:
        head = self._client.head_object(**named)
        modified_at = head["LastModified"].timestamp() if "LastModified" in head else None
        facts = ObjectFacts(head["ETag"].strip('"'), head["ContentLength"], head.get("VersionId"), modified_at)
        problem = objects.eligibility(
            facts.size, head.get("StorageClass"), head.get("Restore"), head.get("ArchiveStatus"), engine=engine
        )
        return Look(facts, problem) if problem else self._by_first_bytes(named, facts)

    def _by_first_bytes(self, named: Mapping[str, str], facts: ObjectFacts) -> Look:
        """Return a problem where the first bytes prove that an object is not a video; Rekognition judges all others."""
        first_bytes = self._bytes(named, facts, 0)
        kind = objects.kind(first_bytes, facts.size)
        found = objects.not_a_video(first_bytes, facts.size)
        if self._images and kind is ObjectKind.IMAGE:
            return Look(facts, objects.image_problem(first_bytes), kind)
        if found is None:
            return Look(facts, None, kind)
        return Look(facts, Problem(reasons.NOT_A_VIDEO, f"The object is not a video but {found}, by its first bytes."), kind)

    def _kind_by_header(self, named: Mapping[str, str], facts: ObjectFacts) -> ObjectKind:
        """Return what a video is by its header; unless that is certain, the video API may take it."""
        fault = self._header(named, facts).fault
        is_other = fault is not None and fault.code in OTHERS_BY_FRAMES
        return ObjectKind.OTHER_VIDEO if is_other else ObjectKind.VIDEO

    def _header(self, named: Mapping[str, str], facts: ObjectFacts) -> Reading:
        return read_header(RangedReading(lambda first, length: self._bytes(named, facts, first, length), facts.size))

    def ranges(self, video: Video, facts: ObjectFacts, clock: Clock, *, until: float) -> ObjectRanges:
        """Return an object as it was looked at, to be read by ranges until a time (epoch seconds)."""
        return ObjectRanges(self._client, video, facts, clock, until=until)

    def _bytes(self, named: Mapping[str, str], facts: ObjectFacts, at: int, length: int = objects.FIRST_BYTES) -> bytes:
        # IfMatch: the bytes must be those of the object that HEAD described.
        last = at + length - 1
        answer = self._client.get_object(**named, Range=f"bytes={at}-{last}", IfMatch=f'"{facts.etag}"')
        with answer["Body"] as body:
            found: bytes = body.read(length)
        return found


class ObjectRanges:
    """One object, read by ranges; it must not change meanwhile.

    Attributes:
        size: Its length in bytes.
    """

    def __init__(self, client: S3Client, video: Video, facts: ObjectFacts, clock: Clock, *, until: float) -> None:
        self._client: Any = client  # parameters are built as dicts, which the stubs' TypedDicts do not take
        self._clock = clock
        self._until = until
        version = facts.version_id or video.version_id
        self._named = {"Bucket": video.bucket, "Key": video.key, **({"VersionId": version} if version else {})}
        self._etag = f'"{facts.etag}"'
        self.size = facts.size

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes from `offset`, `length` of them or as many as there are; transient errors are raised unchanged.

        Raises:
            ObjectError: It is not there any more, or not the same, or may not be read.
            OutOfTimeError: The time to read it is over.
        """
        last = min(offset + length, self.size) - 1
        if last < offset:
            return b""
        attempt = 1
        while True:
            if self._clock.now() > self._until:
                raise OutOfTimeError
            try:
                return self._get(offset, last)
            # A body may end too early, which the SDK does not repeat.
            except (BotoCoreError, ClientError) as error:
                fault = fault_of(error)
                if isinstance(error, ClientError) and not fault.transient:
                    raise ObjectError(_problem(fault, error)) from error
                if attempt == READS or not fault.transient:
                    raise
            self._clock.sleep(backoff_seconds(attempt, base=0.2, cap=2.0))
            attempt += 1

    def _get(self, offset: int, last: int) -> bytes:
        answer = self._client.get_object(**self._named, Range=f"bytes={offset}-{last}", IfMatch=self._etag)
        with answer["Body"] as body:
            found: bytes = body.read()
        return found


def _named(video: Video) -> dict[str, str]:
    version = {} if video.version_id is None else {"VersionId": video.version_id}
    return {"Bucket": video.bucket, "Key": video.key, **version}


def _problem(fault: Fault, error: ClientError) -> Problem:
    """Return the problem that an error means for the object; raise any other error."""
    message = aws_errors.message_of(error)
    match fault:
        case Fault.MISSING:
            return Problem(reasons.MISSING, f"The object or version does not exist ({message}).")
        case Fault.FORBIDDEN:
            return Problem(reasons.FORBIDDEN, f"The object may not be read ({message}).")
        case Fault.ARCHIVED:
            return Problem(reasons.ARCHIVED, "The object is archived and not restored; restore it, then retry.")
        case Fault.CHANGED:
            return Problem(reasons.CHANGED, "Another content was put in its place.")
        case Fault.UNREADABLE:
            return Problem(reasons.UNREADABLE, _UNREADABLE)
        case Fault.OBJECT:
            return Problem(aws_errors.code_of(error), message)
    raise error
