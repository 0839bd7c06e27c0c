"""Scans, totals, running analyses and settings as items of the table, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from handlers.adapters.table import codec
from handlers.adapters.table.expressions import Item
from handlers.adapters.table.items import running_key, sampling_key, starting_key
from handlers.domain import FINAL, Analysis, Engine, Lane, Record, Scan, State, Totals, reasons

SCANS_PK = "SCANS"
ACTIVE_PK = "ACTIVE"
SUBMITTED_PK = "SUBMITTED"
# In each of these lists: when all scans were last read for those that it lacks. Sorts before every scan id.
CHECKED = "#CHECKED"
SETTINGS_KEY = {"pk": "SETTINGS", "sk": "SETTINGS"}
MAIL_WATCH_KEY = {"pk": "SUBSCRIPTIONS", "sk": "ALERTS"}
SWEEPER_LEASE_KEY = {"pk": "LEASE", "sk": "SWEEPER"}

# Prefix of the attributes of a totals item that count failures by reason code.
FAILURES = "failed#"

# The attribute of a totals item that sums up the images that were paid.
IMAGES = "images"

# Each change of a scan item raises this attribute: a change is written only to the revision that was read.
REVISION = "revision"


@dataclass(frozen=True, slots=True)
class Running:
    """One analysis that runs: since when, which job, and when it was last polled (`asked_at`).

    `job_id` is None in items of an earlier version whose job Rekognition did not name. `repeated`: the Start that returned the job
    was not the first, so the job's notice may have come before. `handed_over`: the sweeper has invoked `completion` for it.
    """

    scan_id: str
    video_id: str
    attempt: int
    since: float
    job_id: str | None = None
    asked_at: float | None = None
    repeated: bool = False
    handed_over: bool = False

    @property
    def analysis(self) -> Analysis:
        """Return which analysis runs."""
        return Analysis(self.scan_id, self.video_id, self.attempt)


@dataclass(frozen=True, slots=True)
class Starting:
    """One analysis whose Start is noted on its record, so that it may run: since when, and when its message was last sent again."""

    scan_id: str
    video_id: str
    attempt: int
    since: float
    sent_at: float | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """One analysis by frames that is under way: since when, and the lease of the worker that is at it.

    `until` is when the lease ends, or when it was given back. `tries`: how many workers took the lease in a row and did neither
    come on nor give it back. `sent_at`: when its message was last sent again.
    """

    scan_id: str
    video_id: str
    attempt: int
    since: float
    until: float
    holder: str | None = None
    tries: int = 0
    sent_at: float | None = None

    @property
    def analysis(self) -> Analysis:
        """Return the attempt at a video whose frames are looked at."""
        return Analysis(self.scan_id, self.video_id, self.attempt)


@dataclass(frozen=True, slots=True)
class LaneWatch:
    """What the sweeper noted about a lane: its dead letters, since when it seems empty, when it was last purged.

    `dead_letters` is what two counts agreed on, `dead_letters_counted` the last count if it was another one.
    """

    dead_letters: int = 0
    dead_letters_counted: int | None = None
    empty_since: float | None = None
    purged_at: float | None = None


@dataclass(frozen=True, slots=True)
class MailWatch:
    """What the sweeper noted of the e-mail subscriptions of the alerts topic.

    `reached`: one was confirmed once. `none_since`, `none_until`: the last time that none was, though one was before or waited to
    be confirmed.
    """

    reached: bool = False
    none_since: float | None = None
    none_until: float | None = None


def mail_item(watch: MailWatch) -> dict[str, Any]:
    """Return the whole item of the notes about the e-mail subscriptions."""
    return {**MAIL_WATCH_KEY, **codec.attributes(watch)}


def lane_key(lane: Lane) -> dict[str, str]:
    """Return the key of the notes about a lane."""
    return {"pk": "LANE", "sk": lane.value}


def lane_item(lane: Lane, watch: LaneWatch) -> dict[str, Any]:
    """Return the whole item of the notes about a lane."""
    return {**lane_key(lane), **codec.attributes(watch)}


def scan_key(scan_id: str) -> dict[str, str]:
    """Return `pk` and `sk`: all scans are in one partition, in the order of their ids, which begin with their time."""
    return {"pk": SCANS_PK, "sk": scan_id}


def active_key(scan_id: str) -> dict[str, str]:
    """Return the key of the item that lists a scan as active."""
    return {"pk": ACTIVE_PK, "sk": scan_id}


def submitted_key(scan_id: str) -> dict[str, str]:
    """Return the key of the item that lists a scan as submitted, not of a day."""
    return {"pk": SUBMITTED_PK, "sk": scan_id}


def scan_item(scan: Scan, revision: int) -> dict[str, Any]:
    """Return the whole item of a scan."""
    # None at all is not the same as not known.
    prefixes = {} if scan.prefixes is None else {"prefixes": list(scan.prefixes)}
    not_selected = {} if scan.not_selected is None else {"not_selected": dict(scan.not_selected)}
    # Older items lack an engine.
    known = codec.attributes(scan, without=["engine"] if scan.engine is Engine.VIDEO else [])
    return {**scan_key(scan.id), **known, **prefixes, **not_selected, REVISION: revision}


def scan_from(item: Item) -> Scan:
    """Return the scan that an item holds."""
    return codec.read(Scan, {**item, "id": item["sk"]})


def running_item(record: Record, job_id: str, since: float, *, repeated: bool) -> dict[str, Any]:
    """Return the RUNNING item of a record's analysis."""
    running = Running(record.scan_id, record.video.id, record.attempt, since, job_id, repeated=repeated)
    return {**running_key(record.analysis), **codec.attributes(running)}


