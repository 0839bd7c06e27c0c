"""The only file of these tests that imports the product: a script that moves modules or renames them rewrites this one alone.

Everything else goes through the outside: command lines, DynamoDB's and S3's API, raw files.
"""

# ruff: noqa: E402 # Node must be found before anything imports aws_cdk

import dataclasses
import functools
import json
import os
import subprocess
from argparse import Namespace
from pathlib import Path
from unittest import mock

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from click.testing import CliRunner

from stacks.node import use_bundled_node

use_bundled_node()

from handlers.adapters.table import LaneWatch, MailWatch, Running, codec, decisions, items, scan_items
from handlers.domain import lane_message, mp4, reasons, watch
from handlers.domain.identity import Video
from handlers.domain.record import ObjectFacts, Record, Segment, Settings
from handlers.domain.states import Lane, State
from handlers.domain.watch import Watch
from tests.bench import __main__ as bench
from tests.bench import evidence, frames, frames_flow, headers, join, listing
from tests.bench.simulation import bench as simulation
from tests.docs.helptexts import PROGRAMS
from tests.harness.fixtures import opened
from tests.harness.line import ACCOUNT, Line
from tests.harness.session import Session
from tests.harness.videos import video
from tests.kill import scenarios
from tests.once import shipped_context, synthesised
from tests.tools.conftest import TABLE, WORK_BUCKET, account_of_its_own
from tools.lib import doctor
from tools.lib.cli import ProgramContext
from tools.lib.estimate import headers as estimate_headers
from tools.lib.review.page import modules
from tools.lib.review.page.document import asset
from tools.rehearsal.assembly import CONTEXT as SNAPSHOT_CONTEXT
from tools.rehearsal.assembly import SNAPSHOT

__all__ = [
    "ACCOUNT",
    "BENCHES",
    "COMMANDS",
    "HEADER_CODES",
    "PROGRAMS",
    "REFUSED_HEADER_CODES",
    "SCENARIOS",
    "SNAPSHOT",
    "SNAPSHOT_CONTEXT",
    "TABLE",
    "WORK_BUCKET",
    "Line",
    "Session",
    "account_of_its_own",
    "opened",
    "reasons",
    "shipped_context",
    "synthesised",
    "video",
]

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "review": ("review_report.py", "--scan", "{scan}"),
    "review of a job": ("review_report.py", "--job", "{job}"),
    "review of a sample": ("review_report.py", "--scan", "{scan}", "--sample-clean", "5"),
    "desk": ("review_report.py", "serve", "--no-browser"),
    "history of a video": ("review_report.py", "video", "{uri}"),
    "scans since": ("review_report.py", "list", "--since", "30d"),
    "retry, dry run": ("review_report.py", "retry", "--dry-run"),
    "retry": ("review_report.py", "retry", "--all-failed", "--yes"),
    "review of a day": ("review_report.py", "--scan", "{day}"),
    "retry of a day, dry run": ("review_report.py", "retry", "--scan", "{day}", "--stack", "Watching", "--dry-run"),
    "retry of a day": ("review_report.py", "retry", "--scan", "{day}", "--stack", "Watching", "--yes"),
    "policy": ("review_report.py", "policy", "{policy}"),
    "policy applied": ("review_report.py", "policy", "{policy}", "--apply"),
    "decisions applied": ("review_report.py", "apply", "{decisions}"),
    "policy with lower thresholds": ("review_report.py", "policy", "{policy_lower}"),
    "policy below what is reported": ("review_report.py", "policy", "{policy_below_reported}"),
    "decisions refused": ("review_report.py", "apply", "{decisions_refused}"),
    "export of videos": ("review_report.py", "export", "--rows", "videos", "--csv", "{csv}", "--jsonl", "{jsonl}"),
    "export of segments": ("review_report.py", "export", "--rows", "segments", "--csv", "{csv}", "--jsonl", "{jsonl}"),
    "export of decisions": ("review_report.py", "export", "--decisions", "--csv", "{csv}", "--jsonl", "{jsonl}"),
    "status": ("control_scan.py", "status"),
    "status of a scan": ("control_scan.py", "status", "{express}"),
    "list": ("control_scan.py", "list"),
    "pause": ("control_scan.py", "pause"),
    "pause a scan": ("control_scan.py", "pause", "{express}"),
    "resume": ("control_scan.py", "resume"),
    "resume a scan": ("control_scan.py", "resume", "{express}"),
    "slots": ("control_scan.py", "slots", "9"),
    "cancel": ("control_scan.py", "cancel", "{express}", "--yes"),
    "redrive": ("control_scan.py", "redrive"),
    "republish a scan": ("control_scan.py", "republish", "{scan}", "--stack", "Consequences"),
    "republish an object": ("control_scan.py", "republish", "{uri}", "--stack", "Consequences"),
    "coverage": ("control_scan.py", "coverage", "{bucket}"),
    "gate": ("control_scan.py", "gate", "{bucket}", "--policy", "deny-flagged"),
    "watch on": ("control_scan.py", "watch", "on", "{bucket}", "--stack", "Watching"),
    "watch off": ("control_scan.py", "watch", "off", "{bucket}", "--yes", "--stack", "Watching"),
    "watch status": ("control_scan.py", "watch", "status", "--stack", "Watching"),
    "watch pause": ("control_scan.py", "watch", "pause", "{bucket}", "--stack", "Watching"),
    "watch resume": ("control_scan.py", "watch", "resume", "{bucket}", "--stack", "Watching"),
    "watch release": ("control_scan.py", "watch", "release", "{bucket}", "--stack", "Watching"),
    "check": ("submit_job.py", "--bucket", "{bucket}", "--check"),
    "plan": ("submit_job.py", "--bucket", "{bucket}", "--dry-run", "--measure", "none"),
    "plan with an estimate": ("submit_job.py", "--bucket", "{bucket}", "--dry-run", "--measure", "all"),
    "plan with a full selection": (
        *("submit_job.py", "--bucket", "{bucket}", "--dry-run", "--measure", "none", "--prefix", "2024/", "--suffix", ".mp4"),
        *("--include", "*.mp4", "--exclude", "re:^tmp/", "--min-size", "1", "--max-size", "1GB", "--storage-class", "STANDARD"),
        *("--modified-after", "2000-01-01", "--modified-before", "2100-01-01", "--sample", "10", "--seed", "1", "--limit", "5"),
        "--all-versions",
    ),
    "submit": ("submit_job.py", "--bucket", "{bucket}", "--yes", "--measure", "none"),
    "submit to the express lane": (
        *("submit_job.py", "--bucket", "{bucket}", "--yes", "--measure", "none"),
        *("--express", "--prefix", "2024/", "--max-size", "1GB", "--sample", "100%"),
    ),
    "run a plan": ("submit_job.py", "--run-plan", "{plan}", "--yes"),
}
"""How each thing is asked for on the command line today; fixtures know it by its name."""
# The codes of headers that could not be read which do not stand where they are used, by the names that stand there.
HEADER_CODES = {"OTHER_CONTAINER": mp4.OTHER_CONTAINER, "_AWS": estimate_headers._AWS}
REFUSED_HEADER_CODES = {*estimate_headers._REFUSED.values()}
SCENARIOS = {
    "verdicts": scenarios.verdicts,
    "starts": scenarios.starts,
    "mails": scenarios.mails,
    "ends": scenarios.ends,
    "lost": scenarios.lost,
    "breaker": scenarios.breaker,
}
"""Scans that together take every branch of the functions: each acts on a `Line`."""


