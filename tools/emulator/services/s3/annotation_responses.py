"""The four operations on annotations, as the wire carries them [bc:s3 PutObjectAnnotation]."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from xml.sax.saxutils import escape

from moto.s3.models import FakeBucket, FakeKey

from tools.emulator.services.s3.annotations import (
    MAX_ANNOTATIONS,
    Annotation,
    check_name,
    delete_annotation,
    get_annotation,
    list_annotations,
    put_annotation,
)
from tools.emulator.services.s3.authorization import Authorization
from tools.emulator.services.s3.errors import S3Error, no_such_key, precondition_failed
from tools.emulator.services.s3.lookup import find_or_raise
from tools.emulator.services.s3.notifications import Notifications

Answer = tuple[int, dict[str, str], str | bytes]

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_IF_MATCH = "x-amz-object-if-match"
_XML = {"content-type": "application/xml"}


def answer(method: str, bucket: FakeBucket, key: str, asks: Authorization, body: bytes, world: Notifications) -> Answer:  # noqa: PLR0917 - a request
    """Answer a request on the annotations of an object.

    Raises:
        S3Error: S3 would refuse it.
        UnsupportedError: It has a checksum of an algorithm that the offline world lacks.
    """
    name = asks.query.get("annotationName")
    if name is not None:
        check_name(name)
    stored = _stored(bucket, key, asks, method, world.settings.annotation_deleted_error)
    headers = {"x-amz-object-version-id": str(stored.version_id)} if bucket.versioning_status is not None else {}
    if method == "GET" and name is None:
        return int(HTTPStatus.OK), headers | _XML, _listing(bucket, stored, asks)
    if name is None:
        raise S3Error("InvalidAnnotationName", "The annotation name you provided is invalid.")
    if method == "GET":
        found = get_annotation(stored, name)
        show_checksum = asks.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"
        return int(HTTPStatus.OK), headers | _headers(stored, found, checksum=show_checksum), found.payload
    _check_unchanged(stored, asks)
    if method == "DELETE":
        delete_annotation(stored, name)
        return int(HTTPStatus.NO_CONTENT), headers, ""
    too_large = world.settings.annotation_too_large_error
    made = put_annotation(stored, name, body, asks.headers, now=world.clock.now(), too_large=too_large)
    named = f"<Key>{escape(key)}</Key><AnnotationName>{escape(name)}</AnnotationName>"
    return (
        int(HTTPStatus.OK),
        headers | _encryption(stored) | {"ETag": made.etag} | made.checksum_headers() | _XML,
        _document("PutObjectAnnotationOutput", named),
    )


def _stored(bucket: FakeBucket, key: str, asks: Authorization, method: str, deleted_error: str) -> FakeKey:
    version = asks.query.get("versionId")
    try:
        return find_or_raise(bucket, key, version, method)
    except S3Error as error:
        if error.code == "MethodNotAllowed" and version is None and deleted_error != error.code:
            raise no_such_key(key) from error
        raise


def _check_unchanged(stored: FakeKey, asks: Authorization) -> None:
    """Raise an error if a request is for an object with another etag."""
    expected = asks.headers.get(_IF_MATCH)
    if expected is not None and expected.strip('"') != str(stored.etag).strip('"'):
        raise precondition_failed()


def _headers(stored: FakeKey, found: Annotation, *, checksum: bool) -> dict[str, str]:
    modified = datetime.fromtimestamp(int(found.modified), UTC)
    return {
        "content-type": "binary/octet-stream",
        "content-length": str(len(found.payload)),
        "last-modified": format_datetime(modified, usegmt=True),
        "ETag": found.etag,
        **_encryption(stored),
        **(found.checksum_headers() if checksum else {}),
    }


def _encryption(stored: FakeKey) -> dict[str, str]:
    """Return the header with the encryption, which is the object's, and SSE-S3 for one without."""
    return {"x-amz-server-side-encryption": stored.encryption or "AES256"}


def _listing(bucket: FakeBucket, stored: FakeKey, asks: Authorization) -> str:
    prefix, token = asks.query.get("annotation-prefix", ""), asks.query.get("continuation-token", "")
    most = _most(asks.query.get("max-annotation-results", str(MAX_ANNOTATIONS)))
    page = list_annotations(stored, prefix, most, token)
    entries = "".join(_entry(name, one) for name, one in page.entries)
    optional = {"AnnotationPrefix": prefix, "ContinuationToken": token, "NextContinuationToken": page.token}
    more = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in optional.items() if value)
    return _document(
        "ListObjectAnnotationsOutput",
        f"<Annotations>{entries}</Annotations><Bucket>{bucket.name}</Bucket><Key>{escape(stored.name)}</Key>"
        f"<MaxAnnotationResults>{most}</MaxAnnotationResults><AnnotationCount>{len(page.entries)}</AnnotationCount>{more}",
    )


def _most(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_ANNOTATIONS:
        raise S3Error("InvalidArgument", "max-annotation-results must be from 1 to 1000")
    return int(text)


def _entry(name: str, found: Annotation) -> str:
    modified = datetime.fromtimestamp(int(found.modified), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    algorithm = "" if found.checksum is None else f"<ChecksumAlgorithm>{found.checksum[0].upper()}</ChecksumAlgorithm>"
    return (
        f"<AnnotationEntry><AnnotationName>{escape(name)}</AnnotationName><LastModified>{modified}</LastModified>"
        f"<ETag>{escape(found.etag)}</ETag>{algorithm}<Size>{len(found.payload)}</Size></AnnotationEntry>"
    )


def _document(root: str, content: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_NAMESPACE}">{content}</{root}>'
