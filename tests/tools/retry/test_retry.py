"""`review_report.py retry`: what is taken up and why, what is asked, and the job that is made."""

import json
from urllib.parse import unquote

import pytest
from click.testing import CliRunner

from handlers.domain.record import BatchJob, Scan
from handlers.domain.states import Lane, ScanStatus, State
from tests.tools.review_doubles import (
    BUCKET,
    HOSTILE,
    JOB,
    RETRY_JOB,
    SCAN,
    WORK_BUCKET,
    add_flagged,
    add_record,
    add_report,
    add_scan,
    output_of,
    review,
)
from tools.lib.cli import ProgramContext
from tools.lib.retry.plan import EXAMPLES, next_number
from tools.review_report import main

ACCEPTED = '{"state":"WAITING"}'
NAME = f"{SCAN}-retry-1-00000000"


@pytest.fixture(name="scanned")
def _scanned(account):
    """Return an account with a scan in which every status occurs once."""
    keys = ["clean", "flagged", HOSTILE, "vp9", "empty", "text", "aws", "lost", "left", "running", "waiting"]
    add_scan(account, *keys, lane=Lane.EXPRESS)
    failures = {HOSTILE, "aws"}
    rows = [(key, key not in failures, ACCEPTED) for key in keys if key not in {"text", "aws", "left"}]
    add_report(account, [*rows, ("text", True, '{"state":"SKIPPED"}'), ("aws", False, "Lambda returned function error")])
    add_record(account, "clean", State.CLEAN)
    add_flagged(account, "flagged")
    add_record(account, HOSTILE, State.FAILED, code="forbidden")
    add_record(account, "vp9", State.FAILED, code="analysis-failed")
    add_record(account, "empty", State.FAILED, code="empty")
    add_record(account, "running", State.RUNNING, started_at=account.clock.now())
    add_record(account, "waiting", State.WAITING, queued_at=account.clock.now() - 7_000)
    return account


def counts(plan, which="retried"):
    """Return how many objects there are for each reason."""
    return {group["reason"]: group["objects"] for group in plan[which]}


def manifest(account, name=NAME):
    """Return the rows of an uploaded manifest, keys decoded."""
    body = account.s3.get_object(Bucket=WORK_BUCKET, Key=f"manifests/{name}.csv")["Body"].read().decode()
    return [[unquote(field) for field in line.split(",")] for line in body.splitlines()]


# --- what is taken up ---------------------------------------------------------------------------------------------------


def test_a_dry_run_shows_what_and_why_and_changes_nothing(scanned):
    """What is retryable, stuck, lost or never attempted is retried; the rest is named with why it is not."""
    result = review(scanned, "retry", "--dry-run", "--json")

    expected = {"forbidden": 1, "PermanentFailure": 1, "lost": 1, "never attempted": 1, "stuck waiting": 1}
    assert 0 == result.exit_code
    assert expected == counts(output_of(result))
    assert {"analysis-failed": 1, "empty": 1, "running": 1} == counts(output_of(result), "left")
    assert [] == scanned.wire.writes
    assert not scanned.manifests.exists()


def test_the_json_of_a_plan_is_complete(scanned):
    """A program finds all that a person is shown: of which scan and where, how many, why, examples, the price and warnings."""
    scanned.table.control.pause("Ada", "lunch")

    plan = output_of(review(scanned, "retry", "--dry-run", "--json"))
    [forbidden] = [group for group in plan["retried"] if group["reason"] == "forbidden"]

    assert {
        "scan_id": SCAN,
        "retry": 1,
        "objects": 4,
        "lane": "express",
        "stack": "VideoModeration",
        "region": "us-east-1",
        "account_id": "111122223333",
        "manifest": f"s3://{WORK_BUCKET}/manifests/{NAME}.csv",
        "warnings": [
            "The objects of this scan do not add up: review_report.py shows why.",
            "Starting is paused: the retried videos wait until it is resumed.",
        ],
    }.items() <= plan.items()
    assert "job" in str(plan["price"])
    assert (1, [HOSTILE]) == (forbidden["objects"], [each["key"] for each in forbidden["examples"]])
    assert "access is granted" in forbidden["why"]


