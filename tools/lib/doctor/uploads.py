"""Checks of new uploads, which say nothing where none are watched: what they go through, and whether events were lost.

None of it keeps a scan from starting, so every problem is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from handlers.domain import watch
from tools.lib.doctor.case import Case
from tools.lib.doctor.findings import Finding, ok, warning
from tools.lib.text import counted, moment
from tools.lib.watch import Fault, engine_of

_DAY_SECONDS = 86_400.0


def queues(case: Case) -> Iterator[Finding]:
    """Check whether the queue of the uploads and its dead letters exist."""
    watching = case.deployment.watching
    if watching and case.deployment.work_bucket in watching.watches:
        yield warning(
            f"{case.deployment.work_bucket} is the work bucket, which cannot be watched: what is written there starts nothing.",
            'Take it out of "watch" in cdk.json and run `make deploy`.',
        )
    if case.depths:
        yield from _warnings(case.depths.queue_faults())
        yield ok(f"the queue exists, {case.depths.waiting or 0:,} to be registered")


def dead_letters(case: Case) -> Iterator[Finding]:
    """Check whether there are uploads that could not be delivered or registered."""
    if case.depths:
        yield from _warnings(case.depths.letter_faults())
        yield ok("no dead letters")


def rule(case: Case) -> Iterator[Finding]:
    """Check whether the bucket's rule exists and is enabled, and say how its films are looked at."""
    watching = case.deployment.watching
    if case.health and watching:
        yield from _warnings(case.health.rule_faults())
        yield ok(f"{case.health.rule} is enabled; films are looked at {engine_of(watching.watches[case.health.bucket])}")


def events(case: Case) -> Iterator[Finding]:
    """Check whether the bucket sends its events to EventBridge, and its watch is not off."""
    if case.health:
        yield from _warnings(case.health.event_faults(case.table.watches.state(case.bucket).ended_at))
        yield ok(f"{case.bucket} sends them to EventBridge")


def last(case: Case) -> Iterator[Finding]:
    """Say when the last upload was seen, and check whether the daily comparison found some that no event brought."""
    if case.health is None:
        return
    state = case.table.watches.state(case.bucket)
    missed = _missed(case, state.compared_at)
    if missed:
        yield warning(
            f"No event brought {counted(missed, 'upload')} of the last two days; the daily comparison found them.",
            f"They are scanned all the same; `python tools/control_scan.py watch status {case.bucket}` shows whether they arrive.",
        )
    at = state.last_upload_at
    yield ok("none was seen yet" if at is None else f"put {moment(at)}")


def _missed(case: Case, compared_at: float | None) -> int:
    """Return how many uploads no event brought, of the day of the last comparison and the one before."""
    if compared_at is None:
        return 0
    days = [watch.day_of(at) for at in (compared_at, compared_at - _DAY_SECONDS)]
    return sum(case.table.watches.day(case.bucket, day).missed for day in days)


def _warnings(faults: Iterable[Fault]) -> Iterator[Finding]:
    for fault in faults:
        yield warning(fault.text, fault.cure)
