"""The mails about a scan as a whole, and about starting as a whole: plain text, limits as in `mail`."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence

from handlers.domain import batch_jobs, unselected
from handlers.domain.engine import Engine
from handlers.domain.languages import ENGLISH, Language
from handlers.domain.mail import Mail, ascii_text, more, percent, time_code, visible
from handlers.domain.reasons import INELIGIBLE
from handlers.domain.record import BatchJob, Record, Scan, Settings, Totals
from handlers.domain.states import ScanStatus, State

# How many flagged videos a digest names.
WORST = 10

MAX_REASONS = 20
# Longest reason and label shown; a key is shown whole, 1,024 bytes and their escapes.
MAX_TEXT = 300

# Outcomes in the digest; the last two are left out where there are none.
_ROWS = ("clean", "flagged", "failed", "ineligible", "cancelled")

# Rekognition content moderation of stored video and of images, us-east-1; a test holds them against the tools' table of prices.
DOLLARS_A_MINUTE = 0.10
DOLLARS_AN_IMAGE = 0.001


def digest_mail(
    scan: Scan,
    totals: Totals,
    worst: Sequence[Record],
    stack_name: str,
    *,
    seen_all: bool,
    replaced: Sequence[Record] = (),
    missed: int = 0,
    language: Language = ENGLISH,
) -> Mail:
    """Return the mail that a scan is over: counts, worst videos, failures by reason, minutes and money, and what to do next.

    Args:
        scan: The scan.
        totals: Its totals.
        worst: Flagged videos that no other upload replaced, the worst first.
        stack_name: The stack, for the commands.
        seen_all: Whether all flagged videos were looked at for `worst`.
        replaced: Flagged and failed videos that another upload replaced: they are counted apart.
        missed: How many of its videos no event brought.
        language: The language of the mail.
    """
    counted = totals.without(replaced)
    ineligible = {reason: count for reason, count in counted.failures.items() if reason in INELIGIBLE}
    failed = {reason: count for reason, count in counted.failures.items() if reason not in INELIGIBLE}
    parts = (
        [
            _ended(scan, language),
            *_jobs(scan, language),
            *_uploads(scan, missed, language),
            *_notices(scan, totals, language),
            "",
            *_counts(scan, counted, len(replaced), language),
        ],
        _set_aside(scan, language),
        unselected.sentences(scan.not_selected, language) if scan.not_selected else [],
        _worst(worst, counted.videos.get(State.FLAGGED, 0), language, seen_all=seen_all),
        _replaced(sum(record.state is State.FLAGGED for record in replaced), language),
        _by_reason(language.text("Failed, by reason:"), failed, language),
        _by_reason(language.text("Ineligible, by reason:"), ineligible, language),
        _spent(scan, totals, language),
        [
            language.text("What to do next:"),
            _every_object(scan, stack_name, language),
            *_made_up_for(scan, stack_name, language),
        ],
    )
    subject = _digest_subject(scan, counted, len(replaced), language)
    return _mail(subject, [part for part in parts if part], kind="DIGEST", scan_id=scan.id)


def limit_mail(scan: Scan, limit: int, stack_name: str, *, language: Language = ENGLISH) -> Mail:
    """Return the mail that no more of a scan's flagged videos are mailed one by one."""
    news = [
        language.text(
            "{count} flagged {count:video|videos} of the scan {scan} of {bucket} {count:has|have} been mailed.",
            count=limit,
            scan=scan.id,
            bucket=visible(scan.bucket),
        ),
        language.text("That is the limit (`mails_per_scan` in cdk.json)."),
        language.text("The scan goes on, but no more videos are mailed one by one: the digest comes when it closes."),
    ]
    review = [language.text("To look at the scan before then:"), f"  {_review(scan.id, stack_name)}"]
    subject = language.text("No more mails about single videos of scan {scan}", scan=scan.id)
    return _mail(subject, [news, review], kind="LIMIT", scan_id=scan.id)


def day_limit_mail(scan: Scan, waiting: int, stack_name: str, *, counted_to: int, language: Language = ENGLISH) -> Mail:
    """Return the mail that uploads to a watched bucket wait, because the minutes of a day are used up."""
    day, bucket = scan.limit_day or scan.day or "", visible(scan.bucket)
    many = _still_waiting(waiting, counted_to, language)
    news = [
        language.text("The minutes of {day} for uploads to {bucket} are used up: {many}.", day=day, bucket=bucket, many=many),
        language.text("That is the limit (`max_minutes_per_day` in cdk.json); days are those of UTC."),
        language.text("Nothing is lost: they are analysed on the next day, as far as its minutes go. Running analyses finish."),
    ]
    choice = [
        language.text("To have them analysed today, without a limit:"),
        f"  {_watch('release', scan.bucket, stack_name)}",
    ]
    subject = language.text("Uploads wait: the minutes of {day} are used up ({bucket})", day=day, bucket=bucket)
    return _mail(subject, [news, choice], kind="DAY_LIMIT", scan_id=scan.id)


