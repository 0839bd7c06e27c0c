"""How watched buckets are doing: whether their uploads arrive, what today brought, and how long a verdict takes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from handlers.adapters.table import Table, WatchDay, WatchState
from handlers.domain import Engine, Scan, ScanStatus, State, watch
from handlers.domain.watch import Watch
from tools.lib.cli import ExitCode, Invocation
from tools.lib.errors import ToolError
from tools.lib.json_keys import time_keys
from tools.lib.text import counted, moment
from tools.lib.watch.control import require_watched
from tools.lib.watch.health import Depths, Fault, Health, depths_of, engine_of, health_of, keys_of

_DAY_SECONDS = 86_400.0
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds from upload to verdict: the median and the 95th percentile, and over how many verdicts."""

    verdicts: int
    median: float
    most: float

    def sentence(self) -> str:
        median, most = (timedelta(seconds=round(seconds)) for seconds in (self.median, self.most))
        return f"median {median}, 95 % within {most} ({counted(self.verdicts, 'verdict')} today)"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchStatus:
    """How one watched bucket is doing.

    Attributes:
        day: Today, in UTC.
        scan_id: The scan that holds today's uploads, once there is one.
        paused: The bucket's scans of days that a person paused.
        waiting: Videos of its uploads of any day that wait for their analysis.
        lag: Of today's verdicts; None before the first one.
    """

    watch: Watch
    health: Health
    state: WatchState
    day: str
    scan_id: str
    paused: Sequence[Scan]
    today: WatchDay
    yesterday: WatchDay
    waiting: int
    lag: Lag | None

    @property
    def minutes(self) -> float:
        """Return the minutes of video that were analysed today."""
        return self.today.milliseconds / _MINUTE_MS

    @property
    def minutes_begun(self) -> float:
        """Return the minutes of the videos that were started today, expected ones while they run; 0 where there is no limit."""
        return self.today.started_ms / _MINUTE_MS

    @property
    def released(self) -> bool:
        """Tell whether a person lifted today's limit."""
        return self.state.released_day == self.day

    @property
    def limit_reached(self) -> bool:
        """Tell whether uploads wait for the next day."""
        return not self.released and self.watch.is_used_up(self.today.started_ms)

    def faults(self) -> list[Fault]:
        return [*self.health.rule_faults(), *self.health.event_faults(self.state.ended_at), *self._held(), *self._held_by_hand()]

    def _held(self) -> list[Fault]:
        bucket, found = self.watch.bucket, []
        if self.state.paused:
            resume = f"`python tools/control_scan.py watch resume {bucket}` lets them continue."
            found.append(Fault(f"Uploads to {bucket} wait: the watch was paused by {self.state.paused_by}.", resume))
        if self.limit_reached:
            release = f"`python tools/control_scan.py watch release {bucket}` lifts it for today, or raise it in cdk.json."
            found.append(Fault(f"Uploads to {bucket} wait for tomorrow: its minutes of the day are used up.", release))
        return found

    def _held_by_hand(self) -> Iterator[Fault]:
        """Yield which scans of days a person paused themselves; one of today holds later uploads as well."""
        for scan in self.paused:
            which = "Today's uploads" if scan.id == self.scan_id else f"Uploads of {scan.day}"
            cure = f"`python tools/control_scan.py resume {scan.id}` lets them continue."
            yield Fault(f"{which} to {self.watch.bucket} wait: their scan {scan.id} was paused.", cure)

    def sentences(self) -> list[str]:
        state, limit = self.state, self.watch.max_minutes_per_day
        released = " (the limit is lifted for today)" if self.released else ""
        begun = "" if limit is None else f", {self.minutes_begun:,.1f} of {limit:,} begun{released}"
        lag = self.lag.sentence() if self.lag else "no verdict today yet"
        rule = (self.health.rule_state or "gone").lower()
        return [
            self.watch.bucket,
            f"  Keys     that {keys_of(self.watch)}",
            f"  Engine   films {engine_of(self.watch)}",
            f"  Events   {'on' if self.health.sends_events else 'off'}; the rule {self.health.rule} is {rule}",
            f"  Uploads  {_since(state.since)}; {_last(state.last_upload_at)}",
            f"  Today    {self.minutes:,.1f} minutes analysed{begun}; {counted(self.waiting, 'video')} waiting",
            f"  Missed   {self.today.missed:,} today, {self.yesterday.missed:,} yesterday (found by the daily comparison)",
            f"  Lag      {lag}",
        ]

    def as_json(self) -> dict[str, Any]:
        state = self.state
        return {
            "bucket": self.watch.bucket,
            "prefixes": list(self.watch.prefixes),
            "suffixes": list(self.watch.suffixes),
            "engine": self.watch.engine.value,
            "interval_ms": self.watch.interval_ms if self.watch.engine is Engine.FRAMES else None,
            "rule": self.health.rule,
            "rule_state": self.health.rule_state,
            "events": bool(self.health.sends_events),
            **time_keys(since=state.since, last_upload=state.last_upload_at),
            "paused": state.paused,
            "paused_by": state.paused_by,
            "day": self.day,
            "scan_id": self.scan_id,
            "waiting": self.waiting,
            "analyses": self.today.analyses,
            "minutes": self.minutes,
            "minutes_begun": self.minutes_begun,
            "max_minutes_per_day": self.watch.max_minutes_per_day,
            "released": self.released,
            "limit_reached": self.limit_reached,
            "missed_today": self.today.missed,
            "missed_yesterday": self.yesterday.missed,
            "verdicts": self.lag.verdicts if self.lag else 0,
            "lag_median_seconds": self.lag.median if self.lag else None,
            "lag_95_percent_seconds": self.lag.most if self.lag else None,
        }


