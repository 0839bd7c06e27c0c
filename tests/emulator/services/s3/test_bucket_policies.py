"""Bucket policies in a world: users and functions are denied what they say, and nothing else."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.emulator.services.s3.refused import code
from tools.emulator.core import ManualClock
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

ACCOUNT = "111122223333"
BUCKET = "amzn-s3-demo-bucket"
ARN = f"arn:aws:s3:::{BUCKET}"
TAG = "Status"
KEYS = "s3:RequestObjectTagKeys"


class Bench:
    """A bucket, the account's user, and sessions of two roles."""

    def __init__(self, world):
        self.world = world
        self.user = world.client("s3")
        iam = world.client("iam")
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        self.roles = [
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"] for name in ("tagger", "reader")
        ]
        self.tagger, self.reader = map(self.session, self.roles)
        self.user.create_bucket(Bucket=BUCKET)

    def reset(self):
        """Leave the bucket without a policy, and with one object that has a tag."""
        self.user.delete_bucket_policy(Bucket=BUCKET)
        for listed in self.user.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
            self.user.delete_object(Bucket=BUCKET, Key=listed["Key"])
        self.user.put_object(Bucket=BUCKET, Key="a", Body=b"1", Tagging="x=1")

    def session(self, role, service="s3"):
        """Return a client that calls as a session of a role."""
        keys = self.world.keys.session(role, "function")
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=self.world.endpoint,
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
            aws_session_token=keys.session_token,
            config=Config(proxies={}),
        )

    def put(self, *statements):
        """Give the bucket a policy of statements that deny everybody, but for what they say."""
        usual = {"Effect": "Deny", "Principal": "*", "Resource": f"{ARN}/*"}
        document = {"Version": "2012-10-17", "Statement": [usual | statement for statement in statements]}
        self.user.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))

    def tag(self, client, **tags):
        """Tag the object."""
        tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
        client.put_object_tagging(Bucket=BUCKET, Key="a", Tagging={"TagSet": tag_set})


@pytest.fixture(scope="module", name="opened")
def _opened(tmp_path_factory):
    with World(EmulatorSettings(), directory=tmp_path_factory.mktemp("world"), clock=ManualClock()) as world:
        yield Bench(world)


@pytest.fixture(name="bench")
def _bench(opened):
    opened.reset()
    return opened


def test_a_policy_is_kept_as_it_was_put(bench):
    """A policy comes back until it is deleted."""
    missing = code(bench.user.get_bucket_policy, Bucket=BUCKET)
    bench.put({"Action": "s3:DeleteObject"})

    found = json.loads(bench.user.get_bucket_policy(Bucket=BUCKET)["Policy"])
    denied = code(bench.user.delete_object, Bucket=BUCKET, Key="a")
    bench.user.delete_bucket_policy(Bucket=BUCKET)

    assert ("NoSuchBucketPolicy", "s3:DeleteObject", "AccessDenied") == (missing, found["Statement"][0]["Action"], denied)
    assert ("NoSuchBucketPolicy", "") == (
        code(bench.user.get_bucket_policy, Bucket=BUCKET),
        code(bench.user.delete_object, Bucket=BUCKET, Key="a"),
    )


