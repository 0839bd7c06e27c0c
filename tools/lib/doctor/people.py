"""Looking at who is concerned: scans of the same objects that are in progress, and who would be mailed."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from handlers.domain.record import Scan
from tools.lib.doctor import required
from tools.lib.doctor.case import Case
from tools.lib.doctor.findings import Finding, ok, stop, warning
from tools.lib.errors import ToolError
from tools.lib.text import counted, moment, printable


def open_scans(case: Case) -> list[Finding]:
    """Look whether scans that may hold the same objects are in progress: by bucket, and by prefix where the table knows it."""
    scans = [scan for scan in case.table.scans.scans() if scan.live]
    same = [scan for scan in scans if scan.bucket == case.bucket and _may_meet(scan.prefixes or ("",), case.prefixes)]
    if same:
        shown = ", ".join(f"{scan.id} ({moment(scan.created_at)}, {_where(scan)})" for scan in same)
        return [
            warning(
                "open scans",
                f"{counted(len(same), 'open scan')} of {case.bucket}: {shown}. Objects of both would be analysed and paid twice.",
                f"See `python tools/review_report.py --scan {same[0].id}`; wait for it, or cancel it with tools/control_scan.py.",
            )
        ]
    others = f"; {len(scans)} of other objects share the slots" if scans else ""
    return [ok("open scans", f"none of these objects{others}")]


def _may_meet(some: Iterable[str], others: Collection[str]) -> bool:
    """Tell whether a key may begin with one of some prefixes and with one of the others."""
    return any(one.startswith(other) or other.startswith(one) for one in some for other in others)


def _where(scan: Scan) -> str:
    if scan.prefixes is None:
        return "of which keys is not known"
    return "any key" if "" in scan.prefixes else f"keys below {' '.join(map(printable, scan.prefixes))}"


def mail(case: Case) -> list[Finding]:
    """Look whether someone is mailed; no one at all is a warning, only addresses that have not confirmed stop a scan."""
    topic = case.deployment.alerts_topic_arn
    found = required.recipients(case.clients.sns, topic)
    try:
        required.require_confirmed(found, topic)
    except ToolError as error:
        make = warning if case.unconfirmed_mail else stop
        return [make("mail", str(error), error.cure)]
    if found.warning:
        return [warning("mail", found.warning, "Confirm it, or set `alert_email` in cdk.json and run `make deploy`.")]
    return [ok("mail", f"{len(found.confirmed)} confirmed")]
