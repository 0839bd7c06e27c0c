"""Performing a plan: what is registered, what a second run finds, and what is said when it ends in between."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ParamValidationError

from handlers.adapters.table import ThrottledError
from handlers.domain import BatchJob, Lane, Scan, ScanStatus
from tests.tools.submit.test_plan import plan, sizes_of
from tools.lib.errors import ToolError
from tools.lib.listing import Selection
from tools.lib.manifest import Kind, Source, UploadedManifest
from tools.lib.submit.job_request import RefusedError, create_job
from tools.lib.submit.perform import SubmissionProgress, _close, _require_open, _require_same, note_job

BUCKET, WORK_BUCKET = "amzn-s3-demo-bucket", "amzn-s3-demo-work"
SCAN, JOB = "01K742SG00000G40R40M30E209", "00000000-0000-4000-8000-000000000001"
NOW = 1_760_000_000.0
DAY = 86_400.0


@pytest.mark.parametrize(
    ("progress", "sentence"),
    [
        (SubmissionProgress(), "No job was created; nothing is scanned."),
        (SubmissionProgress(requested=True), "It is not known whether the job was created."),
        (SubmissionProgress(job_id=JOB), "The job was created."),
    ],
)
def test_whether_there_is_a_job(progress, sentence):
    """Between the request and its answer it is not known whether there is a job."""
    assert sentence == progress.sentence()


# --- registering --------------------------------------------------------------------------------------------------------


@pytest.fixture(name="stocked")
def _stocked(account):
    account.put("2024/a.mp4", "2024/notes.txt")
    account.put("2024/empty.mp4", body=b"")
    return account


def test_the_scan(stocked):
    """The scan has everything that starters, sweeper and reviews take from the plan."""
    stocked.submit("--bucket", BUCKET, "--prefix", "2024/", "--express", "--yes")

    assert stocked.table.scans.scan(SCAN) == Scan(
        SCAN,
        BUCKET,
        Lane.EXPRESS,
        created_at=stocked.clock.now(),
        manifest_uri=f"s3://{WORK_BUCKET}/manifests/{SCAN}.csv",
        objects=1,
        jobs=(BatchJob(JOB),),
        planned_jobs=1,
        prefixes=("2024/",),
        set_aside={"empty": 1},
        not_selected={".txt": 1},
    )


def test_the_scan_of_a_manifest_that_s3_makes(stocked):
    """Where S3 writes the manifest, neither its name nor the number of objects is known."""
    stocked.submit("--bucket", BUCKET, "--generate", "--yes")

    expected = Scan(SCAN, BUCKET, created_at=stocked.clock.now(), jobs=(BatchJob(JOB),), planned_jobs=1, prefixes=("",))
    assert expected == stocked.table.scans.scan(SCAN)


# --- a second run -------------------------------------------------------------------------------------------------------


@pytest.fixture(name="again")
def _again(stocked):
    """Return a function that runs the plan of a scan that was submitted, as S3 lists its job, and returns click's result."""
    stocked.submit("--bucket", BUCKET, "--prefix", "2024/", "--yes")
    (job,) = stocked.wire.of("CreateJob")
    stocked.wire.answer("ListJobs", lambda _: {"Jobs": [{"JobId": JOB, "Description": job["Description"]}]})

    def again():
        stocked.wire.calls.clear()
        return stocked.submit("--run-plan", str(stocked.manifests / f"{SCAN}.plan.json"), "--yes")

    return again


def test_a_closed_scan_stays_closed(stocked, again):
    """A plan whose job is known to its scan creates none, uploads nothing, and writes nothing: the scan may be over."""
    stocked.table.scans.close_scan(stocked.table.scans.scan(SCAN))

    result = again()

    assert (0, f"job       {JOB}") == (result.exit_code, result.stdout.splitlines()[1])
    assert [] == stocked.wire.writes
    assert ScanStatus.CLOSED is stocked.table.scans.scan(SCAN).status


def test_a_job_that_was_not_noted(stocked, again):
    """A job that S3 lists and the scan does not know is added to it, and no other one is created."""
    stocked.table.scans._change_scan(SCAN, lambda scan: replace(scan, jobs=()))

    result = again()

    assert (0, ["TransactWriteItems"]) == (result.exit_code, stocked.wire.writes)
    assert (BatchJob(JOB),) == stocked.table.scans.scan(SCAN).jobs


def test_a_job_that_was_not_created(stocked, again):
    """Where S3 lists no job the plan's own manifest is uploaded once more, and the job is created with the same token."""
    stocked.wire.answer("ListJobs", lambda _: {"Jobs": []})

    result = again()

    assert (0, ["PutObject", "CreateJob"]) == (result.exit_code, stocked.wire.writes)
    assert SCAN == stocked.wire.of("CreateJob")[0]["ClientRequestToken"]


