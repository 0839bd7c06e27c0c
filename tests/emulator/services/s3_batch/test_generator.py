"""Manifests that S3 generates."""

import csv
import gzip
import io
import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from tools.emulator.core import ListedVersion, UnsupportedError, moto_hooks
from tools.emulator.services.s3.backend import Storage
from tools.emulator.services.s3_batch import responses
from tools.emulator.services.s3_batch.errors import BatchError
from tools.emulator.settings import EmulatorSettings

ACCOUNT = "111122223333"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
OUTPUT = {"Bucket": "arn:aws:s3:::work", "ManifestFormat": "S3InventoryReport_CSV_20211130", "ManifestPrefix": "made"}


def made(source="videos", *, output=None, **members):
    """Return the members of a request for a generated manifest, without the given one."""
    generator = {"SourceBucket": f"arn:aws:s3:::{source}", "EnableManifestOutput": output is not None, **members}
    if output is not None:
        generator["ManifestOutputLocation"] = output
    return {"Manifest": None, "ManifestGenerator": {"S3JobManifestGenerator": generator}}


def listed(key, *, size=10, modified=NOON, storage_class="STANDARD", version_id=None, latest=True):
    """Return one version as a listing shows it."""
    return ListedVersion(key, version_id, latest, size, modified.timestamp(), storage_class)


@pytest.fixture
def stocked(bench):
    """A bench whose bucket has objects for each filter."""
    bench.objects.listed = [
        listed("2023/small.mp4", size=1, modified=NOON - timedelta(days=365)),
        listed("2024/a b+c.mp4"),
        listed("2024/ärger.MP4", size=1_000),
        listed("2024/frozen.mp4", storage_class="GLACIER"),
        listed("notes.txt", modified=NOON + timedelta(seconds=1)),
    ]
    return bench


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, 5),
        ({"KeyNameConstraint": {"MatchAnyPrefix": ["2024/"]}}, 3),
        ({"KeyNameConstraint": {"MatchAnySuffix": [".mp4"]}}, 3),
        ({"KeyNameConstraint": {"MatchAnySubstring": ["o"]}}, 2),
        ({"KeyNameConstraint": {"MatchAnyPrefix": ["2024/"], "MatchAnySuffix": [".mp4"]}}, 2),
        ({"ObjectSizeGreaterThanBytes": 10}, 1),
        ({"ObjectSizeLessThanBytes": 10}, 1),
        ({"CreatedAfter": NOON}, 1),
        ({"CreatedBefore": NOON}, 1),
        ({"MatchAnyStorageClass": ["GLACIER", "DEEP_ARCHIVE"]}, 1),
    ],
)
def test_filters(stocked, chosen, expected):
    """Each filter takes what it names: bounds are exclusive, case matters, and all of several filters must match."""
    job_id = stocked.run(**made(Filter=chosen))

    assert "Complete" == stocked.status(job_id)
    assert (expected, expected, 0) == stocked.counts(job_id)


def test_keys_are_encoded(stocked):
    """Tasks get URL-encoded keys, as with any other manifest."""
    stocked.run(**made(Filter={"KeyNameConstraint": {"MatchAnyPrefix": ["2024/"]}}))

    assert {"2024/a%20b%2Bc.mp4", "2024/%C3%A4rger.MP4", "2024/frozen.mp4"} == set(stocked.functions.keys)


def test_written_manifest(stocked):
    """The manifest is written to the requested place, which DescribeJob returns."""
    job_id = stocked.run(**made(output=OUTPUT, Filter={"MatchAnyStorageClass": ["GLACIER"]}))

    described = stocked.job(job_id)["GeneratedManifestDescriptor"]
    key = described["Location"]["ObjectArn"].removeprefix("arn:aws:s3:::work/")
    manifest = json.loads(stocked.objects.stored["work", key])
    (data,) = manifest["files"]
    rows = csv.reader(io.StringIO(gzip.decompress(stocked.objects.stored["work", data["key"]]).decode()))
    assert "S3InventoryReport_CSV_20211130" == described["Format"]
    assert key.startswith("made/")
    assert ("videos", "Bucket, Key") == (manifest["sourceBucket"], manifest["fileSchema"])
    assert [["videos", "2024/frozen.mp4"]] == list(rows)


def test_not_written(stocked):
    """Without EnableManifestOutput no manifest is written or described."""
    job_id = stocked.run(**made())

    assert "GeneratedManifestDescriptor" not in stocked.job(job_id)
    assert not [key for _, key in stocked.objects.stored if key.startswith("made")]


@pytest.mark.parametrize(("all_versions", "expected"), [(False, {"v2", None}), (True, {"v1", "v2", None})])
def test_versions(make_bench, all_versions, expected):
    """Rows for a bucket with versions name them: the latest or, by a setting, all (AWS does not document which)."""
    bench = make_bench(settings=EmulatorSettings(batch_generates_all_versions=all_versions))
    old, new = listed("a", version_id="v1", latest=False), listed("a", version_id="v2")
    bench.objects.listed = [new, old, listed("b", version_id="null")]

    bench.run(**made())

    assert {*expected} - {None} | {"null"} == {event["tasks"][0]["s3VersionId"] for event in bench.functions.events}


