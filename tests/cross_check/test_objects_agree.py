"""Our S3 and ministack's, given the same requests about tags and annotations of objects: what publish_verdict relies on.

Compared are error codes, and answers without times, request ids and checksums, which each server computes by algorithms of its own
choice. Where they are known to differ, and who is right:

| call | ours | ministack | AWS |
|---|---|---|---|
| put a tag twice, or with a key of 129 or a value of 257 characters | InvalidTag | put | InvalidTag [API: PutObjectTagging] |
| put another object without versions | no tags | the tags of the one before | the tags that the put brings [API: PutObject] |
| tags under a delete marker | MethodNotAllowed | NoSuchKey | MethodNotAllowed (1) |

(1) localstack/localstack #11180, getmoto/moto #9401. Each of these is asked, too, so that it is seen when it is no more.
"""

import pytest

from tests.cross_check.both import answer

pytestmark = pytest.mark.long

PLAIN, VERSIONED = "amzn-s3-demo-plain", "amzn-s3-demo-versions"
KEY = 'films/=1+1, "<b>" é🎬.mp4'
NAME = "video-moderation.verdict"
ETAG, OTHER_ETAG = '"900150983cd24fb0d6963f7d28e17f72"', '"00000000000000000000000000000000"'  # MD5 of "abc" (RFC 1321), and none
_VERSION = ("ObjectVersionId", "VersionId")
MADE_UP = ("LastModified", "ChecksumType", "ChecksumCRC32", "ChecksumCRC64NVME", "ServerSideEncryption", "ReplicationStatus")


def tagging(count, value="a"):
    """Return a set of tags, as many as are named."""
    return {"TagSet": [{"Key": f"tag{number}", "Value": value} for number in range(count)]}


GONE = (
    ("get_object_tagging", {}),
    ("put_object_tagging", {"Tagging": tagging(1)}),
    ("put_object_annotation", {"AnnotationName": NAME, "AnnotationPayload": b"{}"}),
    ("get_object_annotation", {"AnnotationName": NAME}),
)


def plain(value):
    """Return an answer as what is compared: without what a server makes up, tags and annotations in order of their names."""
    if hasattr(value, "read"):
        return value.read()
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items() if name not in MADE_UP and not name.startswith("Checksum")}
    if isinstance(value, list):
        return sorted((plain(each) for each in value), key=str)
    return value


@pytest.fixture(scope="module", name="clients")
def _clients(ministack_server, emulator_world):
    """Return a client of each, with both buckets."""
    clients = [server.client("s3") for server in (emulator_world, ministack_server)]
    for client in clients:
        for bucket in (PLAIN, VERSIONED):
            client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    return clients


class Both:
    """An object in both servers, and its version in each: the same content in a bucket, under one key."""

    def __init__(self, clients, bucket):
        self._clients = clients
        self._named = {"Bucket": bucket, "Key": KEY}
        self.versions = [client.put_object(**self._named, Body=b"abc").get("VersionId") for client in clients]

    def ask(self, operation, **parameters):
        """Return what both answer to a call, and that it is the same."""
        ours, theirs = self.answers(operation, **parameters)
        assert ours == theirs, operation
        return ours

    def answers(self, operation, *, of_version=False, **parameters):
        """Return what each answers to a call; with `of_version` it names the version."""
        named = [{"VersionId": version} if of_version else {} for version in self.versions]
        return [
            plain(self._without_version(answer(client, operation, **self._named, **parameters, **version)))
            for client, version in zip(self._clients, named, strict=True)
        ]

    def _without_version(self, given):
        """Return an answer that says whether it names the version of the object, not how each server calls it."""
        return {name: each in self.versions if name in _VERSION else each for name, each in given.items()}


@pytest.fixture(name="both", params=[PLAIN, VERSIONED])
def _both(clients, request):
    return Both(clients, request.param)


