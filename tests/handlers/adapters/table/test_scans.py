"""The changes of a scan: what each does to a scan in each status, and what it leaves as it is."""

from dataclasses import replace

import pytest

from handlers.adapters.table import Outcome
from handlers.domain import watch
from handlers.domain.record import BatchJob, Progress, Scan
from handlers.domain.states import Lane, ScanMail, ScanStatus
from tests.handlers.doubles import BUCKET, SCAN

OPEN = Scan(SCAN, BUCKET, jobs=(BatchJob("one"),), waiting_empty_since=1.0, progress=(Progress(1.0, 2),))
PAUSED = replace(OPEN, status=ScanStatus.PAUSED, held_at=1.0, held_reason="by Ada")
CANCELLED = replace(OPEN, status=ScanStatus.CANCELLED, held_at=1.0, held_reason="by Ada")
OVER = replace(CANCELLED, closed_at=2.0)
CLOSED = replace(OPEN, status=ScanStatus.CLOSED, closed_at=2.0)
DONE, BEFORE, ANOTHER = Outcome.DONE, Outcome.DONE_BEFORE, Outcome.BY_ANOTHER


@pytest.fixture(name="changed")
def _changed(table):
    """Return a function that changes a scan, and returns the outcome and what of the scan has changed."""

    def changed(before, name, *arguments, **named):
        table.scans.put_scan(before)
        before = table.scans.scan(SCAN)
        outcome = getattr(table.scans, name)(SCAN, *arguments, **named)
        after = table.scans.scan(SCAN)
        fields = {field for field in Scan.__dataclass_fields__ if getattr(before, field) != getattr(after, field)}
        return outcome, {field: getattr(after, field) for field in sorted(fields)}

    return changed


@pytest.mark.parametrize("name", ["pause_scan", "cancel_scan", "resume_scan", "send_again", "resend_soon"])
def test_unknown(table, name):
    """A scan that does not exist is not made by changing it."""
    arguments = {"pause_scan": ["why"], "cancel_scan": ["why"], "send_again": [5.0]}.get(name, [])

    assert ANOTHER is getattr(table.scans, name)(SCAN, *arguments)
    assert table.scans.scan(SCAN) is None


@pytest.mark.parametrize(
    ("before", "outcome"), [(OPEN, DONE), (PAUSED, BEFORE), (CANCELLED, ANOTHER), (OVER, ANOTHER), (CLOSED, ANOTHER)]
)
def test_pause(changed, clock, before, outcome):
    """An open scan is paused, with when and why, and is not about to be closed; who paused it first stays named."""
    held = {"held_at": clock.now(), "held_reason": "why", "status": ScanStatus.PAUSED, "waiting_empty_since": None}

    assert (outcome, held if outcome is DONE else {}) == changed(before, "pause_scan", "why")


@pytest.mark.parametrize("reason", sorted(watch.HELD_REASONS))
def test_pause_by_a_person(changed, reason):
    """A pause of a watch becomes that of a person, which does not end with the watch's."""
    assert (DONE, {"held_reason": "by Ada"}) == changed(replace(PAUSED, held_reason=reason), "pause_scan", "by Ada")


@pytest.mark.parametrize(
    ("before", "outcome"), [(OPEN, DONE), (PAUSED, DONE), (CANCELLED, BEFORE), (OVER, BEFORE), (CLOSED, ANOTHER)]
)
def test_cancel(changed, before, outcome):
    """An open or paused scan is cancelled; that its job broke need not be mailed then, but all else."""
    before = replace(before, mails_due=(ScanMail.JOB_BROKEN, ScanMail.LIMIT))

    found, fields = changed(before, "cancel_scan", "why")

    assert outcome is found
    assert ((ScanStatus.CANCELLED, (ScanMail.LIMIT,)) if outcome is DONE else (None, None)) == (
        fields.get("status"),
        fields.get("mails_due"),
    )


@pytest.mark.parametrize(
    ("before", "outcome"), [(PAUSED, DONE), (OPEN, BEFORE), (CANCELLED, ANOTHER), (OVER, ANOTHER), (CLOSED, ANOTHER)]
)
def test_resume(changed, before, outcome):
    """A paused scan is opened, its messages are sent again, and its forecast begins anew."""
    opened = {
        "held_at": None,
        "held_reason": None,
        "progress": (),
        "resend_due": True,
        "status": ScanStatus.OPEN,
        "waiting_empty_since": None,
    }

    assert (outcome, opened if outcome is DONE else {}) == changed(before, "resume_scan")


@pytest.mark.parametrize(("before", "outcome"), [(OPEN, DONE), (PAUSED, DONE), (CANCELLED, ANOTHER), (CLOSED, ANOTHER)])
def test_resend_soon(changed, before, outcome):
    """A scan that goes on, or may, has its messages sent again."""
    assert (outcome, {"resend_due": True} if outcome is DONE else {}) == changed(before, "resend_soon")


