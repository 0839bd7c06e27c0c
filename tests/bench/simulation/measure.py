"""Figures of a simulation, computed from the timeline alone, so that anyone can repeat it from the events."""

from dataclasses import dataclass
from math import isnan


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of a design; `report.py` explains the columns."""

    videos: int
    finished: int
    lost: int
    paid_twice: int
    jobs: int
    makespan: float
    ideal: float
    slot_use: float | None

    @property
    def makespan_ratio(self):
        """Return how much longer it took than jobs without any gap would have."""
        return self.makespan / self.ideal if self.ideal else None


def measure(timeline, videos, slots):
    """Return the figures of a timeline."""
    read = {timeline.video[job] for job in range(len(timeline.video)) if not isnan(timeline.read[job])}
    times = [0] * videos
    for number in timeline.video:
        times[number] += 1
    begin = min((at for at in timeline.registered if not isnan(at)), default=0.0)
    end = max((at for times in (timeline.released, timeline.read) for at in times if not isnan(at)), default=begin)
    spans = [
        timeline.released[job] - timeline.opened[job] for job in range(len(timeline.video)) if not isnan(timeline.released[job])
    ]
    ideal = max(sum(spans) / slots, max(spans, default=0.0))
    return Result(
        videos=videos,
        finished=len(read),
        lost=videos - len(read),
        paid_twice=sum(count > 1 for count in times),
        jobs=len(timeline.video),
        makespan=end - begin,
        ideal=ideal,
        slot_use=slot_use(timeline, slots),
    )


def slot_use(timeline, slots):
    """Return open jobs over slots times time, while at least `slots` registered videos are unstarted; None where that never was.

    Open is what the quota counts. The time ends with the last job: what is never started after it cannot be waited for.
    """
    first = {}
    for job, number in enumerate(timeline.video):
        first.setdefault(number, timeline.opened[job])
    changes = [(at, 1, 0) for at in timeline.registered if not isnan(at)]
    changes += [(at, -1, 0) for number, at in first.items() if not isnan(timeline.registered[number])]
    changes += [(at, 0, 1) for at in timeline.opened]
    changes += [(at, 0, -1) for at in timeline.released if not isnan(at)]
    end = max((at for at in timeline.released if not isnan(at)), default=0.0)
    changes.sort()
    unstarted = running = 0
    used = whole = before = 0.0
    for at, registered, opened in changes:
        if at > end:
            break
        if unstarted >= slots:
            used += running * (at - before)
            whole += slots * (at - before)
        before = at
        unstarted += registered
        running += opened
    return used / whole if whole else None
