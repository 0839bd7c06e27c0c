"""S3 takes every key."""

import pytest

from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

BUCKET = "amzn-s3-demo-bucket"
KEYS = ["two\nlines.mp4", "bell\x07.mp4", "a+b c%20.mp4", "🎬/ü.mp4", "'\"<&>.mp4"]


@pytest.fixture(scope="module", name="s3")
def _s3(tmp_path_factory):
    """Open a world with a versioned bucket that has the keys, each in two versions."""
    with World(EmulatorSettings(), directory=tmp_path_factory.mktemp("world")) as world:
        client = world.client("s3")
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for key in KEYS * 2:
            client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        yield client


@pytest.mark.parametrize("key", KEYS)
def test_any_key_is_stored(s3, key):
    """An object is returned by the key with which it was stored."""
    body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    assert key.encode() == body


@pytest.mark.parametrize("marker", ["'", "'\"<&>.mp4", "a", "z", "🎬/ü.mp4", "🎬🎬"])
def test_versions_are_listed_after_a_key(s3, marker):
    """A key marker alone returns all versions of all later keys, whether or not that key exists."""
    answer = s3.list_object_versions(Bucket=BUCKET, KeyMarker=marker)

    assert sorted(key for key in KEYS * 2 if key > marker) == [version["Key"] for version in answer.get("Versions", [])]


def test_who_pays(s3):
    """A bucket's owner pays for requests until the bucket is Requester Pays; anything else is refused, and changes nothing."""

    def payer(new=None):
        if new is not None:
            s3.put_bucket_request_payment(Bucket=BUCKET, RequestPaymentConfiguration={"Payer": new})
        return s3.get_bucket_request_payment(Bucket=BUCKET)["Payer"]

    assert ["BucketOwner", "Requester"] == [payer(), payer("Requester")]
    with pytest.raises(s3.exceptions.ClientError, match="MalformedXML"):
        payer("Someone")
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchBucket"):
        s3.get_bucket_request_payment(Bucket="amzn-s3-demo-none")
    assert ["Requester", "BucketOwner"] == [payer(), payer("BucketOwner")]


def test_versions_are_listed_with_their_keys(s3):
    """Control characters survive a listing of versions, page by page."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 3})

    listed = [version["Key"] for page in pages for version in page["Versions"]]

    assert sorted(KEYS * 2) == sorted(listed)


@pytest.mark.parametrize("key", [*KEYS, "a%2F", "\uffff"])
def test_objects_are_listed_after_a_key(s3, key):
    """A listing of objects may start after any key, and says after which."""
    answer = s3.list_objects_v2(Bucket=BUCKET, StartAfter=key)

    listed = [found["Key"] for found in answer.get("Contents", [])]
    assert (key, sorted(each for each in KEYS if each > key)) == (answer["StartAfter"], listed)
