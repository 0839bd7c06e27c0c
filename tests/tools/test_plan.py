"""The plan: what is asked of AWS, and what is said to the person."""

import json
from decimal import Decimal

import boto3
import pytest
from botocore.validate import validate_parameters

from handlers.domain.states import Lane
from tools.lib import prices
from tools.lib.deployment import Deployment
from tools.lib.listing import Selection
from tools.lib.manifest import UploadedManifest
from tools.lib.plan import Plan
from tools.lib.tally import Tally

SCAN = "01K742SG00000G40R40M30E209"
GIB = 1024**3


def tally(*sizes):
    """Count objects of these sizes."""
    counted = Tally()
    counted.add(sizes)
    return counted


def plan(**changed):
    """A plan, changed in some respects."""
    settings = {
        "scan_id": SCAN,
        "selection": Selection(bucket="amzn-s3-demo-bucket", prefixes=("2024/",)),
        "versioned": False,
        "lane": Lane.NORMAL,
        "tally": tally(5 * 1024**2, 2 * GIB),
        "deployment": Deployment(
            stack_name="VideoModeration",
            partition="aws",
            region="us-east-1",
            account_id="111122223333",
            table_name="videos",
            work_bucket="amzn-s3-demo-work",
            batch_invoke_function_arn="arn:aws:lambda:us-east-1:111122223333:function:batch-invoke",
            batch_role_arn="arn:aws:iam::111122223333:role/batch",
            alerts_topic_arn="arn:aws:sns:us-east-1:111122223333:alerts",
            source_buckets=("amzn-s3-demo-bucket",),
            completion_function_arn="arn:aws:lambda:us-east-1:111122223333:function:completion",
            lane_dead_letters_urls=("normal", "express"),
            completion_dead_letters_url="completion",
            undelivered_notices_url="undelivered",
            sweeper_dead_letters_url="sweeper",
            slots=18,
            account_jobs=20,
        ),
    }
    return Plan(**{**settings, **changed})


def request(of):
    """The request that performs a plan."""
    return of.job_request(UploadedManifest("amzn-s3-demo-work", f"manifests/{SCAN}.csv", "abc-1"))


@pytest.mark.parametrize("versioned", [False, True])
def test_the_request_is_one_that_aws_takes(versioned):
    """Every field is in botocore's model of CreateJob, of its type and within its lengths."""
    model = boto3.client("s3control", region_name="us-east-1").meta.service_model.operation_model("CreateJob")

    validate_parameters(request(plan(versioned=versioned)), model.input_shape)


def test_the_job_starts_by_itself_and_reports_on_every_task():
    """Left out, ConfirmationRequired suspends the job; a report of failures alone could not be held against the manifest."""
    asked = request(plan())

    assert asked["ConfirmationRequired"] is False
    assert asked["Report"] == {
        "Enabled": True,
        "Bucket": "arn:aws:s3:::amzn-s3-demo-work",
        "Format": "Report_CSV_20180820",
        "Prefix": f"reports/{SCAN}",
        "ReportScope": "AllTasks",
    }


def test_the_scan_id_travels_with_the_job():
    """The functions hear scan and lane through the arguments, and the token makes a repeated request the same job."""
    asked = request(plan(lane=Lane.EXPRESS))

    assert asked["ClientRequestToken"] == SCAN
    assert asked["Operation"]["LambdaInvoke"]["InvocationSchemaVersion"] == "2.0"
    assert asked["Operation"]["LambdaInvoke"]["UserArguments"] == {"scan_id": SCAN, "lane": "express"}


def test_the_manifest_is_named_by_arn_and_bare_etag():
    """The location is the object that was uploaded, in the deployment's partition."""
    asked = request(plan())

    location = {"ObjectArn": f"arn:aws:s3:::amzn-s3-demo-work/manifests/{SCAN}.csv", "ETag": "abc-1"}
    assert asked["Manifest"]["Location"] == location


@pytest.mark.parametrize(("versioned", "columns"), [(False, ["Bucket", "Key"]), (True, ["Bucket", "Key", "VersionId"])])
def test_versions_are_a_column_where_there_are_any(versioned, columns):
    """The fields say what the rows hold: all of them have a version, or none."""
    assert request(plan(versioned=versioned))["Manifest"]["Spec"]["Fields"] == columns


def test_both_renderings_say_how_much():
    """Sentences and JSON count the same objects and bytes."""
    planned = plan()

    assert planned.sentences()[1].split(maxsplit=1)[1] == "2 (2.0 GiB; keys ending in .mp4, in any case)"
    assert (planned.as_json()["objects"], planned.as_json()["bytes"]) == (2, 5 * 1024**2 + 2 * GIB)


def test_json_is_complete_and_serialisable():
    """The JSON plan goes through json and back unchanged, prices with their sources included."""
    told = plan().as_json()

    assert json.loads(json.dumps(told)) == told
    assert {price["unit"]: price["dollars"] for price in told["prices"]} == {
        "S3 Batch Operations job": 0.25,
        "million objects of a job": 1.0,
        "minute of stored video, content moderation": 0.1,
    }


def test_a_hostile_prefix_does_not_steer_the_terminal():
    """Control characters of the prefix are shown as escapes."""
    sentences = plan(selection=Selection(bucket="amzn-s3-demo-bucket", prefixes=("\x1b[2J\n\u202e",))).sentences()

    assert sentences[0].endswith(r"s3://amzn-s3-demo-bucket/\x1b[2J\n\u202e")


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0", "$0.00"), ("0.000002", "less than $0.01"), ("0.01", "$0.01"), ("3", "$3.00"), ("1234.5", "$1,234.50")],
)
def test_dollars_are_not_rounded_to_nothing(amount, shown):
    """What costs something is never shown as $0.00."""
    assert prices.dollars(Decimal(amount)) == shown


def test_three_million_objects_cost_three_dollars():
    """S3 Batch takes one dollar a million objects."""
    assert prices.batch_objects(3_000_000) == Decimal(3)