def test_a_wrong_policy_leaves_the_one_before(bench):
    """What S3 does not take, and what the offline world lacks, replaces nothing."""
    bench.put({"Action": "s3:DeleteObject"})
    wrong = [{"Action": "s3:Nothing"}, {"Action": "s3:GetObject", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/none"}}]

    codes = [_refused(bench, each) for each in wrong]
    missing = _refused(bench, {"Action": "s3:GetObject", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}})

    assert (["MalformedPolicy"] * 2, "NotImplemented") == (codes, missing)
    assert "AccessDenied" == code(bench.user.delete_object, Bucket=BUCKET, Key="a")


def _refused(bench, statement):
    return code(lambda: bench.put(statement))


def test_a_flagged_object_is_closed(bench):
    """Who is exempt reads a flagged object, everybody else gets 403, and HEAD has no body; others stay open."""
    exempt = {"ArnNotEquals": {"aws:PrincipalArn": bench.roles[1]}}
    flagged = {"StringEquals": {f"s3:ExistingObjectTag/{TAG}": "FLAGS_FOUND"}}
    bench.put({"Action": ["s3:GetObject", "s3:GetObjectVersion"], "Condition": exempt | flagged})
    request = {"Bucket": BUCKET, "Key": "a"}

    before = code(bench.user.get_object, **request)
    bench.tag(bench.user, **{TAG: "FLAGS_FOUND"})

    assert ("", "AccessDenied", "403") == (
        before,
        code(bench.user.get_object, **request),
        code(bench.user.head_object, **request),
    )
    assert ["", ""] == [code(call, **request) for call in (bench.reader.get_object, bench.reader.head_object)]
    assert "AccessDenied" == code(bench.user.copy_object, Bucket=BUCKET, Key="copy", CopySource=f"{BUCKET}/a")
    assert "" == code(bench.user.delete_object, **request)  # which cannot depend on tags


def test_the_message_says_who_and_what(bench):
    """Within the account, the error names requester, action, resource and the kind of policy [S3:troubleshoot-403-errors]."""
    bench.put({"Action": "s3:GetObject"})

    with pytest.raises(ClientError) as refused:
        bench.reader.get_object(Bucket=BUCKET, Key="a")

    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/function"
    assert refused.value.response["Error"]["Message"] == (
        f'User: {session} is not authorized to perform: s3:GetObject on resource: "{ARN}/a" '
        "with an explicit deny in a resource-based policy"
    )


def test_only_one_role_may_tag(bench):
    """A key is reserved for one role, in the body of PutObjectTagging and in the header of uploads; other tags are free."""
    condition = {"ForAnyValue:StringEquals": {KEYS: [TAG]}, "ArnNotEquals": {"aws:PrincipalArn": bench.roles[0]}}
    bench.put({"Action": ["s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:PutObject"], "Condition": condition})
    upload = {"Bucket": BUCKET, "Key": "b", "Body": b"1"}

    assert ["AccessDenied", ""] == [code(bench.user.put_object, **upload, Tagging=tags) for tags in (f"{TAG}=x", "y=x")]
    assert "AccessDenied" == code(bench.user.create_multipart_upload, Bucket=BUCKET, Key="b", Tagging=f"{TAG}=x")
    assert ["AccessDenied", "", ""] == [
        code(lambda client=client, tags=tags: bench.tag(client, **tags))
        for client, tags in ((bench.reader, {TAG: "1"}), (bench.reader, {"y": "1"}), (bench.tagger, {TAG: "1", "y": "1"}))
    ]


def test_a_copy_needs_permission_for_what_it_takes_along(bench):
    """Tags that a copy takes along must be readable; without them the copy is made."""
    bench.put({"Action": "s3:GetObjectTagging"})
    copy = {"Bucket": BUCKET, "Key": "copy", "CopySource": f"{BUCKET}/a"}

    assert ["AccessDenied", ""] == [code(bench.user.copy_object, **copy, TaggingDirective=one) for one in ("COPY", "REPLACE")]


def test_the_number_of_tags_needs_permission(bench):
    """HEAD tells the number of tags to those who may read the tags."""
    bench.put({"Action": "s3:GetObjectTagging", "Principal": {"AWS": bench.roles[1]}})

    counts = [client.head_object(Bucket=BUCKET, Key="a").get("TagCount") for client in (bench.user, bench.reader)]

    assert [1, None] == counts


def test_who_may_not_list_does_not_learn_what_is_missing(bench):
    """Reading a missing object is 403 instead of 404 for who may not list the bucket [S3API:API_HeadObject]."""
    before = [code(call, Bucket=BUCKET, Key="none") for call in (bench.user.get_object, bench.user.head_object)]

    bench.put({"Action": "s3:ListBucket", "Resource": ARN})

    after = [code(call, Bucket=BUCKET, Key="none") for call in (bench.user.get_object, bench.user.head_object)]
    assert (["NoSuchKey", "404"], ["AccessDenied", "403"]) == (before, after)
    assert "AccessDenied" == code(bench.user.list_objects_v2, Bucket=BUCKET)


def test_a_batch_of_deletions_is_checked_one_by_one(bench):
    """DeleteObjects deletes what may be deleted, and says for each other key that it may not."""
    for key in ("a&b", "c"):
        bench.user.put_object(Bucket=BUCKET, Key=key, Body=b"")
    bench.put({"Action": "s3:DeleteObject", "Resource": [f"{ARN}/a&b", f"{ARN}/a"]})

    some = bench.user.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in ("a&b", "c")]})
    none = bench.user.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "a"}]})

    assert (["c"], [("a&b", "AccessDenied")]) == (
        [each["Key"] for each in some["Deleted"]],
        [(each["Key"], each["Code"]) for each in some["Errors"]],
    )
    assert ("a", "Deleted" in none) == (none["Errors"][0]["Key"], False)


