"""The events of simulations as a file of JSON lines, compressed, and back: so that anyone can do the arithmetic again.

The first line of a design: `{"design", "videos", "slots"}`; then `{"time", "event", "video", "job"}`, time in seconds since the
submission. Events: `registered` (S3 handed the video out; no job), `start`, `end` (of the analysis), `released` (the quota counts
the job no longer), `read` (its whole result was handed out).
"""

import gzip
import json
from math import isnan

from tests.bench.simulation.clock import START
from tests.bench.simulation.timeline import new_timeline


def write(path, timelines, slots):
    """Write the events of designs (`{name: timeline}`)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for design, timeline in timelines.items():
            file.write(json.dumps({"design": design, "videos": len(timeline.registered), "slots": slots}) + "\n")
            file.writelines(json.dumps(event) + "\n" for event in sorted(_events(timeline), key=lambda event: event["time"]))


def read(path):
    """Yield (design, timeline, slots) of a file."""
    design = timeline = slots = None
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in map(json.loads, file):
            if "design" in line:
                if timeline is not None:
                    yield design, timeline, slots
                design, timeline, slots = line["design"], new_timeline(line["videos"]), line["slots"]
            else:
                _note(timeline, line)
    yield design, timeline, slots


def _events(timeline):
    for number, at in enumerate(timeline.registered):
        if not isnan(at):
            yield {"time": _time(at), "event": "registered", "video": number}
    columns = {"start": timeline.opened, "end": timeline.closed, "released": timeline.released, "read": timeline.read}
    for event, times in columns.items():
        for job, at in enumerate(times):
            if not isnan(at):
                yield {"time": _time(at), "event": event, "video": timeline.video[job], "job": job}


def _note(timeline, line):
    at, job = line["time"], line.get("job")
    match line["event"]:
        case "registered":
            timeline.note_registered(line["video"], at)
        case "start":
            timeline.note_opened(line["video"], at)
        case "end":
            timeline.closed[job] = at
        case "released":
            timeline.released[job] = at
        case "read":
            timeline.read[job] = at


def _time(at):
    return round(at - START, 6)
