"""Tags of objects, as boto3 sees them.

Cases from https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html unless a comment says more.
"""

import pytest
from botocore.exceptions import ClientError

from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

BUCKET = "amzn-s3-demo-bucket"
VERSIONED = "amzn-s3-demo-versions"
TEN = {f"key-{number}": str(number) for number in range(10)}


@pytest.fixture(scope="module", name="s3")
def _s3(tmp_path_factory):
    """Open a world with a bucket without versions and one with them."""
    with World(EmulatorSettings(), directory=tmp_path_factory.mktemp("world")) as world:
        client = world.client("s3")
        for bucket in (BUCKET, VERSIONED):
            client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.fixture(autouse=True)
def _object(s3):
    """Have an object without tags."""
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"1")


def tag_set(tags):
    """Return tags as the API has them; a list of pairs may have a key twice."""
    pairs = tags.items() if isinstance(tags, dict) else tags
    return {"TagSet": [{"Key": key, "Value": value} for key, value in pairs]}


def put(s3, tags, **named):
    """Put tags on an object."""
    return s3.put_object_tagging(**{"Bucket": BUCKET, "Key": "a", "Tagging": tag_set(tags)} | named)


def tags_of(s3, **named):
    """Return the tags of an object."""
    answer = s3.get_object_tagging(**{"Bucket": BUCKET, "Key": "a"} | named)
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


def error(call, *arguments, **named):
    """Return the error and the status with which a call is refused."""
    with pytest.raises(ClientError) as refused:
        call(*arguments, **named)
    return refused.value.response["Error"], refused.value.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"empty": ""},
        {" ": " "},
        {"Ünï code 42": "_.:/=+-@"},
        {"k" * 128: "v" * 256},
        {"𐐀" * 64: "𐐀" * 128},  # two positions of UTF-16 each
        {"key": "1", "KEY": "2"},
        {"aws": "1", "AWS:x": "2"},
        TEN,
    ],
)
def test_tags_that_s3_takes(s3, tags):
    """Ten tags, of 128 and 256 characters at most, are kept as they are; none at all delete those before."""
    put(s3, {"before": "x"})

    put(s3, tags)

    assert tags == tags_of(s3)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (
            TEN | {"more": ""},
            {"Code": "BadRequest", "Message": "Object tags cannot be greater than 10"},
        ),  # terraform-provider-aws#41747
        ([("a", "1"), ("a", "1")], {"Code": "InvalidTag", "TagKey": "a"}),
        ({"k" * 129: ""}, {"Code": "InvalidTag", "Message": "The TagKey you have provided is invalid"}),
        ({"𐐀" * 65: ""}, {"Code": "InvalidTag", "Message": "The TagKey you have provided is invalid"}),
        ({"a\tb": ""}, {"Code": "InvalidTag", "Message": "The TagKey you have provided is invalid"}),
        ({"[a]": ""}, {"Code": "InvalidTag", "Message": "The TagKey you have provided is invalid"}),  # aws-cli#2841
        ({"a": "v" * 257}, {"Code": "InvalidTag", "Message": "The TagValue you have provided is invalid"}),
        ({"a": "<b>"}, {"Code": "InvalidTag", "Message": "The TagValue you have provided is invalid"}),
        ({"aws:a": ""}, {"Code": "InvalidTag", "Message": "Your TagKey cannot be prefixed with aws:"}),
    ],
)
def test_tags_that_s3_refuses(s3, tags, expected):
    """One wrong tag refuses all, and changes nothing."""
    put(s3, {"before": "x"})

    refused, status = error(put, s3, tags)

    assert (400, expected) == (status, {name: refused[name] for name in expected})
    assert {"before": "x"} == tags_of(s3)


