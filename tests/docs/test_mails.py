"""docs/operations.md explains every mail by its subject, and names what is logged as an alarm."""

import json
import re

import pytest

from handlers.domain import scan_mail
from handlers.domain.identity import Video
from handlers.domain.mail import flagged_mail
from handlers.domain.record import BatchJob, LabelSummary, Record, Scan, ScanMail, Settings
from handlers.domain.states import ScanStatus, State
from tests.docs.test_tables import OPERATIONS, SCAN, TOTALS, names, rows
from tests.pins.pinned import FIXTURES

SCAN_OF_A_BUCKET, DAY = Scan(SCAN, "bucket"), Scan(SCAN, "bucket", day="2026-11-29", limit_day="2026-11-29")
CANCELLED = Scan(SCAN, "bucket", status=ScanStatus.CANCELLED)
ENDED_EARLY = Scan(SCAN, "bucket", jobs=(BatchJob("job", status="Failed", tasks=9, succeeded=1, failed=2),))
WEAPONS = LabelSummary("Weapons", "Violence", 2, 96.0, 1_000, 0)
FLAGGED = Record(Video("bucket", "a.mp4"), SCAN, State.FLAGGED, labels=(WEAPONS,), counted=("Weapons",))


def digests():
    """Return the digests of a scan that ended in each way, and of a day."""
    scans = (SCAN_OF_A_BUCKET, CANCELLED, ENDED_EARLY, DAY)
    return [scan_mail.digest_mail(scan, TOTALS, [], "stack", seen_all=True) for scan in scans]


def mails_of_scans():
    """Return a mail of each kind that a scan can have due, by kind."""
    return {
        ScanMail.DIGEST: digests(),
        ScanMail.LIMIT: [scan_mail.limit_mail(SCAN_OF_A_BUCKET, 25, "stack")],
        ScanMail.JOB_BROKEN: [scan_mail.job_broken_mail(ENDED_EARLY, 2, "stack", counted_to=9)],
        ScanMail.NOTICES: [scan_mail.notices_mail(SCAN_OF_A_BUCKET, TOTALS, "stack")],
        ScanMail.DAY_LIMIT: [scan_mail.day_limit_mail(DAY, 2, "stack", counted_to=9)],
    }


def subjects():
    """Return a subject of each mail."""
    paused = scan_mail.pause_mail(Settings(paused=True, paused_reason="AccessDeniedException"), "stack")
    flagged = flagged_mail(FLAGGED, [WEAPONS], [], SCAN, "stack", region="eu-west-1")
    return [mail.subject for mail in (flagged, paused, *(mail for mails in mails_of_scans().values() for mail in mails))]


def patterns():
    """Return a pattern for each opening of a subject in the table; what is in italics there stands for anything."""
    openings = [opening for row in rows(OPERATIONS, "mail", "means", "do") for opening in row[0].split(", ")]
    return {opening: re.sub(r"\\\*\w+\\\*|…", ".+", re.escape(opening)) for opening in openings}


def test_every_kind():
    """The mails that are tried here are all that a scan can have due."""
    assert set(ScanMail) == set(mails_of_scans())


@pytest.mark.parametrize("subject", subjects())
def test_mail(subject):
    """A mail is in the table once."""
    assert 1 == sum(re.match(pattern, subject) is not None for pattern in patterns().values())


@pytest.mark.parametrize("opening", patterns())
def test_row(opening):
    """A row of the table is about a mail that there is."""
    assert any(re.match(patterns()[opening], subject) for subject in subjects())


def test_alarms_in_logs():
    """What the page says is logged at level ERROR is what the functions log as alarms: all of it, and nothing else."""
    events = json.loads((FIXTURES / "log_events.json").read_text("utf-8"))["events"]
    alarms = {name for name, event in events.items() if "alarm" in event["levels"]}

    shown = {name for row in rows(OPERATIONS, "logged at level `ERROR`") for name in names(row[0])}

    assert alarms == shown
