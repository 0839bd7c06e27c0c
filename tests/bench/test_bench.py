"""The benchmarks run, and their measurements are right."""

import json
from argparse import Namespace

import pytest

from tests.bench import __main__ as command
from tests.bench import frames, frames_flow, join, listing, listing_server
from tests.bench.listing_server import Bucket
from tools.lib.listing.pages import objects_page


def test_join():
    """Small joins come to the counts that their files were made with (checked by the benchmark itself), and are measured.

    Of 2,000 objects 76 are not clean, and of these 70 have a record: one BatchGetItem, a page for each shard, the totals twice.
    """
    measured = join.measure(Namespace(rows=2_000, rounds=1))

    assert [2_000, 20_000] == [measured[name]["rows"] for name in ("join_1m", "join_10m")]
    assert all(value > 0 for values in measured.values() for value in values.values())
    small = measured["join_1m"]
    assert (1 + 16 + 2, 20 + 1, 2_000 + 70) == tuple(
        small[name] for name in ("requests", "requests_by_record", "read_units_by_record")
    )
    assert 76 + 1_924 * 152 / 4_096 / 2 < small["read_units"] < 76 + 1_924 * 152 / 4_096 / 2 + 16


def test_merging(tmp_path):
    """A benchmark keeps what another one wrote into the same file."""
    path = tmp_path / "new" / "review.json"

    command.merge(path, {"join_1m": 1, "page_20k": 1})
    command.merge(path, {"join_1m": 2})

    assert {"join_1m": 2, "page_20k": 1} == json.loads(path.read_text())


def test_faults_end_the_command(tmp_path, monkeypatch):
    """Faults that a benchmark finds end the command after its figures were written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(command.BENCHES, "page", ("page.json", lambda _: {"seconds": 1, "faults": ["it is not as claimed"]}))
    monkeypatch.setattr("sys.argv", ["bench", "page"])

    with pytest.raises(SystemExit, match="it is not as claimed"):
        command.main()

    assert 1 == json.loads((tmp_path / "build" / "bench" / "page.json").read_text())["seconds"]


@pytest.mark.slow
def test_frames():
    """A film is sampled within the aims, and its figures are those of the sampling and of the whole decoding."""
    measured = frames.measure(None, {"small": (180, 5, "mp4", 30)})

    assert {"cases"} == set(measured)
    [case] = measured["cases"]
    assert ("small", 12.0) == (case["film"], case["images_per_minute"])
    assert 0.12 < case["price_ratio"] < 0.13
    assert 0 < case["bytes_ratio"] <= 1
    assert all(case[name] > 0 for name in ("cpu_ratio", "rss_mb", "gets", "cpu_s"))


def test_aims_of_frames():
    """A film that misses an aim is a fault of the benchmark."""
    good = {"film": "720p key 5s mp4", "price_ratio": 0.125, "bytes_ratio": 0.4, "rss_mb": 400}

    missed = [
        list(frames.missed({**good, **worse})) for worse in ({}, {"price_ratio": 0.126}, {"bytes_ratio": 0.41}, {"rss_mb": 401})
    ]

    assert [0, 1, 1, 1] == [len(faults) for faults in missed]


@pytest.mark.slow
def test_simulation_of_frames():
    """Of a few films, of whose workers one in ten dies, none is lost, little is paid for twice, and the quota is not exceeded."""
    found = frames_flow.simulate(40, rate=20.0, crash_share=0.1)

    assert (40, 0) == (found["films"], found["lost"])
    assert 1.0 < found["paid_ratio"] < 1.1
    assert 0 < found["most_in_10_s"] <= 200


def test_aims_of_the_simulation_of_frames():
    """A simulation that misses an aim is a fault of the benchmark."""
    good = {"paid_ratio": 1.01, "lost": 0, "quota_use": 0.95, "most_in_10_s": 500, "times_sooner": 8}
    worse = {"paid_ratio": 1.02, "lost": 1, "quota_use": 0.94, "most_in_10_s": 501, "times_sooner": 7.9}

    missed = [list(frames_flow.missed({**good, name: value})) for name, value in worse.items()]

    assert [1] * len(worse) == [len(faults) for faults in missed]
    assert [] == list(frames_flow.missed(good))


def test_listing():
    """Small buckets are listed by both Python clients into the manifests that are expected (checked by the benchmark itself)."""
    both = {"ours": 1, "boto3": 1}
    cases = {
        "flat": listing.Case(Bucket(10_000), both),
        "ten": listing.Case(Bucket(10_000, folders=10), both),
        "versions": listing.Case(Bucket(10_000, versions=True), both, seconds=0.005),
    }

    measured = listing.measure(Namespace(rounds=1), cases)

    assert set(measured) == set(cases)
    for values in measured.values():
        assert all(values[name] > 0 for name in ("ours", "boto3", "times_boto3", "ours_rss_mb"))
        assert values["details"]["ours"]["keys"] == 10_000


def test_the_cases_of_listing():
    """All four clients list one million keys and ten, below one prefix and ten, with distinguishable results."""
    sizes = {"1m": 1_000_000, "10m": 10_000_000}

    for name, folders in (("flat", 1), ("ten", 10)):
        for size, keys in sizes.items():
            case = listing.CASES[f"{name}_{size}"]
            assert (keys, folders) == (case.bucket.keys, case.bucket.folders)
            assert {"ours", "boto3", "aws_cli", "s5cmd"} == set(case.shares)
            assert 1 == case.shares["ours"]


def test_the_listing_server():
    """The server's pages are cut from the bucket's keys as S3 cuts them, at any place."""
    bucket = Bucket(20_000, folders=10)
    pages = listing_server.Pages(bucket)

    for after, size in (
        ("", 1),
        ("library-1/recording-00001500.mp4", 1000),
        ("library-1/x", 1500),
        ("library-9/recording-00001998.M", 9),
    ):
        page = objects_page(pages.answer(f"list-type=2&encoding-type=url&start-after={after}&max-keys={size}"))
        expected = [bucket.key(number) for number in range(bucket.keys) if bucket.key(number) > after]
        assert list(page.batch.keys) == expected[:size]
        assert (page.following is not None) == (len(expected) > size)
