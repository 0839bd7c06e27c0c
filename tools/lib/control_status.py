"""How a scan stands, in one sentence: from its item, its totals and the running analyses, whatever the scan's size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handlers.domain.record import Progress, Scan, Settings, Totals
from handlers.domain.states import ScanStatus, State
from tools.lib.wording import printable

SOON_SECONDS = 43_200
"""Up to here a time of the day alone says which day is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a scan stands at one moment (`now`, epoch seconds); `slots` is how many of the account's jobs are used."""

    scan: Scan
    totals: Totals
    running: int
    settings: Settings
    slots: int
    now: float

    @property
    def total(self) -> int | None:
        """Return how many objects the scan has, if it is known: by its manifest, or for a job made by hand by the job."""
        tasks = [job.tasks for job in self.scan.jobs if job.tasks is not None]
        return self.scan.objects if self.scan.objects is not None else max(tasks, default=None)

    @property
    def videos_per_hour(self) -> float | None:
        """Return how many videos became final in an hour, measured over the last hour; None where too little is known."""
        start = self.scan.progress[0] if self.scan.progress else Progress(self.scan.created_at, 0)
        done, seconds = self.totals.final - start.final, self.now - start.at
        return done * 3_600 / seconds if done > 0 and seconds > 0 else None

    @property
    def ready_at(self) -> float | None:
        """Return about when the last video will be final; None where nobody can tell."""
        if self.total is None or self.videos_per_hour is None or self.scan.status is not ScanStatus.OPEN or self.settings.paused:
            return None
        return self.now + max(0, self.total - self.totals.final) * 3_600 / self.videos_per_hour

    def line(self) -> str:
        """Return the sentence."""
        of = "" if self.total is None else f" of {self.total:,}"
        counts = [f"{self.totals.videos.get(state, 0):,} {state.lower()}" for state in (State.FAILED, State.CANCELLED)]
        parts = [
            f"{self.totals.final:,}{of} done",
            f"{self.totals.videos.get(State.FLAGGED, 0):,} flagged",
            *(count for count in counts if not count.startswith("0 ")),
            f"{self.running:,} running",
        ]
        return f"{', '.join(parts)}, {self._outlook()}"

    def _outlook(self) -> str:
        if self.scan.status is not ScanStatus.OPEN:
            why = f" ({printable(self.scan.held_reason)})" if self.scan.held_reason else ""
            return f"the scan is {self.scan.status.value}{why}"
        if self.settings.paused:
            by, reason = self.settings.paused_by or "somebody", self.settings.paused_reason or "no reason was given"
            return f"starting is paused by {printable(by)}: {printable(reason)}"
        return (
            "when it will be ready is not known yet"
            if self.ready_at is None
            else f"ready about {_clock_time(self.ready_at, self.now)}"
        )

    def sentences(self) -> list[str]:
        """Return the standing as lines for a person."""
        return [f"Scan {self.scan.id} of {printable(self.scan.bucket)}", self.line()]

    def as_json(self) -> dict[str, Any]:
        """Return the standing as JSON values; times in epoch seconds."""
        return {
            "scan": self.scan.id,
            "bucket": self.scan.bucket,
            "status": self.scan.status.value,
            "over": not self.scan.live,
            "held_reason": self.scan.held_reason,
            "objects": self.total,
            "done": self.totals.final,
            "videos": {state.value: count for state, count in sorted(self.totals.videos.items())},
            "failures": self.totals.failures,
            "minutes": sum(self.totals.milliseconds.values()) / 60_000,
            "running": self.running,
            "slots": self.slots,
            "videos_per_hour": self.videos_per_hour,
            "ready_at": self.ready_at,
            "paused": self.settings.paused,
            "paused_by": self.settings.paused_by,
            "paused_reason": self.settings.paused_reason,
            "line": self.line(),
        }


@dataclass(frozen=True, slots=True)
class ScanList:
    """All scans, the newest first."""

    standings: tuple[Standing, ...]

    def sentences(self) -> list[str]:
        """Return a line for each scan."""
        if not self.standings:
            return ["There is no scan yet: submit one with submit_job.py."]
        return [f"{each.scan.id}  {printable(each.scan.bucket)}  {each.line()}" for each in self.standings]

    def as_json(self) -> dict[str, Any]:
        """Return the scans as JSON values."""
        return {"scans": [each.as_json() for each in self.standings]}


@dataclass(frozen=True, slots=True)
class Said:
    """What a command did, in a sentence and as JSON values."""

    text: str
    values: dict[str, Any]

    def sentences(self) -> list[str]:
        """Return the sentence."""
        return [self.text]

    def as_json(self) -> dict[str, Any]:
        """Return the values."""
        return self.values


def _clock_time(at: float, now: float) -> str:
    """Return a time as a person at this machine reads it; farther off with its day."""
    local = datetime.fromtimestamp(at).astimezone()
    return f"{local:%H:%M}" if at - now < SOON_SECONDS else f"{local:%a %d %b %H:%M}"
