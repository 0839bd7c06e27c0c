"""What CopyObject takes along: the source's tags and annotations, as its directives say.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html and botocore's model of it
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from moto.s3.models import FakeBucket, FakeKey, S3Backend

from tools.emulator.services.s3 import actions
from tools.emulator.services.s3.annotations import annotations_of, set_annotations
from tools.emulator.services.s3.authorization import Authorization
from tools.emulator.services.s3.errors import S3Error
from tools.emulator.services.s3.lookup import find
from tools.emulator.services.s3.tags import HEADER as TAGGING
from tools.emulator.services.s3.tags import Tags, from_header, set_tags, tags_of

HEADER = "x-amz-copy-source"
_TAGS = "x-amz-tagging-directive"
_ANNOTATIONS = "x-amz-object-annotation-directive"


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of an object, or of a part of one.

    Attributes:
        bucket: The bucket of the source.
        source: The source.
        named: Whether the request names the source's version.
        new_tags: The tags that replace the source's; None if those are copied.
        with_annotations: Whether the annotations are copied.
    """

    bucket: FakeBucket
    source: FakeKey
    named: bool
    new_tags: Tags | None
    with_annotations: bool
    asks: Authorization

    @classmethod
    def of(cls, backend: S3Backend, asks: Authorization) -> Copy | None:
        """Read a request; None if there is no such source, which moto answers.

        Raises:
            S3Error: A directive or a tag is not valid.
        """
        path = urlsplit(asks.headers[HEADER])
        bucket_name, _, key = unquote(path.path).lstrip("/").partition("/")
        version = parse_qs(path.query).get("versionId", [None])[0]
        bucket = backend.buckets.get(bucket_name)
        source = None if bucket is None else find(bucket, key, version)
        part = "uploadId" in asks.query
        replaced = _directive(asks, _TAGS, "Unknown tagging directive.", ("COPY", "REPLACE")) == "REPLACE" or part
        excluded = _directive(asks, _ANNOTATIONS, "Unknown annotation directive.", ("COPY", "EXCLUDE")) == "EXCLUDE" or part
        if bucket is None or source is None:
            return None
        tags = from_header(asks.headers.get(TAGGING, "")) if replaced else None
        return cls(bucket, source, version is not None, tags, not excluded, asks)

    def authorize(self, bucket: FakeBucket, key: str, *, shown_tags: bool) -> None:
        """Raise an error unless the source may be read and what is copied along may be put; `shown_tags` as the setting says.

        Raises:
            S3Error: AccessDenied.
        """
        tags = tags_of(self.source) if self.new_tags is None else {}
        along = bool(annotations_of(self.source)) and self.with_annotations
        for reading, writing in actions.on_copy_source(version=self.named, tags=bool(tags), annotations=along):
            self.asks.require(self.bucket, reading, self.source.name, self.source)
            if writing is not None:
                self.asks.require(bucket, writing, key, None, tags if shown_tags else None)

    def complete(self, made: FakeKey) -> None:
        """Give the new object what is copied along."""
        set_tags(made, tags_of(self.source) if self.new_tags is None else self.new_tags)
        set_annotations(made, annotations_of(self.source) if self.with_annotations else {})


def _directive(asks: Authorization, name: str, fault: str, values: tuple[str, str]) -> str:
    given = asks.headers.get(name, values[0])
    if given not in values:
        raise S3Error("InvalidArgument", fault, ArgumentName=name, ArgumentValue=given)
    return given