def starting_item(record: Record, since: float) -> dict[str, Any]:
    """Return the STARTING item of a record's analysis."""
    starting = Starting(record.scan_id, record.video.id, record.attempt, since)
    return {**starting_key(record.analysis), **codec.attributes(starting)}


def sampling_item(record: Record, since: float, holder: str, until: float) -> dict[str, Any]:
    """Return the SAMPLING item of a record's analysis, which has just begun."""
    sampling = Sampling(record.scan_id, record.video.id, record.attempt, since, until, holder)
    return {**sampling_key(record.analysis), **codec.attributes(sampling)}


def totals_from(items: Iterable[Item]) -> Totals:
    """Return the sum of a scan's totals items."""
    images = 0
    totals = Totals(dict.fromkeys(sorted(FINAL), 0), dict.fromkeys(sorted(FINAL), 0))
    failures: Counter[str] = Counter()
    for item in items:
        images += int(item.get(IMAGES, 0))
        for state in FINAL:
            totals.videos[state] += int(item.get(videos_attribute(state), 0))
            totals.milliseconds[state] += int(item.get(milliseconds_attribute(state), 0))
        failures.update({name.removeprefix(FAILURES): int(item[name]) for name in item if name.startswith(FAILURES)})
    # A zero remains after a retry took back the last failure of a reason.
    return replace(totals, images=images, failures={code: count for code, count in sorted(failures.items()) if count})


def totals_change(left: Record | None, entered: Record) -> dict[str, int]:
    """Return the change of a totals item when a record enters a state and leaves another; only final states count."""
    change: dict[str, int] = {}
    for record, sign in ((left, -1), (entered, 1)):
        if record is None or not record.state.final:
            continue
        for name, amount in (
            (videos_attribute(record.state), 1),
            (milliseconds_attribute(record.state), record.duration_ms or 0),
            *([(failures_attribute(record), 1)] if record.state is State.FAILED else []),
        ):
            change[name] = change.get(name, 0) + sign * amount
    # Images stay paid, whatever becomes of the verdict.
    if left is None and entered.state.final and entered.images:
        change[IMAGES] = entered.images
    return {name: amount for name, amount in change.items() if amount}


def videos_attribute(state: State) -> str:
    """Return the attribute that counts the videos of a state."""
    return state.value.lower()


def failures_attribute(record: Record) -> str:
    """Return the attribute that counts the videos that failed for a record's reason."""
    return f"{FAILURES}{record.problem.code if record.problem else reasons.TROUBLE}"


def milliseconds_attribute(state: State) -> str:
    """Return the attribute that sums up the milliseconds of video of a state."""
    return f"{state.value.lower()}_ms"
