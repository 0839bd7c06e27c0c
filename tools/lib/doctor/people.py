"""Looking at who is concerned: scans that are under way in the same bucket, and who would be mailed."""

from __future__ import annotations

from tools.lib import checks
from tools.lib.doctor.case import Case
from tools.lib.doctor.findings import Finding, ok, stop, warning
from tools.lib.errors import ToolError
from tools.lib.wording import moment


def open_scans(case: Case) -> list[Finding]:
    """Look whether scans of the same bucket are under way; the table does not say of which objects, their manifests do."""
    scans = [scan for scan in case.table.scans() if scan.live]
    same = [scan for scan in scans if scan.bucket == case.bucket]
    if same:
        shown = ", ".join(f"{scan.id} ({moment(scan.created_at)})" for scan in same)
        return [
            warning(
                "open scans",
                f"{len(same)} scan(s) of {case.bucket} are under way: {shown}. Objects of both would be analysed and paid twice.",
                f"See `python tools/review_report.py --scan {same[0].id}`; wait for it, or cancel it with tools/control_scan.py.",
            )
        ]
    others = f"; {len(scans)} of other buckets share the slots" if scans else ""
    return [ok("open scans", f"none of {case.bucket}{others}")]


def mail(case: Case) -> list[Finding]:
    """Look whether somebody is mailed; nobody at all is a warning, only addresses that have not confirmed stop a scan."""
    topic = case.deployment.alerts_topic_arn
    found = checks.recipients(case.clients.sns, topic)
    try:
        checks.require_confirmed(found, topic)
    except ToolError as error:
        make = warning if case.unconfirmed_mail else stop
        return [make("mail", str(error), error.cure)]
    if found.warning:
        return [warning("mail", found.warning, "Confirm it, or set `alert_email` in cdk.json and run `make deploy`.")]
    return [ok("mail", f"{len(found.confirmed)} confirmed")]