@pytest.mark.parametrize(
    ("action", "operation", "request_"),
    [
        ("s3:GetBucketLocation", "get_bucket_location", {}),
        ("s3:ListBucketVersions", "list_object_versions", {}),
        ("s3:ListBucket", "head_bucket", {}),
        ("s3:GetBucketNotification", "get_bucket_notification_configuration", {}),
        ("s3:GetBucketVersioning", "get_bucket_versioning", {}),
        ("s3:GetEncryptionConfiguration", "get_bucket_encryption", {}),
        ("s3:GetLifecycleConfiguration", "get_bucket_lifecycle_configuration", {}),
        ("s3:GetBucketRequestPayment", "get_bucket_request_payment", {}),
        ("s3:PutBucketTagging", "delete_bucket_tagging", {}),
        ("s3:GetBucketPolicy", "get_bucket_policy", {}),
        ("s3:DeleteBucket", "delete_bucket", {}),
        ("s3:DeleteObjectTagging", "delete_object_tagging", {"Key": "a"}),
        ("s3:GetObjectVersion", "get_object", {"Key": "a", "VersionId": "null"}),
        ("s3:DeleteObjectVersion", "delete_object", {"Key": "a", "VersionId": "null"}),
        ("s3:PutObjectAnnotation", "put_object_annotation", {"Key": "a", "AnnotationName": "n", "AnnotationPayload": b"1"}),
        ("s3:ListObjectAnnotations", "list_object_annotations", {"Key": "a"}),
        ("s3:GetObjectVersionAnnotation", "get_object_annotation", {"Key": "a", "AnnotationName": "n", "VersionId": "null"}),
    ],
)
def test_operations_need_their_actions(bench, action, operation, request_):
    """Each operation needs the action of S3's list, in its form for versions if one is named."""
    bench.put({"Action": action, "Resource": f"{ARN}/*" if "Key" in request_ else ARN})

    assert code(getattr(bench.user, operation), Bucket=BUCKET, **request_) in ("AccessDenied", "403")


def test_conditions_on_the_request(bench):
    """Headers and query of a request are condition keys; the world's plain HTTP stands for TLS."""
    bench.put(
        {"Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Action": "s3:PutObject", "Condition": {"StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption": "AES256"}}},
        {"Action": "s3:ListBucket", "Resource": ARN, "Condition": {"StringEquals": {"s3:prefix": "secret/"}}},
    )
    upload = {"Bucket": BUCKET, "Key": "b", "Body": b"1"}

    codes = [code(bench.user.put_object, **upload, ServerSideEncryption=one) for one in ("AES256", "aws:kms")]
    listed = [code(bench.user.list_objects_v2, Bucket=BUCKET, Prefix=one) for one in ("", "secret/")]

    assert (["", "AccessDenied"], ["", "AccessDenied"]) == (codes, listed)


def test_rekognition_reads_as_its_caller(bench):
    """Who may not read an object cannot have it analysed either; others can."""
    bench.put({"Action": "s3:GetObject", "Principal": {"AWS": bench.roles[1]}})
    video = {"Video": {"S3Object": {"Bucket": BUCKET, "Name": "a"}}}
    image = {"Image": video["Video"]}
    tagger, reader = (bench.session(role, "rekognition") for role in bench.roles)

    codes = [
        code(call, **request)
        for client in (tagger, reader)
        for call, request in ((client.start_content_moderation, video), (client.detect_moderation_labels, image))
    ]

    assert ["", "InvalidImageFormatException", "InvalidS3ObjectException", "InvalidS3ObjectException"] == codes
