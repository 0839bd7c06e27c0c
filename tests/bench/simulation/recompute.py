"""The table once more, from the events alone: `python -m tests.bench.simulation.recompute [EVENTS]`."""

import argparse
from pathlib import Path

from tests.bench.simulation import events, report
from tests.bench.simulation.measure import measure


def main():
    """Read the events and print what they come to."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.simulation.recompute", description=__doc__)
    parser.add_argument("events", nargs="?", type=Path, default=Path("build/bench/simulation-events.jsonl.gz"))
    rows = {}
    for design, timeline, slots in events.read(parser.parse_args().events):
        result = measure(timeline, len(timeline.registered), slots)
        rows[design] = {
            "finished": result.finished,
            "lost": result.lost,
            "paid_twice": result.paid_twice,
            "makespan_ratio": round(result.makespan_ratio, 4),
            "slot_use": round(result.slot_use, 5),
        }
    report.show("From the events alone", rows)


if __name__ == "__main__":
    main()
