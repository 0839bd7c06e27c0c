"""submit_job.py: the whole command, against an account in moto."""

import json
import os
import subprocess
import sys
from hashlib import md5
from pathlib import Path

import pytest
from botocore.exceptions import NoCredentialsError

from handlers.domain.states import Lane, ScanStatus
from tools.lib.cli import Target

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "submit_job.py"
BUCKET = "amzn-s3-demo-bucket"
WORK_BUCKET = "amzn-s3-demo-work"
SCAN = "01K742SG00000G40R40M30E209"
JOB = "00000000-0000-4000-8000-000000000001"

SPEED = (
    "one job is assumed to analyse 0.5 to 3.0 s of video a second, and 3 to 30 s are added for each job: AWS publishes no figures"
)
PLAN = f"""\
Scan {SCAN} of s3://amzn-s3-demo-bucket/2024/
  Objects   2 (10 bytes; keys ending in .mp4, .m4v, .mov, in any case)
            2 objects of up to 10 MiB
  Others    Not part of the scan because of its suffix: 1 object (1 .txt).
  Engine    the video API
  Lane      normal
  Stack     VideoModeration, us-east-1, account 111122223333
  Manifest  s3://amzn-s3-demo-work/manifests/{SCAN}.csv
  Report    s3://amzn-s3-demo-work/reports/{SCAN}/
  Estimate  0.0 min of video
            $0.25 ($0.25 to $0.26), $0.00 of it for Rekognition
            ready 2025-10-09 09:01 UTC (2 min to 30 min from the start)
            no header was read: lengths are guessed from sizes, at 1 to 20 Mbit/s, so the range is not reliable
            {SPEED}; 18 slots, and no other scan
            prices of us-east-1, not checked with AWS
  Or        by frames, every 5 s: 2 (2 to 4) images of 0.0 min of video; \
$0.25; ready 2025-10-09 09:01 UTC (2 min to 30 min from the start)
            the chance of seeing a scene of 1 s is 20 %; one of 5.5 s or more is always seen; \
AWS recommends the video API for accuracy
            pass --frames 5s to submit that, after "frames" was set to true in cdk.json and deployed
  Price     S3 Batch Operations: $0.25 for the job and less than $0.01 for its objects, even if cancelled
            prices of us-east-1, not checked with AWS: https://aws.amazon.com/s3/pricing/ https://aws.amazon.com/rekognition/pricing/
  Then      S3 Batch Operations passes each object to a function, which inspects it and queues it.
            Rekognition analyses the queued videos, as many at a time as the slots allow.
            The results are stored, and flagged videos are mailed.
            All this runs in AWS: you may close the terminal. At any time, review_report.py shows the status of each object.
"""


@pytest.fixture
def stocked(account):
    """An account whose bucket holds two videos under 2024/, and other things."""
    account.put("2024/a b.mp4", "2024/c.MP4", "2024/notes.txt", "2023/old.mp4")
    return account


def stderr_lines(result):
    """Return the lines of stderr."""
    return result.stderr.splitlines()


def assert_nothing_done(account):
    """Nothing was changed in AWS, and no file is left."""
    assert account.wire.writes == []
    assert not account.manifests.exists() or not list(account.manifests.iterdir())


# --- submitting ---------------------------------------------------------------------------------------------------------


def test_all_versions_of_a_bucket_without(account):
    """Where a bucket has no versions, asking for all of them is refused with what to do."""
    account.put("a.mp4")

    result = account.submit("--bucket", BUCKET, "--all-versions", "--dry-run")

    assert 1 == result.exit_code
    assert "has no versions" in result.stderr
    assert "Omit --all-versions." in result.stderr


def test_a_dry_run_prints_the_plan_and_changes_nothing(stocked):
    """$ submit_job.py --bucket amzn-s3-demo-bucket --prefix 2024/ --dry-run."""
    result = stocked.submit("--bucket", BUCKET, "--prefix", "2024/", "--dry-run")

    plan = stocked.manifests / f"{SCAN}.plan.json"
    assert (result.exit_code, result.stdout) == (0, PLAN)
    assert stderr_lines(result) == [
        "Listing s3://amzn-s3-demo-bucket/2024/",
        f"Nothing was submitted. To submit exactly this plan: python tools/submit_job.py --run-plan {plan}",
    ]
    assert stocked.wire.writes == []


