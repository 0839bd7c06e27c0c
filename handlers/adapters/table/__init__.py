"""The one DynamoDB table: its items, and every read and write of them. What others may use of it is exported here."""

from handlers.adapters.aws_errors import ThrottledError
from handlers.adapters.table.outcome import Outcome
from handlers.adapters.table.reading import Situation
from handlers.adapters.table.scan_items import Running
from handlers.adapters.table.table import ScanTable

__all__ = ["Outcome", "Running", "ScanTable", "Situation", "ThrottledError"]
