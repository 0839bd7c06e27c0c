"""Scans, totals, running analyses and settings as items of the table, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from handlers.adapters.table.expressions import Item
from handlers.adapters.table.items import number, present, running_key, whole
from handlers.domain import reasons
from handlers.domain.record import BatchJob, Progress, Record, Scan, Settings, Totals
from handlers.domain.states import FINAL, Lane, ScanMail, ScanStatus, State

SCANS_PK = "SCANS"
SETTINGS_KEY = {"pk": "SETTINGS", "sk": "SETTINGS"}
SWEEPER_LEASE_KEY = {"pk": "LEASE", "sk": "SWEEPER"}

# Prefix of the attributes of a totals item that count failures by reason: the codes of AWS and ours, some dozens.
FAILURES = "failed#"

# An attribute of scan items that each change raises: a change is made only to what was read.
REVISION = "revision"


@dataclass(frozen=True, slots=True)
class Running:
    """One analysis that runs: since when, which job, and when Rekognition was last asked after it.

    `job_id` is None where an earlier version of this code took a job for ours that Rekognition would not name. `repeated`: the
    Start that named the job was not the first, so that the job's notice may have come before.
    """

    scan_id: str
    video_id: str
    attempt: int
    since: float
    job_id: str | None = None
    asked_at: float | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class LaneWatch:
    """What the sweeper remembers of a lane: how many dead letters it saw, since when it seems empty, when it was last purged."""

    dead_letters: int = 0
    empty_since: float | None = None
    purged_at: float | None = None


def lane_key(lane: Lane) -> dict[str, str]:
    """Return the key of what is remembered of a lane."""
    return {"pk": "LANE", "sk": lane.value}


def lane_item(lane: Lane, watch: LaneWatch) -> dict[str, Any]:
    """Return the whole item of what is remembered of a lane."""
    return {**lane_key(lane), **present(asdict(watch))}


def lane_from(item: Item) -> LaneWatch:
    """Return what an item remembers of a lane."""
    return LaneWatch(whole(item, "dead_letters") or 0, number(item, "empty_since"), number(item, "purged_at"))


def scan_key(scan_id: str) -> dict[str, str]:
    """Return the key of a scan."""
    return {"pk": SCANS_PK, "sk": scan_id}


def scan_item(scan: Scan, revision: int) -> dict[str, Any]:
    """Return the whole item of a scan."""
    known = present(
        {
            "id": scan.id,
            "bucket": scan.bucket,
            "lane": scan.lane.value,
            "status": scan.status.value,
            "created_at": scan.created_at,
            "closed_at": scan.closed_at,
            "manifest_uri": scan.manifest_uri,
            "objects": scan.objects,
            "jobs": [_job_item(job) for job in scan.jobs] or None,
            "mails_sent": scan.mails_sent,
            "waiting_empty_since": scan.waiting_empty_since,
            "resend_before": scan.resend_before,
            "held_at": scan.held_at,
            "held_reason": scan.held_reason,
            "mails_due": [kind.value for kind in scan.mails_due] or None,
            "limit_told": scan.limit_told or None,
            "progress": [present(asdict(point)) for point in scan.progress] or None,
            "planned_jobs": scan.planned_jobs,
            "prefixes": None if scan.prefixes is None else list(scan.prefixes),
            "set_aside": dict(scan.set_aside) or None,
        }
    )
    return {**scan_key(scan.id), **known, REVISION: revision}


def scan_from(item: Item) -> Scan:
    """Return the scan that an item holds."""
    return Scan(
        id=item["sk"],
        bucket=item["bucket"],
        lane=Lane(item["lane"]),
        status=ScanStatus(item["status"]),
        created_at=float(item["created_at"]),
        closed_at=number(item, "closed_at"),
        manifest_uri=item.get("manifest_uri"),
        objects=whole(item, "objects"),
        jobs=tuple(map(_job, item.get("jobs", []))),
        mails_sent=whole(item, "mails_sent") or 0,
        waiting_empty_since=number(item, "waiting_empty_since"),
        resend_before=number(item, "resend_before"),
        held_at=number(item, "held_at"),
        held_reason=item.get("held_reason"),
        mails_due=tuple(map(ScanMail, item.get("mails_due", []))),
        limit_told=bool(item.get("limit_told")),
        progress=tuple(Progress(float(point["at"]), int(point["final"])) for point in item.get("progress", [])),
        planned_jobs=whole(item, "planned_jobs"),
        prefixes=tuple(map(str, item["prefixes"])) if "prefixes" in item else None,
        set_aside={str(code): int(count) for code, count in item.get("set_aside", {}).items()},
    )


def _job_item(job: BatchJob) -> dict[str, Any]:
    return present({**asdict(job), "told": job.told or None})


def _job(item: Item) -> BatchJob:
    return BatchJob(
        id=item["id"],
        status=item["status"],
        tasks=whole(item, "tasks"),
        succeeded=whole(item, "succeeded"),
        failed=whole(item, "failed"),
        terminal_since=number(item, "terminal_since"),
        told=bool(item.get("told")),
    )


def running_item(record: Record, job_id: str, since: float, *, repeated: bool) -> dict[str, Any]:
    """Return the item that says that a record's analysis runs."""
    named = {"scan_id": record.scan_id, "video_id": record.video.id, "attempt": record.attempt}
    return {**running_key(record), **present({**named, "since": since, "job_id": job_id, "repeated": repeated or None})}


def running_from(item: Item) -> Running:
    """Return the running analysis that an item describes."""
    return Running(
        scan_id=item["scan_id"],
        video_id=item["video_id"],
        attempt=int(item["attempt"]),
        since=float(item["since"]),
        job_id=item.get("job_id"),
        asked_at=number(item, "asked_at"),
        repeated=bool(item.get("repeated")),
    )


def settings_from(item: Item) -> Settings:
    """Return the settings that their item holds."""
    return Settings(
        slots=whole(item, "slots"),
        paused=bool(item.get("paused")),
        paused_by=item.get("paused_by"),
        paused_reason=item.get("paused_reason"),
        paused_at=number(item, "paused_at"),
        mail_due=bool(item.get("mail_due")),
        refused_in_row=whole(item, "refused_in_row") or 0,
    )


def totals_from(items: Iterable[Item]) -> Totals:
    """Return the sum of a scan's totals items."""
    totals = Totals(dict.fromkeys(sorted(FINAL), 0), dict.fromkeys(sorted(FINAL), 0))
    failures: Counter[str] = Counter()
    for item in items:
        for state in FINAL:
            totals.videos[state] += whole(item, videos_attribute(state)) or 0
            totals.milliseconds[state] += whole(item, milliseconds_attribute(state)) or 0
        failures.update({name.removeprefix(FAILURES): int(item[name]) for name in item if name.startswith(FAILURES)})
    # Where a retry took back the last failure of a reason, a zero stands.
    return replace(totals, failures={code: count for code, count in sorted(failures.items()) if count})


def totals_change(left: Record | None, entered: Record) -> dict[str, int]:
    """Return what a totals item gains when a record enters a state, having left another; only final ones count."""
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