def test_a_submission_shows_what_it_made(stocked):
    """$ submit_job.py --bucket amzn-s3-demo-bucket --prefix 2024/ --yes."""
    result = stocked.submit("--bucket", BUCKET, "--prefix", "2024/", "--yes")

    copy = stocked.manifests / f"{SCAN}.csv"
    assert result.exit_code == 0
    assert result.stdout == (
        f"scan      {SCAN}\njob       {JOB}\nmanifest  {copy}\nnext      python tools/review_report.py --scan {SCAN}\n"
    )
    assert result.stderr == f"Listing s3://amzn-s3-demo-bucket/2024/\n{PLAN}Uploading {SCAN}.csv (66 bytes)\n"


def test_what_was_planned_is_what_is_done(stocked):
    """The manifest holds the objects that the plan counted, here and in the work bucket, and the job is made of it."""
    stocked.submit("--bucket", BUCKET, "--prefix", "2024/", "--yes")

    written = (stocked.manifests / f"{SCAN}.csv").read_bytes()
    stored = stocked.s3.get_object(Bucket=WORK_BUCKET, Key=f"manifests/{SCAN}.csv")
    [job] = stocked.wire.of("CreateJob")
    assert written == b"amzn-s3-demo-bucket,2024/a%20b.mp4\namzn-s3-demo-bucket,2024/c.MP4\n"
    assert stored["Body"].read() == written
    assert f'"{job["Manifest"]["Location"]["ETag"]}"' == stored["ETag"]


def test_the_scan_is_known_before_its_job(stocked):
    """The scan item is written before CreateJob, so that the first task finds it; the job is added after."""
    stocked.submit("--bucket", BUCKET, "--prefix", "2024/", "--yes", "--express")

    scan = stocked.table.scans.scan(SCAN)
    assert stocked.wire.writes[-3:] == ["TransactWriteItems", "CreateJob", "TransactWriteItems"]
    assert (scan.bucket, scan.lane, scan.status, scan.objects) == (BUCKET, Lane.EXPRESS, ScanStatus.OPEN, 2)
    assert (scan.manifest_uri, [job.id for job in scan.jobs]) == (f"s3://{WORK_BUCKET}/manifests/{SCAN}.csv", [JOB])


@pytest.mark.slow
def test_versions_are_pinned_in_a_versioned_bucket(stocked):
    """The manifest names the versions that were listed: what is put later is not in this scan."""
    stocked.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    version = stocked.s3.put_object(Bucket=BUCKET, Key="2024/new.mp4", Body=b"x")["VersionId"]

    stocked.submit("--bucket", BUCKET, "--prefix", "2024/", "--yes")

    rows = (stocked.manifests / f"{SCAN}.csv").read_text().splitlines()
    [job] = stocked.wire.of("CreateJob")
    assert rows == [f"{BUCKET},2024/a%20b.mp4,null", f"{BUCKET},2024/c.MP4,null", f"{BUCKET},2024/new.mp4,{version}"]
    assert job["Manifest"]["Spec"]["Fields"] == ["Bucket", "Key", "VersionId"]


# No function runs here, so the scan that is followed closes without having looked at anything: 3.
@pytest.mark.parametrize(("arguments", "code"), [(["--dry-run"], 0), (["--yes"], 0), (["--yes", "--wait"], 3)])
def test_json_is_alone_on_stdout(stocked, arguments, code):
    """With --json stdout is one JSON value, whatever is said beside it."""
    stocked.clock.planned = [lambda: stocked.table.scans.close_scan(stocked.table.scans.scan(SCAN))]
    stocked.jobs.states = [{"Status": "Complete"}]

    result = stocked.submit("--bucket", BUCKET, "--json", *arguments)

    assert result.exit_code == code
    assert json.loads(result.stdout)["scan_id"] == SCAN


@pytest.mark.slow
def test_the_plan_in_json_is_the_plan_of_the_submission(stocked):
    """Dry run and real run show the same object."""
    dry = json.loads(stocked.submit("--bucket", BUCKET, "--json", "--dry-run").stdout)
    real = json.loads(stocked.submit("--bucket", BUCKET, "--json", "--yes").stdout)

    assert real["plan"] == dry


