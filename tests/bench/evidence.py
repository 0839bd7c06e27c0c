"""The page of 500 flagged videos with evidence frames: how large it is, how many frames it has, and how long that takes.

Each video is the same film of two minutes (720p, a key frame every two seconds, moving and noisy), read from memory in place of S3;
each has up to 12 moments, drawn by a seed. Decoding is real: a process for each video.
"""

import io
import resource
import time
from dataclasses import replace

from handlers.domain import ObjectFacts
from tests.bench.frame_films import film
from tests.browser.reviews import page_of, review
from tools.lib.review.frames import MEGABYTE, EvidenceFrames
from tools.lib.review.page import render, size_of

LIMIT_MB = 40
SECONDS = 120


class Memory:
    """A client of S3 whose every object is one film."""

    def __init__(self, data):
        self.data = data
        self.requests = self.bytes = 0

    def get_object(self, *, Range, **_):  # noqa: N803 # as AWS names it
        """Return a range of it."""
        first, last = map(int, Range.removeprefix("bytes=").split("-"))
        part = self.data[first : last + 1]
        self.requests, self.bytes = self.requests + 1, self.bytes + len(part)
        return {"Body": io.BytesIO(part)}


class Bar:
    """A bar that shows nothing."""

    def show(self, *_):
        """Show nothing."""


def measure(options):
    """Return the size of the page, its frames, and what they cost."""
    client = Memory(film(720, 2, "mp4", SECONDS))
    made, totals = review(flagged_count=options.evidence_videos, failed_count=0)
    made.flagged = [_of_the_film(video, len(client.data)) for video in made.flagged]
    data = page_of(made, totals)
    began, cpu = time.perf_counter(), _cpu()
    frames = EvidenceFrames(client, Bar())
    frames.put(made.flagged, data.values["flagged"], LIMIT_MB * MEGABYTE - size_of(data))
    seconds = time.perf_counter() - began
    target = io.StringIO()
    render(data, target)
    size = len(target.getvalue().encode())
    shown = [video["evidence"] for video in data.values["flagged"] if "evidence" in video]
    found = {
        "videos": len(made.flagged),
        "videos_with_frames": len(shown),
        "frames": sum(map(len, shown)),
        "bytes": size,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(_cpu() - cpu, 1),
        "gets_a_video": round(client.requests / len(made.flagged), 1),
        "mb_read_a_video": round(client.bytes / MEGABYTE / len(made.flagged), 2),
    }
    small = size <= LIMIT_MB * MEGABYTE
    faults = [] if small and len(shown) == len(made.flagged) else [f"the page with evidence frames: {found}"]
    return {"page_evidence": found, **({"faults": faults} if faults else {})}


def _of_the_film(video, size):
    """Return a flagged video whose object is the film; its segments are within it."""
    record = replace(video.outcome.record, facts=ObjectFacts("etag", size, None))
    within = [replace(each, start_ms=each.start_ms % 100_000) for each in video.segments]
    segments = [replace(each, end_ms=each.start_ms + 2_000) for each in within]
    return replace(video, outcome=replace(video.outcome, record=record), segments=tuple(segments))


def _cpu():
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
