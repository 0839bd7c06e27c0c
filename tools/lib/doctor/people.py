"""Looking at who is concerned: scans of the same objects that are in progress, and who would be mailed."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from handlers.domain.record import Scan
from tools.lib.doctor.case import Case
from tools.lib.doctor.findings import Finding, ok, stop, warning
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
    confirmed, pending = _recipients(case)
    if pending and not confirmed:
        make = warning if case.unconfirmed_mail else stop
        return [
            make(
                "mail",
                f"The e-mail subscription of {', '.join(pending)} is not confirmed: no alert would arrive.",
                "Open the link in the mail from AWS Notifications, or pass --unconfirmed-mail to scan without mails. "
                "The link is valid for 2 days; a new one is sent by "
                f"`aws sns subscribe --protocol email --topic-arn {topic} --notification-endpoint {pending[0]}`.",
            )
        ]
    cure = "Confirm it, or set `alert_email` in cdk.json and run `make deploy`."
    if pending:
        return [warning("mail", f"No mail reaches {', '.join(pending)}: the subscription is not confirmed.", cure)]
    if not confirmed:
        none = "No one is mailed about flagged videos: the alerts topic has no e-mail subscription (`alert_email` in cdk.json)."
        return [warning("mail", none, cure)]
    return [ok("mail", f"{len(confirmed)} confirmed")]


def _recipients(case: Case) -> tuple[list[str], list[str]]:
    """Return who is mailed about flagged videos: addresses that have confirmed, and that have not."""
    confirmed: list[str] = []
    pending: list[str] = []
    pages = case.clients.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=case.deployment.alerts_topic_arn)
    for page in pages:
        for subscription in page.get("Subscriptions", []):
            if subscription.get("Protocol") in {"email", "email-json"}:
                # In the place of an ARN SNS writes "PendingConfirmation" (or "Deleted") where there is none.
                is_confirmed = subscription.get("SubscriptionArn", "").startswith("arn:")
                (confirmed if is_confirmed else pending).append(subscription.get("Endpoint", ""))
    return confirmed, pending
