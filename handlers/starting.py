"""Starting: one message of a lane at a time waits for a free job of the account's, and becomes a running analysis.

Design, sections 3 (Starting, Slots, Pausing) and 5. This is the only flow that calls Start. Every try reads settings, scan and
record again. What Rekognition refuses for certain is waited for in place; where the outcome is unknown, the note on the record
stands and the queue brings the message back, so that Start is repeated with the same token and parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from handlers import errors
from handlers.adapters.objects import ObjectStore
from handlers.adapters.queue import LaneQueues
from handlers.adapters.rekognition import (
    AnalysisStarter,
    Mismatch,
    ObjectsFault,
    OurFault,
    Refused,
    Started,
    StartResult,
    Unknown,
)
from handlers.adapters.table import Outcome, ScanTable, Situation
from handlers.clock import Clock
from handlers.domain.lane_message import LaneMessage
from handlers.domain.record import ObjectFacts, Problem, Record, StartParameters
from handlers.logs import Log
from handlers.patience import jitter
from handlers.start_rules import Drop, HandBack, Limits, Refuse, Try, Wait, decide, hopeless

PACE_SECONDS = 1.0
"""No environment calls Start sooner after its last call: four starters stay under Rekognition's 5 a second (General Reference)."""

LAST_SECONDS = 60.0
"""No try begins with less time left: it may take a look (2 x 10 s), a Start (20 s), and a few writes."""

UNKNOWN_SECONDS = 10.0
"""After how long a message comes back whose Start may have happened."""

OUR_FAULT_SECONDS = 60.0
TROUBLE_SECONDS = 30.0
BREAKER_REFUSALS = 20
"""So many Starts in a row refused for a reason of ours pause everything."""

BREAKER = "circuit breaker"


@dataclass(frozen=True, slots=True)
class StartSettings:
    """With what analyses are started, and how many."""

    topic_arn: str
    role_arn: str
    min_confidence: float
    limits: Limits


@dataclass(frozen=True, slots=True)
class _Turn:
    """One try at one message: what was read for it, and the time of the note that this invocation has set itself."""

    message: LaneMessage
    situation: Situation
    own_note: float | None

    @property
    def is_own(self) -> bool:
        """Tell whether the note on the record is this invocation's, so that its Starts were all refused for certain."""
        record = self.situation.record
        return record is not None and record.start_tried_at is not None and record.start_tried_at == self.own_note


class Starting:
    """Starts analyses; lives as long as its warm environment, whose calls of Start it paces."""

    def __init__(
        self,
        table: ScanTable,
        objects: ObjectStore,
        starter: AnalysisStarter,
        clock: Clock,
        settings: StartSettings,
    ) -> None:
        self._table = table
        self._objects = objects
        self._starter = starter
        self._clock = clock
        self._settings = settings
        self._last_start = float("-inf")

    def start(self, message: LaneMessage, *, receives: int, deadline: float) -> HandBack | None:
        """Deal with one message: None when it is done with, else for how long to hand it back.

        `receives` is how often the message was received; `deadline` when the invocation ends (epoch seconds).
        """
        log = Log({"scan_id": message.analysis.scan_id, "video_id": message.analysis.video_id})
        log.debug("message", bucket=message.video.bucket, key=message.video.key)
        own_note: float | None = None
        while True:
            self._keep_pace()
            turn = _Turn(message, self._table.situation(message.analysis), own_note)
            ...
