"""The plan: what is asked of AWS, and what is said to the person."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import boto3
import pytest
from botocore.validate import validate_parameters

from handlers.domain.engine import Engine
from handlers.domain.states import Lane
from tools.lib.aws.deployment import Deployment
from tools.lib.estimate import BY_VIDEO, EngineChoice, Measure, prices
from tools.lib.listing import Sample, Selection, SizeCounts
from tools.lib.manifest import Generated, Kind, Source, UploadedManifest
from tools.lib.submit.job_request import job_request
from tools.lib.submit.plan import Plan, from_json
from tools.lib.submit.plan_text import lines_of

SCAN = "01K742SG00000G40R40M30E209"
GIB = 1024**3


def sizes_of(*sizes):
    """Count objects of these sizes."""
    counted = SizeCounts()
    counted.add(sizes)
    return counted


def plan(**changed):
    """A plan, changed in some respects."""
    settings = {
        "scan_id": SCAN,
        "created_at": 1_760_000_000.0,
        "sha256": "ab" * 32,
        "selection": Selection(bucket="amzn-s3-demo-bucket", prefixes=("2024/",)),
        "versioned": False,
        "lane": Lane.NORMAL,
        "sizes": sizes_of(5 * 1024**2, 2 * GIB),
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
    return job_request(of.new_job, UploadedManifest("amzn-s3-demo-work", f"manifests/{SCAN}.csv", "abc-1"))


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


def test_an_express_job_goes_before_a_normal_one():
    """S3 runs the account's jobs with the highest priority first, so an express scan has a higher one."""
    normal, express = (request(plan(lane=lane))["Priority"] for lane in (Lane.NORMAL, Lane.EXPRESS))

    assert (10, 20) == (normal, express)


def test_a_manifest_that_s3_makes():
    """S3's own generator lists the source bucket, writes into the work bucket, and both must be the account's."""
    selection = Selection(bucket="amzn-s3-demo-bucket", prefixes=("2024/",), suffixes=(".mp4",))
    generated = Generated(selection, f"manifests/{SCAN}")
    model = boto3.client("s3control", region_name="us-east-1").meta.service_model.operation_model("CreateJob")

    asked = job_request(plan().new_job, generated)

    validate_parameters(asked, model.input_shape)
    assert "Manifest" not in asked
    assert {
        "S3JobManifestGenerator": {
            "SourceBucket": "arn:aws:s3:::amzn-s3-demo-bucket",
            "ExpectedBucketOwner": "111122223333",
            "EnableManifestOutput": True,
            "ManifestOutputLocation": {
                "Bucket": "arn:aws:s3:::amzn-s3-demo-work",
                "ExpectedManifestBucketOwner": "111122223333",
                "ManifestFormat": "S3InventoryReport_CSV_20211130",
                "ManifestPrefix": f"manifests/{SCAN}",
                "ManifestEncryption": {"SSES3": {}},
            },
            "Filter": generated.filter,
        }
    } == asked["ManifestGenerator"]


def test_the_manifest_is_named_by_arn_and_bare_etag():
    """The location is the object that was uploaded, in the deployment's partition."""
    asked = request(plan())

    location = {"ObjectArn": f"arn:aws:s3:::amzn-s3-demo-work/manifests/{SCAN}.csv", "ETag": "abc-1"}
    assert asked["Manifest"]["Location"] == location


@pytest.mark.parametrize(("versioned", "columns"), [(False, ["Bucket", "Key"]), (True, ["Bucket", "Key", "VersionId"])])
def test_versions_are_a_column_where_there_are_any(versioned, columns):
    """The fields say what the rows hold: all of them have a version, or none."""
    assert request(plan(versioned=versioned))["Manifest"]["Spec"]["Fields"] == columns


def test_both_renderings_show_how_much():
    """Sentences and JSON count the same objects and bytes."""
    planned = plan()

    assert lines_of(planned)[1].split(maxsplit=1)[1] == "2 (2.0 GiB; keys ending in .mp4, .m4v, .mov, in any case)"
    assert (planned.as_json()["objects"], planned.as_json()["bytes"]) == (2, 5 * 1024**2 + 2 * GIB)


def test_json_is_complete_and_serialisable():
    """The JSON plan goes through json and back unchanged, prices with their sources included."""
    output = plan().as_json()

    assert json.loads(json.dumps(output)) == output
    assert {
        "bucket": "amzn-s3-demo-bucket",
        "objects": 2,
        "bytes": 5 * 1024**2 + 2 * GIB,
        "stack": "VideoModeration",
        "manifest": f"s3://amzn-s3-demo-work/manifests/{SCAN}.csv",
        "report": f"s3://amzn-s3-demo-work/reports/{SCAN}/",
        "jobs": 1,
        "no_estimate": plan().no_estimate,
    }.items() <= output.items()
    assert output["price"]
    assert output["then"]
    assert {price["unit"]: price["dollars"] for price in output["prices"]} == {
        "S3 Batch Operations job": 0.25,
        "million objects of a job": 1.0,
        "minute of stored video, content moderation": 0.1,
        "image, the first million of a month": 0.001,
    }