def run(account, command, **values):
    """Run a command in an account of moto with --json, as from a terminal that cannot be asked; return click's result."""
    program, *arguments = (word.format(**values) for word in COMMANDS[command])
    context = ProgramContext(
        connect=lambda _profile, _region: account.clients,
        clock=account.clock,
        entropy=lambda count: bytes(range(count)),
        interactive=False,
    )
    submits = program == "submit_job.py" or arguments[0] == "retry"
    folder = ["--manifests", str(account.manifests)] if submits else []
    # A desk is closed at once.
    with mock.patch.object(doctor, "CHECKS", account.checks), mock.patch("uvicorn.Server.run"):
        return CliRunner().invoke(PROGRAMS[program], [*arguments, "--json", *folder], obj=context, catch_exceptions=False)


def watch_bucket(account, bucket):
    """Have another stack of an account, `Watching`, watch a bucket, to which a video was uploaded that has a verdict by now."""
    now = account.clock.now()
    account.deploy_watching(Watch(bucket, max_minutes_per_day=60))
    account.table.watches.note_upload(bucket, now)
    waiting = Record(
        Video(bucket, "a.mp4"),
        watch.scan_id(bucket, watch.day_of(now)),
        State.WAITING,
        facts=ObjectFacts("abc", 3, None),
        queued_at=now,
        uploaded_at=now,
    )
    account.table.records.register(waiting, None)
    account.table.records.finish(dataclasses.replace(waiting, state=State.CLEAN, finished_at=now + 60.0, duration_ms=1_000))


def submit(line, *arguments):
    """Submit the videos of a line's bucket and follow the scan to its end; return what `submit_job.py --json` says."""
    return line.scan(*arguments)


def stored(line):
    """Return all items that a line's table holds now, as DynamoDB writes them."""
    return [row.item for row in line.tables.table(line.outputs["TableName"]).rows.scan()]


def video_id(bucket, key, version_id=None):
    """Return the id of a video."""
    return Video(bucket, key, version_id).id


