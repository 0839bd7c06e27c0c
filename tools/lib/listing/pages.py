"""Pages of ListObjectsV2 and ListObjectVersions: from XML to columns, without a tree.

One regular expression matches the pages that S3 is known to write, a hundred times as fast as botocore's parser. A page in which
it does not match every entry (from another store, or with another order of elements) is read by an XML parser instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import compress
from xml.etree.ElementTree import Element, ParseError, fromstring

from tools.lib.aws import key_of_form, path_of
from tools.lib.listing.objects import Batch


@dataclass(frozen=True, slots=True)
class Marker:
    """Where the next page begins: a token in a listing of objects, a key and a version in one of versions."""

    token: str = ""
    key: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing.

    Attributes:
        batch: The selected ones of its entries: no delete markers, and only the latest versions unless all are listed.
        entries: The number of all its entries.
        first: The first key of all its entries; "" if there are none.
        last: The last key of all its entries.
        following: Where the next page begins; None if there is none.
    """

    batch: Batch
    entries: int
    first: str
    last: str
    following: Marker | None


# Characters that `urllib.parse.quote` leaves as they are in a path.
_SAFE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~-/"

_CHECKSUM = r"(?:<ChecksumAlgorithm>[^<]*+</ChecksumAlgorithm>)*+(?:<ChecksumType>[^<]*+</ChecksumType>)?+"
_COMMON = (
    r"<LastModified>([^<]*+)</LastModified><ETag>(?:&quot;|&#34;|\")?+([^<&\"]*+)(?:&quot;|&#34;|\")?+</ETag>"
    rf"{_CHECKSUM}<Size>([0-9]++)</Size>(?>(?:<Owner>.*?</Owner>)?)<StorageClass>([^<]*+)</StorageClass>"
)
_OBJECT = re.compile(rf"<Contents><Key>([^<]*+)</Key>{_COMMON}(.*?)</Contents>", re.DOTALL)
_VERSION = re.compile(
    r"<Version><Key>([^<]*+)</Key><VersionId>([^<]*+)</VersionId><IsLatest>([^<]*+)</IsLatest>" + _COMMON + r"(.*?)</Version>",
    re.DOTALL,
)
_KEY = re.compile(r"<Key>([^<]*)</Key>")

# Present only if there is a restored copy (S3 API reference, RestoreStatus).
_RESTORED = re.compile(r"<RestoreExpiryDate>")

# Path or raw key, [version, is latest,] modified, etag, size, storage class, the rest of the entry.
Row = tuple[str, ...]


def objects_page(body: bytes) -> Page:
    """Return a page of ListObjectsV2.

    Raises:
        ValueError: It is not one.
    """
    text = body.decode()
    between, columns = _entries(_OBJECT, text)
    if not _is_encoded(text) or any(between[1:-1]) or "<Contents>" in between[0] or "<Contents>" in between[-1]:
        return _read_slowly(body, versions=False, all_versions=False)
    token = _text_of(text, "NextContinuationToken") if _text_of(text, "IsTruncated") == "true" else None
    following = None if token is None else Marker(token=unescape(token))
    keys = columns[0]
    if not keys:
        return Page(_batch([], versions=False), 0, "", "", following)
    first, last = key_of_form(keys[0]), key_of_form(keys[-1])
    return Page(_batch(columns, versions=False), len(keys), first, last, following)


def versions_page(body: bytes, *, all_versions: bool) -> Page:
    """Return a page of ListObjectVersions: the latest versions, or with `all_versions` all of them.

    Raises:
        ValueError: It is not one.
    """
    text = body.decode()
    between, columns = _entries(_VERSION, text)
    others = "".join(between)  # the delete markers
    if not _is_encoded(text) or not columns[0] or "<Version>" in others:
        return _read_slowly(body, versions=True, all_versions=all_versions)
    keys = [key_of_form(text[text.index(">", at) + 1 : text.index("</Key>", at)]) for at in _ends(text)]
    following = None
    if _text_of(text, "IsTruncated") == "true":
        key = key_of_form(_text_of(text, "NextKeyMarker"))
        following = Marker(key=key, version=unescape(_text_of(text, "NextVersionIdMarker")))
    entries = len(columns[0]) + others.count("<DeleteMarker>")
    if not all_versions:
        latest = [flag == "true" for flag in columns[2]]
        columns = columns if all(latest) else [list(compress(column, latest)) for column in columns]
    return Page(_batch(columns, versions=True), entries, keys[0], keys[-1], following)


