"""What functions of the kill tests learn of objects without HTTP is what boto3 would answer."""

import pytest
from botocore.exceptions import ClientError

from tests.harness.line import BUCKET
from tests.harness.videos import video
from tests.kill.scenarios import VERSIONED, tag

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def test_both_ways_show_the_same(make_world):
    """An object, a current version and an older one look the same both ways, in their bytes and tags too."""
    with make_world("consequences") as (line, _):
        s3 = line.client("s3")
        s3.create_bucket(Bucket=VERSIONED)
        s3.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
        line.put("a.mp4")
        tag(line, "a.mp4", "team", "A")
        older = s3.put_object(Bucket=VERSIONED, Key="a.mp4", Body=video(seconds=31))["VersionId"]
        s3.put_object(Bucket=VERSIONED, Key="a.mp4", Body=video(seconds=32))
        names = [{"Bucket": BUCKET}, {"Bucket": VERSIONED}, {"Bucket": VERSIONED, "VersionId": older}]

        short, boto3 = ([_seen(s3, each | {"Key": "a.mp4"}) for each in names] for s3 in (line.flows.clients["s3"], s3))

    assert short == boto3


def test_what_is_refused_is_refused_both_ways(make_world):
    """A missing object, and one that has other content by now, are refused with S3's codes."""
    with make_world() as (line, _):
        line.put("a.mp4")
        missing = {"Bucket": BUCKET, "Key": "missing.mp4"}
        changed = {"Bucket": BUCKET, "Key": "a.mp4", "Range": "bytes=0-9", "IfMatch": '"other"'}

        s3 = line.flows.clients["s3"]
        codes = [_code(s3.head_object, missing), _code(s3.get_object_tagging, missing), _code(s3.get_object, changed)]

    assert codes == ["404", "NoSuchKey", "PreconditionFailed"]


def _seen(s3, named):
    head = s3.head_object(**named)
    body = s3.get_object(**named, Range="bytes=5-20", IfMatch=head["ETag"])["Body"].read()
    facts = ("ETag", "ContentLength", "LastModified", "VersionId", "StorageClass", "Restore", "ArchiveStatus")
    return {name: head.get(name) for name in facts}, body, s3.get_object_tagging(**named)["TagSet"]


def _code(call, parameters):
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]
