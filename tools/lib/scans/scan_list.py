"""The last scans in one line each: what a scan's own item and its totals say, so that no record is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from handlers.domain.record import Scan, Totals
from handlers.domain.states import State
from tools.lib.cli.program import Surroundings, Target
from tools.lib.review.scan_reading import ScanReading
from tools.lib.text import moment, printable

_UNITS = {"h": 3_600, "d": 86_400, "w": 7 * 86_400}
_AGO = re.compile(r"([0-9]{1,5})([hdw])")


@dataclass(frozen=True, slots=True)
class ListedScan:
    """A scan with the videos in each final state."""

    scan: Scan
    totals: Totals

    def line(self) -> str:
        """Return the scan in one line."""
        objects = "? objects" if self.scan.objects is None else f"{self.scan.objects:,} objects"
        videos = [f"{count:,} {outcome}" for outcome, count in self.totals.counts.items() if count]
        hours = sum(self.totals.milliseconds.values()) / 3_600_000
        counts = ", ".join([objects, *(videos or ["none finished"]), f"{hours:,.1f} h of video"])
        return (
            f"{self.scan.id}  {moment(self.scan.created_at)}  {self.scan.status.value:<9}  {printable(self.scan.bucket)}  {counts}"
        )

    def as_json(self) -> dict[str, Any]:
        """Return the scan as JSON values; times in epoch seconds."""
        scan = self.scan
        return {
            "scan": scan.id,
            "bucket": scan.bucket,
            "status": scan.status.value,
            "lane": scan.lane.value,
            "created_at": scan.created_at,
            "closed_at": scan.closed_at,
            "objects": scan.objects,
            "jobs": [job.id for job in scan.jobs],
            "mails_sent": scan.mails_sent,
            "videos": self.totals.counts,
            "seconds": {state.value.lower(): self.totals.milliseconds.get(state, 0) / 1000 for state in State if state.final},
        }


@dataclass(frozen=True, slots=True)
class ScanList:
    """The scans since a time, the newest first."""

    since: float
    scans: tuple[ListedScan, ...]

    def sentences(self) -> list[str]:
        """Return a line for each scan."""
        return [listed.line() for listed in self.scans] or [f"No scan since {moment(self.since)}."]

    def as_json(self) -> dict[str, Any]:
        """Return the scans as JSON values."""
        return {"since": self.since, "scans": [listed.as_json() for listed in self.scans]}


def parse_since(text: str, now: float) -> float:
    """Return the time (epoch seconds) that `7d`, `12h`, `2w`, `2026-11-01` or `2026-11-01T08:30` means; without a zone it is UTC.

    Raises:
        ValueError: It is none of these.
    """
    if ago := _AGO.fullmatch(text):
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time: 12h, 7d, 2w, 2026-11-01 or 2026-11-01T08:30 are") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


class ListRun:
    """One run of `review_report.py --since`."""

    def __init__(self, surroundings: Surroundings, target: Target, since: float) -> None:
        self._scans = ScanReading(surroundings, target).table.scans
        self._since = since

    def run(self) -> ScanList:
        """Return the scans that were made since then."""
        scans = [scan for scan in self._scans.scans() if scan.created_at >= self._since]
        return ScanList(self._since, tuple(ListedScan(scan, self._scans.totals(scan.id)) for scan in scans))
