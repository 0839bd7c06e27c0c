"""A map over threads that keeps the order of its items and bounds how many are in flight."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Value = TypeVar("Value")


def ordered_map(
    function: Callable[[Item], Value], items: Iterable[Item], *, workers: int, ahead: int
) -> Iterator[tuple[Item, Value]]:
    """Yield each item with the function's value, in order, and take at most `ahead` items from the source beforehand.

    Closing the generator waits only for the calls in flight.
    """
    pool = ThreadPoolExecutor(workers)
    waiting: deque[tuple[Item, Future[Value]]] = deque()
    try:
        for item in items:
            waiting.append((item, pool.submit(function, item)))
            if len(waiting) >= ahead:
                first, future = waiting.popleft()
                yield first, future.result()
        for item, future in waiting:
            yield item, future.result()
    finally:
        pool.shutdown(cancel_futures=True)