def job_broken_mail(scan: Scan, waiting: int, stack_name: str, *, counted_to: int, language: Language = ENGLISH) -> Mail:
    """Return the mail that a scan is paused because its batch job was cancelled or failed."""
    many = _still_waiting(waiting, counted_to, language)
    news = [
        language.text(
            "The scan {scan} of {bucket} is paused: {reason}.",
            scan=scan.id,
            bucket=visible(scan.bucket),
            reason=_why_paused(scan, language),
        ),
        *_reasons(_named(scan), language),
        language.text("Of what it had registered, {many}.", many=many),
    ]
    choice = [
        language.text("What to do next, one of these:"),
        language.text("  analyse them: {command}", command=_control("resume", scan.id, stack_name)),
        language.text("  cancel them:  {command}", command=_control("cancel", scan.id, stack_name)),
        language.text("Running analyses finish in either case; what the job had not registered is not scanned."),
    ]
    subject = language.text("Scan paused: {many}", many=many)
    return _mail(subject, [news, choice], kind="PAUSED", scan_id=scan.id)


def pause_mail(settings: Settings, stack_name: str, *, language: Language = ENGLISH) -> Mail:
    """Return the mail to the operator that all starting is paused."""
    by = settings.paused_by or language.text("someone")
    reason = settings.paused_reason or language.text("no reason was given")
    news = [
        language.text("No analyses are being started: paused by {by}.", by=visible(by)[:MAX_TEXT]),
        language.text("Reason: {reason}", reason=visible(reason)[:MAX_TEXT]),
        language.text("Nothing is lost and nothing is paid for in the meantime: the videos wait, and running analyses finish."),
    ]
    cure = [
        language.text("What to do next:"),
        language.text("  fix the cause (a permission, a role, a parameter; the log of start_analysis has each refusal)"),
        language.text("  then resume: {command}", command=_control("resume", None, stack_name)),
    ]
    return _mail(language.text("Starting is paused: {reason}", reason=reason), [news, cure], kind="PAUSED", scan_id=None)


def notices_mail(scan: Scan, totals: Totals, stack_name: str, *, language: Language = ENGLISH) -> Mail:
    """Return the mail that the completion notices of a scan do not arrive."""
    news = [
        *_notices(scan, totals, language),
        language.text(
            "Nothing is lost: the sweeper asks Rekognition instead. But results come late, and jobs stay unused meanwhile."
        ),
    ]
    cure = [
        language.text("What to do next:"),
        language.text("  look at the log of the function completion, and at its dead letters: does it fail?"),
        language.text("  is it never invoked? `make deploy` restores its subscription, and the role of the notices"),
        language.text("  dead letters, once the cause is fixed: {command}", command=_control("redrive", None, stack_name)),
    ]
    subject = language.text("Completion notices of scan {scan} do not arrive", scan=scan.id)
    return _mail(subject, [news, cure], kind="NOTICES", scan_id=scan.id)


def confidence(record: Record) -> float:
    """Return how sure the surest label is that flagged a video, in percent."""
    return max((label.confidence for label in record.labels if label.name in record.counted), default=0.0)


def _still_waiting(waiting: int, counted_to: int, language: Language) -> str:
    if waiting > counted_to:
        return language.text("more than {count} videos still wait", count=counted_to)
    return language.text("{count} {count:video|videos} still {count:waits|wait}", count=waiting)


def _digest_subject(scan: Scan, totals: Totals, replaced: int, language: Language) -> str:
    counts = totals.counts
    unrecorded = _without_record(scan, totals.final + replaced)
    parts = (
        _how_it_ended(scan, language),
        language.text(
            "{videos} {videos:video|videos}, {flagged} flagged, {failed} failed",
            videos=totals.final + replaced,
            flagged=counts["flagged"],
            failed=counts["failed"],
        ),
        language.text(", {count} ineligible", count=counts["ineligible"]) if counts["ineligible"] else "",
        language.text(", {count} without record", count=unrecorded) if unrecorded else "",
        "" if scan.day is None else f" ({visible(scan.bucket)})",
    )
    return "".join(parts)


def _how_it_ended(scan: Scan, language: Language) -> str:
    if scan.day is not None:
        return language.text("Uploads of {day}: ", day=scan.day)
    if scan.status is ScanStatus.CANCELLED:
        return language.text("Scan cancelled: ")
    return language.text("Scan ended early: ") if batch_jobs.unfinished(scan) else language.text("Scan finished: ")


