"""Carrying out consequences again: records are put into the outbox once more, and the sweeper and `publish_verdict` do the rest.

It does no harm to interrupt a run, to repeat it, or to run it twice at once. What gets a verdict meanwhile is put there by that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from math import ceil
from typing import Any

from handlers.domain import Record, State, Video, consequence
from handlers.domain.outbox import MOST_A_MINUTE
from tools.lib.cli import Invocation, object_uri
from tools.lib.errors import ToolError
from tools.lib.json_keys import scan_keys
from tools.lib.ordered_map import ordered_map
from tools.lib.review import history_of
from tools.lib.scans import find
from tools.lib.text import counted, printable

# Records that are read at a time: as many as one BatchGetItem takes.
BATCH = 100

# Batches under way at the same time, because each takes five round trips to AWS; boto3 keeps 10 connections.
WORKERS = 8

_STATES = (State.CLEAN, State.FLAGGED, State.FAILED)


@dataclass(frozen=True, slots=True)
class Republished:
    """What was put into the outbox.

    Attributes:
        subject: What for: a scan or an object, in words.
        keys: The same as JSON values.
        put: How many records.
        left_out: How many records have no consequences.
        closed: Whether that a scan was closed is told again.
    """

    subject: str
    keys: dict[str, Any]
    put: int
    left_out: int
    closed: bool = False
    warnings: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        closed = " That it was closed is told again, too." if self.closed else ""
        left_out = f"{counted(self.left_out, 'record')} without consequences left out: superseded, gone or not final."
        put = f"{counted(self.put, 'record')} of {self.subject} put into the outbox"
        return [
            f"{put}; consequences follow within {self._time()}.{closed}",
            *([left_out] if self.left_out else []),
            *(f"Warning: {printable(each)}" for each in self.warnings),
        ]

    def _time(self) -> str:
        """Return how long the sweeper takes to send all messages, in words."""
        minutes, hours = ceil(self.put / MOST_A_MINUTE), ceil(self.put / MOST_A_MINUTE / 60)
        if minutes <= 1:
            return "minutes"
        return f"{f'{hours:,} hours' if hours > 1 else f'{minutes:,} minutes'}, {MOST_A_MINUTE:,} a minute"

    def as_json(self) -> dict[str, Any]:
        counts = {"put": self.put, "left_out": self.left_out, "closed": self.closed}
        return {**self.keys, **counts, "warnings": self.warnings}


def republish(run: Invocation, what: str | Video) -> Republished:
    """Put the records of a scan (its id) or of an object that have consequences into the outbox.

    Raises:
        ToolError: The deployment has no consequences, there is no such scan, or the object has no such record.
    """
    if not run.deployment.has_outbox:
        raise ToolError(
            f"Verdicts have no consequences in the stack {run.deployment.stack_name}: all settings for them are off.",
            cure="Set publish_events, tag_objects or annotate_objects in cdk.json, and run `make deploy` (docs/consequences.md).",
        )
    return _object(run, what) if isinstance(what, Video) else _scan(run, what)


def _scan(run: Invocation, scan_id: str) -> Republished:
    scan = find(run.table.scans, scan_id)
    videos = run.table.scans.totals(scan.id).videos
    expected = sum(videos.get(state, 0) for state in _STATES)
    put = left_out = 0
    with run.terminal.bar("videos") as bar:
        bar.show("Putting into the outbox", 0, expected)
        for _, (had, had_none) in ordered_map(
            lambda batch: _put_batch(run, scan.id, *batch), _batches(run, scan.id), workers=WORKERS, ahead=2 * WORKERS
        ):
            put, left_out = put + had, left_out + had_none
            bar.show("Putting into the outbox", put + left_out, expected)
    if not scan.live:
        run.table.outbox.put_closed_again(scan.id)
    return Republished(f"scan {scan.id}", scan_keys(scan.id), put, left_out, closed=not scan.live)


def _batches(run: Invocation, scan_id: str) -> Iterator[tuple[State, list[str]]]:
    """Yield the ids of videos that seem to be in a final state; the index only suggests them."""
    for state in _STATES:
        ids = run.table.records.in_state(scan_id, state)
        while batch := list(islice(ids, BATCH)):
            yield state, batch


def _put_batch(run: Invocation, scan_id: str, state: State, video_ids: list[str]) -> tuple[int, int]:
    """Put a batch into the outbox; return how many records that was, and how many have no consequences.

    A record that has left its state gets, or got, its consequences by that.
    """
    records = [each for each in run.table.records.records((one, scan_id) for one in video_ids) if each.state is state]
    put = _with_consequences(records)
    run.table.outbox.put_again(put)
    return len(put), len(records) - len(put)


def _object(run: Invocation, video: Video) -> Republished:
    named = object_uri(video)
    history = history_of(run, video)
    records = [record for chapter in history.chapters for record in chapter.records]
    put = _with_consequences(records)
    if not put:
        show = run.target.command("review_report.py", "video", named)
        raise ToolError(
            f"No record of {named} has consequences.",
            cure=f"`{show}` shows what is known of it."
            + (f" If ?versionId={video.version_id} belongs to the key, add ?versionId= to the URI." if video.version_id else ""),
        )
    run.table.outbox.put_again(put)
    keys = {"bucket": video.bucket, "key": video.key, "version_id": video.version_id}
    return Republished(printable(named), keys, len(put), len(records) - len(put), warnings=history.warnings)


def _with_consequences(records: list[Record]) -> list[Record]:
    return [record for record in records if consequence.status_of(record) is not None]
