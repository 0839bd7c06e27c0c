"""Benchmarks: `python -m tests.bench [NAME ...]`, all of them without a name. Results go to build/bench/<file>.json.

A benchmark is a function that returns what is merged into its file, so that several may share one. What it finds wrong it returns
as `faults`, sentences: they end the command, on stderr and with exit code 1, after everything was measured and written.
"""

import argparse
import json
import sys
from pathlib import Path

from tests.bench import desk, evidence, frames, frames_flow, headers, join, listing, page
from tests.bench.simulation import bench as simulation

RESULTS = Path("build/bench")

BENCHES = {
    "headers": ("headers.json", headers.measure),
    "join": ("review.json", join.measure),
    "page": ("review.json", page.measure),
    "desk": ("review.json", desk.measure),
    "evidence": ("review.json", evidence.measure),
    "listing": ("listing.json", listing.measure),
    "frames": ("frames.json", frames.measure),
    "frames-simulation": ("frames.json", frames_flow.measure),
    "simulation": ("simulation.json", simulation.designs),
    "simulation-mutants": ("simulation.json", simulation.mutants),
    "simulation-lengths": ("simulation.json", simulation.lengths),
    "simulation-million": ("simulation.json", simulation.million),
    "simulation-uploads": ("simulation.json", simulation.uploads),
    "simulation-months": ("simulation.json", simulation.months),
}
"""Name: file, function. `make bench-review` and `make bench-simulation` run those of one file."""


def merge(path, values):
    """Write values into a JSON file beside those that stand there."""
    known = json.loads(path.read_text()) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**known, **values}, indent=2) + "\n")


def parsed(arguments=None):
    """Return the options of a command line, by default of this process's."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Run benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHES)}; default: all")
    parser.add_argument("--file", help="only those that write this file, e.g. review.json")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the join")
    parser.add_argument("--short-videos", type=int, default=30_000, help="most videos of simulation-million")
    parser.add_argument("--films", type=int, default=10_000, help="films of frames-simulation")
    parser.add_argument("--evidence-videos", type=int, default=500, help="videos of evidence")
    parser.add_argument("--uploads", type=int, default=20_000, help="most uploads of simulation-uploads")
    parser.add_argument("--videos", type=int, default=2_000, help="videos of the other simulations")
    parser.add_argument("--rounds", type=int, default=3, help="times each is measured; the median counts")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(BENCHES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    return options


def main():
    """Run the benchmarks that were named."""
    options = parsed()
    faults = []
    for name, (file, bench) in BENCHES.items():
        if name in (options.names or BENCHES) and options.file in (None, file):
            values = bench(options)
            merge(RESULTS / file, values)
            print(json.dumps(values))  # noqa: T201 - what the command is for
            faults += values.get("faults", [])
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
