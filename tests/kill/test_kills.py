"""A function may die right before and right after any of its AWS calls: nothing is lost, and nothing is paid twice."""

import ast
import uuid
from collections import Counter

import pytest

from handlers.domain.consequence import MAX_TAGS, TAG_KEY
from handlers.domain.identity import Analysis
from handlers.flows import sample_rules
from tests.kill import scenarios, sites
from tests.kill.final import faults_of, final_of

# Those that take longest begin, so that all cores end together.
SCENARIOS = (
    *("consequences", "frames", "frames_held", "uploads"),
    *("verdicts", "starts", "mails", "holds", "ends", "lost", "breaker", "leftovers"),
)
# Calls that no scenario makes, because other orders of events lead to them: they are killed at in the tests of the flows
# (tests/handlers/flows: TestKilled of test_upload.py, test_sweep_comparison.py, test_sweep_days.py, TestLimitOfADay of
# test_sample_killed.py, test_killed_while_its_header_is_read of test_engines.py), and in the model.
_HEADERS = {f"handlers.adapters.objects self.{name}" for name in ("_bytes", "_header", "_kind_by_header")}
ELSEWHERE = {
    "batch_invoke": _HEADERS,
    # What is watched is a setting; the list of calls takes its `get` for the table's, here and below.
    "start_analysis": {*_HEADERS, "handlers.flows.day_limit self._watched.get"},
    # It reads the header of an upload to a bucket with a limit.
    "new_upload": {
        *_HEADERS - {"handlers.adapters.objects self._bytes"},
        "handlers.adapters.table.records self._changed",
        "handlers.adapters.table.records self._transition",
        "handlers.adapters.table.records self._table.transact",
        "handlers.adapters.table.records self._table.update",
        "handlers.flows.registration self._queues.send",
        "handlers.flows.upload self._records.note_put_again",
        "handlers.flows.upload self._registration.look",
        "handlers.flows.upload self._records.record",
        "handlers.flows.upload self._records.restore",
        "handlers.flows.upload self._records.supersede",
        "handlers.flows.upload self._watched.get",
    },
    # Of an upload to a bucket with a limit; and no scan by frames has others.
    "sample_frames": {
        *_HEADERS,
        "handlers.adapters.table.watches self._table.get",
        "handlers.adapters.table.watches self._table.update",
        "handlers.flows.day_limit self._watched.get",
        "handlers.flows.day_limit self._watches.state",
    },
    "sweeper": {
        "handlers.adapters.table.scans self._change_scan",
        "handlers.flows.sweep.cancel self._scans.cancel_now",
        "handlers.flows.sweep.cancel self._waiting.waiting",
        "handlers.adapters.table.watches self._table.update",
        "handlers.flows.sweep.compare_uploads self._watches.note_comparison",
        "handlers.flows.sweep.send_mail self._records.mail_spared",
    },
}
# Nothing about an upload before its record is read by an index, nor what goes by frames, nor the outbox; all else is as in the
# other scenarios.
LAGS = dict.fromkeys(("uploads", "frames", "frames_held", "consequences"), (0.0,))
pytestmark = [pytest.mark.long, pytest.mark.timeout(2_700)]


@pytest.mark.parametrize(("scenario", "lag"), [(name, lag) for name in SCENARIOS for lag in LAGS.get(name, (0.0, 2.0))])
def test_whoever_dies_the_end_is_the_same(killed, scenario, lag):
    """A kill before or after any call, with index lag or without, leaves the same records and segments, true totals and one job."""
    outcome = killed(scenario, lag)

    assert outcome.calls > 200
    assert 2 * outcome.calls == len(outcome.points)
    assert [] == outcome.faults()


@pytest.mark.parametrize("handler", sites.HANDLERS)
def test_every_call_stands_where_it_is_made(handler):
    """No method that calls AWS is passed by name, because its call would not be a site of its own."""
    assert [] == [str(site) for site in sorted(sites.references(sites.source(), handler))]


