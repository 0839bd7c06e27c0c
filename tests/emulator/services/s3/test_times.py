"""S3's LastModified."""

import pytest

from tools.emulator.core import ManualClock
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

BUCKET = "amzn-s3-demo-bucket"


class Bench:
    """A bucket in a world whose clock stands still."""

    def __init__(self, world, clock):
        self.clock = clock
        self.s3 = world.client("s3")
        self.s3.create_bucket(Bucket=BUCKET)

    def begin(self, key="a.mp4"):
        """Begin a multipart upload of one part, and return a function that completes it."""
        upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        named = {"Bucket": BUCKET, "Key": key, "UploadId": upload}
        etag = self.s3.upload_part(**named, PartNumber=1, Body=b"part")["ETag"]
        parts = {"Parts": [{"ETag": etag, "PartNumber": 1}]}
        return lambda: self.s3.complete_multipart_upload(**named, MultipartUpload=parts)

    def modified(self, key="a.mp4"):
        """Return LastModified as HEAD and as a listing have it, in epoch seconds."""
        head = self.s3.head_object(Bucket=BUCKET, Key=key)["LastModified"]
        (listed,) = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["Contents"]
        return head.timestamp(), listed["LastModified"].timestamp()


@pytest.fixture(name="bench")
def _bench(tmp_path):
    clock = ManualClock()
    with World(EmulatorSettings(), directory=tmp_path, clock=clock) as world:
        yield Bench(world, clock)


def test_clock_of_the_world(bench):
    """An object was modified when it was put or copied, by the clock of the world, in whole seconds."""
    began = bench.clock.now()
    bench.s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=b"a")
    bench.clock.advance(86_400.7)
    bench.s3.copy_object(Bucket=BUCKET, Key="b.mp4", CopySource={"Bucket": BUCKET, "Key": "a.mp4"})

    assert ((int(began),) * 2, (int(began + 86_400.7),) * 2) == (bench.modified("a.mp4"), bench.modified("b.mp4"))


def test_multipart_upload(bench):
    """A multipart upload was modified when it was initiated, however late it was completed."""
    began = bench.clock.now()
    complete = bench.begin()
    bench.clock.advance(3_600)

    complete()

    assert (int(began),) * 2 == bench.modified()


def test_the_upload_begun_last_is_current(bench):
    """With versions, the current one is that which was begun last, even if another one is completed after it."""
    bench.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    complete_first = bench.begin()
    bench.clock.advance(3_600)
    complete_last = bench.begin()
    last = complete_last()["VersionId"]
    bench.clock.advance(60)
    first = complete_first()["VersionId"]

    versions = bench.s3.list_object_versions(Bucket=BUCKET)["Versions"]

    assert last == bench.s3.head_object(Bucket=BUCKET, Key="a.mp4")["VersionId"]
    assert [(last, True), (first, False)] == [(version["VersionId"], version["IsLatest"]) for version in versions]


def test_a_deletion_after_it_was_begun(bench):
    """With versions, a delete marker that was put after a multipart upload was begun stays the current one."""
    bench.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    bench.s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=b"a")
    complete = bench.begin()
    bench.clock.advance(60)
    bench.s3.delete_object(Bucket=BUCKET, Key="a.mp4")

    complete()

    listed = bench.s3.list_object_versions(Bucket=BUCKET)
    assert ([True], [False, False]) == tuple([each["IsLatest"] for each in listed[name]] for name in ("DeleteMarkers", "Versions"))
    assert "Contents" not in bench.s3.list_objects_v2(Bucket=BUCKET)


def test_puts_of_one_second(bench):
    """Versions of one second are listed newest first."""
    bench.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    made = [bench.s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=body)["VersionId"] for body in (b"1", b"2", b"3")]

    listed = [version["VersionId"] for version in bench.s3.list_object_versions(Bucket=BUCKET)["Versions"]]

    assert made[::-1] == listed
