"""Seeded uniform samples from a listing of unknown length, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from itertools import repeat

from tools.lib.listing import Batch, Sample

_HASHES = 2**64
_PERCENT = 100
_SLACK = 10_000


def drawn(batches: Iterator[Batch], sample: Sample | None) -> Iterator[Batch]:
    """Yield the objects of a sample, in the order of the listing; None yields all.

    A sample by count keeps that many objects in memory, at times twice as many, because it is known only at the end.
    """
    if sample is None:
        return batches
    if sample.percent is not None:
        bound = round(sample.percent / _PERCENT * _HASHES)
        return filter(None, (batch.where([each < bound for each in sample_hashes(batch, sample.seed)]) for batch in batches))
    return _lowest(batches, sample.count or 0, sample.seed)


def limited(batches: Iterator[Batch], limit: int | None) -> Iterator[Batch]:
    """Yield the first `limit` objects, and read no further; None yields all."""
    if limit is None:
        yield from batches
        return
    while limit > 0 and (batch := next(batches, None)) is not None:
        yield batch[:limit]
        limit -= len(batch)


def sample_hashes(batch: Batch, seed: int) -> list[int]:
    """Return a number from 0 to 2**64 - 1 for each object, which depends only on seed, key and version."""
    secret = seed.to_bytes(16, "big", signed=True)
    versions = repeat("") if batch.versions is None else batch.versions
    return [
        int.from_bytes(blake2b(f"{path}\n{version}".encode(), digest_size=8, key=secret).digest(), "big")
        for path, version in zip(batch.paths, versions, strict=False)  # a repeated value has no end
    ]


def _lowest(batches: Iterator[Batch], count: int, seed: int) -> Iterator[Batch]:
    """Yield the `count` objects with the lowest numbers."""
    held: list[tuple[Batch, list[int]]] = []
    size, bound = 0, _HASHES
    for batch in batches:
        held.append(_below(batch, sample_hashes(batch, seed), bound))
        size += len(held[-1][0])
        if size > 2 * count + _SLACK:
            held, bound, size = _pruned(held, count)
    held, _, _ = _pruned(held, count)
    yield from (batch for batch, _ in held)


def _pruned(held: list[tuple[Batch, list[int]]], count: int) -> tuple[list[tuple[Batch, list[int]]], int, int]:
    """Return the lowest so far, the bound below which another number must be, and how many there are."""
    numbers = sorted(number for _, numbers in held for number in numbers)
    if len(numbers) <= count:
        return held, _HASHES, len(numbers)
    bound = numbers[count]  # two objects with the same number are left out together: once in 2**64
    kept = [_below(batch, numbers, bound) for batch, numbers in held]
    return [one for one in kept if one[0]], bound, count


def _below(batch: Batch, numbers: list[int], bound: int) -> tuple[Batch, list[int]]:
    return batch.where([number < bound for number in numbers]), [number for number in numbers if number < bound]
