"""Watched buckets as items of the table: what is known of a watch, of one of its days, and the newest content of each key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.adapters.table import codec, expressions
from handlers.adapters.table.client import ConditionFailedError, TableClient
from handlers.adapters.table.expressions import Condition, Item
from handlers.adapters.table.outcome import Outcome, once
from handlers.domain import Record, json_text, watch
from handlers.runtime import Clock

WATCH_PK = "WATCH"
# Beside the notes about the lanes.
_DEAD_LETTERS_KEY = {"pk": "LANE", "sk": "uploads"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of a bucket with the table that is under way: when it began, and after which key it goes on."""

    began_at: float
    after_key: str = ""
    missed: int = 0


@dataclass(frozen=True, slots=True)
class WatchState:
    """What is known of a watched bucket.

    `since`: from when uploads count as new. `ended_at`: when a person switched the bucket's events off. `last_upload_at`: the time
    of the newest event, about. `released_day`: the day whose limit a person lifted; `limit_day`: the last day whose limit was
    reached. `compared_at`: when the last whole comparison began.
    """

    since: float | None = None
    ended_at: float | None = None
    paused: bool = False
    paused_by: str | None = None
    paused_at: float | None = None
    last_upload_at: float | None = None
    released_day: str | None = None
    limit_day: str | None = None
    compared_at: float | None = None
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True)
class WatchDay:
    """A day of a watched bucket: milliseconds of video and analyses that ended on it, and uploads of it that no event brought.

    `started_ms`: where it has a limit, the milliseconds of the videos that were started on it; expected ones until they are final.
    """

    milliseconds: int = 0
    analyses: int = 0
    missed: int = 0
    started_ms: int = 0


@dataclass(frozen=True, slots=True)
class CurrentUpload:
    """The newest content of a key that was looked at, by its video id, and when it was put (epoch seconds).

    Attributes:
        scan_id: The scan that holds its record, None for what is not a video.
        etag: The content's, by which what is not a video is known again; None if unknown, and in notes of 0.2 and before.
    """

    bucket: str
    key: str
    video_id: str
    scan_id: str | None
    modified_at: float
    # What it replaced, whose record is superseded.
    replaced_video_id: str | None = None
    replaced_scan_id: str | None = None
    etag: str | None = None


