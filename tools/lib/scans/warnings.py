"""What a person must know of a scan that its counts do not show, and what to do about it: for status, review and page."""

from __future__ import annotations

from collections.abc import Iterator

from handlers.adapters.table import MailWatch
from handlers.domain import BatchJob, Scan, ScanStatus, Totals, batch_jobs
from handlers.domain.languages import Phrase, phrase
from tools.lib.cli import Invocation, Target
from tools.lib.text import moment, printable


def warnings_of(run: Invocation, scan: Scan, totals: Totals, watch: MailWatch) -> tuple[Phrase, ...]:
    """Return the warnings about a scan; `watch` is what the sweeper noted of the mail subscriptions."""
    jobs = (_broken(scan, job, run.target) for job in batch_jobs.unfinished(scan))
    return (*jobs, *_notices(scan, totals), *_mails(scan, watch, run))


def _broken(scan: Scan, job: BatchJob, target: Target) -> Phrase:
    return phrase(
        "Batch job {job} {ended} before it had attempted every object{attempted}: {reasons}. {cure}",
        job=job.id,
        ended=phrase("has failed") if job.status == "Failed" else phrase("was cancelled"),
        attempted=_attempted(job),
        reasons="; ".join(printable(reason).rstrip(".") for reason in job.reasons) or phrase("no reason is known"),
        cure=_cure(scan, target),
    )


def _attempted(job: BatchJob) -> Phrase | str:
    if not job.tasks:
        return ""
    attempted = (job.succeeded or 0) + (job.failed or 0)
    return phrase(" ({attempted} of {tasks} were, {failed} failed)", attempted=attempted, tasks=job.tasks, failed=job.failed or 0)


def _cure(scan: Scan, target: Target) -> Phrase:
    match scan.status:
        case ScanStatus.CANCELLED:
            return phrase("Submit what is missing as a new scan.")
        case ScanStatus.PAUSED:
            return phrase(
                "What it had registered waits: `{resume}` analyses it, `{cancel}` ends the scan.",
                resume=target.command("control_scan.py", "resume", scan.id),
                cancel=target.command("control_scan.py", "cancel", scan.id),
            )
    return phrase(
        "Fix the cause; `{retry}` then scans what it never got to.",
        retry=target.command("review_report.py", "retry", "--scan", scan.id),
    )


def _notices(scan: Scan, totals: Totals) -> Iterator[Phrase]:
    if scan.notices_mailed or scan.lacks_notices(totals.final):
        yield phrase(
            "Completion notices did not arrive, so results came late and jobs stayed unused: the sweeper had to ask for {count} "
            "{count:result|results}; {final} {final:video is|videos are} final. Look at the log and the dead letters of the "
            "function `completion`; where it is never invoked, `make deploy` restores its subscription.",
            count=scan.handed_over or 0,
            final=totals.final,
        )


def _mails(scan: Scan, watch: MailWatch, run: Invocation) -> Iterator[Phrase]:
    """Yield that mails about a scan reach no one, or did not for a while."""
    if watch.none_since is None:
        return
    if watch.none_until is None:
        if scan.closed_at is None or scan.closed_at >= watch.none_since:
            yield phrase(
                "No one has been mailed since {since}: the alerts topic has no confirmed e-mail subscription. "
                "To subscribe again: `{subscribe}`, then open the link in the mail that arrives.",
                since=moment(watch.none_since),
                subscribe="aws sns subscribe --protocol email --notification-endpoint ADDRESS "
                f"--topic-arn {run.deployment.alerts_topic_arn} --region {run.deployment.region}",
            )
    elif scan.mails_sent and scan.created_at <= watch.none_until and (scan.closed_at or run.clock.now()) >= watch.none_since:
        yield phrase(
            "From {since} to {until} no one was mailed, because the alerts topic had no confirmed e-mail subscription: "
            "what was sent then is only here.",
            since=moment(watch.none_since),
            until=moment(watch.none_until),
        )
