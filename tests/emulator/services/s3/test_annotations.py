"""Annotations of objects, as boto3 sees them.

Cases from botocore's model and https://docs.aws.amazon.com/AmazonS3/latest/userguide/annotations-overview.html.
"""

import pytest
from botocore.exceptions import ClientError

from tools.emulator.core import ManualClock
from tools.emulator.services.s3.annotations import MAX_BYTES
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

BUCKET = "amzn-s3-demo-bucket"
VERSIONED = "amzn-s3-demo-versions"
NAME = "video-moderation.verdict"
PAYLOAD = '{"label": "ü"}'.encode()


@pytest.fixture(scope="module", name="s3")
def _s3(tmp_path_factory):
    """Open a world with a bucket without versions and one with them."""
    with World(EmulatorSettings(), directory=tmp_path_factory.mktemp("world"), clock=ManualClock()) as world:
        client = world.client("s3")
        for bucket in (BUCKET, VERSIONED):
            client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
        client.world = world
        yield client


@pytest.fixture(autouse=True)
def _object(s3):
    """Have an object without annotations."""
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"1")


def put(s3, **named):
    """Put an annotation."""
    request = {"Bucket": BUCKET, "Key": "a", "AnnotationName": NAME, "AnnotationPayload": PAYLOAD}
    return s3.put_object_annotation(**request | named)


def names(s3, **named):
    """Return the names of the annotations of an object."""
    return [one["AnnotationName"] for one in s3.list_object_annotations(**{"Bucket": BUCKET, "Key": "a"} | named)["Annotations"]]


def error(call, *arguments, **named):
    """Return the code and the status with which a call is refused."""
    with pytest.raises(ClientError) as refused:
        call(*arguments, **named)
    return refused.value.response["Error"]["Code"], refused.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_an_annotation_is_read_as_it_was_put(s3):
    """An annotation comes back with etag, time, size and checksum, which boto3 checks; the object stays as it was."""
    before = s3.head_object(Bucket=BUCKET, Key="a")["ETag"]

    made = put(s3)
    found = s3.get_object_annotation(Bucket=BUCKET, Key="a", AnnotationName=NAME)

    assert ("a", NAME, "AES256") == (made["Key"], made["AnnotationName"], made["ServerSideEncryption"])
    assert (PAYLOAD, len(PAYLOAD), made["ETag"]) == (found["AnnotationPayload"].read(), found["ContentLength"], found["ETag"])
    assert (made["ChecksumCRC32"], "FULL_OBJECT") == (found["ChecksumCRC32"], found["ChecksumType"])
    assert int(s3.world.clock.now()) == found["LastModified"].timestamp()
    assert before == s3.head_object(Bucket=BUCKET, Key="a")["ETag"]


def test_an_annotation_is_replaced(s3):
    """A name has one annotation: the last."""
    put(s3)
    put(s3, AnnotationPayload=b"new")

    found = s3.get_object_annotation(Bucket=BUCKET, Key="a", AnnotationName=NAME)

    assert ([NAME], b"new") == (names(s3), found["AnnotationPayload"].read())


@pytest.mark.parametrize("name", ["a", "9", "_.-", "Ünï", "n" * 512, "xaws"])
def test_names_that_s3_takes(s3, name):
    """Letters, digits, underscores, periods and hyphens; 512 bytes."""
    put(s3, AnnotationName=name)

    assert [name] == names(s3)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"AnnotationName": "n" * 513}, ("AnnotationNameTooLong", 400)),
        ({"AnnotationName": "ü" * 257}, ("AnnotationNameTooLong", 400)),
        ({"AnnotationName": ""}, ("InvalidAnnotationName", 400)),
        ({"AnnotationName": "a/b"}, ("InvalidAnnotationName", 400)),
        ({"AnnotationName": "a b"}, ("InvalidAnnotationName", 400)),
        ({"AnnotationName": "AWS-a"}, ("InvalidAnnotationName", 400)),
        ({"AnnotationName": "s3"}, ("InvalidAnnotationName", 400)),
        ({"AnnotationPayload": b""}, ("InvalidRequest", 400)),
        ({"AnnotationPayload": b"x" * (MAX_BYTES + 1)}, ("InvalidRequest", 400)),
        ({"AnnotationPayload": b"\xff"}, ("UnsupportedMediaType", 415)),
        ({"ChecksumSHA256": "AAAA"}, ("BadDigest", 400)),
        ({"ContentMD5": "AAAA"}, ("BadDigest", 400)),
        ({"ChecksumXXHASH3": "AAAA"}, ("NotImplemented", 501)),
        ({"ObjectIfMatch": '"0"'}, ("PreconditionFailed", 412)),
        ({"Key": "none"}, ("NoSuchKey", 404)),
        ({"Bucket": "amzn-s3-demo-none"}, ("NoSuchBucket", 404)),
        ({"Bucket": VERSIONED, "VersionId": "none"}, ("NoSuchVersion", 404)),
    ],
)
def test_what_is_refused(s3, named, expected):
    """Each fault has the code and status of the model, and changes nothing."""
    assert expected == error(put, s3, **named)
    assert [] == names(s3)