def test_a_body_that_is_no_tagging(s3):
    """What is not as the schema says is MalformedXML."""

    def spoil(request, **_):
        request.data = request.data.replace(b"Value", b"Worth")

    s3.meta.events.register("before-sign.s3.PutObjectTagging", spoil)
    try:
        refused, status = error(put, s3, {"a": "1"})
    finally:
        s3.meta.events.unregister("before-sign.s3.PutObjectTagging", spoil)

    assert ("MalformedXML", 400) == (refused["Code"], status)


def test_a_set_replaces_the_one_before(s3):
    """PutObjectTagging keeps nothing of the tags before; DeleteObjectTagging deletes all."""
    put(s3, {"a": "1", "b": "2"})
    put(s3, {"b": "3"})
    after_put = tags_of(s3)

    s3.delete_object_tagging(Bucket=BUCKET, Key="a")

    assert ({"b": "3"}, {}) == (after_put, tags_of(s3))


def test_reading_says_how_many_there_are(s3):
    """HEAD and GET count the tags, if there are any; the answer to a PUT does not."""
    before = s3.head_object(Bucket=BUCKET, Key="a").get("TagCount")

    answer = s3.put_object(Bucket=BUCKET, Key="a", Body=b"1", Tagging="a=1&b=2")

    counts = [call(Bucket=BUCKET, Key="a")["TagCount"] for call in (s3.head_object, s3.get_object)]
    assert (None, [2, 2]) == (before, counts)
    assert "x-amz-tagging-count" not in answer["ResponseMetadata"]["HTTPHeaders"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("foo=bar&bar", {"foo": "bar", "bar": ""}),  # ceph/s3-tests test_put_obj_with_tags
        ("a+b=c%2Bd%20%C3%BC", {"a b": "c+d ü"}),
        ("", {}),
    ],
)
def test_tags_in_a_header(s3, header, expected):
    """An upload brings its tags as a query."""
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"1", Tagging=header)

    assert expected == tags_of(s3)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("a=1&a=2", "InvalidArgument"),
        ("TagSet=[{Key=string,Value=string}]", "InvalidArgument"),  # aws-cli#2841
        ("TagSet%3D%5B%7BKey%3Dstring%2CValue%3Dstring%7D%5D", "InvalidTag"),  # aws-cli#2841
        ("a=%FF", "InvalidArgument"),
        ("aws%3Aa=1", "InvalidTag"),
        ("&".join(f"{number}=" for number in range(11)), "BadRequest"),
    ],
)
def test_headers_that_s3_refuses(s3, header, code):
    """An upload with a wrong header uploads nothing."""
    refused, status = error(s3.put_object, Bucket=BUCKET, Key="new", Body=b"1", Tagging=header)

    assert (code, 400) == (refused["Code"], status)
    assert "NoSuchKey" == error(s3.get_object, Bucket=BUCKET, Key="new")[0]["Code"]


def test_a_multipart_upload_has_the_tags_of_its_beginning(s3):
    """The tags of CreateMultipartUpload are those of the object."""
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="a", Tagging="a=1")["UploadId"]
    part = s3.upload_part(Bucket=BUCKET, Key="a", UploadId=upload, PartNumber=1, Body=b"2")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}

    s3.complete_multipart_upload(Bucket=BUCKET, Key="a", UploadId=upload, MultipartUpload=parts)

    assert {"a": "1"} == tags_of(s3)


def test_an_upload_ends_the_tags_before(s3):
    """An object that is replaced or deleted leaves no tags to its successor."""
    put(s3, {"a": "1"})
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"2")
    replaced = tags_of(s3)
    put(s3, {"a": "1"})
    s3.delete_object(Bucket=BUCKET, Key="a")

    s3.put_object(Bucket=BUCKET, Key="a", Body=b"2")

    assert ({}, {}) == (replaced, tags_of(s3))


