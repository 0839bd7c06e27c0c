"""The join of a million rows, and of ten: manifest and report read from disk, the table asked over HTTP through botocore.

What is in the time: checking the MD5s, reading both files, the Queries of the index for what is clean, the BatchGetItems for the
records of the rest, and the join. What is not: Python's start, TLS, the network, S3 (its files are copied from disk) and DynamoDB
itself (`table_server.py` in a process of its own, on the same two cores). Memory is the peak of the review, without the server.

Requests and read units are what the server was asked for; those "by record" are what it would take to read every record from the
table: its state, consistently and a hundred at a time, and once more the whole record of what a review shows.
"""

import csv
import multiprocessing
import statistics
import tempfile
import time
from math import ceil
from pathlib import Path

from tests.bench import memory, scan_files, table_server

CONTEXT = multiprocessing.get_context("spawn")
BATCH = 100  # keys of one BatchGetItem


def measure(options):
    """Return the medians of some rounds with a million rows, and one round with ten million."""
    return {"join_1m": _measure(options.rows, options.rounds), "join_10m": _measure(10 * options.rows, 1)}


def _measure(rows, times):
    with tempfile.TemporaryDirectory() as folder:
        scan = scan_files.write(Path(folder), rows)
        with table_server.running(scan) as endpoint:
            rounds = [_round(scan, endpoint) for _ in range(times)]
            spent = table_server.spent(endpoint)
    seconds, peaks, csv_seconds, processor = (statistics.median(values) for values in zip(*rounds, strict=True))
    return {
        "rows": rows,
        "rows_per_s": round(rows / seconds),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(processor, 1),
        "rss_mb": round(peaks),
        "csv_only_rows_per_s": round(rows / csv_seconds),
        "of_csv_only": round(csv_seconds / seconds, 3),
        "requests": round(spent["requests"] / times),
        "read_units": round(spent["read_units"] / times),
        "requests_by_record": ceil(rows / BATCH) + ceil(scan.whole / BATCH),
        "read_units_by_record": rows + scan.whole,
    }


def _round(scan, endpoint):
    """Return the seconds and MB of one join, the seconds of csv alone, and the processor's seconds of the join."""
    before = _csv_only(scan)
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_joined, args=(scan, endpoint, theirs))
    process.start()
    theirs.close()  # else the death of the process would not end the waiting for its answer
    with memory.watched(process.pid) as watch:
        seconds, processor = ours.recv()
        process.join()
    # csv takes two seconds, in which a machine may be faster or slower than in the half a minute between.
    csv_seconds = statistics.mean((before, _csv_only(scan)))
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
    import os  # noqa: PLC0415 - this process's own imports
    import resource  # noqa: PLC0415

    import boto3  # noqa: PLC0415

    from handlers.adapters.table import open_table  # noqa: PLC0415
    from handlers.runtime.clock import SystemClock  # noqa: PLC0415
    from tools.lib.aws.clients import Clients  # noqa: PLC0415
    from tools.lib.review.inputs import ReportPlace, fetched_manifest, take_reports  # noqa: PLC0415
    from tools.lib.review.join import ReportNotes, TruthTable, join  # noqa: PLC0415
    from tools.lib.review.recorded import collect_rarely, recorded_of  # noqa: PLC0415

    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = endpoint
    clients = Clients(boto3.Session("testing", "testing", region_name="us-east-1"))
    table = open_table(clients.dynamodb, scan_files.TABLE, SystemClock())
    truth = TruthTable(expected=scan.scan.objects)
    whole = 0
    collect_rarely()

    began = time.perf_counter()
    with (
        fetched_manifest(scan, scan.scan.manifest_uri) as manifest,
        recorded_of(table, scan.scan, whole=False) as recorded,
    ):
        clean = recorded.clean()
        notes = ReportNotes()
        take_reports(notes, scan.scan, lambda _: ReportPlace(scan, f"reports/{scan.scan.id}"))
        notes.take_clean(clean)
        for outcome in join(lambda: manifest, notes, recorded, truth):
            whole += outcome.record is not None
    seconds = time.perf_counter() - began

    assert truth.adds_up, truth
    assert dict(truth.statuses) == scan.statuses, (truth.statuses, scan.statuses)
    assert whole == scan.whole, (whole, scan.whole)
    used = resource.getrusage(resource.RUSAGE_SELF)
    answer.send((seconds, used.ru_utime + used.ru_stime))
