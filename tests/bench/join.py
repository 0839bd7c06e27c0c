"""The join of a million rows: manifest and completion report read from disk, the table asked over HTTP through botocore.

What is in the time: checking the MD5s, reading both files, writing, signing, sending and parsing 10,000 BatchGetItems for states
and those for the whole records of what is flagged or failed, and the join. What is not: Python's start, TLS, the network, S3
(its files are copied from disk) and DynamoDB itself (`table_server.py` in a process of its own, on the same two cores).
Memory is the sum of the peaks of the review's processes, without the server.
"""

import csv
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path

from tests.bench import memory, scan_files, table_server

CONTEXT = multiprocessing.get_context("spawn")


def measure(options):
    """Return the medians of some rounds."""
    with tempfile.TemporaryDirectory() as folder:
        scan = scan_files.write(Path(folder), options.rows)
        with table_server.running(scan) as endpoint:
            rounds = [_round(scan, endpoint) for _ in range(options.rounds)]
    seconds, peaks, csv_seconds, processor = (statistics.median(values) for values in zip(*rounds, strict=True))
    return {
        "join_1m": {
            "rows": options.rows,
            "rows_per_s": round(options.rows / seconds),
            "seconds": round(seconds, 1),
            "cpu_seconds": round(processor, 1),
            "rss_mb": round(peaks),
            "csv_only_rows_per_s": round(options.rows / csv_seconds),
        }
    }


def _round(scan, endpoint):
    """Return the seconds and MB of one join, the seconds of csv alone, and the processor's seconds of the join."""
    csv_seconds = _csv_only(scan)
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_joined, args=(scan, endpoint, theirs))
    process.start()
    theirs.close()  # else the death of the process would not end the waiting for its answer
    with memory.watched(process.pid) as watch:
        seconds, processor = ours.recv()
        process.join()
    return seconds, watch.peak_mb, csv_seconds, processor


def _csv_only(scan):
    """Return how long Python's csv module alone takes for the manifest and the report's files."""
    began = time.perf_counter()
    for path in (scan.manifest, *scan.results):
        with path.open(encoding="utf-8", newline="") as file:
            for _ in csv.reader(file):
                pass
    return time.perf_counter() - began


def _joined(scan, endpoint, answer):
    """Join as review_report.py does, in a fresh process, and check what came out."""
    import resource  # noqa: PLC0415 - this process's own imports

    import boto3  # noqa: PLC0415

    from handlers.adapters.table import open_table  # noqa: PLC0415
    from handlers.runtime.clock import SystemClock  # noqa: PLC0415
    from tools.lib.aws.clients import Clients  # noqa: PLC0415
    from tools.lib.review import asking  # noqa: PLC0415
    from tools.lib.review.inputs import ReportPlace, fetched_manifest, reports_of  # noqa: PLC0415
    from tools.lib.review.join import TruthTable, answered, joined  # noqa: PLC0415

    session = boto3.Session("testing", "testing", region_name="us-east-1")
    clients = Clients(session)
    clients.dynamodb = session.client("dynamodb", endpoint_url=endpoint)
    table = open_table(clients.dynamodb, scan_files.TABLE, SystemClock())
    truth = TruthTable(expected=scan.scan.objects)
    whole = 0

    began = time.perf_counter()
    with (
        fetched_manifest(scan, scan.scan.manifest_uri) as manifest,
        asking.asked(manifest, scan.scan, table, clients) as answers,
    ):
        notes = reports_of(scan.scan, lambda _: ReportPlace(scan, f"reports/{scan.scan.id}"), listing=False).notes
        for outcome in joined(answered(manifest, answers), notes, truth):
            whole += outcome.record is not None
    seconds = time.perf_counter() - began

    assert truth.adds_up, truth
    assert dict(truth.statuses) == scan.statuses, (truth.statuses, scan.statuses)
    assert whole == scan.whole, (whole, scan.whole)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    answer.send((seconds, sum(usage.ru_utime + usage.ru_stime for usage in used)))
