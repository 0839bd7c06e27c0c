"""Everything that is read from the table. Reads are consistent unless an index is asked; indexes only suggest."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers.adapters.table import items, scan_items
from handlers.adapters.table.client import Table
from handlers.adapters.table.scan_items import LaneWatch, Running
from handlers.domain.identity import Analysis
from handlers.domain.record import Record, Scan, Segment, Settings, Totals
from handlers.domain.states import Lane, State
from handlers.runtime.clock import Clock

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_dynamodb import DynamoDBClient


WAITING_PAGE = 100
"""Waiting records read at a time and shard: what a sweep has no time for is not to be read."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides whether an analysis may start now, read at one time; each is None where the table has none."""

    settings: Settings | None
    scan: Scan | None
    record: Record | None


class TableReader:
    """The table as our own values."""

    def __init__(self, client: DynamoDBClient, name: str, clock: Clock) -> None:
        self._table = Table(client, name, clock)
        self._clock = clock

    @property
    def name(self) -> str:
        """Return the table's name."""
        return self._table.name

    def record(self, video_id: str, scan_id: str) -> Record | None:
        """Return the record of a video in a scan, if there is one."""
        item = self._table.get(items.record_key(video_id, scan_id))
        return None if item is None else items.record_from(item)

    def records(self, keys: Iterable[tuple[str, str]]) -> Iterator[Record]:
        """Yield the records of (video id, scan id), in any order and each once; those that are missing are left out."""
        return map(items.record_from, self._table.get_many(items.record_key(*names) for names in keys))

    def states(self, video_ids: Iterable[str], scan_id: str) -> Iterator[tuple[str, State]]:
        """Yield (video id, state) of the records there are, in any order and each once: all that most videos are asked for."""
        keys = (items.record_key(video_id, scan_id) for video_id in video_ids)
        for sort_key in self._table.get_text(keys, "scan_sk"):  # says both, and is written with the state
            yield items.video_and_state(sort_key)

    def finished(self, video_ids: Iterable[str], scan_id: str) -> Iterator[tuple[str, str]]:
        """Yield (video id, etag) of those that a scan analysed to the end as they were at its start, in any order and each once."""
        keys = (items.record_key(video_id, scan_id) for video_id in video_ids)
        for item in self._table.get_attributes(keys, items.ANALYSED):
            if found := items.analysed(item):
                yield found

    def situation(self, analysis: Analysis) -> Situation:
        """Return settings, scan and record of an analysis."""
        keys = (
            scan_items.SETTINGS_KEY,
            scan_items.scan_key(analysis.scan_id),
            items.record_key(analysis.video_id, analysis.scan_id),
        )
        found = {(item["pk"], item["sk"]): item for item in self._table.get_many(keys)}
        settings, scan, record = (found.get((key["pk"], key["sk"])) for key in keys)
        return Situation(
            settings=None if settings is None else scan_items.settings_from(settings),
            scan=None if scan is None else scan_items.scan_from(scan),
            record=None if record is None else items.record_from(record),
        )

    def segments(self, video_id: str, scan_id: str, attempt: int) -> Iterator[Segment]:
        """Yield the segments of an attempt in order of time."""
        analysis = Analysis(scan_id, video_id, attempt)
        pk = items.record_key(video_id, scan_id)["pk"]
        return map(items.segment_from, self._table.query(pk, begins_with=items.segments_prefix(analysis)))

    def scan(self, scan_id: str) -> Scan | None:
        """Return a scan, if there is one."""
        item = self._table.get(scan_items.scan_key(scan_id))
        return None if item is None else scan_items.scan_from(item)

    def scans(self) -> list[Scan]:
        """Return all scans, the newest first."""
        found = map(scan_items.scan_from, self._table.query(scan_items.SCANS_PK))
        return sorted(found, key=lambda scan: (scan.created_at, scan.id), reverse=True)

    def totals(self, scan_id: str) -> Totals:
        """Return videos and milliseconds per final state of a scan."""
        return scan_items.totals_from(self._table.query(f"SCAN#{scan_id}", begins_with="TOTALS#"))

    def settings(self) -> Settings | None:
        """Return the settings, if any were ever written."""
        item = self._table.get(scan_items.SETTINGS_KEY)
        return None if item is None else scan_items.settings_from(item)

    def running_count(self) -> int:
        """Return how many analyses run, of all scans."""
        return self._table.count(items.RUNNING_PK)

    def running(self) -> list[Running]:
        """Return the analyses that run, of all scans."""
        return list(map(scan_items.running_from, self._table.query(items.RUNNING_PK)))

    def in_state(self, scan_id: str, state: State) -> Iterator[str]:
        """Yield the ids of a scan's videos in a state, as the index `by_scan` has it: eventually consistent."""
        prefix = items.scan_state_prefix(state)
        for number in range(items.INDEX_SHARDS):
            for item in self._table.query(items.scan_shard_pk(scan_id, number), begins_with=prefix, index="by_scan"):
                yield items.names_of_record(item)[0]

    def waiting_seems_empty(self, scan_id: str) -> bool:
        """Tell whether the index `work` shows no waiting record of a scan: only a hint."""
        partitions = (items.waiting_pk(scan_id, number) for number in range(items.INDEX_SHARDS))
        return not any(any(self._table.query(pk, index="work", limit=1)) for pk in partitions)

    def waiting_lanes(self, scan_id: str) -> set[Lane]:
        """Return the lanes of which records of a scan seem to wait, by the oldest of each shard: only a hint."""
        partitions = (items.waiting_pk(scan_id, number) for number in range(items.INDEX_SHARDS))
        return {Lane(item["lane"]) for pk in partitions for item in self._table.query(pk, index="work", limit=1)}

    def waiting_count(self, scan_id: str, most: int) -> int:
        """Return how many records of a scan seem to wait; counting stops soon after `most`."""
        found = 0
        for number in range(items.INDEX_SHARDS):
            found += self._table.count(items.waiting_pk(scan_id, number), index="work", most=most - found)
            if found > most:
                break
        return found

    def waiting(self, scan_id: str, *, before: float | None = None) -> Iterator[Record]:
        """Yield the records of a scan that seem to wait since before a time, the oldest first, as far as the index knows them."""
        below = "" if before is None else items.before(before)
        shards = (
            self._table.query(items.waiting_pk(scan_id, number), index="work", below=below, page=WAITING_PAGE)
            for number in range(items.INDEX_SHARDS)
        )
        return map(items.waiting_from, heapq.merge(*shards, key=lambda item: item["work_sk"]))

    def lane_watch(self, lane: Lane) -> LaneWatch:
        """Return what the sweeper remembers of a lane."""
        item = self._table.get(scan_items.lane_key(lane))
        return LaneWatch() if item is None else scan_items.lane_from(item)

    def mails_due(self, limit: int) -> list[tuple[str, str]]:
        """Return (video id, scan id) of records whose mail seems due, the oldest first: only a hint."""
        return [items.names_of_record(item) for item in self._table.query(items.MAIL_PK, index="work", limit=limit)]
