"""Users' own manifests, in the format of S3 Batch Operations (`manifests/README.md`): each row is checked before anything is done.

Valid rows are written again in our own encoding, so S3 takes any manifest that passes.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import BinaryIO

from tools.lib.aws import key_of_form
from tools.lib.errors import ToolError
from tools.lib.manifest.sources.named import Named, fault_of
from tools.lib.manifest.sources.reading import TooLongError, blocks, is_utf16, pieces
from tools.lib.text import counted, printable

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,254}")
_HEADER = re.compile(r"\W*bucket([ _-]?name)?\W*", re.IGNORECASE)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_COLUMNS = (2, 3)
_SHOWN = 40


class OwnManifest:
    """A manifest while its rows are read.

    Attributes:
        bucket: The bucket that all rows must name; if None, the first row sets it.
        plus: How many keys have a `+`, which is read as a space, as S3's reader and our function do.
    """

    def __init__(self, name: str, bucket: str | None) -> None:
        self.bucket = bucket
        self.plus = 0
        self._name = name
        self._columns: int | None = None

    def rows(self, source: BinaryIO) -> Iterator[Named]:
        """Yield the objects that the rows name.

        Raises:
            ToolError: A row is not valid; the message has its line number.
        """
        number = 0
        try:
            for number, line in enumerate(pieces(blocks(source), b"\n"), 1):
                yield self._row(number, line)
        except TooLongError as error:
            raise self._refusal(error.number, "is longer than a row can be", "Rows end in a line feed.") from error
        if not number:
            raise ToolError(f"{printable(self._name)} names no object.", cure="Write a row for each: bucket,key.")

    def warnings(self) -> list[str]:
        if not self.plus:
            return []
        keys = "1 key of the manifest has" if self.plus == 1 else f"{self.plus:,} keys of the manifest have"
        return [f"{keys} a +, which means a space there; a plus is written %2B."]

    def _row(self, number: int, line: bytes) -> Named:
        if number == 1 and is_utf16(line):
            raise self._refusal(1, "is UTF-16", "Save the manifest as UTF-8 without a byte order mark.")
        if number == 1 and line.startswith(_BYTE_ORDER_MARK):
            raise self._refusal(1, "begins with a byte order mark", "Save it as UTF-8 without one.")
        try:
            # S3 takes rows that end in CRLF too.
            text = line.removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._refusal(number, "is not UTF-8", "Save the manifest as UTF-8.") from error
        return self._named(number, self._fields(number, text))

    def _fields(self, number: int, text: str) -> list[str]:
        if not text:
            raise self._refusal(number, "is blank", "Remove it.")
        if "\r" in text or "\0" in text:
            raise self._refusal(number, "holds a control character", "Percent-encode the key.")
        try:
            [fields] = csv.reader([text], strict=True)
        except (csv.Error, ValueError) as error:
            raise self._refusal(
                number, f"is not a row of CSV ({error})", "Percent-encode the key; then it needs no quotes."
            ) from error
        if len(fields) not in _COLUMNS or len(fields) != (self._columns or len(fields)):
            expected = "2 or 3" if self._columns is None else f"{self._columns} like those before it"
            cure = "Each row is bucket,key or bucket,key,version, the same in all; a comma in a key is written %2C."
            raise self._refusal(number, f"has {counted(len(fields), 'column')}, not {expected}", cure)
        self._columns = len(fields)
        if any(field != field.strip() for field in fields):
            raise self._refusal(
                number, "has spaces at the beginning or end of a field", "Remove them; in a key a space is written %20."
            )
        return fields

    def _named(self, number: int, fields: list[str]) -> Named:
        bucket, path, *version = fields
        self._check_bucket(number, bucket)
        if _BROKEN_ESCAPE.search(path):
            cure = "Percent-encode the whole key: a % itself is written %25."
            raise self._refusal(number, "has a % in its key without two hexadecimal digits", cure)
        try:
            key = key_of_form(path)
        except UnicodeDecodeError as error:
            raise self._refusal(number, "has a key that is not percent-encoded UTF-8", "Encode it as UTF-8.") from error
        if fault := fault_of(key):
            raise self._refusal(number, fault, "Correct the key, or remove the row.")
        if version == [""]:
            cure = 'Either all rows have a version or none; "null" is that of an object older than versioning.'
            raise self._refusal(number, "has no version", cure)
        self.plus += "+" in path
        return Named(number, key, version[0] if version else None)

    def _check_bucket(self, number: int, bucket: str) -> None:
        if number == 1 and _HEADER.fullmatch(bucket) and bucket != self.bucket:
            raise self._refusal(1, "is a header: S3 would take it for a bucket", "Remove it.")
        if not _BUCKET.fullmatch(bucket):
            raise self._refusal(
                number, f"begins with {bucket[:_SHOWN]!r}, which is not a bucket's name", "Begin each row with the bucket."
            )
        self.bucket = self.bucket or bucket
        if bucket != self.bucket:
            cure = "Make a manifest and a scan for each bucket; omit --bucket, or name the bucket of the manifest."
            raise self._refusal(number, f"names the bucket {bucket}, not {self.bucket}", cure)

    def _refusal(self, number: int, what: str, cure: str) -> ToolError:
        return ToolError(f"{printable(self._name)}, line {number:,} {what}.", cure=cure)