def test_a_plan_is_read_back_as_it_was_written():
    """A plan's file makes the same plan again, whatever was chosen."""
    chosen = Selection(bucket="amzn-s3-demo-bucket", prefixes=("2024/", "a b/"), min_size=5, sample=Sample(percent=5.0, seed=3))
    first = plan(selection=chosen, ineligible={"empty": 3}, suspended=True, warnings=("careful",))

    again = from_json(json.loads(json.dumps(first.as_json())), first.deployment)

    assert again == first


def test_a_plan_in_which_everything_was_chosen():
    """Whatever differs from its default is read back, and the file names it."""
    first = plan(
        source=Source(Kind.INVENTORY, "s3://inventory/manifest.json"),
        versioned=True,
        lane=Lane.EXPRESS,
        sizes=sizes_of(0, 5, 2 * GIB),
        ineligible={"too-large": 1, "empty": 3},
        suspended=True,
        skip_unchanged=True,
        choice=EngineChoice(Engine.FRAMES, 2_500),
        measure=Measure(9),
        not_selected={".mkv": 2},
        estimate={"dollars": 1.5, "sentences": ["cheap"]},
        warnings=("careful", "really"),
    )
    values = json.loads(json.dumps(first.as_json()))

    assert first == from_json(values, first.deployment)
    assert {
        "format": "video-moderation-plan/2",
        "created_at": 1_760_000_000.0,
        "versioned": True,
        "lane": "express",
        "suspended": True,
        "skip_unchanged": True,
        "engine": "frames",
        "interval_ms": 2_500,
        "others": None,
        "measure": "9",
        "ineligible": {"empty": 3, "too-large": 1},
        "manifest_sha256": "ab" * 32,
        "region": "us-east-1",
        "account_id": "111122223333",
        "warnings": ["careful", "really"],
    }.items() <= values.items()
    assert ["empty", "too-large"] == list(values["ineligible"])


def test_a_plan_of_a_manifest_that_s3_makes_is_read_back():
    """It counts no objects, and is read back as it was."""
    first = plan(source=Source(Kind.GENERATED), sizes=SizeCounts())
    values = json.loads(json.dumps(first.as_json()))

    assert (None, first) == (values["objects"], from_json(values, first.deployment))


def test_another_format_is_refused():
    """A plan of another format is not read, and the refusal names both formats."""
    values = plan().as_json() | {"format": "video-moderation-plan/3"}

    with pytest.raises(ValueError, match="its format is 'video-moderation-plan/3', not 'video-moderation-plan/2'"):
        from_json(values, plan().deployment)


@pytest.mark.parametrize(
    ("choice", "pace", "sentence"),
    [
        (BY_VIDEO, 5.0, "Rekognition analyses the queued videos, as many at a time as the slots allow."),
        (
            EngineChoice(Engine.FRAMES, 2_500),
            7.5,
            "Rekognition looks at a frame of each film every 2.5 s, up to 7.5 images a second.",
        ),
        (EngineChoice(Engine.FRAMES, 2_500), None, "Rekognition analyses the queued videos, as many at a time as the slots allow."),
    ],
)
def test_what_happens_then(choice, pace, sentence):
    """What looks at the objects, and how fast, is said before the plan is agreed to."""
    planned = plan(choice=choice, deployment=replace(plan().deployment, images_per_second=pace))

    assert sentence == planned.then[1]
    assert 4 == len(planned.then)


def test_what_is_left_out_is_counted():
    """Archived, empty and over-large objects are told with the reason, and where they are listed."""
    output = lines_of(plan(ineligible={"archived": 2, "empty": 1}))

    assert output[3:6] == [
        "  Left out  2 archived (Glacier, Deep Archive, a tier of Intelligent-Tiering), to be restored first",
        "            1 empty",
        f"            submitting the scan lists each, with its codec, length or what is broken, in s3://amzn-s3-demo-work/manifests/{SCAN}-ineligible.csv",
    ]


