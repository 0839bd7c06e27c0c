"""Reading many headers at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from tools.lib.cli import Bar
from tools.lib.estimate.mp4.header import HeaderReader, Reading
from tools.lib.listing import ListedObject
from tools.lib.ordered_map import ordered_map

# Headers read at a time: each is a wait for S3, and boto3's own pool has 10 connections unless its client was given more.
WORKERS = 16

# Headers for each worker that may be in flight or queued: this bounds the memory.
AHEAD = 4


def read_headers(
    reader: HeaderReader,
    bucket: str,
    objects: Iterable[ListedObject],
    *,
    bar: Bar,
    total: int | None = None,
    workers: int = WORKERS,
) -> Iterator[tuple[ListedObject, Reading]]:
    """Yield each object with its header, in order, and show the progress."""
    read = ordered_map(partial(reader.read, bucket), objects, workers=workers, ahead=workers * AHEAD)
    for done, (found, reading) in enumerate(read, 1):
        bar.show("Reading the headers of videos", done, total)
        yield found, reading
