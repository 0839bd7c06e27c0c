"""The one DynamoDB table: its items, and every read and write of them."""

from handlers.adapters.aws_errors import ThrottledError
from handlers.adapters.table.control import Control
from handlers.adapters.table.decisions import Decisions, Noted
from handlers.adapters.table.outbox import Content, Outbox
from handlers.adapters.table.outcome import Outcome
from handlers.adapters.table.pace import Pace
from handlers.adapters.table.records import DayUsedUpError, Known, Records, Situation
from handlers.adapters.table.sampling import Lease, Samplings
from handlers.adapters.table.scan_items import LaneWatch, MailWatch, Running, Sampling, Starting
from handlers.adapters.table.scans import Scans
from handlers.adapters.table.table import Table, open_table
from handlers.adapters.table.waiting import MAX_RECORDS, Cancelled, WaitingRecords
from handlers.adapters.table.watches import Comparison, CurrentUpload, WatchDay, Watches, WatchState

__all__ = [
    "MAX_RECORDS",
    "Cancelled",
    "Comparison",
    "Content",
    "Control",
    "CurrentUpload",
    "DayUsedUpError",
    "Decisions",
    "Known",
    "LaneWatch",
    "Lease",
    "MailWatch",
    "Noted",
    "Outbox",
    "Outcome",
    "Pace",
    "Records",
    "Running",
    "Sampling",
    "Samplings",
    "Scans",
    "Situation",
    "Starting",
    "Table",
    "ThrottledError",
    "WaitingRecords",
    "WatchDay",
    "WatchState",
    "Watches",
    "open_table",
]
