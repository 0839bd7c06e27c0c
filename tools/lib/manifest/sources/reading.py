"""Reads files, objects in S3 and standard input piece by piece, in bounded memory."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tools.lib.aws import objects
from tools.lib.errors import ToolError
from tools.lib.text import printable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The most bytes of a line: a key has up to 1,024 bytes, and three times as many when encoded.
MAX_PIECE = 16 * 1024

STANDARD_INPUT = "-"

_BLOCK = 1024 * 1024
_LOOKED_AT = 64 * 1024


class TooLongError(ValueError):
    """A piece is too long; `number` counts it from 1."""

    def __init__(self, number: int, most: int = MAX_PIECE) -> None:
        super().__init__(f"piece {number} has more than {most:,} bytes")
        self.number = number


@contextmanager
def opened(s3: S3Client, location: str, most: int | None = None) -> Iterator[BinaryIO]:
    """Open a file, an s3 URI or standard input. An object is downloaded first: S3 would cut a stream that is read slowly.

    Of an object that is larger than `most`, one byte more is downloaded.

    Raises:
        ToolError: There is no such file or object.
    """
    if location == STANDARD_INPUT:
        yield sys.stdin.buffer
    elif location.startswith("s3://"):
        with tempfile.TemporaryFile() as target:
            fetch(s3, location, target, most)
            yield target
    else:
        try:
            source = Path(location).open("rb")  # noqa: SIM115 - closed below; only opening it may fail in this way
        except FileNotFoundError as error:
            raise ToolError(f"There is no file {printable(location)}.", cure="Is the name spelt right?") from error
        with source:
            yield source


def fetch(s3: S3Client, uri: str, target: BinaryIO, most: int | None = None) -> None:
    """Download an object to a file, and go back to the beginning of it.

    Raises:
        ToolError: There is no such object.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not objects.fetch(s3, bucket, key, target, most):
        raise ToolError(f"There is no object {printable(uri)}.", cure=f"`aws s3 ls s3://{bucket}/` lists the objects.")
    target.seek(0)


def blocks(source: BinaryIO) -> Iterator[bytes]:
    """Yield the rest of a file."""
    return iter(lambda: source.read(_BLOCK), b"")


def is_utf16(content: bytes) -> bool:
    """Tell whether text is UTF-16, with or without a mark, by its beginning.

    Without one, every character of ASCII has a NUL beside it, always on the same side. A list separated by NUL looks like this only
    if it has keys of one letter.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    at = [place for place, byte in enumerate(content[:_LOOKED_AT]) if not byte]
    in_a_row = sum(after - before == 2 for before, after in pairwise(at))  # noqa: PLR2004 - a character has two bytes
    return len({place % 2 for place in at}) == 1 and in_a_row > 1


def pieces(content: Iterable[bytes], separator: bytes, most: int = MAX_PIECE) -> Iterator[bytes]:
    """Yield the text between separators, and after the last one only if there is any.

    Raises:
        TooLongError: A piece is longer than `most`.
    """
    rest, number = b"", 0
    for block in content:
        *complete, rest = (rest + block).split(separator)
        for piece in complete:
            number += 1
            if len(piece) > most:
                raise TooLongError(number, most)
            yield piece
        if len(rest) > most:
            raise TooLongError(number + 1, most)
    if rest:
        yield rest