class Watches:
    """Reads and writes about watched buckets; all reads are consistent."""

    def __init__(self, table: TableClient, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    # --- watches -------------------------------------------------------------------------------------------------------

    def state(self, bucket: str) -> WatchState:
        """Return what is known of a watch."""
        item = self._table.get(_watch_key(bucket))
        return WatchState() if item is None else codec.read(WatchState, item)

    def is_known(self, bucket: str) -> bool:
        """Tell whether a bucket is or was watched: only then there are notes about its uploads."""
        return self._table.get(_watch_key(bucket)) is not None

    def begin(self, bucket: str, at: float) -> None:
        """Note that uploads count as new from a time on, unless they do so already."""
        since = codec.present({"since": at})
        self._table.update(expressions.update(_watch_key(bucket), sets_if_absent=since, removes=["ended_at"]))

    def end(self, bucket: str) -> None:
        """Note that uploads do not count as new any more; a clock that is slow leaves out none whose event was seen."""
        now = self._clock.now()
        ended = codec.present({"ended_at": max(now, self.state(bucket).last_upload_at or now)})
        self._table.update(expressions.update(_watch_key(bucket), sets=ended, removes=["since", "comparison", "compared_at"]))

    def pause_uploads(self, bucket: str, by: str) -> Outcome:
        """Have the uploads of a bucket wait, unless they do so already."""
        sets = {"paused": True, "paused_by": by, **codec.present({"paused_at": self._clock.now()})}
        request = expressions.update(_watch_key(bucket), sets=sets, when=Condition(not_equal={"paused": True}))
        return once(lambda: self._table.update(request))

    def resume_uploads(self, bucket: str) -> Outcome:
        """Have the uploads of a bucket wait no longer; the sweeper resumes their scans."""
        removes = ["paused", "paused_by", "paused_at"]
        request = expressions.update(_watch_key(bucket), removes=removes, when=Condition(equal={"paused": True}))
        return once(lambda: self._table.update(request))

    def release(self, bucket: str, day: str) -> Outcome:
        """Lift the limit of minutes for a day."""
        request = expressions.update(
            _watch_key(bucket), sets={"released_day": day}, when=Condition(not_equal={"released_day": day})
        )
        return once(lambda: self._table.update(request))

    def note_limit(self, bucket: str, day: str) -> Outcome:
        """Note that the limit of a day was reached. DONE_BEFORE: that is noted."""
        request = expressions.update(_watch_key(bucket), sets={"limit_day": day}, when=Condition(not_equal={"limit_day": day}))
        return once(lambda: self._table.update(request))

    def note_upload(self, bucket: str, at: float) -> None:
        """Note the time of an event; neither an earlier time than the noted one nor an event after the end changes anything."""
        time = codec.present({"last_upload_at": at})
        request = expressions.update(
            _watch_key(bucket),
            sets=time,
            sets_if_absent=codec.present({"since": at}),
            when=Condition(below=time, absent=["ended_at"]),
        )
        once(lambda: self._table.update(request))

    def note_comparison(self, bucket: str, comparison: Comparison, seen: WatchState) -> Outcome:
        """Note how far a comparison is. DONE_BEFORE: it is not as `seen`; another sweep has gone on, or the watch was ended."""
        sets = {"comparison": codec.attributes(comparison)}
        request = expressions.update(_watch_key(bucket), sets=sets, when=_as_compared(seen))
        return once(lambda: self._table.update(request))

    def end_comparison(self, bucket: str, comparison: Comparison, seen: WatchState) -> Outcome:
        """Note that a comparison has seen every key. DONE_BEFORE: as for `note_comparison`."""
        sets = codec.present({"compared_at": comparison.began_at})
        request = expressions.update(_watch_key(bucket), sets=sets, removes=["comparison"], when=_as_compared(seen))
        return once(lambda: self._table.update(request))

    def dead_letters(self) -> int:
        """Return how many dead letters of the queue of uploads the sweeper saw last."""
        item = self._table.get(_DEAD_LETTERS_KEY)
        return 0 if item is None else int(item["dead_letters"])

    def note_dead_letters(self, count: int) -> None:
        """Note how many dead letters the queue of uploads has; only the sweeper does."""
        self._table.put(expressions.put({**_DEAD_LETTERS_KEY, "dead_letters": count}))

    def day(self, bucket: str, day: str) -> WatchDay:
        """Return what is known of a day."""
        item = self._table.get(_day_key(bucket, day))
        return WatchDay() if item is None else codec.read(WatchDay, item)

    # --- the newest content of a key -----------------------------------------------------------------------------------

    def current(self, bucket: str, key: str) -> CurrentUpload | None:
        """Return the newest content of a key that was looked at, if any was."""
        item = self._table.get(_current_key(bucket, key))
        return None if item is None else codec.read(CurrentUpload, item)

    def currents(self, bucket: str, keys: Iterable[str]) -> dict[str, CurrentUpload]:
        """Return the newest contents of keys, by key; those of which none was looked at are missing."""
        found = self._table.get_many(_current_key(bucket, key) for key in keys)
        return {current.key: current for current in (codec.read(CurrentUpload, item) for item in found)}

    def note_current(self, current: CurrentUpload, seen: CurrentUpload | None) -> bool:
        """Note the newest content of a key, if the note about it is still the one that was `seen`; return whether it was."""
        item = {**_current_key(current.bucket, current.key), **codec.attributes(current)}
        when = (
            expressions.NEW
            if seen is None
            else Condition(equal={"video_id": seen.video_id, **codec.present({"modified_at": seen.modified_at})})
        )
        try:
            self._table.put(expressions.put(item, when=when))
        except ConditionFailedError as failure:
            return failure.old is not None and codec.read(CurrentUpload, failure.old) == current
        return True


def count_missed(record: Record) -> list[dict[str, dict[str, Any]]]:
    """Return the action that counts a newly registered record, if no event brought it, on the day of its scan."""
    if not record.missed or record.uploaded_at is None:
        return []
    return [_added(record, record.uploaded_at, {"missed": 1})]


def count_analysis(record: Record) -> list[dict[str, dict[str, Any]]]:
    """Return the actions that count the analysis of an upload, and its milliseconds, on the days on which it ended and began."""
    if record.uploaded_at is None or record.finished_at is None:
        return []
    ended, spent = watch.day_of(record.finished_at), record.spent_ms
    amounts: dict[str, dict[str, int]] = {ended: {} if spent is None else {"milliseconds": spent, "analyses": 1}}
    if record.reserved_ms is not None and record.begun_at is not None:
        amounts.setdefault(watch.day_of(record.begun_at), {})["started_ms"] = (spent or 0) - record.reserved_ms
    bucket = record.video.bucket
    return [{"Update": expressions.update(_day_key(bucket, day), adds=adds)} for day, adds in amounts.items() if adds]


def reserve(record: Record, at: float, limit_ms: int | None) -> dict[str, dict[str, Any]]:
    """Return the action that takes a video's milliseconds of a day, if its limit is not reached (None: whether it is or not)."""
    when = expressions.ALWAYS if limit_ms is None else Condition(below={"started_ms": limit_ms})
    key = _day_key(record.video.bucket, watch.day_of(at))
    return {"Update": expressions.update(key, adds={"started_ms": record.reserved_ms or 0}, when=when)}


def reserve_more(record: Record, at: float) -> list[dict[str, dict[str, Any]]]:
    """Return the action that takes, of the day of a time, what was paid for beyond what was expected."""
    if record.share_ms is None or record.share_ms == record.reserved_ms:
        return []
    return [_added(record, at, {"started_ms": record.share_ms - (record.reserved_ms or 0)})]


def give_back(record: Record) -> list[dict[str, dict[str, Any]]]:
    """Return the action that gives back what a video that was not started has taken of its day."""
    if record.reserved_ms is None or record.start_tried_at is None:
        return []
    return [_added(record, record.start_tried_at, {"started_ms": -record.reserved_ms})]


def _added(record: Record, at: float, amounts: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    return {"Update": expressions.update(_day_key(record.video.bucket, watch.day_of(at)), adds=amounts)}


def _as_compared(seen: WatchState) -> Condition:
    """Return the condition that a watch, and how far its comparison is, are as they were seen."""
    equal = codec.present({"since": seen.since, "compared_at": seen.compared_at, "comparison": seen.comparison})
    return Condition(equal=equal, absent=[name for name in ("since", "compared_at", "comparison") if name not in equal])


def _watch_key(bucket: str) -> Item:
    return {"pk": WATCH_PK, "sk": bucket}


def _day_key(bucket: str, day: str) -> Item:
    return {"pk": f"UPLOADS#{bucket}", "sk": f"DAY#{day}"}


def _current_key(bucket: str, key: str) -> dict[str, str]:
    """Return the key of the note about a key, which may have 1,024 bytes of anything."""
    digest = hashlib.sha256(json_text.compact([bucket, key]).encode()).hexdigest()[:32]
    return {"pk": f"UPLOAD#{digest}", "sk": "CURRENT"}
