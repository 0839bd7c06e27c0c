"""When a scan will be finished, from the slots and from the speed of earlier scans."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from handlers.adapters.table import Scans
from tools.lib.estimate.figure import Range
from tools.lib.text import counted

# Starts a second that Rekognition takes (docs/aws.md#7-rekognition), and that four starters can make.
STARTS_PER_SECOND = 5.0

# Tasks that S3 Batch runs in a second. AWS publishes no figure: assumed.
TASKS_PER_SECOND = Range(10.0, 100.0, 300.0)

# Seconds of video that one job analyses in a second. AWS publishes no figure: assumed to be near real time.
UNMEASURED_SPEED = Range(0.5, 1.0, 3.0)

# Seconds in which the job is prepared, the last video is analysed and the scan is closed (5 minutes after its last job).
BEFORE_AND_AFTER = Range(120.0, 480.0, 1_800.0)

NEWEST_SCANS = 50

# Videos for each slot that a scan needs for its speed to count: in a smaller one, slots are empty most of the time.
BUSY_SLOTS = 10
ONE_SCAN_DOUBT = 1.5


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds of video that one job analyses in a second, and from how many scans this is known (0: it is assumed)."""

    per_slot: Range
    scans: int

    @property
    def sentence(self) -> str:
        low, high = self.per_slot.low, self.per_slot.high
        if self.scans:
            return f"one job analyses {low:.1f} to {high:.1f} s of video a second, as in {counted(self.scans, 'earlier scan')}"
        return f"one job is assumed to analyse {low:.1f} to {high:.1f} s of video a second: AWS publishes no figure"


def measured_speed(history: Scans, slots: int) -> Speed:
    """Return the speed of the newest scans that are closed, as if they had used as many slots, or else the assumed speed."""
    speeds = []
    for scan in islice(history.scans(), NEWEST_SCANS):
        if scan.closed_at is None or scan.closed_at <= scan.created_at:
            continue
        totals = history.totals(scan.id)
        seconds = sum(totals.milliseconds.values()) / 1_000
        if totals.final >= BUSY_SLOTS * slots and seconds:
            speeds.append(seconds / (scan.closed_at - scan.created_at) / slots)
    if not speeds:
        return Speed(UNMEASURED_SPEED, 0)
    doubt = ONE_SCAN_DOUBT if len(speeds) == 1 else 1.0
    return Speed(Range(min(speeds) / doubt, sorted(speeds)[len(speeds) // 2], max(speeds) * doubt), len(speeds))


def seconds_until_done(*, video_seconds: Range, objects: int, slots: int, speed: Speed) -> Range:
    """Return the seconds from the submission to the end: the longest of S3 Batch's tasks, the starts and the analyses."""

    def lasting(seconds: float, per_slot: float, tasks: float) -> float:
        return max(seconds / per_slot / slots, objects / STARTS_PER_SECOND, objects / tasks)

    pace = speed.per_slot
    return BEFORE_AND_AFTER.plus(
        Range(
            lasting(video_seconds.low, pace.high, TASKS_PER_SECOND.high),
            lasting(video_seconds.best, pace.best, TASKS_PER_SECOND.best),
            lasting(video_seconds.high, pace.low, TASKS_PER_SECOND.low),
        )
    )
