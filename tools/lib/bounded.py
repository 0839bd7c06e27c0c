"""Reads what others wrote, each time up to a limit: files of people, objects in S3, rows of CSV.

A file of a gigabyte, or one line of it, would take many times that in memory before anything could be said about it.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, TextIO

from tools.lib.errors import ToolError
from tools.lib.text import printable

# Bytes of what people write by hand: prices and policies.
MAX_SETTINGS = 1024 * 1024

# Bytes of what programs write: plans, decisions, descriptions of S3's lists of objects.
MAX_DOCUMENT = 64 * 1024 * 1024

# Characters of a row of CSV: names and sentences of a few KiB each.
MAX_ROW = 1024 * 1024

_BLOCK = 1024 * 1024
# Few rows: what is not UTF-8 is found when a block is read, and reported by the rows before it.
_CSV_BLOCK = 64 * 1024


def read_file(path: Path, what: str, most: int) -> bytes:
    """Return the content of a file that should be `what`, as `read_whole`.

    Raises:
        OSError: It cannot be read.
        ToolError: It is too large.
    """
    with path.open("rb") as source:
        return read_whole(source, str(path), what, most)


def read_whole(source: IO[bytes], name: str, what: str, most: int) -> bytes:
    """Return the rest of a file that should be `what`; a device or a pipe that never ends is read no further than the limit.

    Raises:
        ToolError: It is too large.
    """
    content = bytearray()
    while block := source.read(_BLOCK):
        content += block
        if len(content) > most:
            raise ToolError(
                f"{printable(name)} has more than {most:,} bytes, which is too much for {what}.",
                cure=f"Is it the right file? Pass {what}.",
            )
    return bytes(content)


def parse_json(content: bytes | str, *, exact: bool = False) -> Any:  # noqa: ANN401 - whatever the text holds
    """Return the value of a JSON text; `exact` keeps numbers as they are written, and refuses a name that is there twice.

    Raises:
        ValueError: It is not JSON in UTF-8, or is nested too deeply.
    """
    number = Decimal if exact else None
    names = _each_once if exact else None
    try:
        return json.loads(content, parse_float=number, parse_constant=number, object_pairs_hook=names)
    except RecursionError as error:
        raise ValueError("too many brackets within each other") from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"{twice!r} is there twice")
    return values


def csv_rows(text: TextIO, most: int = MAX_ROW) -> Iterator[list[str]]:
    """Yield rows as Python's csv module reads them: each of fewer than `most` characters, and none of two blocks more.

    Raises:
        csv.Error: It is not CSV, or a row is too long.
    """
    unended = 0  # characters of the blocks since a row ended

    def lines() -> Iterator[str]:
        nonlocal unended
        rest = ""
        while block := text.read(min(most, _CSV_BLOCK)):
            if unended >= most:  # all of them belong to the row
                raise csv.Error(f"a row of {most:,} characters or more")
            unended += len(block)
            # Where csv itself ends lines. The last one may go on: a block may also end between \r and \n.
            *whole, rest = io.StringIO(rest + block, newline="").readlines()
            yield from whole
        if rest:
            yield rest

    for row in csv.reader(lines()):
        unended = 0
        yield row
