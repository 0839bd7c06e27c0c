"""Following a scan to its end."""

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from handlers.adapters.table import MailWatch, ThrottledError
from handlers.domain.record import BatchJob, Scan, Settings, Totals
from handlers.domain.states import ScanStatus, State
from tools.lib.aws.batch_jobs import JobView
from tools.lib.cli import ExitCode, Target
from tools.lib.scans.follow import follow
from tools.lib.scans.status import ScanProgress
from tools.lib.submit.finish import Ended

SCAN = "01K742SG00000G40R40M30E209"
JOB = "00000000-0000-4000-8000-000000000001"


class Table:
    """A table that tells one status after another, the last one for good; its own scans, records and control."""

    def __init__(self, *statuses, videos=None, settings=None, waits=False):
        self._statuses = list(statuses)
        self._videos = videos or {}
        self._settings = settings
        self._waits = waits

    def scan(self, _scan_id):
        """Tell the next status, or raise it."""
        status = self._statuses[0] if len(self._statuses) == 1 else self._statuses.pop(0)
        if isinstance(status, Exception):
            raise status
        return Scan(SCAN, "amzn-s3-demo-bucket", status=status, objects=4)

    def totals(self, _scan_id):
        """Tell the totals."""
        return Totals(self._videos)

    def running(self):
        """Tell of a video of this scan and of one of another."""
        return [SimpleNamespace(scan_id=SCAN), SimpleNamespace(scan_id="01K742SG00000000000000000A")]

    def all(self):
        """Return no films under sampling."""
        return []

    def settings(self):
        """Tell the settings."""
        return self._settings

    def mail_watch(self):
        """Tell that everybody is mailed."""
        return MailWatch()

    def waiting_seems_empty(self, _scan_id):
        """Tell whether nothing waits."""
        return not self._waits


class Looks:
    """A bar that notes what it is shown."""

    def __init__(self):
        self.texts = []

    def show(self, text, _done, _total):
        """Note it."""
        self.texts.append(text)


def job(status, succeeded=0, failed=0, **more):
    """What DescribeJob answers."""
    progress = {"TotalNumberOfTasks": 4, "NumberOfTasksSucceeded": succeeded, "NumberOfTasksFailed": failed}
    return {"Status": status, "ProgressSummary": progress, **more}


def followed(account, table, *states):
    """Follow a scan whose job goes through these states; return the last look, the job, and what was shown."""
    account.jobs.states = list(states)
    run = SimpleNamespace(
        clients=account.clients,
        clock=account.clock,
        deployment=SimpleNamespace(account_id="111122223333", slots=18),
        target=Target(stack="VideoModeration", region=None, profile=None),
        table=SimpleNamespace(scans=table, records=table, control=table, waiting=table, samplings=table),
    )
    looks = Looks()
    return *follow(run, SCAN, JOB, set_aside=0, poll_seconds=30, bar=looks), looks.texts


def test_it_goes_on_to_the_end_of_the_scan(account):
    """A complete job means accepted, not analysed: following ends where the scan is closed."""
    table = Table(ScanStatus.OPEN, ScanStatus.OPEN, ScanStatus.CLOSED, videos={State.CLEAN: 4})

    progress, last, shown = followed(account, table, job("Active", 2), job("Complete", 4))

    assert [text.partition(";")[0] for text in shown] == [
        "batch job Active, 2 of 4 tasks",
        "batch job Complete, 4 of 4 tasks",
        "batch job Complete, 4 of 4 tasks",
    ]
    assert Ended(progress, last, 0).exit_code is ExitCode.DONE
    assert progress.running == 1


def test_a_job_that_is_over_is_not_polled_again(account):
    """AWS limits DescribeJob; an ended job has nothing new to tell."""
    followed(account, Table(ScanStatus.OPEN, ScanStatus.OPEN, ScanStatus.OPEN, ScanStatus.CLOSED), job("Complete", 4))

    assert len(account.wire.of("DescribeJob")) == 1
    assert account.clock.sleeps == [30, 30, 30]


@pytest.mark.parametrize("state", ["Active", "Complete"])
def test_a_paused_scan_ends_it(account, state):
    """A paused scan goes on only when a person resumes it, which a pipeline must not wait for."""
    progress, last, shown = followed(account, Table(ScanStatus.OPEN, ScanStatus.PAUSED), job(state, 4))

    end = Ended(progress, last, 0)
    assert (2, True, ExitCode.FAILED) == (len(shown), end.held, end.exit_code)
    assert (ScanStatus.PAUSED, 1) == (end.as_json()["status"], end.as_json()["exit_code"])


@pytest.mark.parametrize(
    ("state", "waits", "ended"), [("Active", False, True), ("Complete", True, True), ("Complete", False, False)]
)
def test_paused_starting_ends_it_if_something_waits(account, state, waits, ended):
    """While starting is paused, what waits waits for a person; where nothing does, the scan still comes to its end."""
    settings = Settings(paused=True, paused_by="circuit breaker", paused_reason="AccessDenied: no")
    table = Table(ScanStatus.OPEN, ScanStatus.OPEN, ScanStatus.CLOSED, videos={State.CLEAN: 4}, settings=settings, waits=waits)

    progress, last, shown = followed(account, table, job(state, 4))

    end = Ended(progress, last, 0)
    assert (1 if ended else 3, ended) == (len(shown), end.held)
    assert (ExitCode.FAILED if ended else ExitCode.DONE) is end.exit_code
    assert ("circuit breaker", "AccessDenied: no") == (end.as_json()["paused_by"], end.as_json()["paused_reason"])


