"""Leaves out what an earlier scan, or the scan of an upload, has finished: the same version or, without versions, the same ETag."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext

from handlers.adapters.table import Records, Watches
from handlers.domain import Engine, Video
from handlers.domain.engine import is_as_thorough
from tools.lib.estimate import BY_VIDEO, EngineChoice
from tools.lib.listing import Batch
from tools.lib.ordered_map import ordered_map
from tools.lib.text import counted

# Batches that are looked up at a time; BatchGetItem takes 100 keys, so a batch is ten requests for each earlier scan. Uploads cost
# twenty, however many days they are from: a note names the newest one of each key, and its record is read.
AT_ONCE = 8


class Unchanged:
    """The earlier scans of a bucket, and how many objects were left out because of them.

    Args:
        scan_ids: The most likely one first: an object that is found in one is not looked up in the next.
        by_frames: Those of the scans whose engine is frames.
        choice: The engine of the new scan: a verdict counts only if it is at least as thorough.
        watches: Has the notes about the bucket's uploads; None if it was never watched.
        older: How many scans are left out, because they are too old.
    """

    def __init__(
        self,
        records: Records,
        bucket: str,
        scan_ids: Sequence[str],
        *,
        by_frames: Collection[str] = (),
        choice: EngineChoice = BY_VIDEO,
        watches: Watches | None = None,
        older: int = 0,
        at_once: int = AT_ONCE,
    ) -> None:
        self._records = records
        self._bucket = bucket
        self._scan_ids = scan_ids
        self._by_frames = by_frames
        self._choice = choice
        self._watches = watches
        self._older = older
        self._at_once = at_once
        self.left_out = 0

    def without(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yield the objects that no earlier scan has finished as they are now, in the same order; `batches` is closed."""
        with closing(batches) if isinstance(batches, Generator) else nullcontext():
            for batch, is_new in ordered_map(self._is_new, batches, workers=self._at_once, ahead=self._at_once + 1):
                rest = batch.where(is_new)
                self.left_out += len(batch) - len(rest)
                if rest:
                    yield rest

    def warnings(self) -> list[str]:
        """Return what a person should know once all batches have passed; sentences."""
        newest = len(self._scan_ids)
        limited = f"Only the newest {newest} of {newest + self._older:,} scans of this bucket were searched for unchanged objects."
        left_out = f"Left out as unchanged since an earlier scan: {counted(self.left_out, 'object')}."
        return [limited, left_out] if self._older else [left_out]

    def _is_new(self, batch: Batch) -> list[bool]:
        keys = batch.keys
        versions = [None] * len(batch) if batch.versions is None else batch.versions
        ids = [Video(self._bucket, key, version or None).id for key, version in zip(keys, versions, strict=True)]
        etags = dict(zip(ids, batch.etags, strict=True))
        # A version never changes, except for the one called null, which is overwritten while versioning is suspended.
        fixed = {one for one, version in zip(ids, versions, strict=True) if version not in (None, "", "null")}
        known = self._uploaded(keys, ids, fixed, etags)
        for scan_id in self._scan_ids:
            left = [one for one in ids if one not in known]
            if not left:
                break
            counts = self._counts_anywhere if scan_id in self._by_frames else self._counts_by_video
            finished = self._records.finished(((one, scan_id) for one in left), counts)
            known.update(one for one, etag in finished if one in fixed or (etag and etag == etags[one]))
        return [one not in known for one in ids]

    def _uploaded(self, keys: Sequence[str], ids: Sequence[str], fixed: set[str], etags: Mapping[str, str]) -> set[str]:
        """Return the ids of the objects that are still what the newest upload under their key was, if that has a verdict.

        Those in `fixed` have a version; others are compared by their ETags.
        """
        if self._watches is None:
            return set()
        currents = self._watches.currents(self._bucket, keys)
        names = [(each.video_id, each.scan_id) for each in currents.values() if each.scan_id is not None]
        finished = dict(self._records.finished(names, self._counts_anywhere))
        known = fixed & finished.keys()
        for key, one in zip(keys, ids, strict=True):
            current = currents.get(key)
            etag = None if current is None else finished.get(current.video_id)
            if one not in fixed and etag and etag == etags[one]:
                known.add(one)
        return known

    def _counts_anywhere(self, engine: Engine, interval_ms: int | None) -> bool:
        return is_as_thorough(engine, interval_ms, self._choice.engine, self._choice.interval_ms)

    def _counts_by_video(self, engine: Engine, interval_ms: int | None) -> bool:
        """Tell whether a verdict in a scan by the video API counts; there, frames analysed only what that API does not take."""
        return is_as_thorough(engine, interval_ms, self._choice.others or self._choice.engine, self._choice.interval_ms)