def test_what_consequences_end_with(make_world):
    """What worlds with kills are compared with is right: tags say what was found or decided last, beside those of others."""
    with make_world("consequences") as (line, _):
        scenarios.consequences(line)
        marks = final_of(line).marks

    tags = [(key, found) for (_, key, _), (found, _) in marks.items()]
    assert sorted(tags, key=str) == sorted(
        [
            ("contested.mp4", {"team": "of others", TAG_KEY: "FLAGS_FOUND"}),
            ("flagged.mp4", {TAG_KEY: "NO_FLAGS_FOUND"}),
            ("full.mp4", {str(number): "of others" for number in range(MAX_TAGS)}),
            # It was replaced while it was tagged.
            ("replaced.mp4", {}),
            # A version that was never looked at, and the one before it, which a person decided about.
            ("kept.mp4", {}),
            ("kept.mp4", {TAG_KEY: "NO_FLAGS_FOUND"}),
        ],
        key=str,
    )


def test_a_new_call_is_a_new_site():
    """A call added to a flow is reported as missing even if the same call exists elsewhere in it."""
    sources = sites.source()
    known = sites.possible_sites(sources, "batch_invoke")
    (method,) = (node for node in ast.walk(sources["handlers.flows.register"]) if getattr(node, "name", "") == "_ensure_scan")

    method.body.append(ast.parse(f"{chr(10) * 900}self._records.record('video', 'scan')").body[0])

    assert ["handlers.flows.register:901 self._records.record"] == [
        str(site) for site in sites.possible_sites(sources, "batch_invoke") - known
    ]


def test_a_start_without_a_token_is_seen(killed, monkeypatch):
    """The comparison can fail: with another token at each try, a killed starter's video is paid twice."""
    monkeypatch.setattr(Analysis, "token", property(lambda _: uuid.uuid4().hex))

    outcome = killed("long_wait", handlers=("start_analysis",))

    assert [] == faults_of(outcome.undisturbed)
    assert any("2 jobs" in fault for _, fault in outcome.faults())


def test_progress_that_is_written_too_rarely_is_seen(killed, monkeypatch):
    """The comparison can fail: if a worker of frames leaves more than twenty images unwritten, a killed one's are paid again."""
    monkeypatch.setattr(sample_rules, "IMAGES_KEPT", 1_000)

    outcome = killed("frames", handlers=("sample_frames",))

    assert [] == faults_of(outcome.undisturbed)
    assert any("images were paid for again" in fault for _, fault in outcome.faults())


def test_a_task_that_s3_batch_does_not_repeat_is_reported(killed):
    """Unknown on AWS: if a task whose function died fails for good, the report shows it and a retry repairs it."""
    outcome = killed("repaired", handlers=("batch_invoke",), batch_function_errors_redriven=False)

    assert len(outcome.ends) > 5
    assert [] == [fault for end in outcome.ends.values() for fault in (faults_of(end) if not isinstance(end, str) else [end])]
    verdicts = [{name[1]: record["state"] for name, record in end.records.items()} for end in outcome.ends.values()]
    assert [{"a.mp4": "FLAGGED", "b.mp4": "CLEAN"}] * len(verdicts) == verdicts
    assert [{"a.mp4": 1, "b.mp4": 1}] * len(verdicts) == [_jobs(end) for end in outcome.ends.values()]


def _jobs(end):
    """Return how many jobs were started of each key."""
    counts = Counter()
    for (key, *_), count in end.started.items():
        counts[key] += count
    return counts


@pytest.mark.parametrize("handler", sites.HANDLERS)
def test_every_call_of_the_source_was_killed_at(killed, handler):
    """Every call that the source of a function can make is made by a scenario; others are named here."""
    points = [point for name in SCENARIOS for point in killed(name, 0.0).points if point.fork and point.handler == handler]

    visited = {site for point in points for site in point.sites}
    missing = sites.possible_sites(sites.source(), handler) - visited
    assert ELSEWHERE.get(handler, set()) == {f"{site.module} {site.text}" for site in missing}


def test_every_operation_was_killed_at(killed):
    """A kill happened before and after each operation that the source names."""
    points = [point for name in SCENARIOS for point in killed(name, 0.0).points if point.fork]

    visited = Counter((point.operation, point.moment) for point in points)
    named = {name for handler in sites.HANDLERS for name in sites.possible_operations(sites.source(), handler)}
    assert set() == {(name, moment) for name in named for moment in ("before", "after")} - set(visited)
