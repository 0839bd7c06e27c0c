"""`control_scan.py` and the lists on scans of a day's uploads, of which watched buckets make thousands a year."""

import json
from datetime import date, timedelta

import pytest

from handlers.domain import watch
from handlers.domain.states import ScanStatus, State
from handlers.domain.watch import Watch
from tests.tools.review_doubles import BUCKET, JOB, add_scan, output_of, review
from tests.tools.test_control_scan import control
from tests.tools.uploads import DAY, DAY_SCAN, add_day, add_flagged_upload, add_upload
from tools.lib.scans.status import NEWEST


def status(account, *arguments):
    """Return the JSON of the status of the day."""
    return json.loads(control(account, "status", DAY_SCAN, "--json", *arguments).stdout)


# --- one day ------------------------------------------------------------------------------------------------------------


def test_the_status_of_a_day(account):
    """It says of which day and bucket, what is done and found, how many no event brought, and when it closes."""
    add_day(account, status=ScanStatus.OPEN)
    add_flagged_upload(account, "a.mp4", etag="e1", missed=True)
    add_upload(account, "a.mp4", State.CLEAN, etag="e2")
    add_upload(account, "b.mp4", State.WAITING, etag="e1")

    head, line = control(account, "status", DAY_SCAN).stdout.splitlines()

    assert f"Scan {DAY_SCAN} of the uploads of {DAY} to {BUCKET}" == head
    assert (
        "2 done, 1 flagged, 0 running, 1 found by the daily comparison, it closes an hour after its day (UTC), once all are final"
        == line
    )
    assert (DAY, 1, None, None) == tuple(status(account)[name] for name in ("day", "missed", "objects", "ready_at"))


@pytest.mark.parametrize(
    ("state", "counts"),
    [(None, "0 done, 0 flagged, 0 running"), (State.FAILED, "1 done, 0 flagged, 1 failed, 0 running")],
)
def test_days_with_little(account, state, counts):
    """An empty day, and one on which all failed, are shown as they are."""
    add_day(account)
    if state:
        add_upload(account, "a.mp4", state, etag="e1", code="forbidden")

    assert f"{counts}, the scan is closed" == status(account)["line"]


def test_following_a_day(account):
    """--watch goes on until the day is closed."""
    add_day(account, status=ScanStatus.OPEN)
    account.clock.planned = [lambda: None, lambda: account.table.scans.close_scan(account.table.scans.scan(DAY_SCAN))]

    result = control(account, "status", DAY_SCAN, "--watch")

    assert (0, 2) == (result.exit_code, len(account.clock.sleeps))
    assert result.stdout.splitlines()[1].endswith("the scan is closed")


def test_pausing_and_resuming_a_day(account):
    """The commands of other scans do what they do; why it is paused is shown."""
    add_day(account, status=ScanStatus.OPEN)

    paused = control(account, "pause", DAY_SCAN)
    held = status(account)
    resumed = control(account, "resume", DAY_SCAN)

    scan = account.table.scans.scan(DAY_SCAN)
    assert (0, 0) == (paused.exit_code, resumed.exit_code)
    assert ("paused", f"the scan is paused ({held['held_reason']})") == (held["status"], held["line"].partition("running, ")[2])
    assert (ScanStatus.OPEN, True) == (scan.status, scan.resend_due)
    assert "sweeper" not in resumed.stdout


@pytest.mark.parametrize(("reason", "command"), [(watch.PAUSED_BY_HAND, "resume"), (watch.LIMIT_REACHED, "release")])
def test_resuming_what_the_sweeper_holds(account, reason, command):
    """A day that the watch holds is resumed, and would be paused again: the command that ends that is named."""
    add_day(account, status=ScanStatus.PAUSED, held_at=1.0, held_reason=reason)

    result = control(account, "resume", DAY_SCAN)

    assert ScanStatus.OPEN == account.table.scans.scan(DAY_SCAN).status
    assert f"The sweeper pauses it again because {reason}: `python tools/control_scan.py watch {command} {BUCKET}`" in result.stdout


def test_cancelling_a_day(account):
    """What waits of it is cancelled, and later uploads are not: that is said, with how they can wait. No job is asked for."""
    add_day(account, status=ScanStatus.OPEN)
    account.wire.calls.clear()

    result = control(account, "cancel", DAY_SCAN, "--yes")

    scan = account.table.scans.scan(DAY_SCAN)
    assert (0, ScanStatus.OPEN, True) == (result.exit_code, scan.status, scan.cancel_due)
    assert f"What waits of scan {DAY_SCAN} is cancelled within two minutes" in result.stdout
    assert f"Later uploads to {BUCKET} are analysed: `python tools/control_scan.py watch pause {BUCKET}`" in result.stdout
    assert [] == account.wire.of("UpdateJobStatus")


def test_cancelling_a_day_asks(account):
    """A person is told what is cancelled and what is not; without a yes nothing is."""
    add_day(account, status=ScanStatus.OPEN)

    result = control(account, "cancel", DAY_SCAN, interactive=True, answer="n\n")

    assert f"Cancel the uploads that wait of scan {DAY_SCAN}? Later ones are still analysed." in result.stderr
    assert not account.table.scans.scan(DAY_SCAN).cancel_due


