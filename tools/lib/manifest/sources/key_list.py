"""Lists of keys: one on each line, or separated by NUL characters (`find -print0`), so that keys may have line feeds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from tools.lib.errors import ToolError
from tools.lib.manifest.sources.named import Named, fault_of
from tools.lib.manifest.sources.reading import TooLongError, blocks, pieces
from tools.lib.text import printable

_NUL = b"\0"


def keys(source: BinaryIO, name: str, bucket: str) -> Iterator[Named]:
    """Yield the keys of a list, without decoding them; a CR at the end of a line is not part of the key.

    Raises:
        ToolError: A key is not valid; the message has its line number.
    """
    content = blocks(source)
    first = next(content, b"")
    separator = _NUL if _NUL in first else b"\n"
    number = 0
    try:
        for number, piece in enumerate(pieces(chain([first], content), separator), 1):
            yield _named(number, piece if separator == _NUL else piece.removesuffix(b"\r"), name, bucket)
    except TooLongError as error:
        raise _refusal(name, error.number, "is longer than a key can be") from error
    if not number:
        raise ToolError(f"{printable(name)} names no object.", cure="Write a key on each line.")


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