def test_what_cannot_be_analysed_is_set_aside(stocked):
    """Empty and archived objects are not paid for: they are listed with etag and size, here and in the work bucket."""
    stocked.put("2024/nothing.mp4", body=b"")
    stocked.s3.put_object(Bucket=BUCKET, Key="2024/ice,cold.mp4", Body=b"x", StorageClass="GLACIER")

    result = stocked.submit("--bucket", BUCKET, "--prefix", "2024/", "--yes")

    side = (stocked.manifests / f"{SCAN}-ineligible.csv").read_bytes()
    stored = stocked.s3.get_object(Bucket=WORK_BUCKET, Key=f"manifests/{SCAN}-ineligible.csv")["Body"].read()
    archived = "The object is archived (GLACIER) and not restored; restore it, then retry."
    assert side == stored
    assert [
        f'{BUCKET},2024/ice%2Ccold.mp4,,archived,"{archived}","{md5(b"x").hexdigest()}",1',
        f'{BUCKET},2024/nothing.mp4,,empty,"The object has 0 bytes.","{md5(b"").hexdigest()}",0',
    ] == side.decode().splitlines()
    assert len((stocked.manifests / f"{SCAN}.csv").read_text().splitlines()) == 2
    assert (
        "  Left out  1 archived (Glacier, Deep Archive, a tier of Intelligent-Tiering), to be restored first\n            1 empty\n"
        in result.stderr
    )
    assert {"archived": 1, "empty": 1} == stocked.table.scans.scan(SCAN).set_aside


def test_what_has_other_suffixes_is_counted_and_named(stocked):
    """Plan, scan and JSON name the suffixes that are not scanned, and which of them look like videos."""
    stocked.put("2024/d.m4v", "2024/e.MOV", "2024/f.mkv", "2024/g.WebM", "2024/h", "2023/not below.mkv")

    result = stocked.submit("--bucket", BUCKET, "--prefix", "2024/", "--yes", "--json")

    counts = {".mkv": 1, ".txt": 1, ".webm": 1, "none": 1}
    assert 4 == len((stocked.manifests / f"{SCAN}.csv").read_text().splitlines())
    assert counts == stocked.table.scans.scan(SCAN).not_selected
    assert {"objects": 4, "look_like_videos": 2, "suffixes": counts} == json.loads(result.stdout)["plan"]["not_selected"]
    assert (
        "  Others    Not part of the scan because of their suffixes: 4 objects (1 .mkv, 1 .txt, 1 .webm, 1 without" in result.stderr
    )
    assert "            2 of them look like videos (1 .mkv, 1 .webm): submit a scan with --suffix" in result.stderr


def test_a_bucket_of_other_suffixes_only(stocked):
    """Where no key has a selected suffix, the refusal says which ones there are."""
    result = stocked.submit("--bucket", BUCKET, "--prefix", "2024/", "--suffix", ".mkv", "--yes")

    assert 1 == result.exit_code
    assert "no key below s3://amzn-s3-demo-bucket/2024/ ends in .mkv. Not part of the scan" in result.stderr
    assert "2 of them look like videos (2 .mp4)" in result.stderr


# --- asking -------------------------------------------------------------------------------------------------------------


def test_yes_at_the_question_submits(stocked):
    """A person who answers y gets the job."""
    result = stocked.submit("--bucket", BUCKET, interactive=True, answer="y\n")

    assert result.exit_code == 0
    assert "Submit 3 objects? [y/N]: " in result.stderr
    assert len(stocked.wire.of("CreateJob")) == 1


@pytest.mark.parametrize("answer", ["\n", "n\n", ""])
def test_anything_else_does_not(stocked, answer):
    """Return, no, and the end of input leave everything as it was."""
    result = stocked.submit("--bucket", BUCKET, interactive=True, answer=answer)

    assert result.exit_code == 1
    assert_nothing_done(stocked)


def test_without_a_terminal_it_does_not_guess(stocked):
    """In a script consent must be written down; nothing is even listed."""
    result = stocked.submit("--bucket", BUCKET)

    assert result.exit_code == 2
    assert (
        stderr_lines(result)[-1] == "Error: Cannot prompt without a terminal; pass --yes to submit, or --dry-run to see the plan."
    )
    assert [] == stocked.wire.of("ListObjectsV2") == stocked.wire.writes


# --- errors, each with its cure -----------------------------------------------------------------------------------------


def assert_error(account, result, error, cure):
    """The error and its cure end the talk, and nothing was done."""
    assert stderr_lines(result)[-2:] == [f"Error: {error}", f"Cure:  {cure}"]
    assert (result.exit_code, result.stdout) == (1, "")
    assert_nothing_done(account)


def test_no_stack(stocked):
    """A stack that is not there."""
    result = stocked.submit("--bucket", BUCKET, "--yes", "--stack", "Other")

    assert_error(
        stocked,
        result,
        "There is no stack named Other in us-east-1 in this account.",
        "Deploy it with `make deploy`, or name another one with --stack, --region and --profile.",
    )


