"""Leaves out what an earlier scan has finished already: the same version, or the same ETag where versions do not tell."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from handlers.adapters.table import Records
from handlers.domain.identity import Video
from tools.lib.listing.objects import Batch

# Batches asked about at a time; BatchGetItem takes 100 keys, so a batch is ten requests for each earlier scan.
AT_ONCE = 8


class Unchanged:
    """The earlier scans of a bucket, and how many objects were left out because of them.

    Args:
        scan_ids: The most likely first: an object found in one is not asked about in the next.
    """

    def __init__(self, records: Records, bucket: str, scan_ids: Sequence[str], *, at_once: int = AT_ONCE) -> None:
        self._records = records
        self._bucket = bucket
        self._scan_ids = scan_ids
        self._at_once = at_once
        self.left_out = 0

    def without(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yield what no earlier scan has finished as it is now, in the same order; several batches are asked about at once."""
        asked: deque[tuple[Batch, Future[list[bool]]]] = deque()
        pool = ThreadPoolExecutor(self._at_once, thread_name_prefix="unchanged")
        try:
            for batch in batches:
                asked.append((batch, pool.submit(self._is_new, batch)))
                if len(asked) > self._at_once:
                    yield from self._kept(*asked.popleft())
            while asked:
                yield from self._kept(*asked.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            if isinstance(batches, Generator):
                batches.close()  # a listing ends with its reader

    def _kept(self, batch: Batch, answer: Future[list[bool]]) -> Iterator[Batch]:
        rest = batch.where(answer.result())
        self.left_out += len(batch) - len(rest)
        if rest:
            yield rest

    def _is_new(self, batch: Batch) -> list[bool]:
        versions = [None] * len(batch) if batch.versions is None else batch.versions
        ids = [Video(self._bucket, key, version or None).id for key, version in zip(batch.keys, versions, strict=True)]
        etags = dict(zip(ids, batch.etags, strict=True))
        # A version never changes, but for the one called null: that is overwritten while versioning is suspended.
        fixed = {one for one, version in zip(ids, versions, strict=True) if version not in (None, "", "null")}
        known: set[str] = set()
        for scan_id in self._scan_ids:
            left = [one for one in ids if one not in known]
            if not left:
                break
            finished = self._records.finished(left, scan_id)
            known.update(one for one, etag in finished if one in fixed or (etag and etag == etags[one]))
        return [one not in known for one in ids]
