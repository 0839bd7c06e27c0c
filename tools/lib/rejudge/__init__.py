"""Judging a scan again by another policy: what would change, and writing it to the records, without a new analysis."""

from tools.lib.rejudge.command import Rejudging
from tools.lib.rejudge.comparison import Comparison

__all__ = ["Comparison", "Rejudging"]