def test_cancelling_a_day_that_is_over(account):
    """A day that is closed has nothing that waits."""
    add_day(account, status=ScanStatus.CLOSED, closed_at=1.0)

    result = control(account, "cancel", DAY_SCAN, "--yes")

    assert (1, "") == (result.exit_code, result.stdout)
    assert f"Scan {DAY_SCAN} cannot be cancelled: it is closed." in result.stderr


# --- many days ----------------------------------------------------------------------------------------------------------


@pytest.fixture(name="months")
def _months(account):
    """Return an account with three buckets that were watched for a month, and with an old scan that is still paused."""
    last = date.fromisoformat(DAY)
    for number in range(30):
        day = (last - timedelta(days=number)).isoformat()
        for bucket in (BUCKET, "amzn-s3-demo-bucket1", "amzn-s3-demo-bucket2"):
            add_day(account, day, bucket=bucket, status=ScanStatus.CLOSED if number else ScanStatus.OPEN)
    add_scan(account, "a.mp4", status=ScanStatus.PAUSED, created_at=1.0)
    account.wire.calls.clear()
    return account


def totals_read(account):
    """Return of how many scans the totals were read."""
    return sum("TOTALS#" in str(params) for params in account.wire.of("Query"))


@pytest.mark.parametrize("run", [control, review])
def test_a_list_shows_what_is_live_and_the_newest(months, run):
    """Scans that are not over are listed however old they are, others if they are among the newest; how many more is said."""
    result = run(months, "list")

    lines = result.stdout.splitlines()
    assert f"the uploads of {DAY} to {BUCKET}" in "\n".join(lines[:3])
    assert (NEWEST + 1 + 1, NEWEST + 1) == (len(lines), totals_read(months))
    assert "the scan is paused" in lines[-2]
    assert f"and {91 - NEWEST - 1} older scans that are over: --all lists them" == lines[-1]


@pytest.mark.parametrize("run", [control, review])
def test_all_scans(months, run):
    """--all lists every scan; the JSON says how many there are besides those that it has, and of which day each is."""
    some, every = (json.loads(run(months, "list", "--json", *more).stdout) for more in ((), ("--all",)))

    assert (NEWEST + 1, 91 - NEWEST - 1) == (len(some["scans"]), some["more"])
    assert (91, 0) == (len(every["scans"]), every["more"])
    assert {None, DAY} < {scan["day"] for scan in every["scans"]}


def test_scans_since_a_time(months):
    """Whoever names a time gets all scans since then."""
    listed = output_of(review(months, "list", "--since", "2025-09-29", "--json"))

    assert (33, 0) == (len(listed["scans"]), listed["more"])


def test_a_named_scan_costs_one_request(months):
    """The scan that a command names is read by itself, not found among all."""
    control(months, "status", DAY_SCAN)

    assert [] == [params for params in months.wire.of("Query") if '"SCANS"' in str(params).replace("'", '"')]


def add_days(account, days):
    """Have a sweep see three buckets that were watched on each of these days before the day."""
    for number in range(1, days + 1):
        day = (date.fromisoformat(DAY) - timedelta(days=number)).isoformat()
        for bucket in (BUCKET, "amzn-s3-demo-bucket1", "amzn-s3-demo-bucket2"):
            add_day(account, day, bucket=bucket)
    account.table.scans.active()


@pytest.mark.slow
@pytest.mark.parametrize(
    "run",
    [
        lambda account: control(account, "status"),
        lambda account: control(account, "status", "01K742SG00000G40R40M30E999"),
        lambda account: control(account, "watch", "status", "--stack", "Watching"),
        lambda account: control(account, "coverage", BUCKET),
        review,
        lambda account: review(account, "--job", JOB),
        lambda account: review(account, "video", f"s3://{BUCKET}/a.mp4"),
        lambda account: account.submit("--bucket", BUCKET, "--skip-unchanged", "--dry-run"),
        lambda account: account.submit("--bucket", BUCKET, "--dry-run"),
    ],
    ids=["status", "unknown scan", "watch status", "coverage", "review", "job", "video", "skip unchanged", "estimate"],
)
def test_days_that_are_over_are_not_read(account, run):
    """What a command reads does not grow with the days that were ever watched; only lists of scans do that."""
    account.deploy_watching(Watch(BUCKET))
    account.put("a.mp4")
    add_scan(account, "a.mp4", created_at=1.0)
    add_day(account, status=ScanStatus.OPEN)
    add_upload(account, "a.mp4", State.CLEAN, etag="e1")
    read = []
    for days in (1, 40):
        add_days(account, days)
        account.wire.items_read = 0
        run(account)
        read.append(account.wire.items_read)

    assert read[0] == read[1] > 0


def test_the_newest_day_where_nothing_was_submitted(account):
    """Where nothing was ever submitted, the newest day is meant, and the others are not read."""
    add_days(account, 40)
    account.wire.items_read = 0

    shown = json.loads(control(account, "status", "--json").stdout)

    assert "2025-10-08" == shown["day"]
    assert account.wire.items_read < 10


def test_the_newest_scan_is_one_that_was_submitted(account):
    """Without a scan's name the newest one that a person submitted is meant: the scan of each day would hide it otherwise."""
    add_day(account)
    only_days = output_of(review(account, "--json"))
    add_scan(account, "a.mp4", created_at=1.0)

    newest, of_job = (output_of(review(account, "--json", *more)) for more in ((), ("--job", JOB)))

    assert [DAY, None, None] == [each["day"] for each in (only_days, newest, of_job)]
