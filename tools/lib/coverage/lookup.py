"""What the table knows about the objects of a bucket, whichever scan or upload it is from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from handlers.adapters.table import Known, Records, Watches
from handlers.domain import Engine, State, Video
from tools.lib.coverage.result import Status
from tools.lib.listing import Batch

# The one version of an object that is overwritten, while versioning is suspended or before it was enabled.
_NULL = "null"
_STATUSES = {
    State.WAITING: Status.IN_PROGRESS,
    State.RUNNING: Status.IN_PROGRESS,
    State.CLEAN: Status.CURRENT,
    State.FLAGGED: Status.CURRENT,
    State.FAILED: Status.FAILED,
    State.CANCELLED: Status.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Found:
    """The status of an object, and of one with a current verdict what it was analysed by (`ENGINES`)."""

    status: Status = Status.NEVER
    engine: str | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """The records about a bucket's objects.

    Attributes:
        scan_ids: All its scans but those of uploads, the most likely one first: what has a verdict in one is not looked up in the
            next.
        watches: Has the notes about its uploads; None if none was ever scanned.
    """

    records: Records
    bucket: str
    scan_ids: Sequence[str]
    watches: Watches | None

    def find(self, batch: Batch) -> list[Found]:
        """Return what is known about each object, the most that any record says."""
        objects = [_Object(self.bucket, key, version, etag) for key, version, etag in _rows(batch)]
        self._look_up(objects, self._of_uploads(objects))
        for scan_id in self.scan_ids:
            left = [one for one in objects if one.found.status is not Status.CURRENT]
            if not left:
                break
            self._look_up(left, ((video_id, scan_id) for one in left for video_id in one.ids))
        return [one.found for one in objects]

    def _of_uploads(self, objects: Sequence[_Object]) -> Iterator[tuple[str, str]]:
        """Yield the names of the records of the newest uploads; one of another version makes its object a changed one."""
        if self.watches is None:
            return
        currents = self.watches.currents(self.bucket, {one.key for one in objects})
        for one in objects:
            current = currents.get(one.key)
            if current is None or current.scan_id is None:
                continue
            if current.video_id in one.upload_ids:
                yield current.video_id, current.scan_id
            else:
                one.take(Found(Status.CHANGED))

    def _look_up(self, objects: Sequence[_Object], names: Iterable[tuple[str, str]]) -> None:
        by_id = {video_id: one for one in objects for video_id in (*one.ids, *one.upload_ids)}
        for known in self.records.known_contents(names):
            one = by_id[known.video_id]
            one.take(one.judged(known))


class _Object:
    """An object as it is listed, and the most that is known about it so far."""

    __slots__ = ("etag", "fixed", "found", "ids", "key", "upload_ids")

    def __init__(self, bucket: str, key: str, version: str, etag: str) -> None:
        self.key = key
        self.etag = etag
        # A scan of a list of keys knows objects without their versions; an upload without a version is known by its ETag.
        self.ids = [Video(bucket, key, each).id for each in ([version, None] if version else [None])]
        self.upload_ids = [self.ids[0], Video(bucket, key, None, etag).id]
        # The id of a content that never changes.
        self.fixed = self.ids[0] if version not in ("", _NULL) else None
        self.found = Found()

    def judged(self, known: Known) -> Found:
        """Return what a record says about the object as it is now; a video that waits is analysed as it is when it starts."""
        status = _STATUSES[known.state]
        if known.state is not State.WAITING and not self._is_same(known, status):
            return Found(Status.CHANGED)
        return Found(status, _engine(known) if status is Status.CURRENT else None)

    def _is_same(self, known: Known, status: Status) -> bool:
        if known.video_id == self.fixed:
            return True
        # What failed before it could be looked at has no ETag.
        return known.etag == self.etag if known.etag else status is not Status.CURRENT

    def take(self, found: Found) -> None:
        if found.status < self.found.status:
            self.found = found


def _engine(known: Known) -> str:
    return "image" if known.engine is Engine.FRAMES and known.interval_ms is None else known.engine.value


def _rows(batch: Batch) -> Iterator[tuple[str, str, str]]:
    versions = [""] * len(batch) if batch.versions is None else batch.versions
    return zip(batch.keys, versions, batch.etags, strict=True)
