"""Figures as tables on stdout, and the progress of a simulation on a terminal.

finished: videos whose whole result somebody was given; lost: all others; paid twice: videos with more than one job;
makespan / ideal: from the first video to the last job's end, over the same jobs without a gap; slot use: jobs that the quota
counts, over slots times time, while at least `slots` registered videos are unstarted. Calls, GB-seconds and dollars are per video,
the dollars without Rekognition's own price.
"""

import sys
import time

from rich.console import Console
from rich.table import Table

HEADS = {
    "finished": "finished",
    "lost": "lost",
    "paid_twice": "paid twice",
    "makespan_ratio": "makespan / ideal",
    "slot_use": "slot use",
    "rekognition_calls": "Rekognition calls",
    "gb_seconds": "GB-seconds",
    "dollars": "dollars",
    "missed": "found by the comparison",
    "median_seconds": "upload to verdict, median s",
    "p95_seconds": "95th percentile",
    "uploads_mailed": "mailed",
    "slowest_mail_seconds": "verdict to mail, at most s",
    "scans": "scans",
    "mails": "mails",
    "table_items": "items",
    "table_kilobytes": "kB",
    "seconds": "seconds",
    "milliseconds_per_video": "ms per video",
}
_WIDE = 120


def show(title, rows):
    """Print one table: a row for each name, a column for each figure that any row has."""
    names = [name for name in HEADS if any(name in row for row in rows.values())]
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in names:
        table.add_column(HEADS[name], justify="right")
    for label, row in rows.items():
        table.add_row(label, *(_cell(name, row.get(name)) for name in names))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)


def _cell(name, value):
    if value is None:
        return "-"
    if name == "slot_use":
        return f"{value:.2%}"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


class Progress:
    """Shows the progress of a simulation on stderr if that is a terminal, at most twice a second."""

    def __init__(self, label):
        self._label = label
        self._next = 0.0

    def __call__(self, lab):
        """Look at a simulation that goes on."""
        if time.monotonic() >= self._next and sys.stderr.isatty():
            self._next = time.monotonic() + 0.5
            videos = lab.world.setting.videos
            print(f"\r{self._label}: {lab.timeline.finished:,} of {videos:,} read\x1b[K", end="", file=sys.stderr)  # noqa: T201

    def end(self):
        """Clear the line."""
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr)  # noqa: T201