def _ended(scan: Scan, language: Language) -> str:
    if scan.day is not None:
        names = {"scan": scan.id, "day": scan.day, "bucket": visible(scan.bucket)}
        return language.text("The scan {scan} of the uploads of {day} to {bucket} is finished.", **names)
    if scan.status is ScanStatus.CANCELLED:
        return language.text("The scan {scan} of {bucket} is cancelled.", scan=scan.id, bucket=visible(scan.bucket))
    return language.text("The scan {scan} of {bucket} is finished.", scan=scan.id, bucket=visible(scan.bucket))


def _jobs(scan: Scan, language: Language) -> list[str]:
    ended = [
        language.text("Its batch job {job} ended with the status {status}.", job=job.id, status=language.word(job.status.lower()))
        for job in scan.jobs
        if job.status not in ("Complete", "NotFound")
    ]
    return [*ended, *_reasons(batch_jobs.unfinished(scan), language)]


def _uploads(scan: Scan, missed: int, language: Language) -> list[str]:
    """Return what became of the uploads of a day before they were analysed."""
    late = language.text(
        "No event brought {count} {count:upload|uploads}: the daily comparison of the bucket found {count:it|them}.", count=missed
    )
    waited = language.text(
        "{count} {count:upload|uploads} had to wait, because the minutes of a day were used up "
        "(`max_minutes_per_day` in cdk.json).",
        count=scan.uploads_waited or 0,
    )
    return [*([late] if missed else []), *([waited] if scan.uploads_waited else [])]


def _replaced(count: int, language: Language) -> list[str]:
    if not count:
        return []
    return [
        language.text(
            "{count} flagged {count:video is|videos are} not listed, because another upload has replaced {count:it|them}.",
            count=count,
        )
    ]


def _every_object(scan: Scan, stack_name: str, language: Language) -> str:
    command = _review(scan.id, stack_name)
    if scan.day is not None:
        return language.text("  every upload: {command}", command=command)
    return language.text("  every object: {command}", command=command)


def _reasons(jobs: Iterable[BatchJob], language: Language) -> list[str]:
    """Return why jobs ended before they had attempted every object."""
    reasons = [visible(reason)[:MAX_TEXT] for job in jobs for reason in job.reasons]
    return [language.text("S3's reason: {reason}", reason=reason) for reason in reasons[:MAX_REASONS]]


def _made_up_for(scan: Scan, stack_name: str, language: Language) -> list[str]:
    """Return what to do about the objects that its jobs never attempted."""
    if not batch_jobs.unfinished(scan):
        return []
    if scan.status is ScanStatus.CANCELLED:
        return [language.text("  what its batch job never got to: submit it as a new scan")]
    retry = visible(f"python tools/review_report.py retry --scan {shlex.quote(scan.id)} --stack {shlex.quote(stack_name)}")
    return [language.text("  what its batch job never got to, once the cause is fixed: {command}", command=retry)]


def _notices(scan: Scan, totals: Totals, language: Language) -> list[str]:
    if not (scan.notices_mailed or scan.lacks_notices(totals.final)):
        return []
    return [
        language.text(
            "Completion notices did not arrive: the sweeper had to ask for {count} {count:result|results}; "
            "{final} {final:video is|videos are} final.",
            count=scan.handed_over or 0,
            final=totals.final,
        )
    ]


def _why_paused(scan: Scan, language: Language) -> str:
    """Return why a scan is paused: the stored reason is English, so one that names jobs is worded again in this language."""
    reason = scan.held_reason
    if reason is None:
        return language.text("its batch job ended early")
    named = [
        language.text("its batch job {job} is {status}", job=job.id, status=language.word(job.status.lower()))
        for job in _named(scan)
    ]
    return visible("; ".join(named) or reason)[:MAX_TEXT]


def _named(scan: Scan) -> list[BatchJob]:
    """Return the jobs because of which a scan is paused."""
    return [job for job in scan.jobs if job.id in (scan.held_reason or "")]


def _counts(scan: Scan, totals: Totals, replaced: int, language: Language) -> list[str]:
    """Return a row for each state, and their sum; the manifest's other objects have no record: not a video, or not registered."""
    rows = {name: totals.counts[name] for name in _ROWS}
    if replaced:
        rows["superseded"] = replaced
    unrecorded = _without_record(scan, totals.final + replaced)
    if unrecorded:
        rows["without record"] = unrecorded
    total = language.count(sum(rows.values()))
    width = max(len(total), 6)
    lines = [
        f"  {language.word(name):<16}{language.count(count):>{width}}"
        for name, count in rows.items()
        if count or name not in _ROWS[3:]
    ]
    note = language.text(
        "Without record: not looked at, because they are not videos or their task failed or never ran; "
        "or rows that the manifest has twice."
    )
    return [*lines, f"  {'':-<{16 + width}}", f"  {language.text('objects'):<16}{total:>{width}}", *([note] if unrecorded else [])]


