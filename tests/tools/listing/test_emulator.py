"""Against the offline world, over HTTP: the same as boto3's own paginators."""

import boto3
import pytest

from tools.emulator.world import World
from tools.lib.aws.clients import Clients
from tools.lib.listing import Selection, is_versioned, list_batches

BUCKET = "amzn-s3-demo-bucket"
KEYS = ["two\nlines.mp4", "bell\x07.mp4", "a+b c%20.mp4", "🎬/ü.mp4", "'\"<&>.mp4", "a//b", ".", *(f"n/{n:02}" for n in range(25))]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A world whose pages hold four entries, with a plain bucket and one with versions and deletions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "4")
        with World(directory=tmp_path_factory.mktemp("world")) as opened:
            s3 = opened.client("s3")
            for bucket in (BUCKET, f"{BUCKET}-versions"):
                s3.create_bucket(Bucket=bucket)
                for key in KEYS:
                    s3.put_object(Bucket=bucket, Key=key, Body=b"1")
            s3.put_bucket_versioning(Bucket=f"{BUCKET}-versions", VersioningConfiguration={"Status": "Enabled"})
            for key in KEYS[::2]:
                s3.put_object(Bucket=f"{BUCKET}-versions", Key=key, Body=b"22")
            for key in KEYS[::3]:
                s3.delete_object(Bucket=f"{BUCKET}-versions", Key=key)
            yield opened


@pytest.fixture
def clients(world, monkeypatch):
    """Clients as a program in this world has them."""
    for name, value in world.environment().items():
        monkeypatch.setenv(name, value)
    return Clients(boto3.Session())


def listed(clients, bucket, **chosen):
    """List a bucket to its end."""
    selection = Selection(bucket=bucket, suffixes=(), **chosen)
    versioned = is_versioned(clients.s3, bucket)
    return [one for batch in list_batches(clients, selection, versioned=versioned, workers=4) for one in batch]


@pytest.mark.slow
def test_objects(world, clients):
    """Keys, sizes, ETags and times are those of boto3's paginator, in its order."""
    pages = world.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET)

    found = listed(clients, BUCKET)

    assert [(one.key, one.size, one.etag, one.modified) for one in found] == [
        (entry["Key"], entry["Size"], entry["ETag"].strip('"'), entry["LastModified"])
        for page in pages
        for entry in page["Contents"]
    ]
    assert [one.key for one in found] == sorted(KEYS)


@pytest.mark.parametrize("all_versions", [False, True])
def test_versions(world, clients, all_versions):
    """The latest versions without the deleted, or every version, are those of boto3's paginator, in its order."""
    pages = world.client("s3").get_paginator("list_object_versions").paginate(Bucket=f"{BUCKET}-versions")

    found = listed(clients, f"{BUCKET}-versions", all_versions=all_versions)

    entries = [entry for page in pages for entry in page.get("Versions", [])]
    assert [(one.key, one.version_id) for one in found] == [
        (entry["Key"], entry["VersionId"]) for entry in entries if all_versions or entry["IsLatest"]
    ]


def test_prefixes(clients):
    """Several prefixes come to what their keys are."""
    assert [one.key for one in listed(clients, BUCKET, prefixes=("n/1", "🎬"))] == [*(f"n/{n}" for n in range(10, 20)), "🎬/ü.mp4"]
