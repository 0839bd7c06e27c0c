"""Checks of what concerns people: scans of the same objects in progress, and who would be mailed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from handlers.domain import Scan
from tools.lib.doctor.case import Case
from tools.lib.doctor.findings import Finding, ok, stop, warning
from tools.lib.text import counted, moment, printable


def open_scans(case: Case) -> Iterator[Finding]:
    """Check whether scans in progress may hold the same objects: by bucket, and by prefix where the table knows it."""
    scans = [scan for scan in case.table.scans.active_as_listed() if scan.live]
    same = [scan for scan in scans if scan.bucket == case.bucket and _may_overlap(scan.prefixes or ("",), case.prefixes)]
    if same:
        shown = ", ".join(f"{scan.id} ({moment(scan.created_at)}, {_keys_of(scan)})" for scan in same)
        yield warning(
            f"{counted(len(same), 'open scan')} of {case.bucket}: {shown}. Objects of both would be analysed and paid twice.",
            _instead_of_paying_twice(same),
        )
    others = (
        f"; {counted(len(scans), 'scan')} of other objects {'uses' if len(scans) == 1 else 'use'} the slots, too" if scans else ""
    )
    yield ok(f"none has any of these objects{others}")


def _may_overlap(some: Iterable[str], others: Collection[str]) -> bool:
    """Tell whether a key can begin with one of some prefixes and with one of the others."""
    return any(one.startswith(other) or other.startswith(one) for one in some for other in others)


def _instead_of_paying_twice(same: Sequence[Scan]) -> str:
    """Return a cure; the scan of a day stays open until the next one, so no one waits for it."""
    submitted = next((scan for scan in same if scan.day is None), None)
    if submitted is None:
        return "With --skip-unchanged, what is analysed of these uploads is left out."
    return f"See `python tools/review_report.py --scan {submitted.id}`; wait for it, or cancel it with tools/control_scan.py."


def _keys_of(scan: Scan) -> str:
    if scan.day is not None:
        return f"the uploads of {scan.day}"
    if scan.prefixes is None:
        return "its prefixes are not known"
    return "any key" if "" in scan.prefixes else f"keys below {' '.join(map(printable, scan.prefixes))}"


def mail(case: Case) -> Iterator[Finding]:
    """Check whether mails arrive. If all addresses are unconfirmed, that stops a scan; to have none is a warning."""
    topic = case.deployment.alerts_topic_arn
    confirmed, pending = _recipients(case)
    cure = "Confirm it, or set `alert_email` in cdk.json and run `make deploy`."
    if pending and not confirmed:
        problem = warning if case.unconfirmed_mail else stop
        yield problem(
            f"The e-mail subscription of {', '.join(pending)} is not confirmed: no alert would arrive.",
            "Open the link in the mail from AWS Notifications, or pass --unconfirmed-mail to scan without mails. "
            "The link is valid for 2 days; a new one is sent by "
            f"`aws sns subscribe --protocol email --topic-arn {topic} --notification-endpoint {pending[0]}`.",
        )
    elif pending:
        yield warning(f"No mail reaches {', '.join(pending)}: the subscription is not confirmed.", cure)
    elif not confirmed:
        none = "No one is mailed about flagged videos: the alerts topic has no e-mail subscription (`alert_email` in cdk.json)."
        yield warning(none, cure)
    yield ok(f"{counted(len(confirmed), 'e-mail subscription')} confirmed")


def _recipients(case: Case) -> tuple[list[str], list[str]]:
    """Return the e-mail addresses of the alerts topic: those that are confirmed, and the others."""
    confirmed: list[str] = []
    pending: list[str] = []
    pages = case.clients.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=case.deployment.alerts_topic_arn)
    for page in pages:
        for subscription in page.get("Subscriptions", []):
            if subscription.get("Protocol") in {"email", "email-json"}:
                # Without a confirmed subscription SNS writes "PendingConfirmation" or "Deleted" in place of its ARN.
                is_confirmed = subscription.get("SubscriptionArn", "").startswith("arn:")
                (confirmed if is_confirmed else pending).append(subscription.get("Endpoint", ""))
    return confirmed, pending
