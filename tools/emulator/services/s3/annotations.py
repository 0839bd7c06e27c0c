"""Annotations of objects: named texts beside an object, since June 2026.

Sources: botocore's model of the four operations [bc:s3 PutObjectAnnotation] and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/annotations-overview.html and annotations-managing.html. What none of them
says is in docs/aws.md#14-events-tags-annotations-and-bucket-policies.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import threading
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from tools.emulator.core import refuse
from tools.emulator.services.s3.errors import S3Error

MAX_ANNOTATIONS = 1_000  # of an object's version
MAX_NAME_BYTES = 512
MAX_BYTES = 1024 * 1024
_SYMBOLS = frozenset("_.-")
_RESERVED = ("aws", "s3")
_CHECKSUM = "x-amz-checksum-"
# Headers of that prefix that are no checksums.
_ABOUT_CHECKSUMS = (f"{_CHECKSUM}mode", f"{_CHECKSUM}type", f"{_CHECKSUM}algorithm")

# The attribute of moto's object that holds its annotations, which therefore end with it, and are kept with it.
_ATTRIBUTE = "offline_world_annotations"
# Held while annotations are changed: requests come in several threads.
_changing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation of an object."""

    payload: bytes
    modified: float  # in epoch seconds
    checksum: tuple[str, str] | None  # the algorithm in lower case, and its value in base64

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.payload, usedforsecurity=False).hexdigest()}"'

    def checksum_headers(self) -> dict[str, str]:
        """Return the headers with the checksum of the whole payload."""
        if self.checksum is None:
            return {}
        algorithm, value = self.checksum
        return {f"{_CHECKSUM}{algorithm}": value, f"{_CHECKSUM}type": "FULL_OBJECT"}


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the annotations of an object, by name; `token` continues behind it, if there are more."""

    entries: tuple[tuple[str, Annotation], ...]
    token: str | None


def annotations_of(stored: Any) -> dict[str, Annotation]:  # noqa: ANN401 - moto's object
    """Return an object's annotations by name."""
    return dict(getattr(stored, _ATTRIBUTE, ()))


def set_annotations(stored: Any, annotations: Mapping[str, Annotation]) -> None:  # noqa: ANN401 - moto's object
    """Replace all of an object's annotations."""
    setattr(stored, _ATTRIBUTE, dict(annotations))


def put_annotation(stored: Any, name: str, payload: bytes, headers: Mapping[str, str], *, now: float, too_large: str) -> Annotation:  # noqa: ANN401 - moto's object
    """Put an annotation on an object and return it.

    Raises:
        S3Error: S3 would not take it; `too_large` is the code for a payload of more than 1 MiB.
        UnsupportedError: Its checksum is of an algorithm that the offline world lacks.
    """
    check_name(name)
    if not payload:
        raise S3Error("InvalidRequest", "An annotation payload must have at least 1 byte.")
    if len(payload) > MAX_BYTES:
        raise S3Error(too_large, "An annotation payload must not be larger than 1 MiB.")
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        message = "The annotation payload is not valid UTF-8 encoded text."
        raise S3Error("UnsupportedMediaType", message, HTTPStatus.UNSUPPORTED_MEDIA_TYPE) from error
    made = Annotation(payload, now, _checked(payload, headers))
    with _changing:
        annotations = annotations_of(stored) | {name: made}
        if len(annotations) > MAX_ANNOTATIONS:
            message = "The request would exceed the maximum number of annotations allowed per object."
            raise S3Error("AnnotationLimitExceeded", message)
        set_annotations(stored, annotations)
    return made


def get_annotation(stored: Any, name: str) -> Annotation:  # noqa: ANN401 - moto's object
    """Return an annotation of an object.

    Raises:
        S3Error: There is none, or the name is not one.
    """
    check_name(name)
    found = annotations_of(stored).get(name)
    if found is None:
        message = "The specified annotation does not exist on this object."
        raise S3Error("NoSuchAnnotation", message, HTTPStatus.NOT_FOUND)
    return found


def delete_annotation(stored: Any, name: str) -> None:  # noqa: ANN401 - moto's object
    """Delete an annotation of an object, if it has it: the API model has no error for a missing one."""
    check_name(name)
    with _changing:
        set_annotations(stored, {each: one for each, one in annotations_of(stored).items() if each != name})


def list_annotations(stored: Any, prefix: str, most: int, token: str) -> Page:  # noqa: ANN401 - moto's object
    """Return up to `most` annotations with a prefix, in the order of the bytes of their names, behind a token's.

    Raises:
        S3Error: The prefix cannot be that of a name, or the token is not one of ours.
    """
    if prefix and not _is_named_right(prefix):
        raise S3Error("InvalidPrefix", "The annotation prefix you provided is invalid.")
    after = _decoded(token)
    found = sorted(((name, one) for name, one in annotations_of(stored).items() if name.startswith(prefix)), key=_bytes_of_name)
    rest = [each for each in found if not token or _bytes_of_name(each) > after]
    page = tuple(rest[:most])
    more = len(rest) > most
    return Page(page, base64.urlsafe_b64encode(_bytes_of_name(page[-1])).decode() if more else None)


def _bytes_of_name(entry: tuple[str, Annotation]) -> bytes:
    return entry[0].encode()


def _decoded(token: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(token)
    except ValueError as error:
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect") from error


def check_name(name: str) -> None:
    """Refuse what cannot be an annotation's name.

    Raises:
        S3Error: InvalidAnnotationName or AnnotationNameTooLong.
    """
    if len(name.encode()) > MAX_NAME_BYTES:
        raise S3Error("AnnotationNameTooLong", "The annotation name exceeds 512 bytes.")
    if not name or not _is_named_right(name) or name.lower().startswith(_RESERVED):
        raise S3Error("InvalidAnnotationName", "The annotation name you provided is invalid.")


def _is_named_right(text: str) -> bool:
    fits = len(text.encode()) <= MAX_NAME_BYTES
    return fits and all(one in _SYMBOLS or one.isalpha() or unicodedata.category(one) == "Nd" for one in text)


def _checked(payload: bytes, headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the checksum that a request states, if it is right."""
    md5 = headers.get("content-md5")
    if md5 and md5 != base64.b64encode(hashlib.md5(payload, usedforsecurity=False).digest()).decode():
        raise S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.")
    for header, stated in headers.items():
        if header.startswith(_CHECKSUM) and header not in _ABOUT_CHECKSUMS:
            algorithm = header.removeprefix(_CHECKSUM)
            if stated != _checksum(payload, algorithm):
                raise S3Error("BadDigest", f"The {algorithm.upper()} you specified did not match the calculated checksum.")
            return algorithm, stated
    return None


def _checksum(payload: bytes, algorithm: str) -> str:
    if algorithm == "crc32":
        digest = binascii.crc32(payload).to_bytes(4, "big")
    elif algorithm in ("sha1", "sha256", "sha512", "md5"):
        digest = hashlib.new(algorithm, payload, usedforsecurity=False).digest()
    else:
        raise refuse("s3", f"the checksum {algorithm.upper()} of annotations")
    return base64.b64encode(digest).decode()
