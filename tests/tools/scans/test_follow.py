"""Following a scan to its end."""

from dataclasses import dataclass

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from handlers.adapters.table import ThrottledError
from handlers.domain.record import BatchJob, Scan, Totals
from handlers.domain.states import ScanStatus, State
from tools.lib.aws.batch_jobs import JobView
from tools.lib.cli.output import ExitCode
from tools.lib.scans.follow import Follower, Trouble, View

SCAN = "01K742SG00000G40R40M30E209"
JOB = "00000000-0000-4000-8000-000000000001"


@dataclass
class Running:
    scan_id: str


class Table:
    """A table that tells one status after another, the last one for good."""

    def __init__(self, *statuses, videos=None):
        self._statuses = list(statuses)
        self._videos = videos or {}

    def scan(self, scan_id):
        """Tell the next status, or raise it."""
        status = self._statuses[0] if len(self._statuses) == 1 else self._statuses.pop(0)
        if isinstance(status, Exception):
            raise status
        return Scan(scan_id, "amzn-s3-demo-bucket", status=status)

    def totals(self, scan_id):
        """Tell the totals."""
        return Totals(self._videos)

    def running(self):
        """Tell of a video of this scan and of one of another."""
        return [Running(SCAN), Running("01K742SG00000000000000000A")]


def job(status, succeeded=0, failed=0, **more):
    """What DescribeJob answers."""
    progress = {"TotalNumberOfTasks": 4, "NumberOfTasksSucceeded": succeeded, "NumberOfTasksFailed": failed}
    return {"Status": status, "ProgressSummary": progress, **more}


def followed(account, table, *states):
    """Every look at a scan whose job goes through these states."""
    account.jobs.states = list(states)
    follower = Follower(
        s3control=account.clients.s3control,
        scans=table,
        records=table,
        account_id="111122223333",
        clock=account.clock,
        poll_seconds=30,
    )
    return list(follower.follow(SCAN, JOB, 4))


def test_it_goes_on_to_the_end_of_the_scan(account):
    """A complete job means accepted, not analysed: following ends where the scan is closed."""
    table = Table(ScanStatus.OPEN, ScanStatus.OPEN, ScanStatus.CLOSED, videos={State.CLEAN: 4})

    looks = followed(account, table, job("Active", 2), job("Complete", 4))

    assert [look.over for look in looks] == [False, False, True]
    assert looks[-1].exit_code is ExitCode.DONE
    assert looks[-1].running == 1


def test_a_job_that_is_over_is_not_asked_after_again(account):
    """AWS limits DescribeJob; an ended job has nothing new to tell."""
    followed(account, Table(ScanStatus.OPEN, ScanStatus.OPEN, ScanStatus.OPEN, ScanStatus.CLOSED), job("Complete", 4))

    assert len(account.wire.of("DescribeJob")) == 1
    assert account.clock.sleeps == [30, 30, 30]


@pytest.mark.parametrize("status", ["Failed", "Cancelled"])
def test_a_broken_job_ends_it_with_its_reasons(account, status):
    """A job that failed or was cancelled is told at once, with what AWS says about it."""
    reasons = [{"FailureCode": "ManifestError", "FailureReason": "Reading the manifest is forbidden: AccessDenied"}]

    [look] = followed(account, Table(ScanStatus.OPEN), job(status, FailureReasons=reasons))

    assert look.exit_code is ExitCode.FAILED
    assert look.job.reasons == ("ManifestError: Reading the manifest is forbidden: AccessDenied",)


def test_a_new_job_may_be_unknown_for_a_while(account, errors):
    """Right after CreateJob DescribeJob may say NoSuchJob: that is not the end."""
    unknown = errors.http("NoSuchJob", 404)

    looks = followed(account, Table(ScanStatus.OPEN, ScanStatus.CLOSED), unknown, job("Complete", 4))

    assert [look.job.job.status for look in looks] == ["New", "Complete"]


def test_a_job_that_stays_unknown_is_an_error(account, errors):
    """After five minutes an unknown job is gone, and waiting for it would never end."""
    with pytest.raises(ClientError, match="NoSuchJob"):
        followed(account, Table(ScanStatus.OPEN), errors.http("NoSuchJob", 404))

    assert sum(account.clock.sleeps) == 300


def test_what_passes_by_itself_does_not_end_it(account, errors):
    """A wait of hours survives throttling and a broken connection."""
    table = Table(
        errors.client("ThrottlingException"),
        ThrottledError("refused 8 times"),
        EndpointConnectionError(endpoint_url="https://example.com"),
        ScanStatus.CLOSED,
    )

    looks = followed(account, table, job("Complete", 4))

    assert [isinstance(look, Trouble) for look in looks] == [True, True, True, False]


def test_what_does_not_pass_is_raised(account, errors):
    """Expired credentials will not come back by waiting."""
    with pytest.raises(ClientError, match="ExpiredToken"):
        followed(account, Table(errors.client("ExpiredTokenException")), job("Active"))


@pytest.mark.parametrize(
    ("status", "job_status", "failed_tasks", "videos", "code"),
    [
        (ScanStatus.CLOSED, "Complete", 0, {State.CLEAN: 1, State.FLAGGED: 3}, ExitCode.DONE),
        (ScanStatus.CLOSED, "Complete", 1, {State.CLEAN: 3}, ExitCode.SOME_FAILED),
        (ScanStatus.CLOSED, "Complete", 0, {State.FAILED: 1}, ExitCode.SOME_FAILED),
        (ScanStatus.CLOSED, "Complete", 0, {State.CANCELLED: 1}, ExitCode.SOME_FAILED),
        (ScanStatus.CANCELLED, "Complete", 0, {}, ExitCode.SOME_FAILED),
        (ScanStatus.OPEN, "Failed", 0, {}, ExitCode.FAILED),
        (ScanStatus.OPEN, "Active", 0, {}, ExitCode.FAILED),
        (ScanStatus.PAUSED, "Complete", 0, {State.CLEAN: 4}, ExitCode.FAILED),
    ],
)
def test_the_exit_code_is_computed_from_what_was_seen(status, job_status, failed_tasks, videos, code):
    """Done is only what is over and whole; not over is never done."""
    view = View(JobView(BatchJob(JOB, job_status, 4, 4 - failed_tasks, failed_tasks)), status, 4, Totals(videos))

    assert view.exit_code is code


def test_what_was_left_out_of_the_job_counts(account):
    """The table does not know it, the exit code and both renderings do; it is added to what the functions found ineligible."""
    totals = Totals({State.CLEAN: 3, State.FAILED: 1}, failures={"empty": 1})

    shown = View(JobView(BatchJob(JOB, "Complete", 4, 4, 0)), ScanStatus.CLOSED, 4, totals, set_aside=2)
    clean = View(JobView(BatchJob(JOB, "Complete", 4, 4, 0)), ScanStatus.CLOSED, 4, Totals({State.CLEAN: 4}), set_aside=2)

    assert (ExitCode.SOME_FAILED, 3, 3) == (clean.exit_code, shown.ineligible, shown.as_json()["ineligible"])
    assert shown.line() == "batch job Complete, 4 of 4 tasks; 0 running; 3 clean, 3 ineligible; the scan is closed"


def test_a_paused_scan_is_said_to_be_paused(account):
    """Whoever waits for a paused scan must see why nothing moves."""
    view = View(JobView(BatchJob(JOB, "Complete", 4, 3, 1)), ScanStatus.PAUSED, 4, Totals({State.CLEAN: 2}), running=1)

    assert view.line() == "batch job Complete, 4 of 4 tasks, 1 failed; 1 running; 2 clean; the scan is paused"