def _without_record(scan: Scan, final: int) -> int:
    """Return how many rows of the manifest the table knows nothing of; the review says why."""
    return max(0, (scan.objects or 0) - final)


def _set_aside(scan: Scan, language: Language) -> list[str]:
    """Return what was left out before the job, which the counts lack; not added to them, because a retry may have scanned some."""
    reasons = ", ".join(f"{language.count(count)} {visible(code)[:MAX_TEXT]}" for code, count in sorted(scan.set_aside.items()))
    if not reasons:
        return []
    return [language.text("Left out when it was submitted, because they cannot be analysed: {reasons}.", reasons=reasons)]


def _worst(worst: Sequence[Record], flagged: int, language: Language, *, seen_all: bool) -> list[str]:
    if not worst:
        return []
    title = (
        language.text("Flagged, highest confidence first:")
        if seen_all
        else language.text(
            "Flagged, highest confidence first, among those that were looked at (there are too many to look at all):"
        )
    )
    lines = [f"  {_label(record, language)}  {visible(record.video.uri)}" for record in worst[:WORST]]
    rest = flagged - len(lines)
    return [title, *lines, *more(rest, language.text("  and {count} more {count:video|videos}", count=rest))]


def _label(record: Record, language: Language) -> str:
    """Return how surely a video was flagged, and for which label, with the second at which that first counts."""
    found = [label for label in record.labels if label.name in record.counted]
    first = max(found, key=lambda label: (label.confidence, label.level), default=None)
    if first is None:
        return f"{percent(0.0, None, language)}  "
    name = language.label(visible(first.name)[:MAX_TEXT])
    found_at = language.text("{label} at {time}", label=name, time=time_code(first.first_ms))
    return f"{percent(first.confidence, first.counts_from, language)}  {found_at}"


def _by_reason(title: str, reasons: Mapping[str, int], language: Language) -> list[str]:
    if not reasons:
        return []
    ordered = sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0]))
    rows = [(count, visible(reason)[:MAX_TEXT]) for reason, count in ordered[:MAX_REASONS]]
    rest = sum(count for _, count in ordered[MAX_REASONS:])
    if rest:
        rows.append((rest, language.text("for other reasons")))
    return [title, *(f"  {language.count(count):>6}  {reason}" for count, reason in rows)]


def _spent(scan: Scan, totals: Totals, language: Language) -> list[str]:
    minutes = sum(totals.milliseconds.values()) / 60_000
    by_video = language.text(
        "Analysed: {minutes} minutes of video, about ${total} for Rekognition "
        "(${price} a minute in us-east-1, not checked with AWS).",
        minutes=language.number(minutes, digits=1),
        total=language.number(minutes * DOLLARS_A_MINUTE, digits=2),
        price=language.number(DOLLARS_A_MINUTE, digits=2),
    )
    by_image = language.text(
        "Analysed: {images} {images:image|images}, about ${total} for Rekognition "
        "(${price} an image in us-east-1, not checked with AWS).",
        images=totals.images,
        total=language.number(totals.images * DOLLARS_AN_IMAGE, digits=2),
        price=language.number(DOLLARS_AN_IMAGE, digits=3),
    )
    if scan.engine is Engine.FRAMES:
        return [by_image]
    # Totals do not tell by which engine a film was analysed.
    return [by_video, *([by_image] if totals.images else [])]


def _review(scan_id: str, stack_name: str) -> str:
    return visible(f"python tools/review_report.py --scan {shlex.quote(scan_id)} --stack {shlex.quote(stack_name)}")


def _control(command: str, scan_id: str | None, stack_name: str) -> str:
    words = [command, *([scan_id] if scan_id else []), "--stack", stack_name]
    return visible(f"python tools/control_scan.py {shlex.join(words)}")


def _watch(command: str, bucket: str, stack_name: str) -> str:
    return visible(f"python tools/control_scan.py {shlex.join(['watch', command, bucket, '--stack', stack_name])}")


def _mail(subject: str, parts: Sequence[Sequence[str]], *, kind: str, scan_id: str | None) -> Mail:
    named = {} if scan_id is None else {"scan_id": visible(scan_id)}
    body = "\n\n".join("\n".join(part) for part in parts) + "\n"
    return Mail(subject=ascii_text(subject), body=body, attributes={"kind": kind, **named})
