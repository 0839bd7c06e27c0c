"""Watched buckets: switching their events on and off, pausing and releasing their uploads, and how they are doing."""

from tools.lib.watch.control import off, on, pause, release, require_watched, resume
from tools.lib.watch.health import Depths, Fault, Health, depths_of, engine_of, health_of
from tools.lib.watch.status import WatchStatus, WatchStatuses, statuses

__all__ = [
    "Depths",
    "Fault",
    "Health",
    "WatchStatus",
    "WatchStatuses",
    "depths_of",
    "engine_of",
    "health_of",
    "off",
    "on",
    "pause",
    "release",
    "require_watched",
    "resume",
    "statuses",
]