def test_a_foreign_stack(stocked):
    """A stack that is not this project's: all missing outputs are named at once."""
    stocked.deploy("Foreign", TableName=None, BatchRoleArn=None)

    result = stocked.submit("--bucket", BUCKET, "--yes", "--stack", "Foreign")

    assert_error(
        stocked,
        result,
        "The stack Foreign (CREATE_COMPLETE) lacks the outputs TableName, BatchRoleArn: not this project's, or of another version.",
        "Deploy it again with `make deploy`, or name another stack with --stack.",
    )


def test_a_stack_that_watches_in_part(stocked):
    """A stack with some of the outputs about watched buckets, and not all of them, is of another version."""
    stocked.deploy("Partly", WatchedBuckets="[]", UploadsQueueUrl="https://example.com/queue")

    result = stocked.submit("--bucket", BUCKET, "--yes", "--stack", "Partly")

    assert_error(
        stocked,
        result,
        "The stack Partly (CREATE_COMPLETE) lacks the outputs UploadsDeadLettersUrl, WatchRuleNames: not this project's, or of "
        "another version.",
        "Deploy it again with `make deploy`, or name another stack with --stack.",
    )


def test_a_stack_that_is_going_away(stocked):
    """Nothing is submitted to a stack that is being deleted."""
    stack = {"StackName": "VideoModeration", "StackStatus": "DELETE_IN_PROGRESS", "CreationTime": 0}
    stocked.wire.answer("DescribeStacks", lambda _: {"Stacks": [stack]})

    result = stocked.submit("--bucket", BUCKET, "--yes")

    assert_error(
        stocked,
        result,
        "The stack VideoModeration is in state DELETE_IN_PROGRESS.",
        "Deploy it again with `make deploy` once it has been deleted.",
    )


def test_no_such_bucket(stocked):
    """A bucket that is not there."""
    result = stocked.submit("--bucket", "amzn-s3-demo-nowhere", "--yes")

    assert_error(
        stocked,
        result,
        "There is no bucket named amzn-s3-demo-nowhere.",
        "`aws s3 ls` lists the buckets of your account; is the name spelt right?",
    )


OTHER_REGION = (
    (
        "The bucket amzn-s3-demo-abroad is in eu-west-1, the stack VideoModeration in us-east-1; "
        "S3 Batch Operations and Rekognition both work within one Region."
    ),
    "Deploy a stack in eu-west-1 (`AWS_REGION=eu-west-1 make deploy`), then run this again with --region eu-west-1.",
)


def test_a_bucket_in_another_region(stocked):
    """A bucket that neither S3 Batch nor Rekognition would reach."""
    abroad = {"LocationConstraint": "eu-west-1"}
    stocked.s3.create_bucket(Bucket="amzn-s3-demo-abroad", CreateBucketConfiguration=abroad)

    result = stocked.submit("--bucket", "amzn-s3-demo-abroad", "--yes")

    assert_error(stocked, result, *OTHER_REGION)


def test_a_refusal_from_another_region_is_shown_as_such(stocked, errors):
    """Where S3 refuses and names another Region, the Region is the fault to fix first."""
    stocked.wire.answer("HeadBucket", lambda _: errors.http("403", 403, x_amz_bucket_region="eu-west-1"))

    result = stocked.submit("--bucket", "amzn-s3-demo-abroad", "--yes")

    assert_error(stocked, result, *OTHER_REGION)


def test_no_access_to_the_bucket(stocked, errors):
    """A bucket that is somebody else's."""
    stocked.wire.answer("HeadBucket", lambda _: errors.http("403", 403, "Forbidden"))

    result = stocked.submit("--bucket", BUCKET, "--yes")

    assert_error(
        stocked,
        result,
        "You may not look into the bucket amzn-s3-demo-bucket: it is another account's, or a policy denies it. "
        "A Requester Pays bucket of another account cannot be scanned: Rekognition and S3 Batch Operations do not offer to pay.",
        "Have s3:ListBucket, s3:ListBucketVersions and s3:GetBucketVersioning on it added to your user or role.",
    )


@pytest.mark.parametrize("operation", ["GetBucketVersioning", "ListObjectsV2", "PutObject"])
def test_no_access_to_anything_else(stocked, errors, operation):
    """What AWS denies is named with the operation that needs the permission."""
    stocked.wire.answer(operation, lambda _: errors.http("AccessDenied", 403, "not authorized"))

    result = stocked.submit("--bucket", BUCKET, "--yes")

    assert result.exit_code == 1
    assert stderr_lines(result)[-2] == f"Error: {operation}: your credentials may not do this (AccessDenied: not authorized)"
    assert stderr_lines(result)[-1].startswith(f"Cure:  Have the permission for {operation} added")
    assert stocked.table.scans.scan(SCAN) is None


