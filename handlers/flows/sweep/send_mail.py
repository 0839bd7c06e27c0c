"""Sending mails: the only code that publishes, one mail at a time, noted as soon as it is sent: only a crash between doubles it."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from handlers.adapters import MailTopic
from handlers.adapters.table import Control, Outcome, Records, Scans, WaitingRecords, Watches
from handlers.domain import Record, Scan, ScanMail, Settings, State, scan_mail
from handlers.domain.languages import Language
from handlers.domain.mail import Mail, flagged_mail
from handlers.flows.sweep.context import SweepContext
from handlers.runtime import Clock, Log

# SNS suspends an e-mail subscription above 10 messages a second (General Reference, SNS quotas): half of that.
PACE_SECONDS = 0.2

MAILS_LOOKED_AT = 1_000

# How many flagged videos are read to find the worst ten, and of a day as many that failed: 5,000 reads of 4 KB, less than a tenth
# of a cent and some ten seconds.
FLAGGED_LOOKED_AT = 5_000

# How far waiting videos are counted for a mail: about 3,000 reads, less than a tenth of a cent.
WAITING_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class MailSettings:
    """What mails are to contain, and in which language; `limit` is how many flagged videos of a scan are mailed one by one."""

    stack_name: str
    region: str
    limit: int
    language: Language


@dataclass(frozen=True, slots=True)
class Post:
    """Publishes at most five mails a second, and each once as long as its environment lives."""

    _topic: MailTopic
    _clock: Clock
    _not_noted: set[tuple[object, ...]] = field(default_factory=set)

    def deliver(self, name: tuple[object, ...], mail: Callable[[], Mail], note: Callable[[], Outcome]) -> Outcome:
        """Send a mail and note that it is sent; return the outcome of the note.

        Where noting fails, the table being throttled, the mail is not sent again under its name, which no other mail has: only
        noting is tried again. Else each sweep would send it anew.
        """
        if name in self._not_noted:
            return self._noted(name, note)
        to_send = mail()
        try:
            self._topic.publish(to_send)
            self._not_noted.add(name)
            return self._noted(name, note)
        finally:
            # Not before the note, in whose absence a crash doubles the mail; also where sending failed: it may have gone out.
            self._clock.sleep(PACE_SECONDS)

    def _noted(self, name: tuple[object, ...], note: Callable[[], Outcome]) -> Outcome:
        outcome = note()
        self._not_noted.remove(name)
        return outcome


@dataclass(frozen=True, slots=True)
class SendFlaggedMail:
    """Mails flagged videos one by one, up to the limit of their scan; the rest is left to the digest."""

    _records: Records
    _scans: Scans
    _post: Post
    _clock: Clock
    _settings: MailSettings

    def run(self, context: SweepContext, until: float) -> None:
        """Send the mails that are due, the oldest first; one that cannot be sent does not keep the others back."""
        sent: dict[str, int | None] = {scan.id: scan.mails_sent for scan in context.scans()}
        due = self._records.mails_due(MAILS_LOOKED_AT)
        steps = (partial(self._deal_with, video_id, scan_id, sent, context) for video_id, scan_id in due)
        attempt_all(steps, lambda: self._clock.now() <= until)

    def _deal_with(self, video_id: str, scan_id: str, sent: dict[str, int | None], context: SweepContext) -> None:
        record = self._records.record(video_id, scan_id)
        if record is None or not record.mail_due:
            # The index lags: this mail was sent a moment ago.
            return
        if record.superseded_at is not None:
            self._records.mail_spared(record)
            Log().info("mail spared: another upload replaced the video", scan_id=scan_id, video_id=video_id)
            return
        if scan_id not in sent:  # it was over before another policy flagged this video
            scan = self._scans.scan(scan_id)
            sent[scan_id] = None if scan is None else scan.mails_sent
        # A scan that the table does not know counts no mails, and so knows no limit.
        if (sent[scan_id] or 0) >= self._settings.limit:
            self._spare(record, context)
            return
        name = ("flagged", record.analysis, record.policy_hash)
        outcome = self._post.deliver(name, partial(self._mail, record), partial(self._note, record, sent))
        Log().info("mail sent", scan_id=scan_id, video_id=video_id, outcome=outcome.value)

    def _note(self, record: Record, sent: dict[str, int | None]) -> Outcome:
        count = sent[record.scan_id]
        sent[record.scan_id] = None if count is None else count + 1
        return self._records.mail_sent(record)

    def _spare(self, record: Record, context: SweepContext) -> None:
        self._scans.note_limit(record.scan_id)
        self._records.mail_spared(record)
        context.forget()

    def _mail(self, record: Record) -> Mail:
        return flagged_mail(
            record,
            [label for name in record.counted for label in record.labels if label.name == name],
            self._records.segments(record.video.id, record.scan_id, record.attempt),
            record.scan_id,
            self._settings.stack_name,
            region=self._settings.region,
            language=self._settings.language,
        )


@dataclass(frozen=True, slots=True)
class SendScanMail:
    """Mails what is to be said about whole scans, and about starting as a whole."""

    _records: Records
    _waiting: WaitingRecords
    _scans: Scans
    _control: Control
    _watches: Watches
    _post: Post
    _clock: Clock
    _settings: MailSettings

    def run(self, context: SweepContext, until: float) -> None:
        """Send what is due; one that cannot be sent does not keep the others back."""
        attempt_all(self._steps(context), lambda: self._clock.now() <= until)

    def _steps(self, context: SweepContext) -> Iterator[Callable[[], None]]:
        settings = context.settings()
        if settings.paused and settings.mail_due:
            yield partial(self._mail_pause, settings)
        for scan in context.scans():
            yield from (partial(self._mail_scan, scan, kind) for kind in scan.mails_due)

    def _mail_pause(self, settings: Settings) -> None:
        mail = partial(scan_mail.pause_mail, settings, self._settings.stack_name, language=self._settings.language)
        # A call here, by which the tests that kill at every AWS call know its place.
        self._post.deliver(("pause", settings.paused_at), mail, lambda: self._control.pause_mail_sent())  # noqa: PLW0108

    def _mail_scan(self, scan: Scan, kind: ScanMail) -> None:
        # A scan that was opened again is closed again, and so has another digest.
        name = (kind, scan.id, scan.held_at, scan.closed_at)
        outcome = self._post.deliver(name, partial(self._mail, scan, kind), lambda: self._scans.scan_mail_sent(scan.id, kind))
        Log().info("scan mail sent", scan_id=scan.id, kind=kind.value, outcome=outcome.value)

    def _mail(self, scan: Scan, kind: ScanMail) -> Mail:
        stack_name, language = self._settings.stack_name, self._settings.language
        match kind:
            case ScanMail.JOB_BROKEN:
                waiting = self._waiting.waiting_count(scan.id, WAITING_COUNTED)
                return scan_mail.job_broken_mail(scan, waiting, stack_name, counted_to=WAITING_COUNTED, language=language)
            case ScanMail.LIMIT:
                return scan_mail.limit_mail(scan, self._settings.limit, stack_name, language=language)
            case ScanMail.NOTICES:
                return scan_mail.notices_mail(scan, self._scans.totals(scan.id), stack_name, language=language)
            case ScanMail.DAY_LIMIT:
                waiting = self._waiting.waiting_count(scan.id, WAITING_COUNTED)
                return scan_mail.day_limit_mail(scan, waiting, stack_name, counted_to=WAITING_COUNTED, language=language)
            case ScanMail.DIGEST:
                return self._digest(scan)

    def _digest(self, scan: Scan) -> Mail:
        totals = self._scans.totals(scan.id)
        flagged = self._looked_at(scan, State.FLAGGED)
        current = [record for record in flagged if not record.superseded]
        # Only what is uploaded to a watched bucket is superseded.
        failed = [] if scan.day is None else self._looked_at(scan, State.FAILED)
        worst = heapq.nlargest(scan_mail.WORST, current, key=scan_mail.confidence)
        seen_all = totals.videos.get(State.FLAGGED, 0) <= FLAGGED_LOOKED_AT
        missed = 0 if scan.day is None else self._watches.day(scan.bucket, scan.day).missed
        return scan_mail.digest_mail(
            scan,
            totals,
            worst,
            self._settings.stack_name,
            seen_all=seen_all,
            replaced=[record for record in (*flagged, *failed) if record.superseded],
            missed=missed,
            language=self._settings.language,
        )

    def _looked_at(self, scan: Scan, state: State) -> list[Record]:
        ids = itertools.islice(self._records.in_state(scan.id, state), FLAGGED_LOOKED_AT)
        return list(self._records.records((video_id, scan.id) for video_id in ids))


def attempt_all(steps: Iterable[Callable[[], None]], may_go_on: Callable[[], bool]) -> None:
    """Do every step while there is time; one that fails does not keep the others back.

    Raises:
        ExceptionGroup: At the end, with all that failed.
    """
    failures: list[Exception] = []
    for step in steps:
        if not may_go_on():
            break
        try:
            step()
        except Exception as error:  # noqa: BLE001 # raised below, after the others
            failures.append(error)
    if failures:
        raise ExceptionGroup(f"{len(failures)} steps failed", failures)