def decisions_of_the_page(script):
    """Run a script under Node with the page's `Decisions` at hand; return what it prints as JSON."""
    source = modules.script("decisions.js", asset)
    done = subprocess.run([os.environ["JSII_NODE"], "-"], input=source + script, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def bench_files():
    """Return which file below `build/bench` each benchmark writes, and the other files there."""
    return {name: file for name, (file, _) in bench.BENCHES.items()}, [str(bench.RESULTS), str(simulation.EVENTS)]


def _listed(_few):
    taken = listing.Run(keys=10, seconds=1.0, cpu_seconds=1.0, rss_mb=1.0)
    return {name: listing._values(dict.fromkeys(case.shares, taken)) for name, case in listing.CASES.items()}


@functools.cache
def _simulated(_make):
    """Simulate our design once for all that only want to see which figures are written of it."""
    return simulation.simulate(simulation.Setting(videos=20), simulation.Ours)


def _of_one(bench_of_ours):
    """Return a benchmark of our design in many settings as one that looks at the same simulation for each."""

    def measure(few):
        _simulated(simulation.Ours)
        with (
            mock.patch.object(simulation, "_run", lambda _label, _setting, make: _simulated(make)[0]),
            mock.patch.object(simulation, "simulate", lambda _setting, make, _watch: _simulated(make)),
        ):
            return bench_of_ours(few)

    return measure


BENCHES = {
    "evidence": evidence.measure,
    "frames": lambda _few: frames.measure(None, {"small": (180, 5, "mp4", 10)}),
    "frames-simulation": lambda few: {"simulation": frames_flow.simulate(few.films)},
    "headers": lambda few: dict.fromkeys(headers.FILES, headers._measured(headers.FILES["no_video"](), few.rounds)),
    "join": join.measure,
    "listing": _listed,
    "simulation": simulation.designs,
    "simulation-mutants": _of_one(simulation.mutants),
    "simulation-lengths": _of_one(simulation.lengths),
    "simulation-million": _of_one(simulation.million),
}
"""What a benchmark returns of small runs; without that of the page, which needs a browser."""


def bench_values(name):
    """Return what a benchmark would write after small runs."""
    return BENCHES[name](Namespace(evidence_videos=1, films=3, videos=20, short_videos=100, rows=100, rounds=1))


# --- read and written again ------------------------------------------------------------------------------------------------


def record_again(item):
    """Return the item that is written of the record that is read from an item."""
    return _written(items.record_item(items.record_from(_read(item))))


def segment_again(item, record):
    """Return the item that is written of the segment that is read from an item, of a record that is read from its own."""
    (written,) = items.segment_items(items.record_from(_read(record)), [codec.read(Segment, _read(item))])
    return _written(written)


def scan_again(item):
    """Return the item that is written of the scan that is read from an item."""
    return _written(scan_items.scan_item(scan_items.scan_from(_read(item)), int(item["revision"]["N"])))


def lane_again(item):
    """Return the item that is written of what is read of a lane."""
    return _written(scan_items.lane_item(Lane(item["sk"]["S"]), codec.read(LaneWatch, _read(item))))


def mail_watch_again(item):
    """Return the item that is written of what is read of the e-mail subscriptions."""
    return _written(scan_items.mail_item(codec.read(MailWatch, _read(item))))


def decision_again(item):
    """Return the item that is written of the decision that is read from an item."""
    return _written(decisions.decision_item(decisions.decision_from(_read(item))))


def decision_made_again(item):
    """Return the item that is written of the entry of the log that is read from an item."""
    entry = decisions.log_entry_from(_read(item))
    index = decisions.log_index(int(item["scan_sk"]["S"]) / 1000) if "scan_sk" in item else {}
    return _written({**decisions.log_item(entry.decision, entry.before), **index})


def logged(item):
    """Return what is read of the key of an entry of the log."""
    return tuple(decisions.logged_from(_read({name: item[name] for name in ("pk", "sk", "scan_pk", "scan_sk")})))


def running_again(item, record):
    """Return the item that is written of a running analysis that is read from an item, when polled, and whether handed over."""
    found = codec.read(Running, _read(item))
    names = (found.scan_id, found.video_id, found.attempt)
    known = items.record_from(_read(record))
    assert names == (known.scan_id, known.video.id, known.attempt)
    written = _written(scan_items.running_item(known, found.job_id, found.since, repeated=found.repeated))
    return written, found.asked_at, found.handed_over


def settings_read(item):
    """Return the values that are read from the item of the settings."""
    return list(dataclasses.astuple(codec.read(Settings, _read(item))))


def totals_read(*found):
    """Return the values that are read from a scan's totals items: videos, milliseconds, and failures by reason."""
    return json.loads(json.dumps(dataclasses.astuple(scan_items.totals_from(map(_read, found)))))


def message_of(record):
    """Return the message that is sent for the record that is read from an item."""
    return lane_message.body(items.record_from(_read(record)))


def message_read(body):
    """Return the object (bucket, key, version) and the tag that a message asks for an analysis of."""
    found = lane_message.parse(body)
    return [found.video.bucket, found.video.key, found.video.version_id], found.analysis.tag


def _read(item):
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}


def _written(item):
    return {name: TypeSerializer().serialize(value) for name, value in item.items()}