def test_a_bucket_that_the_functions_may_not_read(stocked):
    """A bucket outside the stack's source buckets: every task would fail with 403."""
    stocked.s3.create_bucket(Bucket="amzn-s3-demo-private")

    result = stocked.submit("--bucket", "amzn-s3-demo-private", "--yes")

    assert_error(
        stocked,
        result,
        "The stack VideoModeration may not read the bucket amzn-s3-demo-private: "
        "its source buckets are other-bucket, amzn-s3-demo-bucket.",
        'Add "amzn-s3-demo-private" to "source_buckets" in cdk.json and run `make deploy`.',
    )


def test_a_star_among_the_source_buckets_means_all(stocked):
    """A stack that may read every bucket takes every bucket."""
    stocked.deploy("Open", SourceBuckets="*")

    result = stocked.submit("--bucket", BUCKET, "--dry-run", "--stack", "Open")

    assert result.exit_code == 0


def test_nothing_but_what_cannot_be_analysed(stocked):
    """Where everything that was chosen is left out, the reasons are told."""
    stocked.put("2022/nothing.mp4", body=b"")

    result = stocked.submit("--bucket", BUCKET, "--prefix", "2022/", "--yes")

    assert_error(
        stocked,
        result,
        "There is nothing to scan: every selected object (1 in all) is left out, because it is empty.",
        "Choose other objects. empty: upload it again.",
    )


def test_nothing_to_scan(stocked):
    """A listing without a match."""
    result = stocked.submit("--bucket", BUCKET, "--prefix", "2022 new/", "--yes")

    assert_error(
        stocked,
        result,
        "There is nothing to scan: no key below s3://amzn-s3-demo-bucket/2022 new/ ends in .mp4 or .m4v or .mov.",
        "`aws s3 ls 's3://amzn-s3-demo-bucket/2022 new/'` lists the keys; select some with --prefix and --suffix "
        "(--suffix '' selects every key).",
    )


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (
            ("--modified-after", "2999-01-01"),
            "--modified-after 2999-01-01 00:00:00 UTC is in the future.\nCure:  Name an earlier time; without an offset it is UTC",
        ),
        (
            ("--min-size", "1GB", "--exclude", "x"),
            "passes all filters (keys ending in .mp4 or .m4v or .mov; no keys that match x; at least 1,000,000,000 bytes)",
        ),
        (
            ("--modified-before", "1999-01-01", "--suffix", ""),
            "no object below s3://amzn-s3-demo-bucket/2024/ passes all filters (written before 1999-01-01 00:00:00 UTC)",
        ),
    ],
)
def test_nothing_passes_the_filters(stocked, arguments, cause):
    """The message names the filters, not only what the keys end in."""
    result = stocked.submit("--bucket", BUCKET, "--prefix", "2024/", "--yes", *arguments)

    assert result.exit_code == 1
    assert "There is nothing to scan: " in result.stderr
    assert f"{cause}." in result.stderr


def subscriptions(account, *arns):
    """Let the alerts topic have e-mail subscriptions with these ARNs."""
    shown = [{"Protocol": "email", "Endpoint": f"{number}@example.com", "SubscriptionArn": arn} for number, arn in enumerate(arns)]
    account.wire.answer("ListSubscriptionsByTopic", lambda _: {"Subscriptions": shown})


CONFIRMED = "arn:aws:sns:us-east-1:111122223333:alerts:1"
PENDING = "PendingConfirmation"


def test_mail_that_no_one_confirmed(stocked):
    """A scan whose alerts would reach no one."""
    subscriptions(stocked, PENDING)

    result = stocked.submit("--bucket", BUCKET, "--yes")

    assert_error(
        stocked,
        result,
        "The e-mail subscription of 0@example.com is not confirmed: no alert would arrive.",
        "Open the link in the mail from AWS Notifications, or pass --unconfirmed-mail to scan without mails. "
        "The link is valid for 2 days; a new one is sent by `aws sns subscribe --protocol email "
        f"--topic-arn {stocked.topic} --notification-endpoint 0@example.com`.",
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arns", "arguments", "warning"),
    [
        (
            [PENDING],
            ["--unconfirmed-mail"],
            "The e-mail subscription of 0@example.com is not confirmed: no alert would arrive. Open the link in the mail",
        ),
        ([CONFIRMED, PENDING], [], "No mail reaches 1@example.com: the subscription is not confirmed."),
        ([], [], "No one is mailed about flagged videos: the alerts topic has no e-mail subscription (`alert_email` in cdk.json)."),
    ],
)
def test_mail_that_does_not_reach_everybody_is_a_warning(stocked, arns, arguments, warning):
    """Who knows that mail is missing may scan all the same: the plan says it."""
    subscriptions(stocked, *arns)

    result = stocked.submit("--bucket", BUCKET, "--dry-run", *arguments)

    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith(f"  Warning   {warning}")


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId"])
def test_credentials_that_are_no_good(stocked, errors, code):
    """Expired and unknown credentials lead to the login, whichever service notices."""
    stocked.wire.answer("DescribeStacks", lambda _: errors.http(code, 403))

    result = stocked.submit("--bucket", BUCKET, "--yes")

    assert result.exit_code == 1
    assert stderr_lines(result)[-1].startswith(
        "Cure:  Log in (`aws sso login`, `aws configure`) or name a profile with AWS_PROFILE or --profile;"
    )