def test_tags_are_replaced_as_a_whole(both):
    """A set of tags replaces the one before it, and the empty set takes all away; what was put is read."""
    assert [] == both.ask("get_object_tagging")["TagSet"]
    for tags in (tagging(3), tagging(1, "b"), tagging(10), {"TagSet": []}, tagging(2)):
        both.ask("put_object_tagging", Tagging=tags)
        assert tags["TagSet"] == both.ask("get_object_tagging")["TagSet"]
    both.ask("delete_object_tagging")
    assert [] == both.ask("get_object_tagging")["TagSet"]


def test_eleven_tags(both):
    """Eleven tags are refused alike, and change nothing."""
    both.ask("put_object_tagging", Tagging=tagging(1))

    assert "error" in both.ask("put_object_tagging", Tagging=tagging(11))
    assert tagging(1)["TagSet"] == both.ask("get_object_tagging")["TagSet"]


@pytest.mark.parametrize(
    "tags",
    [
        [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}],
        [{"Key": "k" * 129, "Value": "1"}],
        [{"Key": "k", "Value": "v" * 257}],
    ],
    ids=["twice", "long key", "long value"],
)
def test_tags_that_ministack_takes(both, tags):
    """Of tags that AWS refuses ministack checks the number alone."""
    ours, theirs = both.answers("put_object_tagging", Tagging={"TagSet": tags})

    assert ({"error": "InvalidTag"}, False) == (ours, "error" in theirs)


def test_versions_keep_their_tags(clients):
    """With versions the new one has no tags, and the older one keeps its own."""
    versioned = Both(clients, VERSIONED)
    versioned.ask("put_object_tagging", Tagging=tagging(1))

    versioned.ask("put_object", Body=b"new")

    assert [] == versioned.ask("get_object_tagging")["TagSet"]
    assert tagging(1)["TagSet"] == versioned.ask("get_object_tagging", of_version=True)["TagSet"]


def test_new_content_without_versions(clients):
    """In ours an object that is overwritten loses its tags, as on AWS; in ministack the new one has them."""
    both = Both(clients, PLAIN)
    both.ask("put_object_tagging", Tagging=tagging(1))
    both.ask("put_object", Body=b"new")

    ours, theirs = both.answers("get_object_tagging")

    assert ([], tagging(1)["TagSet"]) == (ours["TagSet"], theirs["TagSet"])


def test_annotations(both):
    """An annotation is listed and read as it was put, the last one counts, and a deleted one is gone, also twice."""
    assert "error" in both.ask("get_object_annotation", AnnotationName=NAME)
    for payload in (b'{"a": 1}', b'{"a": 2}'):
        both.ask("put_object_annotation", AnnotationName=NAME, AnnotationPayload=payload)
        assert payload == both.ask("get_object_annotation", AnnotationName=NAME)["AnnotationPayload"]
    assert [NAME] == [each["AnnotationName"] for each in both.ask("list_object_annotations")["Annotations"]]
    both.ask("delete_object_annotation", AnnotationName=NAME)
    both.ask("delete_object_annotation", AnnotationName=NAME)
    assert [] == both.ask("list_object_annotations").get("Annotations", [])


def test_object_if_match(both):
    """With ObjectIfMatch an annotation is written if the object has that ETag, and refused alike if it has another one."""
    put = {"AnnotationName": NAME, "AnnotationPayload": b"{}"}

    assert "error" not in both.ask("put_object_annotation", **put, ObjectIfMatch=ETAG)
    assert {"error": "PreconditionFailed"} == both.ask("put_object_annotation", **put, ObjectIfMatch=OTHER_ETAG)


def test_of_what_is_gone(clients):
    """Tags and annotations of an object that was deleted are refused alike."""
    both = Both(clients, PLAIN)
    both.ask("delete_object")

    for operation, parameters in GONE:
        assert {"error": "NoSuchKey"} == both.ask(operation, **parameters)


def test_under_a_delete_marker(clients):
    """Both refuse, ours by AWS's code."""
    both = Both(clients, VERSIONED)
    both.ask("delete_object")

    for operation, parameters in GONE[:2]:
        assert [{"error": "MethodNotAllowed"}, {"error": "NoSuchKey"}] == both.answers(operation, **parameters)
