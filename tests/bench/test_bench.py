"""The benchmarks run, and what they measure is right."""

import json
from argparse import Namespace

from tests.bench import __main__ as command
from tests.bench import join


def test_join():
    """A small join comes to the counts that its files were made with (checked by the benchmark itself), and is measured."""
    measured = join.measure(Namespace(rows=2_000, rounds=1))["join_1m"]

    assert 2_000 == measured["rows"]
    assert all(value > 0 for value in measured.values())


def test_merging(tmp_path):
    """A benchmark writes beside what another one wrote into the same file."""
    path = tmp_path / "new" / "review.json"

    command.merge(path, {"join_1m": 1, "page_20k": 1})
    command.merge(path, {"join_1m": 2})

    assert {"join_1m": 2, "page_20k": 1} == json.loads(path.read_text())
