"""What is written on objects after their scan: one tag among those of others, and an annotation.

PutObjectTagging replaces all tags and has no condition (botocore s3 PutObjectTagging), so tags are read, merged, written and read
again. Without versions the content may be replaced between two requests; then the tag is taken off what it does not belong to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, ThrottledError, code_of, fault_of
from handlers.domain import ObjectFacts, Video, consequence, reasons
from handlers.domain.consequence import ANNOTATION, TAG_KEY, ObjectStatus

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_s3 import S3Client

# Attempts to write a tag that others overwrite.
WRITES = 3

# Reasons of our own why an object was not marked, besides AWS's codes.
TAGS_FULL = "tags-full"
CONTENT_UNKNOWN = "content-unknown"

# An answer to HEAD has no body, so its code is the bare status.
_BY_HEAD = {Fault.MISSING: "NoSuchKey", Fault.FORBIDDEN: "AccessDenied"}

# Another request changes the same object (S3 API reference, ErrorResponses).
_CONFLICTS = frozenset({"OperationAborted", "ConditionalRequestConflict"})

Tags = dict[str, str]
# The status that the table knows of a content, by its etag.
StatusOf = Callable[[str], ObjectStatus | None]


class NotMarkedError(Exception):
    """An object cannot be marked; `reason` is AWS's code or one of ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ObjectMarks:
    """The tags and annotations of objects in all source buckets; transient errors are raised unchanged."""

    def __init__(self, client: S3Client) -> None:
        self._client: Any = client  # parameters are built as dicts, which the stubs' TypedDicts do not take

    def tag(self, video: Video, facts: ObjectFacts | None, status: ObjectStatus, status_of: StatusOf) -> None:
        """Tag the content that was analysed, in its version if it has one.

        Raises:
            NotMarkedError: S3 refuses, there are ten other tags, or another content is there by now.
        """
        named = _named(video, facts)
        if not consequence.keeps_content(named.get("VersionId")):
            named = self._still_the_same(named, facts, status_of)
        kept = consequence.keeps_content(named.get("VersionId"))
        # A tag that says clean and is lost to another writer leaves the object no more readable: not worth another request.
        self._set(named, status, read_back=kept or status is not ObjectStatus.NO_FLAGS_FOUND)
        if not kept:
            self._still_the_same(named, facts, status_of)

    def annotate(self, video: Video, facts: ObjectFacts | None, payload: str) -> None:
        """Write the annotation, only if the object still has the content that was analysed.

        Raises:
            NotMarkedError: S3 refuses, or another content is there by now.
        """
        if facts is None:
            raise NotMarkedError(CONTENT_UNKNOWN)
        with _refusals():
            self._client.put_object_annotation(
                **_named(video, facts),
                AnnotationName=ANNOTATION,
                AnnotationPayload=payload.encode(),
                ObjectIfMatch=f'"{facts.etag}"',
            )

    def _still_the_same(self, named: Mapping[str, str], facts: ObjectFacts | None, status_of: StatusOf) -> dict[str, str]:
        """Return the object's name, with the version that its content has by now; raise an error if it has another content."""
        if facts is None:
            raise NotMarkedError(CONTENT_UNKNOWN)
        etag, found = self._look(named)
        if etag == facts.etag:
            return found
        for _ in range(WRITES):
            if not self._corrected(named, status_of(etag)):
                raise NotMarkedError(reasons.CHANGED)
            # What was corrected may have been replaced as well.
            etag, _ = self._look(named)
        raise ThrottledError(f"another content was put in its place {WRITES} times")

    def _look(self, named: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Return the etag of the content that is there, and its name, with its version if it has one."""
        with _refusals():
            head = self._client.head_object(**named)
        version = head.get("VersionId")
        return head["ETag"].strip('"'), {**named, **({"VersionId": version} if consequence.keeps_content(version) else {})}

    def _corrected(self, named: Mapping[str, str], status: ObjectStatus | None) -> bool:
        """Give another content the tag that it has by its own record, or none; return False if its tag is right."""
        tags = self._tags(named)
        if TAG_KEY not in tags or tags[TAG_KEY] == status:
            return False
        right = {} if status is None else {TAG_KEY: status.value}
        self._put({**{key: value for key, value in tags.items() if key != TAG_KEY}, **right}, named)
        return True

    def _set(self, named: Mapping[str, str], status: ObjectStatus, *, read_back: bool) -> None:
        for _ in range(WRITES):
            tags = self._tags(named)
            if tags.get(TAG_KEY) == status:
                return
            merged = consequence.merged(tags, status)
            if merged is None:
                raise NotMarkedError(TAGS_FULL)
            self._put(merged, named)
            if not read_back:
                return
        if self._tags(named).get(TAG_KEY) != status:
            raise ThrottledError(f"another writer replaced the tags {WRITES} times")

    def _tags(self, named: Mapping[str, str]) -> Tags:
        with _refusals():
            answer = self._client.get_object_tagging(**named)
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    def _put(self, tags: Tags, named: Mapping[str, str]) -> None:
        tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
        with _refusals():
            self._client.put_object_tagging(**named, Tagging={"TagSet": tag_set})


def _named(video: Video, facts: ObjectFacts | None) -> dict[str, str]:
    version = (facts.version_id if facts else None) or video.version_id
    return {"Bucket": video.bucket, "Key": video.key, **({"VersionId": version} if version else {})}


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn refusals into `NotMarkedError`; what may pass by itself is raised unchanged."""
    try:
        yield
    except ClientError as error:
        fault, code = fault_of(error), code_of(error)
        if fault.transient:
            raise
        if code in _CONFLICTS:
            raise ThrottledError(code) from error
        if fault is Fault.CHANGED:
            raise NotMarkedError(reasons.CHANGED) from error
        raise NotMarkedError(_BY_HEAD.get(fault, code) if code.isdigit() else code) from error