@pytest.fixture(name="dry")
def _dry(stocked):
    """Return the path of a plan that was made and not submitted."""
    stocked.submit("--bucket", BUCKET, "--prefix", "2024/", "--dry-run")
    stocked.wire.answer("ListJobs", lambda _: {"Jobs": []})
    stocked.wire.calls.clear()
    return str(stocked.manifests / f"{SCAN}.plan.json")


@pytest.mark.parametrize(("answer", "jobs"), [("y\n", 1), ("n\n", 0)])
def test_a_plan_is_agreed_to(stocked, dry, answer, jobs):
    """A plan that is run is shown once more, and submitted if the person agrees."""
    result = stocked.submit("--run-plan", dry, interactive=True, answer=answer)

    assert f"Scan {SCAN} of s3://amzn-s3-demo-bucket/2024/" in result.stderr
    assert "Submit 1 object? [y/N]: " in result.stderr
    assert (1 - jobs, jobs) == (result.exit_code, len(stocked.wire.of("CreateJob")))
    assert ("Interrupted" in result.stderr) is False


def test_a_plan_without_a_terminal(stocked, dry):
    """Without a terminal consent must be written down for a plan as well."""
    result = stocked.submit("--run-plan", dry)

    assert (2, []) == (result.exit_code, stocked.wire.writes)
    assert "pass --yes to submit" in result.stderr


@pytest.mark.parametrize("is_other", [False, True])
def test_a_plan_that_is_checked_again(stocked, dry, is_other):
    """With --recheck a plan whose source would now give another manifest is refused, with both counts."""
    if is_other:
        stocked.put("2024/later.mp4")

    result = stocked.submit("--run-plan", dry, "--recheck", "--yes")

    assert (int(is_other), 1 - is_other) == (result.exit_code, len(stocked.wire.of("CreateJob")))
    assert is_other is ("1 were selected then, 2 now, and the manifests differ." in result.stderr)


# --- what is said when it ends in between -------------------------------------------------------------------------------


def after_the_job(account, act):
    """Let the next write of the table after the job was created end in an error, or otherwise."""
    account.wire.answer("TransactWriteItems", lambda _: act() if account.wire.of("CreateJob") else None)


def interrupt():
    """Press Ctrl-C."""
    raise KeyboardInterrupt


def test_a_job_that_cannot_be_noted(stocked, errors):
    """A job that cannot be noted runs all the same, which is a warning and not a failure."""
    after_the_job(stocked, lambda: errors.http("AccessDeniedException", 400, "not yours"))

    result = stocked.submit("--bucket", BUCKET, "--yes")

    assert 0 == result.exit_code
    assert "The job runs, but it could not be recorded in the table; its first task will do so. (" in result.stderr
    assert "AccessDeniedException" in result.stderr
    assert f"job       {JOB}" in result.stdout


@pytest.mark.slow
def test_interrupted_after_the_job(stocked):
    """Ctrl-C once the job is there says so, and how the rest is done."""
    after_the_job(stocked, interrupt)

    result = stocked.submit("--bucket", BUCKET, "--yes")

    resume = f"python tools/submit_job.py --run-plan {stocked.manifests / SCAN}.plan.json"
    assert (130, f"Interrupted. The job was created. To continue: {resume}") == (result.exit_code, result.stderr.splitlines()[-2])


def test_interrupted_at_the_job(stocked):
    """Ctrl-C while S3 creates the job leaves open whether there is one."""
    stocked.wire.answer("CreateJob", lambda _: interrupt())

    result = stocked.submit("--bucket", BUCKET, "--yes")

    assert 130 == result.exit_code
    assert "Interrupted. It is not known whether the job was created. To continue: " in result.stderr


def test_interrupted_before_the_job(stocked):
    """Ctrl-C before that says that nothing is scanned, and an error does, with its own cure before it."""
    stocked.wire.answer("TransactWriteItems", lambda _: interrupt())

    result = stocked.submit("--bucket", BUCKET, "--yes")

    assert 130 == result.exit_code
    assert "Interrupted. No job was created; nothing is scanned. To continue: " in result.stderr


def test_refused(stocked, errors):
    """After a refusal the cure ends with how the plan is run once that is fixed."""
    stocked.wire.answer("CreateJob", lambda _: errors.http("AccessDenied", 403, "iam:PassRole"))

    result = stocked.submit("--bucket", BUCKET, "--yes")

    resume = f"python tools/submit_job.py --run-plan {stocked.manifests / SCAN}.plan.json"
    assert result.stderr.splitlines()[-1].endswith(f" No job was created; nothing is scanned. To continue: {resume}")