@dataclass(frozen=True, slots=True)
class WatchStatuses:
    """How watched buckets are doing, and the queues that they share."""

    depths: Depths
    found: Sequence[WatchStatus]

    def faults(self) -> list[Fault]:
        own = [fault for each in self.found for fault in each.faults()]
        return [*own, *self.depths.queue_faults(), *self.depths.letter_faults()]

    @property
    def exit_code(self) -> ExitCode:
        """Return whether uploads arrive and are scanned: done (0), or not all of them (3)."""
        return ExitCode.SOME_FAILED if self.faults() else ExitCode.DONE

    def sentences(self) -> list[str]:
        lines = [line for each in self.found for line in each.sentences()]
        letters = "? dead letters" if self.depths.dead_letters is None else counted(self.depths.dead_letters, "dead letter")
        queues = f"Queue    {_number(self.depths.waiting)} to be registered, {letters}"
        return [*lines, queues, *(f"Warning: {fault.text} {fault.cure}" for fault in self.faults())]

    def as_json(self) -> dict[str, Any]:
        return {
            "watches": [each.as_json() for each in self.found],
            "waiting_uploads": self.depths.waiting,
            "dead_letters": self.depths.dead_letters,
            "warnings": [f"{fault.text} {fault.cure}" for fault in self.faults()],
        }


def statuses(run: Invocation, bucket: str | None) -> WatchStatuses:
    """Return how a watched bucket is doing, or all of them where none is named.

    Raises:
        ToolError: The deployment does not watch it, or watches none.
    """
    deployment = run.deployment
    watching = deployment.watching
    if bucket is not None:
        require_watched(deployment, bucket)
    if watching is None:
        raise ToolError(
            f"The stack {deployment.stack_name} watches no bucket.",
            cure='Name buckets in "watch" in cdk.json and run `make deploy`.',
        )
    found = [
        _status(run, each, health_of(run.clients, watching, name))
        for name, each in watching.watches.items()
        if bucket in {None, name}
    ]
    return WatchStatuses(depths_of(run.clients, watching), found)


def _status(run: Invocation, watched: Watch, health: Health) -> WatchStatus:
    bucket, table, now = watched.bucket, run.table, run.clock.now()
    day, day_before = watch.day_of(now), watch.day_of(now - _DAY_SECONDS)
    # Uploads of any day may wait, for the limit of a day or because they are held; such a scan stays active.
    active = [scan for scan in table.scans.active_as_listed() if scan.bucket == bucket and scan.day is not None]
    scan_ids = {watch.scan_id(bucket, day), watch.scan_id(bucket, day_before), *(scan.id for scan in active)}
    return WatchStatus(
        watch=watched,
        health=health,
        state=table.watches.state(bucket),
        day=day,
        scan_id=watch.scan_id(bucket, day),
        paused=[scan for scan in active if scan.status is ScanStatus.PAUSED and scan.held_reason not in watch.HELD_REASONS],
        today=table.watches.day(bucket, day),
        yesterday=table.watches.day(bucket, day_before),
        waiting=sum(1 for scan_id in scan_ids for _ in table.records.in_state(scan_id, State.WAITING)),
        lag=_lag(table, scan_ids, day),
    )


def _lag(table: Table, scan_ids: Iterable[str], day: str) -> Lag | None:
    """Return how long the verdicts of a day took, in one pass over the records of the scans that may have some."""
    judged = (
        (video_id, scan_id)
        for scan_id in scan_ids
        for state in (State.CLEAN, State.FLAGGED)
        for video_id in table.records.in_state(scan_id, state)
    )
    seconds = sorted(
        record.finished_at - record.uploaded_at
        for record in table.records.records(judged)
        if record.finished_at is not None and record.uploaded_at is not None and watch.day_of(record.finished_at) == day
    )
    if not seconds:
        return None
    return Lag(len(seconds), statistics.median(seconds), seconds[math.ceil(0.95 * len(seconds)) - 1])


def _since(at: float | None) -> str:
    return "never switched on" if at is None else f"new since {moment(at)}"


def _last(at: float | None) -> str:
    return "none seen yet" if at is None else f"the last one was put {moment(at)}"


def _number(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"
