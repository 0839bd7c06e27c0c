"""Lists of keys: one on each line, or separated by NUL characters (`find -print0`), so that keys may have line feeds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from tools.lib.errors import ToolError
from tools.lib.manifest.sources.named import Named, fault_of
from tools.lib.manifest.sources.reading import TooLongError, blocks, is_utf16, pieces
from tools.lib.text import printable

_NUL = b"\0"

# What other programs write, which people paste: lines of `aws s3 ls` (with --human-readable, --summarize), s5cmd, s3cmd, MinIO's
# mc and rclone, of `ls -l`, of `--output text`, which puts tabs between several keys, and of JSON.
_LISTING = re.compile(
    rb"""
    (?P<listing> \d{4}[-/]\d\d[-/]\d\d [ T] \d\d:\d\d:\d\d \S* \s+ (\d[\d.,]* [ ]? ([KMGTPE]i?B? | Bytes? | B)? | DIR | PRE) \s+ \S
        | \d{4}-\d\d-\d\d [ ] \d\d:\d\d \s+ \d+ \s+ s3://
        | \[\d{4}-\d\d-\d\d [ ] \d\d:\d\d:\d\d [ ] \w+\] \s+ \S
        | \s* \d+ [ ] \d{4}-\d\d-\d\d [ ] \d\d:\d\d:\d\d\.\d+ [ ]
        | \s+ (PRE | DIR) [ ] | Total[ ]Objects:[ ] | [ ]+Total[ ]Size:[ ])
    | (?P<long> [-dl][-rwxsStT]{9}[.+@]? \s+ \d+ \s)
    | (?P<text> [^\t]*\t)
    | (?P<json> [\[{]\s*$ | \s+ "([^"\\]|\\.)*+" :[ ].* $ | \s* "([^"\\]|\\.)*+" ,?\s* $ | \[".*"]\s*$ | \{".*\},?\s*$)
    """,
    re.VERBOSE,
)
# With the bucket in it: s3://, an ARN, or a link to the object or its page in the console.
_URI = re.compile(
    rb"(s3://|arn:aws[a-z-]*:s3:::|https?://([^/]+\.)?(s3([.-][^/]*)?\.amazonaws\.|console\.(aws\.)?amazon(aws)?[.-]))[^/\s]+/",
    re.IGNORECASE,
)
_KINDS = {
    "listing": "a listing such as that of `aws s3 ls`",
    "long": "`ls -l`",
    "text": "a table such as that of `--output text`",
    "json": "JSON",
}
_EVEN_SO = "Keys that look like this are taken separated by NUL characters."
_KEYS_ONLY = "Write the keys alone"
_CURES = {
    "listing": f"{_KEYS_ONLY}, one a line, or omit --keys-from and name the --prefix.",
    "long": f"{_KEYS_ONLY}, one a line.",
    "text": f"{_KEYS_ONLY}, one a line: `tr '\\t' '\\n'` parts those that have tabs between them.",
    "json": f"{_KEYS_ONLY}, one a line: `jq -r '.[]'` writes the strings of a list so.",
}


def keys(source: BinaryIO, name: str, bucket: str) -> Iterator[Named]:
    """Yield the keys of a list, without decoding them; a CR at the end of a line is not part of the key.

    Raises:
        ToolError: A key is not valid; the message has its line number.
    """
    content = blocks(source)
    first = next(content, b"")
    if is_utf16(first):
        raise ToolError(
            f"{printable(name)} is UTF-16, or a list of keys of one letter separated by NUL.",
            cure="Save it as UTF-8 without a byte order mark; write keys of one letter on lines.",
        )
    separator = _NUL if _NUL in first else b"\n"
    number = 0
    try:
        for number, piece in enumerate(pieces(chain([first], content), separator), 1):
            yield _named(number, piece if separator == _NUL else _line(number, piece, name, bucket), name, bucket)
    except TooLongError as error:
        raise _refusal(name, error.number, "is longer than a key can be") from error
    if not number:
        raise ToolError(f"{printable(name)} names no object.", cure="Write a key on each line.")


def _line(number: int, piece: bytes, name: str, bucket: str) -> bytes:
    """Return the key on a line; what other programs write about keys is not one."""
    if found := _LISTING.match(piece):
        what = next(kind for kind, text in found.groupdict().items() if text is not None)
        raise ToolError(
            f"{printable(name)}, line {number:,} is a line of {_KINDS[what]}, not a key.",
            cure=f"{_CURES[what]} {_EVEN_SO}",
        )
    if _URI.match(piece):
        raise ToolError(
            f"{printable(name)}, line {number:,} is a URI, not a key.", cure=f"{_KEYS_ONLY}, without the bucket. {_EVEN_SO}"
        )
    if piece.startswith((f"{bucket},".encode(), f'"{bucket}",'.encode())):
        raise ToolError(
            f"{printable(name)}, line {number:,} is a row of a manifest, not a key.",
            cure=f"Pass it with --manifest. {_EVEN_SO}",
        )
    return piece.removesuffix(b"\r")


def _named(number: int, piece: bytes, name: str, bucket: str) -> Named:
    if number == 1 and piece.startswith(b"\xef\xbb\xbf"):
        raise _refusal(name, 1, "begins with a byte order mark")
    try:
        key = piece.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refusal(name, number, "is not UTF-8") from error
    if not key:
        raise _refusal(name, number, "is blank")
    if key.startswith(f"s3://{bucket}/"):
        raise _refusal(name, number, "is a URI, not a key: it begins with s3://")
    if fault := fault_of(key):
        raise _refusal(name, number, fault)
    return Named(number, key)


def _refusal(name: str, number: int, what: str) -> ToolError:
    return ToolError(
        f"{printable(name)}, line {number:,} {what}.",
        cure="Write one key on each line, as it is in the bucket; or separate keys by NUL characters.",
    )