@pytest.mark.parametrize(
    ("before", "marked", "outcome", "mark"),
    [
        (OPEN, None, DONE, 50.0),
        (PAUSED, 40.0, DONE, 50.0),
        (OPEN, 50.0, BEFORE, None),
        (OPEN, 60.0, BEFORE, None),
        (CANCELLED, None, ANOTHER, None),
        (CLOSED, None, ANOTHER, None),
    ],
)
def test_send_again(changed, before, marked, outcome, mark):
    """The mark before which messages are sent again only moves on."""
    found = changed(replace(before, resend_before=marked), "send_again", 50.0)

    assert (outcome, {} if mark is None else {"resend_before": mark}) == found


@pytest.mark.parametrize(("due", "ahead", "mark"), [(True, None, 0.0), (True, -5.0, 0.0), (True, 30.0, None), (False, None, None)])
def test_resend_now(changed, clock, due, ahead, mark):
    """What is due is marked with the sweeper's time, unless a purge has marked a later one."""
    marked = None if ahead is None else clock.now() + ahead
    before = replace(OPEN, resend_due=due, resend_before=marked)

    outcome, fields = changed(before, "resend_now")

    assert (DONE if due else BEFORE) is outcome
    expected = {} if not due else {"resend_due": False} | ({} if mark is None else {"resend_before": clock.now()})
    assert expected == fields


@pytest.mark.parametrize(
    ("before", "status"),
    [
        (OPEN, ScanStatus.OPEN),
        (PAUSED, ScanStatus.PAUSED),
        (CLOSED, ScanStatus.OPEN),
        (CANCELLED, ScanStatus.CANCELLED),
        (OVER, ScanStatus.OPEN),
    ],
)
@pytest.mark.parametrize("retry", [False, True])
def test_add_job(changed, before, status, retry):
    """A job opens a scan that is over again; a retry settles the earlier jobs, another job does not."""
    _, fields = changed(before, "add_job", "two", retry=retry)

    assert (BatchJob("one", told=retry), BatchJob("two")) == fields["jobs"]
    assert (status, None) == (fields.get("status", before.status), fields.get("closed_at"))
    assert fields["waiting_empty_since"] is None
    assert replace(before, **fields).live


@pytest.mark.parametrize(("before", "fields"), [(OPEN, {}), (CLOSED, {"status": ScanStatus.OPEN, "closed_at": None})])
def test_a_job_that_is_known(changed, before, fields):
    """A job that is known is not added again; a late registration opens its scan."""
    _, found = changed(before, "add_job", "one", retry=True)

    assert fields == {name: value for name, value in found.items() if name != "waiting_empty_since"}


def test_ensure(table, clock):
    """A scan that a job made by hand begins has its lane, its time and its job, once."""
    for job in ("one", "one", "two"):
        table.scans.ensure_scan(SCAN, BUCKET, Lane.EXPRESS, job)

    expected = Scan(SCAN, BUCKET, Lane.EXPRESS, created_at=clock.now(), jobs=(BatchJob("one"), BatchJob("two")))
    assert expected == table.scans.scan(SCAN)


@pytest.mark.parametrize(
    ("name", "kind", "mark"),
    [("note_limit", ScanMail.LIMIT, "limit_told"), ("note_lost_notices", ScanMail.NOTICES, "notices_mailed")],
)
def test_mailed_once(table, name, kind, mark):
    """A mail about a scan is due once, and no more after it was sent."""
    table.scans.put_scan(OPEN)
    outcomes = [getattr(table.scans, name)(SCAN)]
    due = table.scans.scan(SCAN).mails_due

    table.scans.scan_mail_sent(SCAN, kind)
    outcomes.append(getattr(table.scans, name)(SCAN))

    scan = table.scans.scan(SCAN)
    assert ([DONE, BEFORE], (kind,)) == (outcomes, due)
    assert ((), True) == (scan.mails_due, getattr(scan, mark))


def test_other_mails_stay(table):
    """A mail that was sent leaves the others due."""
    table.scans.put_scan(replace(OPEN, mails_due=(ScanMail.LIMIT, ScanMail.DIGEST)))

    table.scans.scan_mail_sent(SCAN, ScanMail.LIMIT)

    assert (ScanMail.DIGEST,) == table.scans.scan(SCAN).mails_due


@pytest.mark.parametrize(
    ("before", "jobs", "outcome"),
    [
        (OPEN, {"one"}, DONE),
        (OPEN, {"two"}, ANOTHER),
        (replace(OPEN, jobs=(BatchJob("one", told=True),)), {"one"}, ANOTHER),
        (PAUSED, {"one"}, ANOTHER),
        (CANCELLED, {"one"}, ANOTHER),
        (CLOSED, {"one"}, ANOTHER),
    ],
)
def test_broken_job(changed, before, jobs, outcome):
    """An open scan is paused and mailed for a job that broke, once for each job."""
    found, fields = changed(before, "pause_broken_scan", frozenset(jobs), "it broke")

    assert outcome is found
    if outcome is DONE:
        assert ((BatchJob("one", told=True),), (ScanMail.JOB_BROKEN,)) == (fields["jobs"], fields["mails_due"])
        assert (ScanStatus.PAUSED, "it broke") == (fields["status"], fields["held_reason"])
    else:
        assert {} == fields


