"""CSV manifests (`S3BatchOperations_CSV_20180820`), read as S3 Batch Operations does: strictly, and without decoding keys.

This parser judges the code that writes manifests and reads tasks, so it shares nothing with that code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

MAX_KEY_BYTES = 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_FIELD = re.compile(r'"((?:[^"]|"")*)"|(?!")([^,"]*)')  # quoted or not
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class ManifestError(Exception):
    """The manifest cannot be used; the message is the job's failure reason."""


class Row(NamedTuple):
    """One object to process: the key as the manifest has it, version None if the manifest has no such column."""

    bucket: str
    key: str
    version_id: str | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A valid manifest; `descriptor` is DescribeJob's GeneratedManifestDescriptor if S3 generated and wrote it."""

    body: bytes
    fields: tuple[str, ...]
    rows: int
    descriptor: dict[str, Any] | None = None

    def read(self) -> Iterator[Row]:
        return rows(self.body, self.fields)


def rows(body: bytes, fields: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a manifest, one at a time.

    Raises:
        ManifestError: The fields are not valid, or a row is malformed; the message names the line.
    """
    bucket_at, key_at, version_at = _columns(fields)
    if body.startswith(BYTE_ORDER_MARK):
        raise _malformed(1, "begins with a byte order mark")
    for number, values in _lines(body):
        if len(values) != len(fields):
            raise _malformed(number, f"has {len(values)} columns, the job's Fields name {len(fields)}")
        row = Row(values[bucket_at], values[key_at], None if version_at is None else values[version_at])
        _check(number, row)
        yield row


def check(body: bytes, fields: Sequence[str]) -> int:
    """Read a whole manifest and return how many rows it has.

    Raises:
        ManifestError: It is malformed, empty, or names more than one bucket.
    """
    count, bucket = 0, ""
    for count, row in enumerate(rows(body, fields), 1):
        bucket = bucket or row.bucket
        if row.bucket != bucket:
            raise ManifestError(f"Invalid Manifest Content: row {count} names bucket {row.bucket}, the rows before it {bucket}")
    if not count:
        raise ManifestError("Invalid Manifest Content: the manifest lists no object")
    return count


def _columns(fields: Sequence[str]) -> tuple[int, int, int | None]:
    missing = [name for name in ("Bucket", "Key") if name not in fields]
    if missing:
        raise ManifestError(f"Required fields are missing in the schema: {', '.join(missing)}")
    for name in ("Bucket", "Key", "VersionId"):
        if fields.count(name) > 1:
            raise ManifestError(f"Manifest file is not properly formatted: Fields name {name} more than once")
    return fields.index("Bucket"), fields.index("Key"), fields.index("VersionId") if "VersionId" in fields else None


def _lines(body: bytes) -> Iterator[tuple[int, list[str]]]:
    start, number = 0, 0
    while start < len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        number += 1
        line = body[start:end].removesuffix(b"\r")
        start = end + 1
        try:
            yield number, _split(number, line.decode("utf-8"))
        except UnicodeDecodeError:
            raise _malformed(number, "is not UTF-8") from None


def _split(number: int, line: str) -> list[str]:
    if not line:
        raise _malformed(number, "is blank")
    if "\r" in line or "\0" in line:
        raise _malformed(number, "holds a control character")
    if '"' not in line:
        return line.split(",")
    return _split_quoted(number, line)


def _split_quoted(number: int, line: str) -> list[str]:
    """Split a line with quoted fields (RFC 4180, but no field continues on the next line)."""
    values, at = [], 0
    while (found := _FIELD.match(line, at)) is not None:
        values.append(found[2] if found[1] is None else found[1].replace('""', '"'))
        at = found.end() + 1
        if found.end() == len(line):
            return values
        if line[found.end()] != ",":
            raise _malformed(
                number, "has a quote inside an unquoted field" if found[1] is None else "goes on after a closing quote"
            )
    raise _malformed(number, "leaves a quote open")


def _check(number: int, row: Row) -> None:
    for value in row:
        if value is not None and value != value.strip():
            raise _malformed(number, "has spaces at the edge of a field")
    if not _BUCKET.fullmatch(row.bucket):
        raise ManifestError(
            f"Invalid Manifest Content: line {number}: {_shown(row.bucket)} is not a bucket (a manifest has no header)"
        )
    if not row.key:
        raise ManifestError(f"Invalid object key format: line {number} has an empty key")
    if _BROKEN_ESCAPE.search(row.key):
        raise ManifestError(f"Invalid object key format: line {number} is not URL-encoded: a % without two hexadecimal digits")
    if len(row.key) > MAX_KEY_BYTES and len(unquote_to_bytes(row.key)) > MAX_KEY_BYTES:
        raise ManifestError(f"Invalid object key format: line {number} has a key of more than {MAX_KEY_BYTES} bytes")


def _shown(value: str) -> str:
    return repr(value[:40])


def _malformed(number: int, what: str) -> ManifestError:
    return ManifestError(f"Manifest file is not properly formatted: line {number} {what}")
