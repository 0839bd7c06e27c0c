"""The coverage of a bucket: how many of its objects, as they are now, have a verdict, and which were never looked at."""

from tools.lib.coverage.measure import measure
from tools.lib.coverage.result import Coverage, Status

__all__ = ["Coverage", "Status", "measure"]
