from datetime import UTC, datetime

import pytest

from tools.emulator.services.s3_batch.errors import BatchError
from tools.emulator.settings import EmulatorSettings

DAY = 86_400


def _code(call, *args, **kwargs):
    with pytest.raises(BatchError) as caught:
        call(*args, **kwargs)
    return caught.value.code


def _statuses(bench, job_id, seconds, step=0.25):
    """Return the statuses that a job goes through, each once."""
    seen = [bench.status(job_id)]
    for _ in range(int(seconds / step)):
        bench.clock.advance(step)
        if bench.status(job_id) != seen[-1]:
            seen.append(bench.status(job_id))
    return seen


def test_statuses_of_a_good_job(bench):
    """A job goes from New through Preparing, Active and Completing to Complete (in an idle account it does not stay Ready)."""
    job_id = bench.submit()

    seen = _statuses(bench, job_id, 20)

    assert ["New", "Preparing", "Active", "Completing", "Complete"] == seen
    assert (3, 3, 0) == bench.counts(job_id)


def test_described(bench):
    """DescribeJob repeats the request and adds its results."""
    request = bench.request(Description="scan")
    start = bench.clock.now()
    job_id = bench.engine.create_job(request)
    bench.clock.run_until_idle()

    job = bench.job(job_id)

    assert {name: request[name] for name in ("Manifest", "Operation", "Report", "RoleArn", "Description", "Priority")} == {
        name: job[name] for name in ("Manifest", "Operation", "Report", "RoleArn", "Description", "Priority")
    }
    assert f"arn:aws:s3:us-east-1:111122223333:job/{job_id}" == job["JobArn"]
    assert 36 == len(job_id)
    assert datetime.fromtimestamp(start, UTC) == job["CreationTime"] < job["TerminationDate"]
    assert job["ConfirmationRequired"] is False
    assert "SuspendedDate" not in job


def test_repeated_token(bench):
    """A token returns its job at any time if the request is the same; with another request it is refused."""
    request = bench.request()
    job_id = bench.engine.create_job(request)
    bench.clock.run_until_idle()

    again = bench.engine.create_job(dict(reversed(request.items())))

    assert job_id == again
    assert "IdempotencyException" == _code(bench.engine.create_job, {**request, "Priority": 11})
    assert 3 == len(bench.functions.events)


@pytest.mark.parametrize("required", [True, None])
def test_confirmation(bench, required):
    """A job waits in Suspended until it is confirmed, unless its request says that it needs no confirmation."""
    job_id = bench.submit(ConfirmationRequired=required)
    bench.clock.run_until_idle()

    suspended = bench.job(job_id)
    confirmed = bench.engine.update_job_status(job_id, "Ready")
    bench.clock.run_until_idle()

    assert ("Suspended", 3) == (suspended["Status"], suspended["ProgressSummary"]["TotalNumberOfTasks"])
    assert suspended["SuspendedDate"]
    assert suspended["SuspendedCause"]
    assert confirmed["Status"] in ("Ready", "Active")
    assert "Complete" == bench.status(job_id)


def test_never_confirmed(bench):
    """After 30 days in Suspended a job fails."""
    job_id = bench.submit(ConfirmationRequired=True)
    bench.clock.advance(30 * DAY)
    before = bench.status(job_id)

    bench.clock.advance(60)

    assert ("Suspended", "Failed") == (before, bench.status(job_id))
    assert "30 days" in bench.reason(job_id)
    assert "JobStatusException" == _code(bench.engine.update_job_status, job_id, "Ready")


def test_forgotten(bench):
    """90 days after its end a job does not exist, and its token can be used again."""
    request = bench.request()
    job_id = bench.engine.create_job(request)
    bench.clock.run_until_idle()
    bench.clock.advance(90 * DAY - 60)
    before = bench.status(job_id)

    bench.clock.advance(120)

    assert "Complete" == before
    assert "NotFoundException" == _code(bench.engine.describe_job, job_id)
    assert ([], None) == bench.engine.list_jobs()
    assert job_id != bench.engine.create_job(request)


@pytest.mark.parametrize("code", ["NotFoundException", "NoSuchJob"])
def test_missing_job(make_bench, code):
    """Every operation on a job that does not exist fails with the code of the setting."""
    engine = make_bench(EmulatorSettings(batch_missing_job_error=code)).engine

    calls = [engine.describe_job, engine.job_tags]

    assert {code} == {_code(call, "00000") for call in calls}
    assert code == _code(engine.update_job_status, "00000", "Cancelled")
    assert code == _code(engine.update_job_priority, "00000", 1)
    assert code == _code(engine.put_job_tags, "00000", [])


