"""S3 as other services see it."""

import pytest

from tools.emulator.core import NoSuchObjectError, ObjectArchivedError, ObjectForbiddenError
from tools.emulator.services.s3.backend import Storage
from tools.emulator.settings import EmulatorSettings

BUCKET = "amzn-s3-demo-bucket"
HOSTILE = "a b/ü+%2F,\"'\n<script>🎬"


@pytest.fixture(name="s3")
def _s3(account):
    client = account.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture(name="storage")
def _storage():
    return Storage(EmulatorSettings())


def test_what_boto3_puts_is_read(s3, storage):
    """An object has its content, etag without quotes, size, and no version if the bucket has none."""
    etag = s3.put_object(Bucket=BUCKET, Key=HOSTILE, Body=b"content")["ETag"]

    found = storage.read(BUCKET, HOSTILE)

    assert (found.body, found.etag, found.size, found.version_id) == (b"content", etag.strip('"'), 7, None)


def test_what_is_written_boto3_gets_with_its_encryption(s3, storage):
    """Other services write with SSE-S3."""
    storage.write(BUCKET, "reports/a.csv", b"row")

    found = s3.get_object(Bucket=BUCKET, Key="reports/a.csv")

    assert found["Body"].read() == b"row"
    assert found["ServerSideEncryption"] == "AES256"


def test_versions_are_distinct_and_a_delete_marker_hides(s3, storage):
    """A version can be read by its id when the newest is a delete marker."""
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    versions = [s3.put_object(Bucket=BUCKET, Key="k", Body=body)["VersionId"] for body in (b"1", b"2")]
    newest = storage.read(BUCKET, "k")

    marker = s3.delete_object(Bucket=BUCKET, Key="k")["VersionId"]

    assert (newest.body, newest.version_id) == (b"2", versions[1])
    assert storage.read(BUCKET, "k", versions[0]).body == b"1"
    for version in (None, marker, "none-such"):
        with pytest.raises(NoSuchObjectError):
            storage.read(BUCKET, "k", version)


@pytest.mark.parametrize(("bucket", "key"), [("amzn-s3-demo-bucket2", "k"), (BUCKET, "k")])
def test_what_is_not_there_is_not_found(s3, storage, bucket, key):
    """A missing bucket or key is an error."""
    with pytest.raises(NoSuchObjectError):
        storage.read(bucket, key)


def test_nothing_is_written_where_there_is_no_bucket(s3, storage):
    """The port says so."""
    with pytest.raises(NoSuchObjectError):
        storage.write("amzn-s3-demo-bucket2", "k", b"")


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_cannot_be_read(s3, storage, storage_class):
    """An archived object cannot be read until it is restored."""
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"x", StorageClass=storage_class)

    with pytest.raises(ObjectArchivedError):
        storage.read(BUCKET, "k")
    s3.restore_object(Bucket=BUCKET, Key="k", RestoreRequest={"Days": 1})

    assert storage.read(BUCKET, "k").body == b"x"


def test_a_forbidden_bucket_can_neither_be_read_nor_written(s3, storage):
    """A bucket can be forbidden, so that AccessDenied can be tested."""
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    storage.forbidden.add(BUCKET)

    with pytest.raises(ObjectForbiddenError):
        storage.read(BUCKET, "k")
    with pytest.raises(ObjectForbiddenError):
        storage.write(BUCKET, "k", b"y")
