"""What AWS does not document about tags and annotations: settings, which are tried both ways."""

import json

import pytest

from tests.emulator.services.s3.refused import code
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

BUCKET = "amzn-s3-demo-bucket"
ANNOTATION = {"Bucket": BUCKET, "Key": "a", "AnnotationName": "n"}


def opened(world):
    """Return a client of a world, after an object with a tag was put."""
    client = world.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket=BUCKET, Key="a", Body=b"1", Tagging="x=1")
    return client


@pytest.mark.parametrize(("too_large", "deleted"), [("EntityTooLarge", "MethodNotAllowed"), ("InvalidRequest", "NoSuchKey")])
def test_codes_of_annotations(tmp_path, too_large, deleted):
    """Settings say how an annotation that is too large, and one of what is deleted, are refused."""
    settings = EmulatorSettings(annotation_too_large_error=too_large, annotation_deleted_error=deleted)
    with World(settings, directory=tmp_path) as world:
        client = opened(world)

        first = code(client.put_object_annotation, **ANNOTATION, AnnotationPayload=b"x" * (1024 * 1024 + 1))
        client.delete_object(Bucket=BUCKET, Key="a")

        assert (too_large, deleted) == (first, code(client.put_object_annotation, **ANNOTATION, AnnotationPayload=b"x"))


@pytest.mark.parametrize(("shown", "expected"), [(False, ""), (True, "AccessDenied")])
def test_tags_that_are_copied(tmp_path, shown, expected):
    """A setting says whether tags that a copy takes along are tags of the request to a policy."""
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObjectTagging",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
        "Condition": {"ForAnyValue:StringEquals": {"s3:RequestObjectTagKeys": ["x"]}},
    }
    with World(EmulatorSettings(copied_tags_are_request_tags=shown), directory=tmp_path) as world:
        client = opened(world)

        client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

        assert expected == code(client.copy_object, Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/a")