def test_examples_are_few_and_the_rest_is_counted(account):
    """Of many objects with one reason a few are named, and how many more there are."""
    keys = [f"{number:02}.mp4" for number in range(EXAMPLES + 2)]
    add_scan(account, *keys)
    add_report(account, [(key, True, ACCEPTED) for key in keys])
    for key in keys:
        add_record(account, key, State.FAILED, code="forbidden")

    lines = [line.strip() for line in review(account, "retry", "--dry-run").stdout.splitlines()]

    assert EXAMPLES == sum(line.startswith(f"s3://{BUCKET}/") for line in lines)
    assert "and 2 more objects" in lines


def test_all_that_failed(scanned):
    """--all-failed takes up what is not retryable too, and still nothing that runs or is done."""
    plan = output_of(review(scanned, "retry", "--all-failed", "--dry-run", "--json"))

    assert {"analysis-failed": 1, "empty": 1} == {name: counts(plan).get(name) for name in ("analysis-failed", "empty")}
    assert {"running": 1} == counts(plan, "left")


def test_reasons_are_shown_to_a_person(scanned):
    """Each group is told with its count, why, and which; a hostile key stays in its line."""
    lines = review(scanned, "retry", "--dry-run").stdout.splitlines()

    assert f"Retry 1 of scan {SCAN} of {BUCKET}" == lines[0]
    assert "            1 forbidden: could not be read: retry once access is granted" in lines
    assert any("<script>alert(1)</script> %2B+\\u202e" in line for line in lines)


def test_nothing_to_retry(account):
    """Where all is well nothing is asked, and nothing is done."""
    add_scan(account, "a.mp4")
    add_report(account, [("a.mp4", True, ACCEPTED)])
    add_record(account, "a.mp4", State.CLEAN)

    result = review(account, "retry", "--yes")

    assert (0, f"Retry 1 of scan {SCAN} of {BUCKET}: nothing to retry\n") == (result.exit_code, result.stdout)
    assert [] == account.wire.writes


def test_a_key_twice_in_the_manifest_is_retried_once(account):
    """Two rows of one object are one row of the retry."""
    add_scan(account, "a.mp4", "a.mp4")
    add_record(account, "a.mp4", State.FAILED, code="forbidden")

    review(account, "retry", "--yes")

    assert [[BUCKET, "a.mp4"]] == manifest(account)


# --- the job ------------------------------------------------------------------------------------------------------------


def test_the_job_belongs_to_the_same_scan(scanned):
    """Manifest, arguments, token and report of the job are those of a retry of this scan, in its lane."""
    result = review(scanned, "retry", "--yes", "--json")

    [job] = scanned.wire.of("CreateJob")
    assert (0, RETRY_JOB) == (result.exit_code, output_of(result)["job_id"])
    assert {"scan_id": SCAN, "lane": "express", "retry": "1"} == job["Operation"]["LambdaInvoke"]["UserArguments"]
    assert "2.0" == job["Operation"]["LambdaInvoke"]["InvocationSchemaVersion"]
    assert (NAME, f"reports/{SCAN}", "AllTasks") == (
        job["ClientRequestToken"],
        job["Report"]["Prefix"],
        job["Report"]["ReportScope"],
    )
    assert job["Manifest"]["Location"]["ObjectArn"].endswith(f"/manifests/{NAME}.csv")
    assert ["Bucket", "Key"] == job["Manifest"]["Spec"]["Fields"]
    assert 20 == job["Priority"]
    assert [HOSTILE, "aws", "lost", "left", "waiting"] == [key for _, key in manifest(scanned)]
    assert (scanned.manifests / f"{NAME}.csv").exists()


def test_the_scan_is_open_again_and_knows_the_job(scanned):
    """A closed scan is reopened; its own manifest and count stay the measure, and its earlier job is settled."""
    review(scanned, "retry", "--yes")

    scan = scanned.table.scans.scan(SCAN)
    assert (ScanStatus.OPEN, [(JOB, True), (RETRY_JOB, False)]) == (scan.status, [(job.id, job.told) for job in scan.jobs])
    assert (f"s3://{WORK_BUCKET}/manifests/{SCAN}.csv", 11) == (scan.manifest_uri, scan.objects)