def test_a_refused_job_leaves_no_open_scan(stocked, errors):
    """Where CreateJob is refused the scan is closed again: nothing would ever close it."""
    stocked.wire.answer("CreateJob", lambda _: errors.http("AccessDenied", 403, "iam:PassRole"))

    result = stocked.submit("--bucket", BUCKET, "--yes")

    assert result.exit_code == 1
    assert stderr_lines(result)[-2] == (
        "Error: The job was not created; nothing is scanned. "
        "CreateJob: your credentials may not do this (AccessDenied: iam:PassRole)"
    )
    assert stocked.table.scans.scan(SCAN).status is ScanStatus.CLOSED


@pytest.mark.slow
def test_an_uncertain_job_is_shown_as_such(stocked, errors):
    """Where AWS's answer leaves open whether there is a job, no one is told that there is none, and the scan stays open."""
    stocked.wire.answer("CreateJob", lambda _: errors.http("InternalServiceException", 500))

    result = stocked.submit("--bucket", BUCKET, "--yes")

    assert result.exit_code == 1
    assert f"Error: It is not known whether the job of scan {SCAN} was created." in result.stderr
    assert "`aws s3control list-jobs --account-id 111122223333 --region us-east-1` lists it" in result.stderr
    assert stocked.table.scans.scan(SCAN).status is ScanStatus.OPEN


@pytest.mark.parametrize(
    ("bucket", "message"),
    [
        ("s3://amzn-s3-demo-bucket/2024/", "not a URI: --bucket amzn-s3-demo-bucket --prefix 2024/"),
        ("s3://amzn-s3-demo-bucket", "not a URI: --bucket amzn-s3-demo-bucket"),
        ("ab", "'ab' is not a valid bucket name"),
        ("a bucket", "'a bucket' is not a valid bucket name"),
    ],
)
def test_a_bucket_that_is_none_is_bad_usage(account, bucket, message):
    """A malformed name ends with 2 before AWS is asked."""
    result = account.submit("--bucket", bucket, "--yes")

    assert result.exit_code == 2
    assert message in result.stderr
    assert account.wire.calls == []


def test_a_fault_of_our_own_ends_in_a_sentence(stocked):
    """An unforeseen error is reported without a traceback, which --debug adds."""

    def fault(_):
        raise ZeroDivisionError("division by zero")

    stocked.wire.answer("DescribeStacks", fault)

    plain = stocked.submit("--bucket", BUCKET, "--yes")
    debug = stocked.submit("--bucket", BUCKET, "--yes", "--debug")

    assert stderr_lines(plain)[0] == "Error: unexpected ZeroDivisionError: division by zero"
    assert (plain.exit_code, debug.exit_code) == (1, 1)
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debug.stderr


# --- waiting ------------------------------------------------------------------------------------------------------------


def close(account):
    """Return what closes the scan when it is called."""
    return lambda: account.table.scans.close_scan(account.table.scans.scan(SCAN))


def progress(status, succeeded=0, failed=0, **more):
    """What DescribeJob answers."""
    return {
        "Status": status,
        "ProgressSummary": {"TotalNumberOfTasks": 3, "NumberOfTasksSucceeded": succeeded, "NumberOfTasksFailed": failed},
        **more,
    }


def test_waiting_follows_the_scan_to_its_end(stocked):
    """$ submit_job.py --bucket amzn-s3-demo-bucket --yes --wait. No function runs here: nothing is looked at."""
    stocked.jobs.states = [progress("Active", 1), progress("Complete", 3)]
    stocked.clock.planned = [lambda: None, lambda: None, close(stocked)]

    result = stocked.submit("--bucket", BUCKET, "--yes", "--wait")

    assert (result.exit_code, result.stdout) == (
        3,
        "batch job Complete, 3 of 3 tasks; 0 of 3 done, 0 flagged, 0 running, the scan is closed\n",
    )
    assert stderr_lines(result)[-3:-1] == [
        "batch job Active, 1 of 3 tasks; 0 of 3 done, 0 flagged, 0 running, finishing time not known yet",
        "batch job Complete, 3 of 3 tasks; 0 of 3 done, 0 flagged, 0 running, finishing time not known yet",
    ]
    assert stocked.clock.sleeps == [30.0, 30.0, 30.0]


