"""The doctor: checks everything that a scan needs before it costs money and hours, and changes nothing.

What the caller may not see is a warning that says so, never an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.table import ThrottledError
from tools.lib.cli import as_tool_error
from tools.lib.doctor import account, buckets, gates, outbox, people, stack, uploads
from tools.lib.doctor.buckets import require_bucket, require_there
from tools.lib.doctor.case import Case
from tools.lib.doctor.findings import Finding, Findings, Level, warning
from tools.lib.doctor.reservation import to_reserve

__all__ = ["Case", "Finding", "Findings", "Level", "examine", "findings_of", "require_bucket", "require_there", "to_reserve"]

# Yields the problems it finds, and that all is well: the latter counts only where there are no problems.
Check = Callable[[Case], Iterator[Finding]]

# All checks by their subjects, in the order of the findings.
CHECKS: tuple[tuple[str, Check], ...] = (
    ("bucket", buckets.source),
    ("payer", buckets.payer),
    ("bucket policy", buckets.bucket_policy),
    ("gates", gates.gates),
    ("encryption", buckets.encryption),
    ("work bucket", buckets.reports),
    ("batch role", stack.batch_role),
    ("functions", stack.functions),
    ("lanes", stack.lanes),
    ("topics", stack.topics),
    ("table", stack.table),
    ("uploads", uploads.queues),
    ("upload letters", uploads.dead_letters),
    ("upload rule", uploads.rule),
    ("upload events", uploads.events),
    ("last upload", uploads.last),
    ("outbox", outbox.queue),
    ("consequences", outbox.waiting),
    ("starting", stack.paused),
    ("open scans", people.open_scans),
    ("mail", people.mail),
    ("concurrency", account.concurrency),
    ("batch jobs", account.batch_jobs),
    ("rekognition quota", account.analysis_jobs),
    ("image quota", account.image_pace),
    ("region", account.region),
    ("privacy", account.privacy),
)


def examine(case: Case) -> Findings:
    """Make all checks. An error from AWS becomes a warning that the subject is unknown."""
    return Findings(tuple(finding for subject, check in CHECKS for finding in findings_of(subject, check, case)))


def findings_of(subject: str, check: Check, case: Case) -> list[Finding]:
    """Return the problems that a check finds, or else its line that all is well."""
    try:
        found = [replace(finding, subject=subject) for finding in check(case)]
    except (ClientError, BotoCoreError, ThrottledError) as error:
        cause = as_tool_error(error)
        return [replace(warning(f"Unknown: {cause}", cause.cure), subject=subject)]
    return [finding for finding in found if finding.level is not Level.OK] or found
