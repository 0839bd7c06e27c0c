"""Tags of objects: which S3 takes, in the body of PutObjectTagging and in the header `x-amz-tagging`.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html; the pattern of the characters is that of other
services' API references [bc:iam Tag], the guide gives it in words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree as ET

from tools.emulator.services.s3.errors import S3Error, malformed_xml

MAX_TAGS = 10
MAX_KEY = 128  # positions of UTF-16
MAX_VALUE = 256
HEADER = "x-amz-tagging"

Tags = dict[str, str]

# The attribute of moto's object that holds its tags, which therefore end with it, and are kept with it.
_ATTRIBUTE = "offline_world_tags"
_SYMBOLS = frozenset("_.:/=+-@")
_CATEGORIES = frozenset("LZN")  # letters, separators, numbers


def tags_of(stored: Any) -> Tags:  # noqa: ANN401 - moto's object
    """Return an object's tags."""
    return dict(getattr(stored, _ATTRIBUTE, ()))


def set_tags(stored: Any, tags: Tags) -> None:  # noqa: ANN401 - moto's object
    """Replace all of an object's tags."""
    setattr(stored, _ATTRIBUTE, dict(tags))


def from_xml(body: bytes) -> Tags:
    """Return the tags in the body of PutObjectTagging.

    Raises:
        S3Error: S3 would not take them.
    """
    try:
        tagging = ET.fromstring(body)  # noqa: S314 - expat limits what entities expand to
    except ET.ParseError as error:
        raise malformed_xml() from error
    if _name(tagging) != "Tagging" or [_name(one) for one in tagging] != ["TagSet"]:
        raise malformed_xml()
    return _checked(map(_pair, tagging[0]))


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _pair(tag: ET.Element) -> tuple[str, str]:
    texts = {_name(one): one.text or "" for one in tag}
    if _name(tag) != "Tag" or set(texts) != {"Key", "Value"} or len(tag) != len(texts):
        raise malformed_xml()
    return texts["Key"], texts["Value"]


def from_header(text: str) -> Tags:
    """Return the tags in the header `x-amz-tagging`, which is encoded as the query of a URL; a key without `=` has no value.

    Raises:
        S3Error: S3 would not take them.
    """
    pairs = []
    for part in filter(None, text.split("&")):
        key, _, value = part.partition("=")
        if "=" in value:
            raise _malformed_header(text)
        pairs.append((_decoded(key, text), _decoded(value, text)))
    if len({key for key, _ in pairs}) < len(pairs):
        raise _malformed_header(text)
    return _checked(pairs)


def _decoded(part: str, header: str) -> str:
    try:
        return unquote_to_bytes(part.replace("+", " ")).decode()
    except UnicodeDecodeError as error:
        raise _malformed_header(header) from error


def _malformed_header(text: str) -> S3Error:
    return S3Error(
        "InvalidArgument",
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
        ArgumentName=HEADER,
        ArgumentValue=text,
    )


def _checked(pairs: Iterable[tuple[str, str]]) -> Tags:
    pairs = list(pairs)
    if len(pairs) > MAX_TAGS:
        raise S3Error("BadRequest", "Object tags cannot be greater than 10")
    tags: Tags = {}
    for key, value in pairs:
        if key in tags:
            raise S3Error("InvalidTag", "Cannot provide multiple Tags with the same key", TagKey=key)
        if key.startswith("aws:"):
            raise S3Error("InvalidTag", "Your TagKey cannot be prefixed with aws:", TagKey=key)
        if not key or not _fits(key, MAX_KEY):
            raise S3Error("InvalidTag", "The TagKey you have provided is invalid", TagKey=key)
        if not _fits(value, MAX_VALUE):
            raise S3Error("InvalidTag", "The TagValue you have provided is invalid", TagKey=key, TagValue=value)
        tags[key] = value
    return tags


def _fits(text: str, most: int) -> bool:
    positions = len(text.encode("utf-16-le", "surrogatepass")) // 2
    return positions <= most and all(one in _SYMBOLS or unicodedata.category(one)[0] in _CATEGORIES for one in text)