def test_versions_stay_pinned(account):
    """In a versioned bucket the retry is of the version that was listed; "null" is one."""
    add_scan(account, "a.mp4", "b.mp4", versions={"a.mp4": "v1", "b.mp4": "null"})

    review(account, "retry", "--yes")

    [job] = account.wire.of("CreateJob")
    assert ["Bucket", "Key", "VersionId"] == job["Manifest"]["Spec"]["Fields"]
    assert [[BUCKET, "a.mp4", "v1"], [BUCKET, "b.mp4", "null"]] == manifest(account)


@pytest.mark.slow
@pytest.mark.parametrize(("attempt", "more_jobs", "retry"), [(0, 0, "1"), (4, 0, "5"), (0, 3, "4")])
def test_number(account, attempt, more_jobs, retry):
    """The number is above every attempt, and above every job before: one that did nothing used its token up."""
    jobs = tuple(BatchJob(f"{JOB[:-2]}{number:02}", "Complete") for number in range(more_jobs + 1))
    add_scan(account, "a.mp4", jobs=jobs)
    add_record(account, "a.mp4", State.FAILED, code="forbidden", attempt=attempt)

    review(account, "retry", "--yes")

    [job] = account.wire.of("CreateJob")
    assert (retry, f"{SCAN}-retry-{retry}-00000000") == (
        job["Operation"]["LambdaInvoke"]["UserArguments"]["retry"],
        job["ClientRequestToken"],
    )


def test_two_people_at_one_moment(account):
    """Two retries that find the same have manifests and jobs of their own: the second is not told the first one's job."""
    add_scan(account, "a.mp4")
    add_record(account, "a.mp4", State.FAILED, code="forbidden")
    account.wire.answer("DescribeJob", lambda _: {"Job": {"JobId": JOB, "Status": "Complete"}})

    for letter in b"\x01\x02":
        everything = ProgramContext(
            connect=lambda _profile, _region: account.clients,
            clock=account.clock,
            entropy=lambda count, letter=letter: bytes([letter]) * count,
        )
        CliRunner().invoke(main, ["retry", "--yes", "--manifests", str(account.manifests)], obj=everything)

    jobs = account.wire.of("CreateJob")
    assert 2 == len({job["ClientRequestToken"] for job in jobs}) == len({job["Manifest"]["Location"]["ObjectArn"] for job in jobs})


def test_too_often(account):
    """After 99 attempts there is no room for another."""
    add_scan(account, "a.mp4")
    add_record(account, "a.mp4", State.FAILED, code="forbidden", attempt=99)

    assert f"Error: Scan {SCAN} was retried 99 times." in review(account, "retry", "--yes").stderr


def test_refused_job_leaves_the_scan_as_it_was(scanned, errors):
    """Where AWS creates no job, the scan stays closed, with its one job."""
    scanned.wire.answer("CreateJob", lambda _: errors.http("AccessDenied", 403))

    result = review(scanned, "retry", "--yes")

    scan = scanned.table.scans.scan(SCAN)
    assert 1 == result.exit_code
    assert (ScanStatus.CLOSED, [JOB]) == (scan.status, [job.id for job in scan.jobs])


def test_refused_job_leaves_an_open_scan_open(scanned, errors):
    """A scan that has a past is not closed because its retry was refused."""
    scanned.table.scans.add_job(SCAN, JOB[:-1] + "b")
    scanned.wire.answer("CreateJob", lambda _: errors.http("AccessDenied", 403))

    review(scanned, "retry", "--yes")

    assert ScanStatus.OPEN == scanned.table.scans.scan(SCAN).status


def test_waiting_for_the_end(scanned):
    """--wait follows the scan until it is closed; what is still failed is exit code 3."""
    scanned.clock.planned = [lambda: scanned.table.scans.close_scan(scanned.table.scans.scan(SCAN))]

    result = review(scanned, "retry", "--yes", "--wait", "--json")

    assert 3 == result.exit_code
    assert "closed" == output_of(result)["result"]["status"]


