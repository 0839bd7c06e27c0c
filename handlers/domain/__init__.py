"""The rules and values of scans, videos and mails, without AWS: only the standard library.

Values are imported from here, rules as modules (`from handlers.domain import policy`).
"""

from handlers.domain.analysis import Hit, JobFacts, JobStatus, Page
from handlers.domain.batch_event import Request, Result, ResultCode, Task
from handlers.domain.decision import Decision, Judgement
from handlers.domain.engine import Engine
from handlers.domain.identity import Analysis, Video
from handlers.domain.lane_message import LaneMessage
from handlers.domain.policy import Policy
from handlers.domain.record import (
    BatchJob,
    Findings,
    LabelSummary,
    ObjectFacts,
    Peak,
    Problem,
    Progress,
    Record,
    Scan,
    Segment,
    Settings,
    StartParameters,
    Totals,
)
from handlers.domain.segments import SegmentBuilder
from handlers.domain.states import FINAL, RETRIABLE, SCAN_LANES, Lane, ScanMail, ScanStatus, State

__all__ = [
    "FINAL",
    "RETRIABLE",
    "SCAN_LANES",
    "Analysis",
    "BatchJob",
    "Decision",
    "Engine",
    "Findings",
    "Hit",
    "JobFacts",
    "JobStatus",
    "Judgement",
    "LabelSummary",
    "Lane",
    "LaneMessage",
    "ObjectFacts",
    "Page",
    "Peak",
    "Policy",
    "Problem",
    "Progress",
    "Record",
    "Request",
    "Result",
    "ResultCode",
    "Scan",
    "ScanMail",
    "ScanStatus",
    "Segment",
    "SegmentBuilder",
    "Settings",
    "StartParameters",
    "State",
    "Task",
    "Totals",
    "Video",
]