def test_progress(table):
    """Seven points are kept, the last ones."""
    table.scans.put_scan(replace(OPEN, progress=()))

    for number in range(9):
        table.scans.note_progress(SCAN, Progress(float(number), number))

    assert list(range(2, 9)) == [point.final for point in table.scans.scan(SCAN).progress]


def test_handed_over(table):
    """What is handed over is counted one by one, in a scan that exists."""
    table.scans.put_scan(OPEN)

    counts = [table.scans.count_handed_over(SCAN).handed_over for _ in range(2)]

    assert ([1, 2], None) == (counts, table.scans.count_handed_over("01JDEM00000000000000000009"))


@pytest.mark.parametrize(("before", "waited", "noted"), [(None, 0, None), (None, 1, 1), (3, 3, 3), (3, 2, 3), (3, 4, 4)])
@pytest.mark.parametrize("reason", [None, watch.LIMIT_REACHED])
def test_uploads_that_waited(table, before, waited, noted, reason):
    """The most uploads that ever waited for the minutes of a day are noted."""
    table.scans.put_scan(replace(PAUSED, held_reason=watch.PAUSED_BY_HAND, day="2026-11-29", uploads_waited=before))

    assert DONE is table.scans.hold_day_scan(SCAN, reason, waited=waited)
    assert (noted, reason) == ((scan := table.scans.scan(SCAN)).uploads_waited, scan.held_reason)


@pytest.mark.parametrize(
    ("before", "reason", "outcome", "held_reason"),
    [
        (OPEN, watch.LIMIT_REACHED, DONE, watch.LIMIT_REACHED),
        (OPEN, None, BEFORE, None),
        (PAUSED, watch.LIMIT_REACHED, ANOTHER, "by Ada"),
        (PAUSED, None, ANOTHER, "by Ada"),
        (replace(PAUSED, held_reason=watch.LIMIT_REACHED), watch.LIMIT_REACHED, BEFORE, watch.LIMIT_REACHED),
        (replace(PAUSED, held_reason=watch.LIMIT_REACHED), watch.PAUSED_BY_HAND, DONE, watch.PAUSED_BY_HAND),
        (replace(PAUSED, held_reason=watch.LIMIT_REACHED), None, DONE, None),
        (CANCELLED, None, ANOTHER, "by Ada"),
        (CLOSED, watch.LIMIT_REACHED, ANOTHER, None),
    ],
)
def test_hold_a_day(table, before, reason, outcome, held_reason):
    """The scan of a day waits for its watch and goes on with it; a person's pause is left alone."""
    table.scans.put_scan(before)

    assert outcome is table.scans.hold_day_scan(SCAN, reason)
    assert held_reason == table.scans.scan(SCAN).held_reason


@pytest.mark.parametrize("is_due", [False, True])
def test_limit_of_a_day(table, is_due):
    """The mail about a day's minutes is due once for each day, beside the mails that are due already."""
    due = (ScanMail.DAY_LIMIT,) if is_due else (ScanMail.LIMIT,)
    table.scans.put_scan(replace(OPEN, mails_due=due))

    outcomes = [table.scans.note_day_limit(SCAN, day) for day in ("2026-11-29", "2026-11-29", "2026-11-30")]

    scan = table.scans.scan(SCAN)
    assert [DONE, BEFORE, DONE] == outcomes
    assert ("2026-11-30", tuple(dict.fromkeys((*due, ScanMail.DAY_LIMIT)))) == (scan.limit_day, scan.mails_due)


def test_waiting_empty(table):
    """Since when nothing seems to wait is noted, and forgotten."""
    table.scans.put_scan(replace(OPEN, waiting_empty_since=None))
    found = []

    for since in (5.0, None):
        table.scans.note_waiting_empty(SCAN, since)
        found.append(table.scans.scan(SCAN).waiting_empty_since)

    assert [5.0, None] == found


def test_handed_over_while_it_changes(table, dynamodb):
    """A count that comes while a scan is changed is not lost: the change begins anew, and both are there."""
    table.scans.put_scan(OPEN)
    read = dynamodb._client.get_item

    def counted_meanwhile(**request):
        item = read(**request)
        dynamodb._client.get_item = read
        table.scans.count_handed_over(SCAN)
        return item

    dynamodb._client.get_item = counted_meanwhile

    assert DONE is table.scans.pause_scan(SCAN, "why")
    assert (1, ScanStatus.PAUSED) == ((scan := table.scans.scan(SCAN)).handed_over, scan.status)


def test_last(table, dynamodb):
    """The last scan by its id is read alone, None where there is none."""
    found = [table.scans.last()]
    for number in (1, 3, 2):
        table.scans.put_scan(replace(OPEN, id=f"{SCAN[:-1]}{number}"))
    dynamodb.calls.clear()

    found.append(table.scans.last())

    assert [None, f"{SCAN[:-1]}3"] == [each and each.id for each in found]
    assert [1] == [call["Limit"] for call in dynamodb.called("query")]