def test_a_payload_has_a_megabyte(s3):
    """1 MiB is the most."""
    put(s3, AnnotationPayload=b"x" * MAX_BYTES)

    (entry,) = s3.list_object_annotations(Bucket=BUCKET, Key="a")["Annotations"]
    assert MAX_BYTES == entry["Size"]


@pytest.mark.parametrize("quoted", [True, False])
def test_only_if_the_object_is_the_same(s3, quoted):
    """ObjectIfMatch is the etag of the object: another upload has the annotation refused, for putting and for deleting."""
    etag = s3.head_object(Bucket=BUCKET, Key="a")["ETag"]
    etag = etag if quoted else etag.strip('"')
    put(s3, ObjectIfMatch=etag)
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"2")
    put(s3, AnnotationName="other")

    refused = [
        error(put, s3, ObjectIfMatch=etag),
        error(s3.delete_object_annotation, Bucket=BUCKET, Key="a", AnnotationName="other", ObjectIfMatch=etag),
    ]

    assert ([("PreconditionFailed", 412)] * 2, ["other"]) == (refused, names(s3))


def test_annotations_are_listed_by_name(s3):
    """A listing is in the order of names, by prefix, page by page."""
    for name in ("b", "a.2", "a.1", "é", "B"):
        put(s3, AnnotationName=name)

    pages = s3.get_paginator("list_object_annotations").paginate(Bucket=BUCKET, Key="a", PaginationConfig={"PageSize": 2})
    found = [(page["AnnotationCount"], [one["AnnotationName"] for one in page["Annotations"]]) for page in pages]

    assert [(2, ["B", "a.1"]), (2, ["a.2", "b"]), (1, ["é"])] == found
    assert ["a.1", "a.2"] == names(s3, AnnotationPrefix="a.")
    assert ("InvalidPrefix", 400) == error(s3.list_object_annotations, Bucket=BUCKET, Key="a", AnnotationPrefix="a/")


def test_an_object_has_a_thousand(s3):
    """The thousand and first annotation is refused; replacing one is not."""
    stored = s3.world.storage.buckets()[BUCKET].keys["a"]
    put(s3, AnnotationName="n-0")
    (one,) = stored.offline_world_annotations.values()
    stored.offline_world_annotations = {f"n-{number}": one for number in range(1000)}

    refused = error(put, s3, AnnotationName="one-more")
    put(s3, AnnotationName="n-999", AnnotationPayload=b"new")

    assert (("AnnotationLimitExceeded", 400), 1000) == (refused, len(names(s3)))


def test_deleting(s3):
    """A deleted annotation is gone; deleting one that is not there is no error, because the model has none for it."""
    put(s3)
    for _ in range(2):
        s3.delete_object_annotation(Bucket=BUCKET, Key="a", AnnotationName=NAME)

    refused = error(s3.get_object_annotation, Bucket=BUCKET, Key="a", AnnotationName=NAME)

    assert ("NoSuchAnnotation", 404) == refused


def test_versions_have_annotations_of_their_own(s3):
    """An annotation belongs to one version, and the answer says to which; a new version has none."""
    request = {"Bucket": VERSIONED, "Key": "own"}
    first = s3.put_object(**request, Body=b"1")["VersionId"]
    put(s3, **request)
    second = s3.put_object(**request, Body=b"2")["VersionId"]

    answer = put(s3, **request, AnnotationName="new")["ObjectVersionId"]
    old = s3.get_object_annotation(**request, VersionId=first, AnnotationName=NAME)["ObjectVersionId"]

    assert (first, second, ["new"]) == (old, answer, names(s3, **request))


def test_what_is_deleted_cannot_be_annotated(s3):
    """Without a version named, what is deleted is missing; a delete marker that is named is refused as such."""
    request = {"Bucket": VERSIONED, "Key": "gone"}
    s3.put_object(**request, Body=b"1")
    marker = s3.delete_object(**request)["VersionId"]

    assert [("NoSuchKey", 404), ("MethodNotAllowed", 405)] == [
        error(put, s3, **request, **named) for named in ({}, {"VersionId": marker})
    ]


def test_a_copy_takes_annotations_along(s3):
    """A copy has the annotations of its source unless they are excluded; an upload to the same key ends them."""
    put(s3)

    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/a")
    copied = names(s3, Key="copy")
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/a", AnnotationDirective="EXCLUDE")
    excluded = names(s3, Key="copy")
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"1")

    assert ([NAME], [], []) == (copied, excluded, names(s3))


def test_events_of_annotations_are_refused_by_name(s3):
    """A bucket cannot be configured to send events of annotations, which the offline world does not send."""
    queue = {"QueueArn": "arn:aws:sqs:us-east-1:111122223333:q", "Events": ["s3:ObjectAnnotation:Put"]}

    with pytest.raises(ClientError, match="events of annotations"):
        s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [queue]})


def test_calls_are_noted_by_their_names(s3):
    """The ledger knows the four operations apart."""
    put(s3)
    names(s3)
    s3.get_object_annotation(Bucket=BUCKET, Key="a", AnnotationName=NAME)
    s3.delete_object_annotation(Bucket=BUCKET, Key="a", AnnotationName=NAME)

    last = [call.operation for call in s3.world.ledger.calls()][-4:]
    assert ["PutObjectAnnotation", "ListObjectAnnotations", "GetObjectAnnotation", "DeleteObjectAnnotation"] == last
