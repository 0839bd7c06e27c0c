"""The events of simulations as a file of JSON lines, compressed, and back: so that anyone can do the arithmetic again.

The first line of a design: `{"design", "videos", "slots"}`; then `{"time", "event", "video", "job"}`, time in seconds since the
submission. Events: `registered` (S3 handed the video out; no job), `start`, `end` (of the analysis), `released` (the quota counts
the job no longer), `read` (its whole result was handed out).
"""

import gzip
import json
from math import isnan

from tests.bench.simulation.book import new_book
from tests.bench.simulation.clock import START


def write(path, books, slots):
    """Write the events of designs (`{name: book}`)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for design, book in books.items():
            file.write(json.dumps({"design": design, "videos": len(book.registered), "slots": slots}) + "\n")
            file.writelines(json.dumps(event) + "\n" for event in sorted(_events(book), key=lambda event: event["time"]))


def read(path):
    """Yield (design, book, slots) of a file."""
    design = book = slots = None
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in map(json.loads, file):
            if "design" in line:
                if book is not None:
                    yield design, book, slots
                design, book, slots = line["design"], new_book(line["videos"]), line["slots"]
            else:
                _note(book, line)
    yield design, book, slots


def _events(book):
    for number, at in enumerate(book.registered):
        if not isnan(at):
            yield {"time": _time(at), "event": "registered", "video": number}
    columns = {"start": book.opened, "end": book.closed, "released": book.released, "read": book.read}
    for event, times in columns.items():
        for job, at in enumerate(times):
            if not isnan(at):
                yield {"time": _time(at), "event": event, "video": book.video[job], "job": job}


def _note(book, line):
    at, job = line["time"], line.get("job")
    match line["event"]:
        case "registered":
            book.note_registered(line["video"], at)
        case "start":
            book.note_opened(line["video"], at)
        case "end":
            book.closed[job] = at
        case "released":
            book.released[job] = at
        case "read":
            book.read[job] = at


def _time(at):
    return round(at - START, 6)
