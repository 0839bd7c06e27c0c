"""A scan whose manifest is unknown, as of a job made by hand, or ignored: its objects are those of its reports and records."""

from collections import Counter

import pytest

from handlers.domain.record import BatchJob
from handlers.domain.states import State
from tests.tools.review_doubles import JOB, SCAN, WORK_BUCKET, add_record, add_report, add_scan, output_of, review

WAITS = '{"state":"WAITING"}'
GONE = '{"state":"FAILED","reason":"missing"}'
OVER = BatchJob(JOB, "Complete", tasks=2, succeeded=1, failed=1, terminal_since=1.0)
OURS = {"Bucket": f"arn:aws:s3:::{WORK_BUCKET}", "Prefix": f"reports/{SCAN}"}


@pytest.fixture(name="by_hand")
def _by_hand(account):
    """An account with a scan of a job made by hand; its report names a video that is clean and one that was gone."""
    add_scan(account, manifest_uri=None, objects=None, jobs=(OVER,))
    add_report(account, [("clean", True, WAITS), ("gone", False, GONE)])
    add_record(account, "clean", State.CLEAN)
    account.jobs.states = [{"Status": "Complete", "Report": OURS}]
    return account


def counted(output):
    """Return the number of objects, and of those in each status that has some."""
    return output["objects"], {state: count for state, count in output["states"].items() if count}


def test_reported(by_hand):
    """What the report names is what there is; a count of objects to compare with is not known."""
    output = output_of(review(by_hand, "--json"))

    assert (2, {"clean": 1, "failed": 1}) == counted(output)
    assert (None, [], True) == (output["expected"], output["warnings"], output["adds_up"])


@pytest.mark.parametrize("state", State)
def test_recorded_but_not_reported(by_hand, state):
    """A record that no report names is there, too, once, whatever its state."""
    add_record(by_hand, "more", state)

    states = Counter({"clean": 1, "failed": 1})
    states[state.value.lower()] += 1
    assert (3, states) == counted(output_of(review(by_hand, "--json")))


OTHER = "amzn-s3-demo-other"


@pytest.mark.parametrize("where", [{}, {"Bucket": f"arn:aws:s3:::{OTHER}"}])
@pytest.mark.parametrize("named", [{}, {"Prefix": "mine"}])
def test_report_elsewhere(by_hand, where, named):
    """The report is where the job put it, as S3 says: in whatever bucket, and at its root where no prefix was named."""
    bucket, prefix = OTHER if where else WORK_BUCKET, f"{named['Prefix']}/" if named else ""
    if where:
        by_hand.s3.create_bucket(Bucket=bucket)
    for listed in by_hand.s3.list_objects_v2(Bucket=WORK_BUCKET, Prefix="reports/")["Contents"]:
        body = by_hand.s3.get_object(Bucket=WORK_BUCKET, Key=listed["Key"])["Body"].read().decode()
        moved = body.replace(f"reports/{SCAN}/", prefix).replace(WORK_BUCKET, bucket)
        by_hand.s3.put_object(Bucket=bucket, Key=listed["Key"].replace(f"reports/{SCAN}/", prefix), Body=moved.encode())
        by_hand.s3.delete_object(Bucket=WORK_BUCKET, Key=listed["Key"])
    by_hand.jobs.states = [{"Status": "Complete", "Report": {**where, **named}}]

    assert (2, {"clean": 1, "failed": 1}) == counted(output_of(review(by_hand, "--json")))


def test_report_that_was_not_asked_for(by_hand):
    """A job that was made without a report has none: neither at the root of the work bucket nor where ours are."""
    by_hand.jobs.states = [{"Status": "Complete"}]

    refused = review(by_hand, "--json")

    assert (1, "") == (refused.exit_code, refused.stdout)
    assert "Without it the objects of the scan are unknown." in refused.stderr


def test_job_that_s3_has_forgotten(by_hand, errors):
    """After 90 days S3 no longer knows the job; its report may be in the usual place."""
    by_hand.jobs.states = [errors.http("NoSuchJob", 404)]

    assert (2, {"clean": 1, "failed": 1}) == counted(output_of(review(by_hand, "--json")))


def test_job_that_s3_does_not_describe(by_hand, errors):
    """Where S3 refuses to say where the report is, nothing is guessed."""
    by_hand.jobs.states = [errors.http("AccessDenied", 403)]

    refused = review(by_hand, "--json")

    assert (1, "") == (refused.exit_code, refused.stdout)
    assert "AccessDenied" in refused.stderr


def test_no_report(account):
    """Without a whole report the objects of such a scan are unknown, and the review is refused with what to do."""
    add_scan(account, manifest_uri=None, objects=None, jobs=(BatchJob(JOB, "Active"),))
    account.jobs.states = [{"Status": "Active", "Report": OURS}]

    refused = review(account)

    assert (1, "") == (refused.exit_code, refused.stdout)
    assert "has no completion report" in refused.stderr
    assert "Without it the objects of the scan are unknown." in refused.stderr
    assert "Wait until the job is over" in refused.stderr


def test_manifest_ignored(account):
    """--without-manifest accounts for what the reports name only, be it less than the manifest, or more than the records."""
    add_scan(account, "a", "b", "c")
    add_report(account, [("a", True, WAITS), ("b", False, GONE)])
    for key in "ac":
        add_record(account, key, State.CLEAN)

    whole = output_of(review(account, "--json"))
    reported = output_of(review(account, "--without-manifest", "--json"))

    assert (3, {"clean": 2, "failed": 1}) == counted(whole)
    assert (2, {"clean": 1, "failed": 1}) == counted(reported)


def test_manifest_that_is_gone(account):
    """Where the manifest of a scan is gone, it is unknown what was to be scanned; the reports may still be reviewed."""
    add_scan(account, "a")
    add_report(account, [("a", True, WAITS)])
    account.s3.delete_object(Bucket=WORK_BUCKET, Key=f"manifests/{SCAN}.csv")

    refused = review(account, "--json")

    assert (1, "") == (refused.exit_code, refused.stdout)
    assert f"s3://{WORK_BUCKET}/manifests/{SCAN}.csv: the manifest of the scan is gone" in refused.stderr
    assert "--without-manifest" in refused.stderr
    assert 1 == output_of(review(account, "--without-manifest", "--json"))["objects"]