@pytest.mark.parametrize(
    ("directives", "expected"),
    [
        ({}, {"a": "1"}),
        ({"TaggingDirective": "COPY"}, {"a": "1"}),
        ({"TaggingDirective": "COPY", "Tagging": "b=2"}, {"a": "1"}),
        ({"TaggingDirective": "REPLACE", "Tagging": "b=2"}, {"b": "2"}),
        ({"TaggingDirective": "REPLACE"}, {}),
    ],
)
def test_a_copy_takes_the_tags_along(s3, directives, expected):
    """A copy has the tags of its source, unless the directive says REPLACE; those of what it replaces are gone."""
    put(s3, {"a": "1"})
    s3.put_object(Bucket=BUCKET, Key="copy", Body=b"", Tagging="old=1")

    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/a", **directives)

    assert expected == tags_of(s3, Key="copy")


def test_a_copy_with_wrong_tags_copies_nothing(s3):
    """An unknown directive and a wrong header are refused before anything is copied."""
    source = {"Bucket": BUCKET, "Key": "no-copy", "CopySource": f"{BUCKET}/a"}

    codes = [
        error(s3.copy_object, **source, **wrong)[0]["Code"]
        for wrong in ({"TaggingDirective": "MERGE"}, {"TaggingDirective": "REPLACE", "Tagging": "a=1&a=2"})
    ]

    assert ["InvalidArgument", "InvalidArgument"] == codes
    assert "NoSuchKey" == error(s3.get_object, Bucket=BUCKET, Key="no-copy")[0]["Code"]


def test_versions_have_tags_of_their_own(s3):
    """Tags belong to one version: the current one if none is named, and the answer says which."""
    first, second = (s3.put_object(Bucket=VERSIONED, Key="own", Body=body)["VersionId"] for body in (b"1", b"2"))

    old = put(s3, {"v": "1"}, Bucket=VERSIONED, Key="own", VersionId=first)["VersionId"]
    current = put(s3, {"v": "2"}, Bucket=VERSIONED, Key="own")["VersionId"]
    s3.delete_object_tagging(Bucket=VERSIONED, Key="own", VersionId=second)

    assert (first, second) == (old, current)
    assert ({"v": "1"}, {}) == tuple(tags_of(s3, Bucket=VERSIONED, Key="own", VersionId=version) for version in (first, second))


@pytest.mark.parametrize("operation", ["put_object_tagging", "get_object_tagging", "delete_object_tagging"])
@pytest.mark.parametrize("named", [False, True])
def test_a_delete_marker_has_no_tags(s3, operation, named):
    """A delete marker is refused as such, whether it is the current version or named (localstack#11180, getmoto/moto#9401)."""
    s3.put_object(Bucket=VERSIONED, Key="gone", Body=b"1")
    marker = s3.delete_object(Bucket=VERSIONED, Key="gone")["VersionId"]
    request = {"Bucket": VERSIONED, "Key": "gone"} | ({"VersionId": marker} if named else {})
    if operation == "put_object_tagging":
        request["Tagging"] = tag_set({"a": "1"})

    refused, status = error(getattr(s3, operation), **request)

    assert ("MethodNotAllowed", "DeleteMarker", 405) == (refused["Code"], refused["ResourceType"], status)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"Bucket": "amzn-s3-demo-none"}, ("NoSuchBucket", 404)),
        ({"Key": "none"}, ("NoSuchKey", 404)),
        ({"Bucket": VERSIONED, "Key": "some", "VersionId": "none"}, ("NoSuchVersion", 404)),
        ({"VersionId": "none"}, ("InvalidArgument", 400)),  # a bucket without versions has no such ids
    ],
)
def test_what_is_not_there(s3, named, expected):
    """Each operation says what is missing."""
    s3.put_object(Bucket=VERSIONED, Key="some", Body=b"1")
    request = {"Bucket": BUCKET, "Key": "a"} | named

    answers = [
        error(s3.get_object_tagging, **request),
        error(s3.delete_object_tagging, **request),
        error(s3.put_object_tagging, **request, Tagging=tag_set({"a": "1"})),
    ]

    assert [expected] * 3 == [(refused["Code"], status) for refused, status in answers]
