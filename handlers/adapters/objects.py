"""Checking an object before its analysis: whether it can be read, may be analysed, and is a video by its first bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handlers.adapters import aws_errors
from handlers.adapters.aws_errors import Fault, fault_of
from handlers.domain import ObjectFacts, Problem, Video, movie_header, objects, reasons

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_s3 import S3Client

# Attempts to check an object that is replaced between the two requests.
CHECKS = 3

# Reads of a header, a kilobyte each: one where it is at the beginning, two where it is behind the film.
HEADER_READS = 4

# An answer to HEAD has no body, so that S3 cannot say why (S3 API reference, HeadObject).
_UNREADABLE = "S3 refuses to describe the object: its version id is malformed, or it is encrypted with a key of its owner (SSE-C)."


@dataclass(frozen=True, slots=True)
class Look:
    """The result of a check: `facts` if the object could be read, `problem` if it cannot be analysed."""

    facts: ObjectFacts | None
    problem: Problem | None


class ObjectStore:
    """The objects of all source buckets."""

    def __init__(self, client: S3Client) -> None:
        self._client: Any = client  # parameters are built as dicts, which the stubs' TypedDicts do not take

    def look(self, video: Video) -> Look:
        """Check an object; transient errors (throttling, 5xx, time-outs) and unknown ones are raised unchanged."""
        for _ in range(CHECKS):
            try:
                return self._look_once(_named(video))
            except ClientError as error:
                fault = fault_of(error)
                if fault is Fault.CHANGED:
                    continue
                return Look(None, _problem(fault, error))
        raise aws_errors.ThrottledError(f"the object was replaced {CHECKS} times while it was checked")

    def length_ms(self, video: Video, facts: ObjectFacts) -> int | None:
        """Return how long a video is by its header, None if a few reads do not tell; errors that pass are raised unchanged."""
        at = 0
        for _ in range(HEADER_READS):
            try:
                chunk = self._bytes(_named(video), facts, at)
            except ClientError as error:
                if fault_of(error).transient:
                    raise
                return None
            found = movie_header.length_ms(chunk, at, facts.size)
            if not isinstance(found, movie_header.ReadOn):
                return found
            at = found.at
        return None

    def _look_once(self, named: Mapping[str, str]) -> Look:
        head = self._client.head_object(**named)
        modified_at = head["LastModified"].timestamp() if "LastModified" in head else None
        facts = ObjectFacts(head["ETag"].strip('"'), head["ContentLength"], head.get("VersionId"), modified_at)
        problem = objects.eligibility(facts.size, head.get("StorageClass"), head.get("Restore"), head.get("ArchiveStatus"))
        return Look(facts, problem or self._something_else(named, facts))

    def _something_else(self, named: Mapping[str, str], facts: ObjectFacts) -> Problem | None:
        """Return the problem of an object whose first bytes prove that it is not a video; Rekognition judges all others."""
        found = objects.not_a_video(self._bytes(named, facts, 0), facts.size)
        return (
            None if found is None else Problem(reasons.NOT_A_VIDEO, f"The object is not a video but {found}, by its first bytes.")
        )

    def _bytes(self, named: Mapping[str, str], facts: ObjectFacts, at: int) -> bytes:
        # IfMatch: the bytes must be those of the object that HEAD described.
        last = at + objects.FIRST_BYTES - 1
        answer = self._client.get_object(**named, Range=f"bytes={at}-{last}", IfMatch=f'"{facts.etag}"')
        with answer["Body"] as body:
            found: bytes = body.read(objects.FIRST_BYTES)
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
        case Fault.UNREADABLE:
            return Problem(reasons.UNREADABLE, _UNREADABLE)
        case Fault.OBJECT:
            return Problem(aws_errors.code_of(error), message)
    raise error
