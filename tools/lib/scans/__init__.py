"""Scans in progress: which scan is meant, how far it is, following it to its end, controlling it, and redriving dead letters."""

from tools.lib.scans.control import cancel, pause, resume, slots, watch
from tools.lib.scans.follow import NEW_JOB_SECONDS, follow
from tools.lib.scans.redrive import Redrive, Redriven
from tools.lib.scans.status import ScanProgress, find, newest, past, progress_of, scan_list
from tools.lib.scans.warnings import warnings_of

__all__ = [
    "NEW_JOB_SECONDS",
    "Redrive",
    "Redriven",
    "ScanProgress",
    "cancel",
    "find",
    "follow",
    "newest",
    "past",
    "pause",
    "progress_of",
    "resume",
    "scan_list",
    "slots",
    "warnings_of",
    "watch",
]
