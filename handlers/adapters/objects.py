"""Looking at an object: how it is, whether it may be analysed, and whether its first bytes say that it is something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handlers.adapters import aws_errors
from handlers.adapters.aws_errors import Fault, fault_of
from handlers.domain import objects, reasons
from handlers.domain.identity import Video
from handlers.domain.record import ObjectFacts, Problem

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_s3 import S3Client

# How often an object is looked at that is replaced between the two requests.
LOOKS = 3

# An answer to HEAD has no body, so that S3 cannot say why (S3 API reference, HeadObject).
_UNREADABLE = "S3 refuses to describe the object: its version id is none, or it is encrypted with a key of its owner's (SSE-C)."


@dataclass(frozen=True, slots=True)
class Look:
    """What an object looks like: `facts` where it could be read, and `problem` where it may not be analysed."""

    facts: ObjectFacts | None
    problem: Problem | None


class ObjectStore:
    """S3, for looking."""

    def __init__(self, client: S3Client) -> None:
        self._client: Any = client  # parameters are built as dicts, which the stubs' TypedDicts do not take

    def look(self, video: Video) -> Look:
        """Look at an object; transient errors (throttling, 5xx, time-outs) and unknown ones are raised as they came."""
        for _ in range(LOOKS):
            try:
                return self._look_once(_named(video))
            except ClientError as error:
                fault = fault_of(error)
                if fault is Fault.CHANGED:
                    continue
                return Look(None, _problem(fault, error))
        raise aws_errors.ThrottledError(f"the object was replaced {LOOKS} times while it was looked at")

    def _look_once(self, named: Mapping[str, str]) -> Look:
        head = self._client.head_object(**named)
        facts = ObjectFacts(head["ETag"].strip('"'), head["ContentLength"], head.get("VersionId"))
        problem = objects.eligibility(facts.size, head.get("StorageClass"), head.get("Restore"), head.get("ArchiveStatus"))
        return Look(facts, problem or self._something_else(named, facts))

    def _something_else(self, named: Mapping[str, str], facts: ObjectFacts) -> Problem | None:
        """Return what the object positively is, if that is not a video; all else is Rekognition's to judge."""
        found = objects.not_a_video(self._first_bytes(named, facts), facts.size)
        return (
            None if found is None else Problem(reasons.NOT_A_VIDEO, f"The object is not a video but {found}, by its first bytes.")
        )

    def _first_bytes(self, named: Mapping[str, str], facts: ObjectFacts) -> bytes:
        # IfMatch: what is judged must be what HEAD described.
        answer = self._client.get_object(**named, Range=f"bytes=0-{objects.FIRST_BYTES - 1}", IfMatch=f'"{facts.etag}"')
        with answer["Body"] as body:
            first: bytes = body.read(objects.FIRST_BYTES)
        return first


def _named(video: Video) -> dict[str, str]:
    version = {} if video.version_id is None else {"VersionId": video.version_id}
    return {"Bucket": video.bucket, "Key": video.key, **version}


def _problem(fault: Fault, error: ClientError) -> Problem:
    """Return what an error says about the object; an error that says nothing about it is raised."""
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
