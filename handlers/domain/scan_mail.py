"""The mails about a scan as a whole, and about starting as a whole: plain text, limits as in `mail`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from handlers.domain.mail import Mail, ascii_text, time_code, visible
from handlers.domain.record import INELIGIBLE, Record, Scan, Settings, Totals
from handlers.domain.states import ScanStatus, State

WORST = 10
"""So many flagged videos are named in a digest."""

MAX_REASONS = 20
MAX_TEXT = 300
"""Longest reason and label shown; a key is shown whole, 1,024 bytes and their escapes."""

_ROWS = ("clean", "flagged", "failed", "ineligible", "cancelled")
"""Outcomes in the digest; the last two are left out where there are none."""

DOLLARS_A_MINUTE = 0.10
"""Rekognition content moderation of stored video, us-east-1; a test holds it against the tools' table of prices."""


def digest_mail(scan: Scan, totals: Totals, worst: Sequence[Record], stack_name: str, *, seen_all: bool) -> Mail:
    """Return the mail that a scan is over: counts, worst videos, failures by reason, minutes and money, and what to do next.

    `worst` are flagged videos, the worst first; `seen_all` tells whether all of them were looked at for it.
    """
    ended = "cancelled" if scan.status is ScanStatus.CANCELLED else "finished"
    told = totals.counts
    ineligible = f", {told['ineligible']:,} ineligible" if told["ineligible"] else ""
    without = f", {unrecorded:,} not looked at" if (unrecorded := _without_record(scan, totals)) else ""
    subject = f"Scan {ended}: {totals.final:,} videos, {told['flagged']:,} flagged, {told['failed']:,} failed{ineligible}{without}"
    parts = (
        [f"The scan {scan.id} of {visible(scan.bucket)} is {ended}.", *_jobs(scan), "", *_counts(scan, totals)],
        _set_aside(scan),
        _worst(worst, totals, seen_all=seen_all),
        _reasons("Failed", {reason: count for reason, count in totals.failures.items() if reason not in INELIGIBLE}),
        _reasons("Ineligible", {reason: count for reason, count in totals.failures.items() if reason in INELIGIBLE}),
        _spent(totals),
        ["What to do next:", f"  every object: {_review(scan.id, stack_name)}"],
    )
    return _mail(subject, [part for part in parts if part], kind="DIGEST", scan_id=scan.id)


def limit_mail(scan: Scan, limit: int, stack_name: str) -> Mail:
    """Return the mail that no more of a scan's flagged videos are mailed one by one."""
    said = [
        f"{_count(limit, 'flagged video')} of the scan {scan.id} of {visible(scan.bucket)} mailed.",
        "That is the limit (`mails_per_scan` in cdk.json).",
        "The scan goes on. No more are mailed one by one: the digest comes when it closes.",
    ]
    look = ["To look before that:", f"  {_review(scan.id, stack_name)}"]
    return _mail(f"No more mails about single videos of scan {scan.id}", [said, look], kind="LIMIT", scan_id=scan.id)


def job_broken_mail(scan: Scan, waiting: int, stack_name: str, *, counted_to: int) -> Mail:
    """Return the mail that a scan is paused because its batch job was cancelled or failed."""
    many = (
        f"more than {counted_to:,} videos still wait"
        if waiting > counted_to
        else f"{_count(waiting, 'video')} still wait{'s' if waiting == 1 else ''}"
    )
    reason = visible(scan.held_reason or "its batch job ended early")[:MAX_TEXT]
    why = f"The scan {scan.id} of {visible(scan.bucket)} is paused: {reason}."
    choice = [
        "What to do next, one of these:",
        f"  analyse them: {_control('resume', scan.id, stack_name)}",
        f"  leave them:   {_control('cancel', scan.id, stack_name)}",
        "Videos whose analysis runs finish in either case; what the job had not handed over is not scanned.",
    ]
    return _mail(f"Scan paused: {many}", [[why, f"Of what it had handed over, {many}."], choice], kind="PAUSED", scan_id=scan.id)


def pause_mail(settings: Settings, stack_name: str) -> Mail:
    """Return the mail to the operator that all starting is paused."""
    by, reason = settings.paused_by or "somebody", settings.paused_reason or "no reason was given"
    said = [
        f"No analysis is started any more: paused by {visible(by)[:MAX_TEXT]}.",
        f"Reason: {visible(reason)[:MAX_TEXT]}",
        "Nothing is lost and nothing is paid meanwhile: the videos wait, and analyses that run finish.",
    ]
    cure = [
        "What to do next:",
        "  mend the reason (a permission, a role, a parameter; the log of start_analysis has each refusal)",
        f"  then let it go on: {_control('resume', None, stack_name)}",
    ]
    return _mail(f"Starting is paused: {reason}", [said, cure], kind="PAUSED", scan_id=None)


