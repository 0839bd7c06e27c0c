"""A bucket whose versions are suspended, as boto3 sees it.

Cases from https://docs.aws.amazon.com/AmazonS3/latest/userguide/VersionSuspendedBehavior.html.
"""

import pytest
from botocore.exceptions import ClientError

from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

BUCKET = "amzn-s3-demo-suspended"


@pytest.fixture(scope="module", name="world")
def _world(tmp_path_factory):
    with World(EmulatorSettings(), directory=tmp_path_factory.mktemp("world")) as world:
        world.client("s3").create_bucket(Bucket=BUCKET)
        yield world


@pytest.fixture(name="s3")
def _s3(world):
    return world.client("s3")


def versioning(s3, status):
    """Switch versioning."""
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})


@pytest.fixture(name="first")
def _first(s3, request):
    """Return the key of an object, and its version of the time before versions were suspended."""
    key = request.node.name
    versioning(s3, "Enabled")
    version = s3.put_object(Bucket=BUCKET, Key=key, Body=b"first")["VersionId"]
    versioning(s3, "Suspended")
    return key, version


def versions_of(s3, key):
    """Return the versions of a key and its delete markers, the newest first, by id."""
    listed = s3.list_object_versions(Bucket=BUCKET, Prefix=key)
    return [[each["VersionId"] for each in listed.get(name, [])] for name in ("Versions", "DeleteMarkers")]


def body_of(s3, key, **named):
    """Return the content of an object."""
    return s3.get_object(Bucket=BUCKET, Key=key, **named)["Body"].read()


def test_a_version_is_looked_at(s3, first):
    """HEAD and GET of a version answer as before."""
    key, version = first

    assert 5 == s3.head_object(Bucket=BUCKET, Key=key, VersionId=version)["ContentLength"]
    assert b"first" == body_of(s3, key, VersionId=version)


def test_a_put_replaces_the_null_version(s3, first):
    """A put makes the version null, or replaces it; the other versions stay."""
    key, version = first
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"second")
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"third")

    assert [["null", version], []] == versions_of(s3, key)
    assert (b"third", b"third", b"first") == (
        body_of(s3, key),
        body_of(s3, key, VersionId="null"),
        body_of(s3, key, VersionId=version),
    )
    assert 5 == s3.head_object(Bucket=BUCKET, Key=key, VersionId="null")["ContentLength"]


def test_a_delete_puts_a_null_marker(s3, first):
    """A delete without a version replaces the version null by a delete marker; the older version can still be read."""
    key, version = first
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"second")

    answer = s3.delete_object(Bucket=BUCKET, Key=key)

    assert (True, "null") == (answer["DeleteMarker"], answer["VersionId"])
    assert [[version], ["null"]] == versions_of(s3, key)
    assert b"first" == body_of(s3, key, VersionId=version)
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket=BUCKET, Key=key)


def test_a_version_is_deleted(s3, first):
    """A delete of a version removes that one alone."""
    key, version = first
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"second")

    s3.delete_object(Bucket=BUCKET, Key=key, VersionId=version)

    assert [["null"], []] == versions_of(s3, key)
    assert b"second" == body_of(s3, key)


def test_enabled_again(s3, first):
    """Once versions are enabled again a put adds one, and the version null stays."""
    key, version = first
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"second")
    versioning(s3, "Enabled")

    third = s3.put_object(Bucket=BUCKET, Key=key, Body=b"third")["VersionId"]

    assert [[third, "null", version], []] == versions_of(s3, key)