def test_failed_tasks_end_with_three(stocked):
    """A finished scan with failed tasks is neither done nor broken."""
    stocked.jobs.states = [progress("Complete", 2, 1)]
    stocked.clock.planned = [close(stocked)]

    result = stocked.submit("--bucket", BUCKET, "--yes", "--wait", "--json")

    ended = json.loads(result.stdout)["result"]
    assert (result.exit_code, ended["exit_code"], ended["status"], ended["job"]["failed"]) == (3, 3, "closed", 1)


def test_a_failed_job_ends_with_its_reasons(stocked):
    """A job that S3 gave up is told with S3's reasons and what remains."""
    reasons = [{"FailureCode": "ManifestNotFound", "FailureReason": "Manifest object was not found"}]
    stocked.jobs.states = [progress("Failed", FailureReasons=reasons)]

    result = stocked.submit("--bucket", BUCKET, "--yes", "--wait")

    assert result.exit_code == 1
    assert stderr_lines(result)[-2:] == [
        f"Error: The S3 Batch Operations job {JOB} ended as Failed: ManifestNotFound: Manifest object was not found",
        (
            "Cure:  Fix the reason. If videos that it had registered still wait, the scan is paused within two minutes: "
            f"`python tools/control_scan.py resume {SCAN}` has them analysed. Then "
            f"`python tools/review_report.py retry --scan {SCAN}` takes up the rest; "
            f"`python tools/review_report.py --scan {SCAN}` shows what became of each."
        ),
    ]


def test_a_paused_scan_ends_with_the_cure(stocked):
    """--wait does not wait for a person: it says who paused the scan, and how it goes on."""
    stocked.jobs.states = [progress("Complete", 3)]
    stocked.clock.planned = [lambda: stocked.table.scans.pause_scan(SCAN, "by someone")]

    result = stocked.submit("--bucket", BUCKET, "--yes", "--wait")

    assert result.exit_code == 1
    assert stderr_lines(result)[-2:] == [
        f"Error: Scan {SCAN} is paused: by someone. What waits is not analysed.",
        (
            f"Cure:  `python tools/control_scan.py resume {SCAN}` lets it go on, "
            f"`python tools/control_scan.py cancel {SCAN}` ends it; "
            f"`python tools/control_scan.py status {SCAN} --watch` follows it."
        ),
    ]


def test_paused_starting_ends_with_the_cure(stocked):
    """Nor does it wait for the end of the circuit breaker's pause."""
    stocked.jobs.states = [progress("Active", 1)]
    stocked.clock.planned = [lambda: stocked.table.control.pause("circuit breaker", "AccessDenied: no")]

    result = stocked.submit("--bucket", BUCKET, "--yes", "--wait", "--json")

    assert (1, 1, True) == (result.exit_code, *(json.loads(result.stdout)["result"][name] for name in ("exit_code", "paused")))
    assert stderr_lines(result)[-2:] == [
        "Error: Starting is paused by circuit breaker: AccessDenied: no. What waits is not analysed.",
        (
            "Cure:  Fix the cause, then `python tools/control_scan.py resume`; "
            f"`python tools/control_scan.py status {SCAN} --watch` follows the scan."
        ),
    ]


def test_ctrl_c_says_what_continues(stocked):
    """Ctrl-C says that the scan does not stop, and how to follow it again; the ids are on stdout for a program."""

    def interrupt():
        raise KeyboardInterrupt

    stocked.clock.planned = [interrupt]

    result = stocked.submit("--bucket", BUCKET, "--yes", "--wait", "--json")

    assert result.exit_code == 130
    assert stderr_lines(result)[-1] == (
        f"Stopped following the scan, which continues. To see its results: python tools/review_report.py --scan {SCAN}"
    )
    assert (json.loads(result.stdout)["job_id"], json.loads(result.stdout)["result"]) == (JOB, None)