# --- whether the job was created ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "is_refused"),
    [
        (("AccessDenied", 403), True),
        (("Odd", 499), True),
        (("InternalServiceException", 500), False),
        (NoCredentialsError(), True),
        (ParamValidationError(report="Description is too long"), True),
        (EndpointConnectionError(endpoint_url="https://s3control"), False),
    ],
)
def test_what_is_a_refusal(errors, error, is_refused):
    """AWS's 4xx, and what never left this machine, are refusals; after all else there may be a job."""
    raised = errors.client(*error) if isinstance(error, tuple) else error

    def create_job_fails(**_):
        raise raised

    with pytest.raises(ToolError) as caught:
        create_job(SimpleNamespace(create_job=create_job_fails), plan().new_job, UploadedManifest(WORK_BUCKET, "key", "etag"))

    assert is_refused is isinstance(caught.value, RefusedError)
    assert is_refused is str(caught.value).startswith("The job was not created; nothing is scanned. ")


# --- whether the scan is that of the plan -------------------------------------------------------------------------------


def test_the_same_scan():
    """A scan of the plan's bucket and count, made 90 days ago, is the plan's; one whose count is not known may be."""
    registered = Scan(SCAN, BUCKET, created_at=NOW - 90 * DAY, objects=2)

    assert _require_same(registered, plan(), NOW) is None
    assert _require_same(replace(registered, objects=None), plan(), NOW) is None


@pytest.mark.parametrize(
    ("changed", "given", "message"),
    [
        ({"bucket": "other"}, {}, f"In the table, scan {SCAN} is of the bucket other; the plan is for {BUCKET}."),
        ({"objects": 1}, {}, f"In the table, scan {SCAN} has 1 object; the plan has 2 objects."),
        ({"objects": 0}, {}, f"In the table, scan {SCAN} has 0 objects; the plan has 2 objects."),
        (
            {"objects": 7},
            {"source": Source(Kind.GENERATED)},
            f"In the table, scan {SCAN} has 7 objects; the plan has those that S3 finds.",
        ),
        ({"created_at": NOW - 90 * DAY - 1}, {}, f"Scan {SCAN} was begun more than 90 days ago: S3 no longer lists its job."),
    ],
)
def test_another_scan(changed, given, message):
    """A scan of another bucket or count is not the plan's, nor is one that is so old that S3 may have forgotten its job."""
    registered = replace(Scan(SCAN, BUCKET, created_at=NOW, objects=2), **changed)

    with pytest.raises(ToolError) as refused:
        _require_same(registered, plan(sizes=sizes_of(1, 2), selection=Selection(bucket=BUCKET), **given), NOW)

    assert message == str(refused.value)


@pytest.mark.parametrize(
    ("status", "reason", "message", "cure"),
    [
        (
            ScanStatus.PAUSED,
            "by Ada",
            f"Scan {SCAN} is paused (by Ada), so no job is created for it.",
            f"Run `python tools/control_scan.py resume {SCAN}`.",
        ),
        (
            ScanStatus.CANCELLED,
            None,
            f"Scan {SCAN} is cancelled (for an unknown reason), so no job is created for it.",
            "Make a new plan with --dry-run.",
        ),
    ],
)
def test_a_scan_that_is_held(status, reason, message, cure):
    """Neither a paused nor a cancelled scan gets a job; the former can be resumed."""
    held = Scan(SCAN, BUCKET, status=status, held_reason=reason)

    with pytest.raises(ToolError) as refused:
        _require_open(SimpleNamespace(scan=lambda _: held), SCAN)

    assert (message, cure) == (str(refused.value), refused.value.cure)


@pytest.mark.parametrize("found", [None, Scan(SCAN, BUCKET), Scan(SCAN, BUCKET, status=ScanStatus.CLOSED)])
def test_a_scan_that_is_not_held(found):
    """Any other scan does."""
    assert _require_open(SimpleNamespace(scan=lambda _: found), SCAN) is None


@pytest.mark.parametrize("error", [ThrottledError("busy"), ClientError({"Error": {}}, "GetItem")])
def test_closing_after_a_refusal(error):
    """What the table answers when a refused scan is closed does not hide the refusal; a scan that is gone is not closed."""

    def broken(_):
        raise error

    assert _close(SimpleNamespace(scan=broken), SCAN) is None
    assert _close(SimpleNamespace(scan=lambda _: None), SCAN) is None


@pytest.mark.parametrize("retry", [False, True])
def test_noting_a_job(retry):
    """A job is noted as that of a scan, or of a retry, and without a warning."""
    noted = []
    scans = SimpleNamespace(add_job=lambda *given, **named: noted.append((given, named)))

    assert note_job(scans, SCAN, JOB, retry=retry) is None
    assert [((SCAN, JOB), {"retry": retry})] == noted