def confidence(record: Record) -> float:
    """Return how sure the surest label is that flagged a video, in percent."""
    return max((label.confidence for label in record.labels if label.name in record.counted), default=0.0)


def _jobs(scan: Scan) -> list[str]:
    return [f"Its batch job {job.id} is {job.status.lower()}." for job in scan.jobs if job.status not in ("Complete", "NotFound")]


def _counts(scan: Scan, totals: Totals) -> list[str]:
    """Return a row for each state, and their sum; what the manifest has more has no record: no video, or not handed over."""
    rows = {name: totals.counts[name] for name in _ROWS}
    unrecorded = _without_record(scan, totals)
    if unrecorded:
        rows["without record"] = unrecorded
    width = max(len(f"{sum(rows.values()):,}"), 6)
    lines = [f"  {name:<16}{count:>{width},}" for name, count in rows.items() if count or name not in _ROWS[3:]]
    said = "Without record: not looked at, being no video, or because its task failed or never came; or a row that is there twice."
    return [*lines, f"  {'':-<{16 + width}}", f"  {'objects':<16}{sum(rows.values()):>{width},}", *([said] if unrecorded else [])]


def _without_record(scan: Scan, totals: Totals) -> int:
    """Return how many rows of the manifest the table knows nothing of; the review tells why each."""
    return max(0, (scan.objects or 0) - totals.final)


def _set_aside(scan: Scan) -> list[str]:
    """Return what the counts lack of what was selected; apart from them, for a retry may have taken some of it up since."""
    reasons = ", ".join(f"{count:,} {visible(code)[:MAX_TEXT]}" for code, count in sorted(scan.set_aside.items()))
    return [f"Left out when it was submitted, because nobody can analyse them: {reasons}."] if reasons else []


def _worst(worst: Sequence[Record], totals: Totals, *, seen_all: bool) -> list[str]:
    if not worst:
        return []
    among = "" if seen_all else ", among those that were looked at: there are too many for a mail"
    lines = [f"  {confidence(record):5.1f} %  {_labels(record)}  {visible(record.video.uri)}" for record in worst[:WORST]]
    more = totals.videos.get(State.FLAGGED, 0) - len(lines)
    return [f"Flagged, the surest first{among}:", *lines, *([f"  and {more:,} more"] if more > 0 else [])]


def _labels(record: Record) -> str:
    """Return the label that a video was flagged for, with the first second it was seen at."""
    found = [label for label in record.labels if label.name in record.counted]
    first = max(found, key=lambda label: (label.confidence, label.level), default=None)
    return "" if first is None else f"{visible(first.name)[:MAX_TEXT]} at {time_code(first.first_ms)}"


def _reasons(title: str, reasons: Mapping[str, int]) -> list[str]:
    if not reasons:
        return []
    ordered = sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0]))
    lines = [f"  {count:>6,}  {visible(reason)[:MAX_TEXT]}" for reason, count in ordered[:MAX_REASONS]]
    rest = sum(count for _, count in ordered[MAX_REASONS:])
    return [f"{title}, by reason:", *lines, *([f"  {rest:>6,}  for other reasons"] if rest else [])]


def _spent(totals: Totals) -> list[str]:
    minutes = sum(totals.milliseconds.values()) / 60_000
    price = f"${DOLLARS_A_MINUTE:.2f} a minute in us-east-1, not checked with AWS"
    return [f"Analysed: {minutes:,.1f} minutes of video, about ${minutes * DOLLARS_A_MINUTE:,.2f} for Rekognition ({price})."]


def _review(scan_id: str, stack_name: str) -> str:
    return visible(f"python tools/review_report.py --scan {shlex.quote(scan_id)} --stack {shlex.quote(stack_name)}")


def _control(command: str, scan_id: str | None, stack_name: str) -> str:
    words = [command, *([scan_id] if scan_id else []), "--stack", stack_name]
    return visible(f"python tools/control_scan.py {shlex.join(words)}")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _mail(subject: str, parts: Sequence[Sequence[str]], *, kind: str, scan_id: str | None) -> Mail:
    named = {} if scan_id is None else {"scan_id": visible(scan_id)}
    body = "\n\n".join("\n".join(part) for part in parts) + "\n"
    return Mail(subject=ascii_text(subject), body=body, attributes={"kind": kind, **named})