# --- confirmation, and when none --------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "jobs", "code"), [("y\n", 1, 0), ("\n", 0, 1)])
def test_confirmation(scanned, answer, jobs, code):
    """A person is shown the plan and asked."""
    result = review(scanned, "retry", interactive=True, answer=answer)

    assert "Retry 5 objects? [y/N]: " in result.stderr
    assert (code, jobs) == (result.exit_code, len(scanned.wire.of("CreateJob")))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--yes"],
        ["retry", "--yes", "--csv", "rows.csv"],
        ["page"],
        ["export"],
        ["export", "--rows", "segments"],
        ["apply", __file__, "--job", JOB],
        ["policy"],
        ["policy", "missing.json"],
        ["policy", __file__, "--mail-newly-flagged"],
        ["list", "--since", "7d", "--scan", SCAN],
        ["--scan", SCAN, "--job", JOB],
        ["list", "--since", "soon"],
        ["video", "bucket/key"],
    ],
)
def test_bad_usage(account, arguments):
    """Options that do not go together are refused before anything is asked of AWS."""
    result = review(account, *arguments)

    assert (2, []) == (result.exit_code, account.wire.calls)


def test_without_a_terminal(account):
    """Without a terminal --yes is required, and nothing is submitted; another fault is named first."""
    unknown = review(account, "retry")
    add_scan(account, "a.mp4", job_status="Active")
    under_way = review(account, "retry")
    add_scan(account, "a.mp4")
    at_rest = review(account, "retry")

    assert (1, 1, 2) == (unknown.exit_code, under_way.exit_code, at_rest.exit_code)
    assert "There is no scan yet" in unknown.stderr
    assert "is Active" in under_way.stderr
    assert "Cannot prompt without a terminal; pass --yes to retry" in at_rest.stderr
    assert [] == account.wire.of("CreateJob")


@pytest.mark.parametrize("status", ["Active", "Preparing", "Suspended"])
def test_a_job_under_way(account, status):
    """While a job may come to the objects by itself, nothing is retried."""
    add_scan(account, "a.mp4", job_status=status)

    result = review(account, "retry", "--yes")

    assert 1 == result.exit_code
    assert f"Error: Job {JOB} of scan {SCAN} is {status}: it may still attempt these objects." in result.stderr
    assert [] == account.wire.writes


def test_a_job_that_s3_forgot(account, errors):
    """A job that is no longer known is over."""
    add_scan(account, "a.mp4", job_status="Active")
    account.jobs.states = [errors.http("NoSuchJob", 404)]

    assert 0 == review(account, "retry", "--yes").exit_code


def test_a_cancelled_scan(account):
    """Of a cancelled scan nothing would be started."""
    add_scan(account, "a.mp4", status=ScanStatus.CANCELLED)

    assert "was cancelled, so a retry would not be started." in review(account, "retry", "--yes").stderr


# --- afterwards ---------------------------------------------------------------------------------------------------------


def test_one_state_for_each_object_over_several_reports(account):
    """What the retry's report says counts over the first one's, the table's word over both, and the counts add up."""
    keys = ["a", "b", "c"]
    add_scan(account, *keys, jobs=(BatchJob(JOB, "Complete"), BatchJob(RETRY_JOB, "Complete")))
    add_report(account, [(key, False, "Lambda returned function error") for key in keys])
    add_report(account, [("a", True, ACCEPTED), ("b", True, '{"state":"SKIPPED"}')], job_id=RETRY_JOB)
    add_record(account, "a", State.CLEAN, attempt=1)

    shown = json.loads(review(account, "--json").stdout)

    assert {"clean": 1, "skipped": 1, "failed": 1} == {state: count for state, count in shown["states"].items() if count}
    assert (3, True) == (shown["objects"], shown["adds_up"])


def test_the_jobs_of_a_split_scan_are_no_retries():
    """A scan of a hundred planned jobs has been retried as often as it has jobs beyond them."""
    jobs = tuple(BatchJob(str(number)) for number in range(101))

    assert 1 == next_number(Scan(SCAN, BUCKET, jobs=jobs[:100], planned_jobs=100), 0)
    assert 2 == next_number(Scan(SCAN, BUCKET, jobs=jobs, planned_jobs=100), 0)