def test_listed_while_preparing(stocked):
    """The bucket is listed while the job is Preparing; then the job waits for confirmation like any other."""
    job_id = stocked.submit(**made(), ConfirmationRequired=True)
    stocked.clock.advance(1.0)
    first = stocked.status(job_id)
    stocked.objects.listed.append(listed("late.mp4"))
    stocked.clock.run_until_idle()

    assert ("Preparing", "Suspended") == (first, stocked.status(job_id))
    assert 6 == stocked.counts(job_id)[0]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        (made(Filter={"KeyNameConstraint": {"MatchAnyPrefix": ["none"]}}), "found no keys matching the filter criteria"),
        (made("elsewhere"), "no bucket elsewhere"),
        (made(ExpectedBucketOwner="444455556666"), "ExpectedBucketOwner"),
        (made(output={**OUTPUT, "Bucket": "arn:aws:s3:::missing"}), "no bucket missing"),
        (made(output={**OUTPUT, "ExpectedManifestBucketOwner": "444455556666"}), "ExpectedManifestBucketOwner"),
    ],
)
def test_failed_jobs(stocked, members, reason):
    """A job whose manifest cannot be generated fails with the reason, and no task runs."""
    job_id = stocked.run(**members)

    assert "Failed" == stocked.status(job_id)
    assert reason in stocked.reason(job_id)
    assert [] == stocked.functions.events


@pytest.mark.parametrize(
    ("members", "part"),
    [
        ({"ManifestGenerator": {}}, "S3JobManifestGenerator"),
        (made(EnableManifestOutput=None)["ManifestGenerator"], "S3JobManifestGenerator"),
        (made(EnableManifestOutput=None), "EnableManifestOutput"),
        (made(EnableManifestOutput=True), "ManifestOutputLocation"),
        (made(SourceBucket="videos"), "SourceBucket"),
        (made(ExpectedBucketOwner="me"), "ExpectedBucketOwner"),
        (made(output={**OUTPUT, "ManifestFormat": "CSV"}), "ManifestFormat"),
        (made(output={**OUTPUT, "ManifestPrefix": "x" * 513}), "ManifestPrefix"),
        (made(output={**OUTPUT, "Bucket": "work"}), "Bucket"),
        (made(Filter={"MatchAnyStorageClass": ["OUTPOSTS"]}), "MatchAnyStorageClass"),
        (made(Filter={"KeyNameConstraint": {"MatchAnyPrefix": ["a", "b"]}}), "MatchAnyPrefix"),
        (made(Filter={"KeyNameConstraint": {"MatchAnySuffix": [""]}}), "MatchAnySuffix"),
        (made(Filter={"KeyNameConstraint": {"MatchAnySubstring": ["x" * 1025]}}), "MatchAnySubstring"),
        (made(Filter={"ObjectSizeLessThanBytes": -1}), "ObjectSizeLessThanBytes"),
        (made(Filter={"CreatedAfter": "yesterday"}), "CreatedAfter"),
    ],
)
def test_bad_request(bench, members, part):
    """What the API model does not allow is refused before a job exists."""
    given = members if "ManifestGenerator" in members else {"ManifestGenerator": members}

    with pytest.raises(BatchError) as refused:
        bench.submit(**{"Manifest": None, **given})

    assert "BadRequestException" == refused.value.code
    assert part in refused.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [("EligibleForReplication", True), ("ObjectReplicationStatuses", ["NONE"]), ("MatchAnyObjectEncryption", [{"SSES3": {}}])],
)
def test_not_implemented(bench, name, value):
    """Filters that the emulator lacks are refused by name."""
    with pytest.raises(UnsupportedError, match=name):
        bench.submit(**made(Filter={name: value}))


def test_through_boto3(make_bench, monkeypatch):
    """boto3 creates such a job over a real listing of moto's S3, with versions; the request comes back from DescribeJob."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "fixture")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "fixture")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
    bench = make_bench(objects=Storage(EmulatorSettings()))
    with moto_hooks.install(responses.hooks(bench.engine)), mock_aws():
        s3, control = (boto3.client(name, region_name="us-east-1") for name in ("s3", "s3control"))
        for bucket in ("work", "videos"):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket="videos", VersioningConfiguration={"Status": "Enabled"})
        for key in ("ä.mp4", "ä.mp4", "gone.mp4", "other.txt"):
            s3.put_object(Bucket="videos", Key=key, Body=b"x")
        s3.delete_object(Bucket="videos", Key="gone.mp4")
        newest = s3.head_object(Bucket="videos", Key="ä.mp4")["VersionId"]
        constraint = {"MatchAnySuffix": [".mp4"]}
        members = made(output=OUTPUT, Filter={"KeyNameConstraint": constraint, "CreatedBefore": datetime(2100, 1, 1, tzinfo=UTC)})
        request = {name: value for name, value in bench.request(**members).items() if value is not None}

        job_id = control.create_job(**request)["JobId"]
        bench.clock.run_until_idle()
        job = control.describe_job(AccountId=ACCOUNT, JobId=job_id)["Job"]

        task = bench.functions.events[0]["tasks"][0]
        stored = s3.head_object(Bucket="work", Key=job["GeneratedManifestDescriptor"]["Location"]["ObjectArn"].split(":::work/")[1])

    assert ("Complete", 1) == (job["Status"], job["ProgressSummary"]["NumberOfTasksSucceeded"])
    assert ("%C3%A4.mp4", newest) == (task["s3Key"], task["s3VersionId"])
    assert constraint == job["ManifestGenerator"]["S3JobManifestGenerator"]["Filter"]["KeyNameConstraint"]
    assert job["GeneratedManifestDescriptor"]["Location"]["ETag"] == stored["ETag"].strip('"')
