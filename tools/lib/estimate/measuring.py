"""Reading many headers at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from tools.lib.cli.output import Bar
from tools.lib.estimate.mp4.header import HeaderReader, Reading
from tools.lib.listing import ListedObject

# Headers read at a time: each is a wait for S3, and boto3's own pool has 10 connections unless its client was told more.
WORKERS = 16

# Headers for each worker that may be in flight or queued: bounds the memory however many there are.
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
    """Yield each object with what its header says, in the order they come; memory does not grow with their number.

    Whoever stops taking them waits only for those in flight.
    """
    with ThreadPoolExecutor(workers, thread_name_prefix="header") as pool:
        waiting: deque[tuple[ListedObject, Future[Reading]]] = deque()
        done = 0
        try:
            for found in objects:
                waiting.append((found, pool.submit(reader.read, bucket, found)))
                if len(waiting) >= workers * AHEAD:
                    yield _next(waiting)
                    done += 1
                    bar.show("Reading the headers of videos", done, total)
            while waiting:
                yield _next(waiting)
                done += 1
                bar.show("Reading the headers of videos", done, total)
        finally:
            for _, future in waiting:
                future.cancel()


def _next(waiting: deque[tuple[ListedObject, Future[Reading]]]) -> tuple[ListedObject, Reading]:
    found, future = waiting.popleft()
    return found, future.result()