def test_cancel_midway(bench):
    """A cancelled job starts no more tasks, lets those that run finish, and reports them."""
    bench.functions.seconds = 2.0
    job_id = bench.submit(100)
    bench.clock.advance(8)

    answered = bench.engine.update_job_status(job_id, "Cancelled", "not needed")
    started = len(bench.functions.events)
    running = bench.functions.running
    bench.clock.run_until_idle()

    assert {"JobId": job_id, "Status": "Cancelling", "StatusUpdateReason": "not needed"} == answered
    assert running > 0
    assert 100 > started == len(bench.functions.events)
    assert ("Cancelled", "not needed") == (bench.status(job_id), bench.job(job_id)["StatusUpdateReason"])
    assert (100, started, 0) == bench.counts(job_id)
    assert started == len(bench.report(job_id))


def test_cancel_while_a_redrive_waits(bench, answer):
    """A task that waits for a redrive counts as failed when its job is cancelled."""
    bench.functions.answer = lambda event: answer(event, "TemporaryFailure", "later")
    job_id = bench.submit(2)
    bench.clock.advance(20)

    bench.engine.update_job_status(job_id, "Cancelled")
    bench.clock.run_until_idle()

    assert (2, 0, 2) == bench.counts(job_id)
    assert [["failed", "200", "TemporaryFailure", "later"]] * 2 == [row[3:] for row in bench.report(job_id)]


def test_cancel_while_a_redrive_is_throttled(bench, answer):
    """A task whose redrive was throttled counts as failed too when its job is cancelled."""
    bench.functions.answer = lambda event: answer(event, "TemporaryFailure", "later")
    job_id = bench.submit(1)
    bench.clock.advance(20)
    bench.functions.concurrency = 0
    bench.clock.advance(60)

    bench.engine.update_job_status(job_id, "Cancelled")
    bench.clock.run_until_idle()

    assert bench.functions.throttled > 0
    assert [["failed", "200", "TemporaryFailure", "later"]] == [row[3:] for row in bench.report(job_id)]


@pytest.mark.parametrize("seconds", [0, 2])
def test_cancel_before_it_runs(bench, seconds):
    """A job cancelled before its first task leaves no report."""
    job_id = bench.submit()
    bench.clock.advance(seconds)

    bench.engine.update_job_status(job_id, "Cancelled")
    bench.clock.run_until_idle()

    assert "Cancelled" == bench.status(job_id)
    assert [] == bench.functions.events
    assert not bench.has_report(job_id)


def test_cancel_in_suspended(bench):
    """An unconfirmed job can be cancelled."""
    job_id = bench.submit(ConfirmationRequired=True)
    bench.clock.run_until_idle()

    bench.engine.update_job_status(job_id, "Cancelled")
    bench.clock.run_until_idle()

    assert "Cancelled" == bench.status(job_id)
    assert not bench.has_report(job_id)


def test_status_updates_that_come_at_the_wrong_time(bench):
    """Only a suspended job can be made ready, and a job that has ended or is ending cannot be cancelled."""
    job_id = bench.submit()
    bench.clock.advance(1)
    early = _code(bench.engine.update_job_status, job_id, "Ready")
    bench.engine.update_job_status(job_id, "Cancelled")
    ending = _code(bench.engine.update_job_status, job_id, "Cancelled")
    bench.clock.run_until_idle()

    late = _code(bench.engine.update_job_status, job_id, "Cancelled")

    assert {"JobStatusException"} == {early, ending, late}
    assert "BadRequestException" == _code(bench.engine.update_job_status, job_id, "Paused")
    assert "BadRequestException" == _code(bench.engine.update_job_status, job_id, "Cancelled", "x" * 257)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda bench: bench.objects.write("work", "manifests/1.csv", b"videos,other\n"), "ETag is"),
        (lambda bench: bench.objects.stored.clear(), "there is no such object"),
        (lambda bench: bench.objects.forbidden.add("manifests/1.csv"), "Reading the manifest is forbidden: AccessDenied"),
        (lambda bench: setattr(bench.objects, "encryption", "aws:kms"), "SSE-KMS"),
    ],
)
def test_unusable_manifest(bench, spoil, reason):
    """A manifest that was changed or deleted, is forbidden, or is encrypted with KMS fails the job without a report."""
    job_id = bench.submit()
    spoil(bench)

    seen = _statuses(bench, job_id, 10)

    assert ["New", "Preparing", "Failing", "Failed"] == seen
    assert reason in bench.reason(job_id)
    assert [] == bench.functions.events
    assert not bench.has_report(job_id)


def test_quoted_etag(bench):
    """An ETag with the quotes that HeadObject returns fails the job."""
    request = bench.request()
    location = request["Manifest"]["Location"]
    location["ETag"] = f'"{location["ETag"]}"'
    job_id = bench.engine.create_job(request)

    bench.clock.run_until_idle()

    assert "Failed" == bench.status(job_id)
    assert "ETag format is invalid" in bench.reason(job_id)


