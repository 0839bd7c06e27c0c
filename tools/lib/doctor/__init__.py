"""The doctor: what must be true before a scan makes sense, looked at first, because a failed job costs money and hours.

Nothing is changed by looking. What the caller may not see is a warning that says so, never an error.
"""

from __future__ import annotations

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.table import ThrottledError
from tools.lib.aws.clients import explain
from tools.lib.doctor import account, buckets, people, stack
from tools.lib.doctor.case import Case
from tools.lib.doctor.findings import Finding, Findings, Level, warning

__all__ = ["Case", "Finding", "Findings", "Level", "examine"]

Check = Callable[[Case], list[Finding]]

# Everything that is looked at, in this order.
CHECKS: tuple[tuple[str, Check], ...] = (
    ("bucket", buckets.source),
    ("bucket policy", buckets.bucket_policy),
    ("encryption", buckets.encryption),
    ("work bucket", buckets.reports),
    ("batch role", stack.batch_role),
    ("functions", stack.functions),
    ("lanes", stack.lanes),
    ("topics", stack.topics),
    ("table", stack.table),
    ("starting", stack.paused),
    ("open scans", people.open_scans),
    ("mail", people.mail),
    ("concurrency", account.concurrency),
    ("batch jobs", account.batch_jobs),
    ("rekognition quota", account.analysis_jobs),
    ("region", account.region),
)


def examine(case: Case) -> Findings:
    """Look at everything and return what was found; raises nothing that AWS may answer."""
    return Findings(tuple(finding for subject, check in CHECKS for finding in _looked(subject, check, case)))


def _looked(subject: str, check: Check, case: Case) -> list[Finding]:
    try:
        return check(case)
    except (ClientError, BotoCoreError) as error:
        cause = explain(error)
        return [warning(subject, f"Unknown: {cause}", cause.cure)]
    except ThrottledError as error:
        return [warning(subject, f"Unknown: the table asked to slow down ({error})", "Wait a minute, then run again.")]
