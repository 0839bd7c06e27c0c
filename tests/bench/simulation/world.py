"""The world of a simulation: which videos there are, and what goes wrong with each. One seed makes one world, for every design."""

import itertools
import math
import random
from array import array
from dataclasses import dataclass

from handlers.flows import start
from tests.harness.product import SWEEPS

MEDIAN_SECONDS = 240.0
LONG_SECONDS = 3_600.0
LONG_SHARE = 0.01
# Rekognition takes no longer video (Rekognition guide, limits).
LONGEST_SECONDS = 6 * 3_600.0
_QUANTILE_99 = 2.326_347_874
_SIGMA = math.log(LONG_SECONDS / MEDIAN_SECONDS) / _QUANTILE_99

NOTICE_SECONDS, LATE_NOTICE_SECONDS, LATE_SHARE = 0.1, 5.0, 0.01
LOST_SHARE, REPEATED_SHARE = 0.01, 0.01
# After how many seconds an event of an upload comes, and one that is late.
EVENT, LATE_EVENT = (0.2, 2.0), (60.0, 7_200.0)
QUOTA_LAG_SECONDS = 5.0
FLAGGED_SHARE = 0.02

_PREFIX = "videos/"
NOTHING, LOST, REPEATED = 0, 1, 2
# How often a notice is sent, by what becomes of it.
COPIES = (1, 0, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What may be different from one simulation to the next.

    Attributes:
        videos: How many there are, with those that are uploaded.
        uploads: How many of them are uploaded while time passes, the others being scanned; only `uploads.Uploads` looks at it.
        period: In how many seconds they are uploaded, evenly but for chance.
        silence: From when to when, in seconds from the first upload on, no event comes of what is uploaded; None: never.
        seed: Of all that is drawn.
        length: Of every video in seconds; None draws it from a log-normal distribution (median 4 min, 1 % above an hour).
        factor: Seconds of analysis for a second of video.
        slots: Rekognition jobs that may be open at a time: the account's quota, all of it ours.
        crash_share: Invocations of functions that die half-way.
        starter_crash_share: The same of our starters alone; None: as the others.
        tasks_per_second: How fast S3 Batch hands videos out.
        redriven: Whether S3 Batch repeats a task whose function died; AWS does not say.
        down: A function of which every invocation dies, from when and to when in seconds from the beginning; None: none is.
        sweeps: How often the sweeper is called.
        wait: How many seconds starters wait between two tries, from and to.
        without: What is left out, for mutants: "token", "sweeper".
    """

    videos: int = 10_000
    seed: int = 7
    length: float | None = None
    factor: float = 1.0
    slots: int = 20
    crash_share: float = 0.005
    starter_crash_share: float | None = None
    tasks_per_second: float = 200.0
    redriven: bool = True
    down: tuple[str, float, float] | None = None
    sweeps: str = SWEEPS
    wait: tuple[float, float] = start.WAIT_SECONDS
    without: str = ""
    uploads: int = 0
    period: float = 86_400.0
    silence: tuple[float, float] | None = None


class World:
    """The generator's list: for each video its length, and what becomes of the notice and of the quota of its jobs."""

    def __init__(self, setting):
        self.setting = setting
        chance = random.Random(f"world {setting.seed}")
        self.lengths_ms = array("l", (self._length_ms(chance) for _ in range(setting.videos)))
        self.quota_lags = array("d", (chance.uniform(0.0, QUOTA_LAG_SECONDS) for _ in range(setting.videos)))
        self.notices = bytearray(_notice(chance.random()) for _ in range(setting.videos))
        self.late = bytearray(chance.random() < LATE_SHARE for _ in range(setting.videos))
        self.flagged = bytearray(chance.random() < FLAGGED_SHARE for _ in range(setting.videos))
        # For each upload when it is put, and after how long each of its events comes: none, one or two, in any order.
        self.uploads = sorted(chance.uniform(0.0, setting.period) for _ in range(setting.uploads))
        begin, end = setting.silence or (0.0, 0.0)
        self.events = [() if begin <= at < end else events for at in self.uploads for events in [_events(chance)]]

    def _length_ms(self, chance):
        if self.setting.length is not None:
            return round(self.setting.length * 1000)
        return round(min(LONGEST_SECONDS, chance.lognormvariate(math.log(MEDIAN_SECONDS), _SIGMA)) * 1000)

    def notice_seconds(self, number):
        """Return how long a completion notice takes."""
        return LATE_NOTICE_SECONDS if self.late[number] else NOTICE_SECONDS

    def analysis_seconds(self, number):
        """Return how long the analysis of a video takes."""
        return self.setting.factor * self.lengths_ms[number] / 1000


def _events(chance):
    """Return after how many seconds each event of an upload comes."""
    drawn = chance.random()
    if drawn < LOST_SHARE:
        return ()
    count = 2 if drawn < LOST_SHARE + REPEATED_SHARE else 1
    return tuple(chance.uniform(*(LATE_EVENT if chance.random() < LATE_SHARE else EVENT)) for _ in range(count))


def _notice(drawn):
    if drawn < LOST_SHARE:
        return LOST
    return REPEATED if drawn < LOST_SHARE + REPEATED_SHARE else NOTHING


def key_of(number):
    """Return the key of a video's object."""
    return f"{_PREFIX}{number:07}.mp4"


def number_of(key):
    """Return which video a key stands for."""
    return int(key[len(_PREFIX) : -4])


class Latencies:
    """How long AWS calls take: drawn beforehand, handed out one after the other, from the beginning again after 65,521."""

    _COUNT = 65_521
    _SIGMA = 0.5

    def __init__(self, seed):
        chance = random.Random(f"latencies {seed}")
        first, *drawn = (chance.lognormvariate(math.log(0.015), self._SIGMA) for _ in range(self._COUNT))
        self.next = itertools.cycle([*drawn, first]).__next__
        """Returns the seconds of the next call: median 15 ms."""