def test_credentials_that_expire_while_waiting(stocked, errors):
    """A wait that fails says that the scan continues, and how to follow it again."""
    stocked.jobs.states = [errors.http("ExpiredTokenException", 403, "expired")]

    result = stocked.submit("--bucket", BUCKET, "--yes", "--wait")

    assert result.exit_code == 1
    assert stderr_lines(result)[-2].startswith("Error: Following the scan failed; the scan itself continues.")
    assert stderr_lines(result)[-1].endswith(f"To see its results: python tools/review_report.py --scan {SCAN}")


def test_the_poll_interval_can_be_set(stocked, monkeypatch):
    """The offline world's time runs fast: the environment shortens the wait between two looks."""
    monkeypatch.setenv("VIDEO_MODERATION_POLL_SECONDS", "0.5")
    stocked.jobs.states = [progress("Complete", 3)]
    stocked.clock.planned = [close(stocked)]

    stocked.submit("--bucket", BUCKET, "--yes", "--wait")

    assert stocked.clock.sleeps == [0.5]


def test_the_next_command_names_the_same_deployment():
    """What is printed to copy carries the options that were given, quoted for a shell."""
    target = Target(stack="My Stack", region="eu-west-1", profile=None)

    command = target.command("review_report.py", "--scan", SCAN)

    assert command == f"python tools/review_report.py --scan {SCAN} --stack 'My Stack' --region eu-west-1"


# --- as a program -------------------------------------------------------------------------------------------------------


def run(*arguments, cwd, **environment):
    """Run the script as itself, from another folder, without a terminal."""
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_help_is_a_sentence_commands_and_exit_codes(tmp_path):
    """--help can be read instead of the documentation, from any folder, without AWS."""
    result = run("--help", cwd=tmp_path)

    assert result.returncode == 0
    assert "Submit a scan of the videos in an S3 bucket.\n" in result.stdout
    assert result.stdout.count("  python tools/submit_job.py --") == 5
    assert "    3    finished, but not every object was analysed (failed, ineligible," in result.stdout


@pytest.mark.slow
def test_no_region_and_no_credentials(tmp_path, monkeypatch):
    """On a machine without any AWS configuration each lack is named with its cure."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)

    no_region = run("--bucket", BUCKET, "--dry-run", cwd=tmp_path)
    no_credentials = run("--bucket", BUCKET, "--dry-run", "--region", "us-east-1", cwd=tmp_path)
    no_profile = run("--bucket", BUCKET, "--dry-run", "--profile", "unknown", cwd=tmp_path)

    assert no_region.stderr == (
        "Error: No AWS Region is set.\n"
        "Cure:  Set AWS_REGION to the Region of your buckets and of the stack, as in `export AWS_REGION=us-east-1`; "
        "programs also take --region.\n"
    )
    assert no_credentials.stderr.startswith(f"Error: No usable AWS credentials were found: {NoCredentialsError()}\nCure:  Log in")
    assert no_profile.stderr == (
        "Error: The config profile (unknown) could not be found.\nCure:  `aws configure list-profiles` lists your profiles.\n"
    )
    assert [run.returncode for run in (no_region, no_credentials, no_profile)] == [1, 1, 1]


@pytest.mark.slow
def test_aws_out_of_reach(tmp_path):
    """Without a network the message says so, and there is no traceback."""
    result = run("--bucket", BUCKET, "--dry-run", "--region", "us-east-1", cwd=tmp_path, AWS_ENDPOINT_URL="http://127.0.0.1:9")

    assert result.returncode == 1
    assert result.stderr.startswith("Error: AWS could not be reached: ")
    assert "Traceback" not in result.stderr


# --- without a terminal ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--manifest", f"s3://{WORK_BUCKET}/none.csv"), "There is no object s3://amzn-s3-demo-work/none.csv."),
        (("--bucket", "amzn-s3-demo-elsewhere"), "amzn-s3-demo-elsewhere"),
        (("--bucket", BUCKET, "--stack", "None"), "There is no stack named None"),
    ],
)
def test_a_fault_comes_before_the_missing_terminal(stocked, words, message):
    """Where a person can be asked and where not, the fault is the same: "cannot prompt" would hide it."""
    without, with_terminal = (stocked.submit(*words, interactive=interactive) for interactive in (False, True))

    assert (1, 1) == (without.exit_code, with_terminal.exit_code)
    assert message in without.stderr
    assert without.stderr == with_terminal.stderr


def test_a_broken_plan_comes_before_the_missing_terminal(stocked):
    """So it is with a plan."""
    plan = stocked.manifests / "broken.plan.json"
    stocked.manifests.mkdir()
    plan.write_text("{}")

    done = stocked.submit("--run-plan", str(plan))

    assert 1 == done.exit_code
    assert "Cannot prompt" not in done.stderr
    assert str(plan) in done.stderr
