"""Reads files, objects in S3 and standard input piece by piece, in bounded memory."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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


class TooLongError(ValueError):
    """A piece is too long; `number` counts it from 1."""

    def __init__(self, number: int) -> None:
        super().__init__(f"piece {number} has more than {MAX_PIECE} bytes")
        self.number = number


@contextmanager
def opened(s3: S3Client, location: str) -> Iterator[BinaryIO]:
    """Open a file, an s3 URI or standard input. An object is downloaded first: S3 would cut a stream that is read slowly.

    Raises:
        ToolError: There is no such file or object.
    """
    if location == STANDARD_INPUT:
        yield sys.stdin.buffer
    elif location.startswith("s3://"):
        with tempfile.TemporaryFile() as target:
            fetch(s3, location, target)
            yield target
    else:
        try:
            source = Path(location).open("rb")  # noqa: SIM115 - closed below; only opening it may fail in this way
        except FileNotFoundError as error:
            raise ToolError(f"There is no file {printable(location)}.", cure="Is the name spelt right?") from error
        with source:
            yield source


def fetch(s3: S3Client, uri: str, target: BinaryIO) -> None:
    """Download an object to a file, and go back to the beginning of it.

    Raises:
        ToolError: There is no such object.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not objects.fetch(s3, bucket, key, target):
        raise ToolError(f"There is no object {printable(uri)}.", cure=f"`aws s3 ls s3://{bucket}/` lists the objects.")
    target.seek(0)


def blocks(source: BinaryIO) -> Iterator[bytes]:
    """Yield the rest of a file."""
    return iter(lambda: source.read(_BLOCK), b"")


def pieces(content: Iterable[bytes], separator: bytes) -> Iterator[bytes]:
    """Yield the text between separators, and after the last one only if there is any.

    Raises:
        TooLongError: A piece is longer than `MAX_PIECE`.
    """
    rest, number = b"", 0
    for block in content:
        *whole, rest = (rest + block).split(separator)
        for piece in whole:
            number += 1
            if len(piece) > MAX_PIECE:
                raise TooLongError(number)
            yield piece
        if len(rest) > MAX_PIECE:
            raise TooLongError(number + 1)
    if rest:
        yield rest
