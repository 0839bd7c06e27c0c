"""The timeline of a simulation: what Rekognition's engine did, and which videos S3 handed out.

All figures are computed from it. It knows nothing of the design that is simulated, nor of that design's own table.
"""

from array import array
from dataclasses import dataclass, field
from math import isnan


@dataclass(slots=True)
class Timeline:
    """One entry for each job, in the order in which they were opened; times are epoch seconds, nan where it never came to that.

    Attributes:
        registered: For each video when S3 first handed it to a function, nan where it never did.
        video: Of each job.
        opened: When each was opened.
        closed: When its analysis was over.
        released: When the quota stopped counting it.
        read: When its whole result was first handed out.
    """

    registered: array
    video: array = field(default_factory=lambda: array("l"))
    opened: array = field(default_factory=lambda: array("d"))
    closed: array = field(default_factory=lambda: array("d"))
    released: array = field(default_factory=lambda: array("d"))
    read: array = field(default_factory=lambda: array("d"))
    calls: int = 0
    touched: float = 0.0
    finished: int = 0
    _has_result: set = field(default_factory=set)

    def note_registered(self, number, at):
        """Note that S3 handed a video out; the first time counts."""
        if isnan(self.registered[number]):
            self.registered[number] = at

    def note_opened(self, number, at):
        """Note a new job and return its number."""
        self.video.append(number)
        self.opened.append(at)
        for times in (self.closed, self.released, self.read):
            times.append(float("nan"))
        self.touched = at
        return len(self.video) - 1

    def note_closed(self, job, at, released):
        """Note that a job is over, and until when the quota counts it."""
        self.closed[job], self.released[job] = at, released
        self.touched = at

    def note_read(self, job, at):
        """Note that somebody was given the whole result of a job; the first time counts."""
        if isnan(self.read[job]):
            self.read[job] = at
            self.touched = at
            self._has_result.add(self.video[job])
            self.finished = len(self._has_result)


def new_timeline(videos):
    """Return an empty timeline for a number of videos."""
    return Timeline(array("d", [float("nan")]) * videos)