def first_key(body: bytes) -> str | None:
    """Return the first key of a page, be it of an object, a version or a delete marker; None if the page is empty."""
    text = body.decode()
    found = _KEY.search(text)
    if found is None:
        return None
    return key_of_form(found[1]) if _is_encoded(text) else unescape(found[1])


def _is_encoded(text: str) -> bool:
    """Tell whether keys are percent-encoded: some stores ignore the request for it."""
    return "<EncodingType>url</EncodingType>" in text


def _ends(text: str) -> tuple[int, int]:
    return text.index("<Key>"), text.rindex("<Key>")


def _text_of(text: str, name: str) -> str:
    """Return the text of an element of the page itself, "" if it has none; no entry has an element of that name."""
    begin = text.find(f"<{name}>")
    return "" if begin < 0 else text[begin + len(name) + 2 : text.index("</", begin)]


def _entries(entry: re.Pattern[str], text: str) -> tuple[list[str], list[list[str]]]:
    """Return the text before, between and after the entries of a page, and the pattern's groups as columns.

    `split` returns one flat list: a tuple for each entry would cost a sixth of a listing's time in the garbage collector.
    """
    parts = entry.split(text)
    step = entry.groups + 1
    return parts[::step], [parts[place::step] for place in range(1, step)]


def _batch(columns: Sequence[Sequence[str]], *, versions: bool) -> Batch:
    if not columns or not columns[0]:
        return Batch((), (), () if versions else None, (), (), ())
    version_ids = columns[1] if versions else None
    paths, (modified, etags, sizes, classes, rests) = columns[0], columns[-5:]  # a version also has IsLatest
    return Batch(_paths(paths), list(map(int, sizes)), version_ids, classes, etags, modified, _restored(rests))


def _paths(encoded: Sequence[str]) -> Sequence[str]:
    """Return paths from S3's encoding, which is that of forms (`+` is a space) and leaves other characters unencoded than ours."""
    if not "".join(encoded).encode().translate(None, _SAFE):
        return encoded
    return [path_of(key_of_form(text)) for text in encoded]


def _restored(rests: Sequence[str]) -> Sequence[bool] | None:
    return [bool(_RESTORED.search(rest)) for rest in rests] if any(rests) else None


# --- by an XML parser ---------------------------------------------------------------------------------------------------


def _read_slowly(body: bytes, *, versions: bool, all_versions: bool) -> Page:
    try:
        root = fromstring(body)  # noqa: S314 - expat of any Python >= 3.11 refuses the known bombs, and the store is the user's own
    except ParseError as error:
        raise ValueError(f"it is not XML ({error})") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.tag != ("ListVersionsResult" if versions else "ListBucketResult"):
        raise ValueError(f"an element {root.tag} is not a page of one")
    encoded = root.findtext("EncodingType") == "url"
    kinds = ("Version", "DeleteMarker") if versions else ("Contents",)
    entries = [element for element in root if element.tag in kinds]
    keys = [_decoded(element.findtext("Key", ""), encoded=encoded) for element in entries]
    columns = list(zip(*_rows(entries, keys, versions=versions, all_versions=all_versions), strict=True))
    following = _following(root, encoded=encoded)
    return Page(_batch(columns, versions=versions), len(entries), keys[0] if keys else "", keys[-1] if keys else "", following)


def _rows(entries: Sequence[Element], keys: Sequence[str], *, versions: bool, all_versions: bool) -> Iterator[Row]:
    for element, key in zip(entries, keys, strict=True):
        latest = element.findtext("IsLatest", "")
        if element.tag == "DeleteMarker" or (versions and not all_versions and latest != "true"):
            continue
        yield (
            path_of(key),
            *((element.findtext("VersionId", "null"), latest) if versions else ()),
            element.findtext("LastModified", ""),
            element.findtext("ETag", "").strip('"'),
            element.findtext("Size", "0"),
            element.findtext("StorageClass", "STANDARD"),
            "<RestoreExpiryDate>" if element.find("RestoreStatus/RestoreExpiryDate") is not None else "",
        )


def _following(root: Element, *, encoded: bool) -> Marker | None:
    if root.findtext("IsTruncated") != "true":
        return None
    key = _decoded(root.findtext("NextKeyMarker", ""), encoded=encoded)
    return Marker(root.findtext("NextContinuationToken", ""), key, root.findtext("NextVersionIdMarker", ""))


def _decoded(text: str, *, encoded: bool) -> str:
    return key_of_form(text) if encoded else text
