"""When a scan will be finished, from slots and pace, and from the speed of earlier scans by the same engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from handlers.adapters.table import Scans
from handlers.domain import Engine, Scan
from tools.lib.estimate.figure import Range
from tools.lib.text import counted

# Starts a second that one lane makes, from slow to fast. Its two starters wait a second between two Starts, and each Start takes
# calls to S3 and the table as well: 1.84 were measured. Rekognition would take 5 (docs/aws.md#7-rekognition).
STARTS_PER_SECOND = Range(1.2, 1.84, 2.0)

# Seconds for which a job holds its slot beyond the analysis of its video: until it begins, and until its notice was processed.
# AWS publishes no figure: assumed.
SECONDS_PER_JOB = Range(3.0, 10.0, 30.0)

# Tasks that S3 Batch runs in a second. AWS publishes no figure: assumed.
TASKS_PER_SECOND = Range(10.0, 100.0, 300.0)

# Seconds of video that one job analyses in a second. AWS publishes no figure: assumed to be near real time.
UNMEASURED_SPEED = Range(0.5, 1.0, 3.0)

# Seconds in which the job is prepared, the last video is analysed and the scan is closed (5 minutes after its last job).
BEFORE_AND_AFTER = Range(120.0, 480.0, 1_800.0)

# The share of `images_per_second` that workers use while there is work; they aim at the best figure.
PACE_USED = Range(0.8, 0.95, 1.0)

NEWEST_SCANS = 50

# Videos for each slot that a scan needs for its speed to count: in a smaller one, slots are empty most of the time.
BUSY_SLOTS = 10
ONE_SCAN_DOUBT = 1.5

# Seconds for which a scan by frames must have kept the whole pace busy for its speed to count.
BUSY_SECONDS = 1_800.0

_BESIDES = f"{SECONDS_PER_JOB.low:.0f} to {SECONDS_PER_JOB.high:.0f} s are added for each job"


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds of video that one job analyses in a second, and from how many scans this is known (0: it is assumed)."""

    per_slot: Range
    scans: int

    @property
    def sentence(self) -> str:
        low, high = self.per_slot.low, self.per_slot.high
        if self.scans:
            return (
                f"one job analyses {low:.1f} to {high:.1f} s of video a second, as in {counted(self.scans, 'earlier scan')}; "
                f"{_BESIDES}, which is assumed"
            )
        return (
            f"one job is assumed to analyse {low:.1f} to {high:.1f} s of video a second, and {_BESIDES}: AWS publishes no figures"
        )


@dataclass(frozen=True, slots=True)
class Pace:
    """How many images a second all workers together have analysed, and from how many scans this is known (0: from the setting)."""

    per_second: Range
    scans: int

    @property
    def sentence(self) -> str:
        low, high = self.per_second.low, self.per_second.high
        if self.scans:
            return f"{low:.1f} to {high:.1f} images a second, as in {counted(self.scans, 'earlier scan')}"
        return f"{low:.1f} to {high:.1f} images a second, as set by images_per_second"


def measured_speed(history: Scans, slots: int) -> Speed:
    """Return the speed of the newest scans that are closed, as if they had used as many slots, or else the assumed speed.

    A scan that was kept busy by its starts, as one of short videos, says nothing about the speed of an analysis.
    """
    speeds = []
    for scan, took in _closed(history, Engine.VIDEO):
        totals = history.totals(scan.id)
        seconds = sum(totals.milliseconds.values()) / 1_000
        analysing = took * slots - totals.final * SECONDS_PER_JOB.best
        if totals.final >= BUSY_SLOTS * slots and seconds and analysing > 0 and totals.final < took * STARTS_PER_SECOND.low:
            speeds.append(seconds / analysing)
    return Speed(_spread(speeds) if speeds else UNMEASURED_SPEED, len(speeds))


def measured_pace(history: Scans, images_per_second: float) -> Pace:
    """Return the pace of the newest scans by frames that are closed and were long enough, or else that of the setting."""
    paces = []
    for scan, took in _closed(history, Engine.FRAMES):
        images, sampling = history.totals(scan.id).images, took - BEFORE_AND_AFTER.best
        if sampling > 0 and images >= BUSY_SECONDS * images_per_second:
            paces.append(images / sampling)
    spread = _spread(paces) if paces else PACE_USED.through(lambda used: used * images_per_second)
    return Pace(spread.through(lambda pace: min(pace, images_per_second)), len(paces))


def _closed(history: Scans, engine: Engine) -> Iterator[tuple[Scan, float]]:
    """Yield the newest closed scans by an engine, with the seconds that they took.

    Scans of a day's uploads are left out: they last the whole day, however few uploads there are.
    """
    scans = (scan for scan in history.submitted() if scan.engine is engine)
    for scan in islice(scans, NEWEST_SCANS):
        if scan.closed_at is not None and scan.closed_at > scan.created_at:
            yield scan, scan.closed_at - scan.created_at


def _spread(figures: list[float]) -> Range:
    """Return the range from the lowest to the highest figure, which is wider if there is only one."""
    doubt = ONE_SCAN_DOUBT if len(figures) == 1 else 1.0
    return Range(min(figures) / doubt, sorted(figures)[len(figures) // 2], max(figures) * doubt)


def seconds_until_done(*, video_seconds: Range, objects: int, slots: int, speed: Speed) -> Range:
    """Return the seconds from the submission to the end by the video API: the longest of S3 Batch's tasks, Starts and analyses."""
    job_seconds = video_seconds.over(speed.per_slot).plus(SECONDS_PER_JOB.through(lambda seconds: objects * seconds))
    analyses, starts = job_seconds.through(lambda seconds: seconds / slots), Range.exactly(objects).over(STARTS_PER_SECOND)
    return BEFORE_AND_AFTER.plus(analyses.at_least(starts).at_least(_tasks(objects)))


def seconds_until_looked_at(*, images: Range, objects: int, pace: Pace) -> Range:
    """Return the seconds from the submission to the end by frames: the longer of S3 Batch's tasks and the images."""
    return BEFORE_AND_AFTER.plus(images.over(pace.per_second).at_least(_tasks(objects)))


def _tasks(objects: int) -> Range:
    """Return the seconds that S3 Batch needs for its tasks."""
    return Range.exactly(objects).over(TASKS_PER_SECOND)