def test_malformed_manifest(bench):
    """A malformed manifest fails the job with InvalidManifestContent and names the line."""
    job_id = bench.run(b"videos,a\nvideos\n")

    (failure,) = bench.job(job_id)["FailureReasons"]
    assert "Failed" == bench.status(job_id)
    assert "InvalidManifestContent" == failure["FailureCode"]
    assert "line 2 has 1 columns" in failure["FailureReason"]


def test_listed(bench):
    """ListJobs returns pages of jobs in the requested statuses, newest first."""
    complete = [bench.run() for _ in range(3)]
    waiting = bench.submit(ConfirmationRequired=True, Description="waits")
    bench.clock.run_until_idle()

    first, token = bench.engine.list_jobs(max_results=3)
    second, end = bench.engine.list_jobs(max_results=3, next_token=token)
    suspended, _ = bench.engine.list_jobs(["Suspended", "Active"])

    assert [waiting, complete[2], complete[1], complete[0]] == [job["JobId"] for job in first + second]
    assert end is None
    assert [("LambdaInvoke", "waits", "Suspended")] == [(job["Operation"], job["Description"], job["Status"]) for job in suspended]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"max_results": 0}, "InvalidRequestException"),
        ({"max_results": 1001}, "InvalidRequestException"),
        ({"statuses": ["Done"]}, "InvalidRequestException"),
        ({"next_token": "x"}, "InvalidNextTokenException"),
    ],
)
def test_bad_list(bench, arguments, code):
    """ListJobs refuses values that are not valid."""
    assert code == _code(bench.engine.list_jobs, **arguments)


def test_seventh_job_waits(bench):
    """Six jobs are active at a time; a seventh stays Ready until one of them has ended."""
    jobs = [bench.submit(50) for _ in range(7)]
    bench.clock.advance(5.5)
    before = [bench.status(job_id) for job_id in jobs]

    bench.clock.run_until_idle()

    assert [*["Active"] * 6, "Ready"] == before
    assert {"Complete"} == {bench.status(job_id) for job_id in jobs}


def test_seventh_job_refused(make_bench):
    """With batch_full_account_refuses_job, a seventh job is refused until one of the six has ended."""
    bench = make_bench(EmulatorSettings(batch_full_account_refuses_job=True))
    for _ in range(6):
        bench.submit()

    code = _code(bench.submit)

    bench.clock.run_until_idle()
    assert "TooManyRequestsException" == code
    assert bench.submit()


def test_higher_priority_goes_first(make_bench):
    """A job of higher priority pauses a running one, which afterwards continues and loses no task."""
    bench = make_bench(EmulatorSettings(batch_active_jobs=1))
    bench.functions.seconds = 2.0
    low = bench.submit(50, Priority=1)
    bench.clock.advance(6)
    high = bench.submit(20, Priority=2)
    bench.clock.advance(5.5)
    pausing = (bench.status(low), bench.status(high))
    bench.clock.advance(3)
    paused = (bench.status(low), bench.status(high))

    bench.clock.run_until_idle()

    assert ("Pausing", "Ready") == pausing
    assert ("Paused", "Active") == paused
    assert {"Complete"} == {bench.status(low), bench.status(high)}
    assert (50, 50, 0) == bench.counts(low)
    assert 70 == len(bench.functions.events)


def test_changed_priority(make_bench):
    """UpdateJobPriority lets a waiting job overtake; equal priority does not."""
    bench = make_bench(EmulatorSettings(batch_active_jobs=1))
    bench.functions.seconds = 2.0
    first, second = bench.submit(50), bench.submit(50)
    bench.clock.advance(6)
    before = (bench.status(first), bench.status(second))

    answered = bench.engine.update_job_priority(second, 11)
    bench.clock.advance(3)
    after = (bench.status(first), bench.status(second))
    bench.engine.update_job_priority(first, 11)
    bench.clock.advance(3)
    equal = (bench.status(first), bench.status(second))
    bench.clock.run_until_idle()

    assert ("Active", "Ready") == before
    assert {"JobId": second, "Priority": 11} == answered
    assert ("Paused", "Active") == after == equal
    assert "BadRequestException" == _code(bench.engine.update_job_priority, first, 3)


def test_reset(bench):
    """A reset forgets all jobs and drops the results of running tasks."""
    bench.functions.seconds = 2.0
    job_id = bench.submit(100)
    bench.clock.advance(8)
    started = len(bench.functions.events)

    bench.engine.reset()
    bench.clock.run_until_idle()

    assert ([], None) == bench.engine.list_jobs()
    assert 0 < started == len(bench.functions.events)
    assert not bench.has_report(job_id)