def test_every_filter_is_shown():
    """A person who agrees to a plan sees everything that it selects by; times are in UTC, whatever zone they were given in."""
    chosen = Selection(
        bucket="amzn-s3-demo-bucket",
        include=("a*", "re:b\x1b"),
        exclude=("*.tmp",),
        min_size=1_000_000,
        max_size=5,
        modified_after=datetime(2026, 11, 22, 1, tzinfo=timezone(timedelta(hours=2))),
        modified_before=datetime(2026, 11, 23, tzinfo=UTC),
        storage_classes=("STANDARD", "GLACIER_IR"),
        sample=Sample(percent=2.5, seed=3),
        limit=7,
    )

    output = lines_of(plan(selection=chosen))

    shown = [
        "  Filters   keys that match a* or re:b\\x1b",
        "            no keys that match *.tmp",
        "            at least 1,000,000 bytes",
        "            at most 5 bytes",
        "            written at 2026-11-21 23:00:00 UTC or later",
        "            written before 2026-11-23 00:00:00 UTC",
        "            storage class STANDARD or GLACIER_IR",
        "            a sample of 2.5 percent",
        "            the first 7",
    ]
    begin = output.index(shown[0])
    assert shown == output[begin : begin + len(shown)]
    assert not [line for line in lines_of(plan()) if line.startswith("  Filters")]


def test_the_longest_bucket_name_leaves_the_description_short_enough():
    """S3 takes 256 characters, a bucket of old may have 255: what tells jobs apart stands before it."""
    output = plan(selection=Selection(bucket="b" * 255)).new_job.description

    assert (256, f"Video moderation, scan {SCAN}, of bbb") == (len(output), output[: output.index("bbb") + 3])


def test_suspended_is_what_s3_calls_confirmation_required():
    """The job waits for a click in the console, and the plan says so."""
    planned = plan(suspended=True)

    assert request(planned)["ConfirmationRequired"] is True
    assert "  Job       stays Suspended until someone confirms it in the console (for at most 30 days)" in lines_of(planned)


def test_a_hostile_prefix_does_not_steer_the_terminal():
    """Control characters of the prefix are shown as escapes."""
    sentences = lines_of(plan(selection=Selection(bucket="amzn-s3-demo-bucket", prefixes=("\x1b[2J\n\u202e",))))

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


def test_prefixes_are_noted_as_long_as_they_are_few():
    """A scan's record, which every start reads, takes as much as a key may have; longer lists are not known there."""
    few, many = ("2023/", "2024/"), tuple(f"{number:04}/" for number in range(300))

    noted = [plan(selection=Selection(bucket="amzn-s3-demo-bucket", prefixes=each)).noted_prefixes for each in (few, many)]

    assert [few, None] == noted


@pytest.mark.parametrize(("length", "is_noted"), [(512, True), (513, False)])
def test_prefixes_are_counted_in_bytes(length, is_noted):
    """All prefixes together may have 1,024 bytes, of which a letter may take two."""
    prefixes = ("é" * 256, "è" * (length - 256))

    noted = plan(selection=Selection(bucket="amzn-s3-demo-bucket", prefixes=prefixes)).noted_prefixes

    assert (tuple(sorted(prefixes)) if is_noted else None) == (noted and tuple(sorted(noted)))


@pytest.mark.parametrize(("given", "expected"), [({}, 10), ({"lane": "normal"}, 10), ({"lane": "express"}, 20)])
def test_the_priority_of_a_job(given, expected):
    """A job whose arguments name no lane has the priority of a normal one."""
    job = replace(plan().new_job, arguments={"scan_id": SCAN, **given})

    assert expected == job_request(job, UploadedManifest("amzn-s3-demo-work", "key", "etag"))["Priority"]


@pytest.mark.parametrize(
    ("kind", "selected", "why"),
    [
        (Kind.MANIFEST, {}, "the bucket is not listed"),
        (Kind.KEYS, {}, "the bucket is not listed"),
        (Kind.GENERATED, {}, "S3 lists it later"),
        (Kind.LISTING, {"limit": 5}, "--limit ended the listing"),
        (Kind.LISTING, {}, "an earlier version of the program made the plan"),
    ],
)
def test_a_source_that_does_not_list_says_so(kind, selected, why):
    """Where it is not known what else the bucket has, the plan says that, and why."""
    source = Source(kind, None if kind in {Kind.LISTING, Kind.GENERATED} else "mine.csv")
    planned = plan(source=source, selection=Selection(bucket="b", **selected))

    [line] = [line for line in lines_of(planned) if line.startswith("  Others")]
    assert line.startswith("  Others    not known")
    assert line.endswith(why)
    assert planned.as_json()["not_selected"] is None


@pytest.mark.parametrize("counts", [{}, {".mkv": 2, "none": 1}, None])
def test_other_suffixes_are_kept_in_the_plan(counts):
    """What the listing counted is in the plan's file and comes back; plans of earlier versions know nothing of it."""
    values = plan(not_selected=counts).as_json()
    earlier = {name: value for name, value in values.items() if name != "not_selected"}

    found = [from_json(json.loads(json.dumps(each)), plan().deployment).not_selected for each in (values, earlier)]

    assert [counts, None] == found


def test_no_line_where_nothing_else_is_there():
    """A bucket that has only the selected suffixes has no others to name."""
    assert [] == [line for line in lines_of(plan(not_selected={})) if "Others" in line]
