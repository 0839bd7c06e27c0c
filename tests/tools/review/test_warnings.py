"""What a review warns of beyond its counts: batch jobs that broke, notices and mails that do not arrive."""

import json
import re

import pytest

from handlers.adapters.table import MailWatch
from handlers.domain.record import BatchJob
from handlers.domain.states import State
from tests.tools.review_doubles import JOB, SCAN, add_flagged, add_record, add_report, add_scan, output_of, review

REASON = "JobFailed: More than 50% of the tasks failed; 1,001 were tried."
BROKEN = BatchJob(JOB, "Failed", 1_100, 185, 816, 1.0, told=True, reasons=(REASON,))


def warnings_of_page(account, tmp_path, *arguments):
    """Return the warnings of a page."""
    path = tmp_path / "review.html"
    assert review(account, "page", str(path), *arguments).exit_code in (0, 3)
    (data,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', path.read_text("utf-8"), re.DOTALL)
    return json.loads(data)["warnings"]


@pytest.fixture(name="broken")
def _broken(account):
    """An account with a closed scan whose only job failed after one of three objects."""
    add_scan(account, "a.mp4", "b.mp4", "c.mp4", jobs=(BROKEN,))
    add_flagged(account, "a.mp4")
    return account


def test_broken_job(broken, tmp_path):
    """That a job failed, why, how far it got, and the cure are in the review, its JSON and the page."""
    expected = (
        f"Batch job {JOB} has failed before it had attempted every object (1,001 of 1,100 were, 816 failed): {REASON.rstrip('.')}. "
        f"Fix the cause; `python tools/review_report.py retry --scan {SCAN}` then scans what it never got to."
    )

    shown = review(broken)

    assert (3, True) == (shown.exit_code, expected in shown.stdout)
    assert expected in output_of(review(broken, "--json"))["warnings"]
    assert expected in warnings_of_page(broken, tmp_path)


def test_broken_job_in_spanish(broken, tmp_path):
    """The page says it in its language; S3's words and commands stay."""
    (found,) = (line for line in warnings_of_page(broken, tmp_path, "--language", "es") if line.startswith("El trabajo por lotes"))

    assert f"{JOB} falló antes de intentar todos los objetos (se intentaron 1001 de 1100; fallidos: 816): {REASON[:-1]}. " in found
    assert f"`python tools/review_report.py retry --scan {SCAN}` retoma lo que no llegó a intentar." in found


def test_hostile_reason(account):
    """A reason with control characters controls no terminal."""
    add_scan(account, "a.mp4", jobs=(BatchJob(JOB, "Cancelled", reasons=("\x1b[2Jby\nsomeone",)),))

    shown = review(account).stdout

    assert r"was cancelled before it had attempted every object: \x1b[2Jby\nsomeone. " in shown


def test_notices(account):
    """Where results came without notices, the review says so, and what to look at."""
    add_scan(account, "a.mp4", handed_over=7, notices_mailed=True)
    add_record(account, "a.mp4", State.CLEAN)
    add_report(account, [("a.mp4", True, "")])

    (warning,) = output_of(review(account, "--json"))["warnings"]

    assert "the sweeper had to ask for 7 results; 1 video is final. Look at the log" in warning


@pytest.mark.slow
def test_three_flagged_and_no_mail(account, tmp_path):
    """Three videos were flagged while no one was subscribed: review and page say that no one was mailed."""
    now = account.clock.now()
    keys = ("a.mp4", "b.mp4", "c.mp4")
    add_scan(account, *keys, mails_sent=3, closed_at=now)
    for key in keys:
        add_flagged(account, key)
    add_report(account, [(key, True, "") for key in keys])
    account.table.control.note_mail(MailWatch(reached=True, none_since=now - 600))
    gone = output_of(review(account, "--json"))["warnings"]
    on_page = warnings_of_page(account, tmp_path)
    account.table.control.note_mail(MailWatch(reached=True, none_since=now - 600, none_until=now))

    (later,) = output_of(review(account, "--json"))["warnings"]

    assert gone == on_page
    assert gone[0].startswith("No one has been mailed since 2025-10-09 08:43 UTC: ")
    assert later.startswith("From 2025-10-09 08:43 UTC to 2025-10-09 08:53 UTC no one was mailed")


def test_nothing_to_warn_of(account):
    """A scan like any other has no warnings."""
    add_scan(account, "a.mp4")
    add_record(account, "a.mp4", State.CLEAN)
    add_report(account, [("a.mp4", True, "")])
    account.table.control.note_mail(MailWatch(reached=True))

    assert [] == output_of(review(account, "--json"))["warnings"]