@pytest.mark.parametrize("status", ["Failed", "Cancelled"])
def test_a_broken_job_ends_it_with_its_reasons(account, status):
    """A job that failed or was cancelled is told at once, with what AWS says about it."""
    reasons = [{"FailureCode": "ManifestError", "FailureReason": "Reading the manifest is forbidden: AccessDenied"}]

    progress, last, shown = followed(account, Table(ScanStatus.OPEN), job(status, FailureReasons=reasons))

    assert (Ended(progress, last, 0).exit_code, len(shown)) == (ExitCode.FAILED, 1)
    assert last.job.reasons == ("ManifestError: Reading the manifest is forbidden: AccessDenied",)
    assert Ended(progress, last, 0).sentences()[1:] == [f"job failed because  {last.job.reasons[0]}"]


def test_a_new_job_may_be_unknown_for_a_while(account, errors):
    """Right after CreateJob DescribeJob may say NoSuchJob: that is not the end."""
    unknown = errors.http("NoSuchJob", 404)

    _, _, shown = followed(account, Table(ScanStatus.OPEN, ScanStatus.CLOSED), unknown, job("Complete", 4))

    assert [text.partition(";")[0] for text in shown] == ["batch job New", "batch job Complete, 4 of 4 tasks"]


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

    _, _, shown = followed(account, table, job("Complete", 4))

    assert [text.startswith("the progress could not be read, trying again: ") for text in shown] == [True, True, True, False]


def test_what_does_not_pass_is_raised(account, errors):
    """Expired credentials will not come back by waiting."""
    with pytest.raises(ClientError, match="ExpiredToken"):
        followed(account, Table(errors.client("ExpiredTokenException")), job("Active"))


def ended(status, job_status="Complete", failed_tasks=0, totals=None, *, set_aside=0, skipped=0, running=0):
    """The end of a scan of four objects."""
    progress = ScanProgress(
        scan=Scan(SCAN, "amzn-s3-demo-bucket", status=status, objects=4),
        totals=totals or Totals(),
        running=running,
        settings=Settings(),
        slots=18,
        now=1.0,
        set_aside=set_aside,
        job=(last := JobView(BatchJob(JOB, job_status, 4, 4 - failed_tasks, failed_tasks))),
    )
    return Ended(progress, last, skipped)


@pytest.mark.parametrize(
    ("status", "job_status", "failed_tasks", "videos", "code"),
    [
        (ScanStatus.CLOSED, "Complete", 0, {State.CLEAN: 1, State.FLAGGED: 3}, ExitCode.DONE),
        (ScanStatus.CLOSED, "Complete", 1, {State.CLEAN: 3}, ExitCode.SOME_FAILED),
        (ScanStatus.CLOSED, "Complete", 0, {State.FAILED: 1}, ExitCode.SOME_FAILED),
        (ScanStatus.CLOSED, "Complete", 0, {State.CANCELLED: 1}, ExitCode.SOME_FAILED),
        (ScanStatus.CLOSED, "Complete", 0, {State.FAILED: 1, State.CANCELLED: 1}, ExitCode.SOME_FAILED),
        (ScanStatus.CANCELLED, "Complete", 0, {}, ExitCode.SOME_FAILED),
        (ScanStatus.OPEN, "Failed", 0, {}, ExitCode.FAILED),
    ],
)
def test_the_exit_code_is_computed_from_what_was_seen(status, job_status, failed_tasks, videos, code):
    """Done is only what is over and whole."""
    assert ended(status, job_status, failed_tasks, Totals(videos)).exit_code is code


def test_what_was_left_out_of_the_job_counts():
    """The table does not know it, the exit code and both renderings do; it is added to what the functions found ineligible."""
    shown = ended(ScanStatus.CLOSED, totals=Totals({State.CLEAN: 3, State.FAILED: 1}, failures={"empty": 1}), set_aside=2)
    clean = ended(ScanStatus.CLOSED, totals=Totals({State.CLEAN: 4}), set_aside=2)

    assert (ExitCode.SOME_FAILED, 3) == (clean.exit_code, shown.as_json()["ineligible"])
    counts = "4 of 4 done, 0 flagged, 1 ineligible, 0 running, 2 left out as ineligible"
    assert shown.sentences() == [f"batch job Complete, 4 of 4 tasks; {counts}, the scan is closed"]


def test_what_was_skipped_counts():
    """An object that was not looked at is not clean."""
    assert ended(ScanStatus.CLOSED, totals=Totals({State.CLEAN: 3}), skipped=1).exit_code is ExitCode.SOME_FAILED


def test_a_paused_scan_is_shown_as_paused():
    """Whoever waits for a paused scan must see why nothing moves."""
    paused = ended(ScanStatus.PAUSED, "Complete", 1, Totals({State.CLEAN: 2}), running=1)

    assert (
        paused.progress.line()
        == "batch job Complete, 4 of 4 tasks, 1 failed; 2 of 4 done, 0 flagged, 1 running, the scan is paused"
    )


def test_a_scan_of_which_nothing_is_to_come_is_about_to_be_closed():
    """The sweeper closes it some minutes later: nothing is unknown about it."""
    line = ended(ScanStatus.OPEN, totals=Totals({State.CLEAN: 4})).progress.line()

    assert line == "batch job Complete, 4 of 4 tasks; 4 of 4 done, 0 flagged, 0 running, about to be closed"
