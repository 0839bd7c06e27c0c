"""Tags and annotations of objects: which calls S3 gets, in which order, and what becomes of each of its answers."""

import pytest

from handlers.adapters.aws_errors import ThrottledError
from handlers.adapters.object_marks import CONTENT_UNKNOWN, TAGS_FULL, NotMarkedError, ObjectMarks
from handlers.domain import reasons
from handlers.domain.consequence import ANNOTATION, TAG_KEY, ObjectStatus
from handlers.domain.identity import Video
from handlers.domain.record import ObjectFacts
from tests.handlers.doubles import BUCKET, client_error, time_out

FLAGGED, CLEAN, FAILED = ObjectStatus.FLAGS_FOUND, ObjectStatus.NO_FLAGS_FOUND, ObjectStatus.FAILED
PLAIN = Video(BUCKET, "a.mp4")
FACTS = ObjectFacts("abc", 3, None)
NAMED = {"Bucket": BUCKET, "Key": "a.mp4"}
OTHERS = {"owner": "Ada", "zone": "b"}
HEAD, GET, PUT = "head_object", "get_object_tagging", "put_object_tagging"


class S3:
    """One object: its etags and versions one after another (the last one stays), and its tags.

    `overwrites` are what another writer sets, one after each of our writes; `errors` are raised by operation.
    """

    def __init__(self, etags=("abc",), version=None, tags=(), overwrites=()):
        self.etags, self.version, self.tags, self.overwrites = list(etags), version, dict(tags), list(overwrites)
        self.calls, self.errors = [], {}

    def _called(self, operation, request):
        self.calls.append((operation, request))
        if operation in self.errors:
            raise self.errors[operation]

    def head_object(self, **request):
        """Describe the content that is there."""
        self._called(HEAD, request)
        etag = self.etags.pop(0) if len(self.etags) > 1 else self.etags[0]
        return {"ETag": f'"{etag}"', **({"VersionId": self.version} if self.version else {})}

    def get_object_tagging(self, **request):
        """Return the tags."""
        self._called(GET, request)
        return {"TagSet": [{"Key": key, "Value": value} for key, value in self.tags.items()]}

    def put_object_tagging(self, Tagging, **request):  # noqa: N803
        """Replace the tags, after which another writer may."""
        self._called(PUT, request)
        assert {"TagSet"} == set(Tagging)
        self.tags = {tag["Key"]: tag["Value"] for tag in Tagging["TagSet"]}
        if self.overwrites:
            self.tags = self.overwrites.pop(0)

    def put_object_annotation(self, **request):
        """Keep the annotation."""
        self._called("put_object_annotation", request)

    @property
    def operations(self):
        """The names of the calls, in order."""
        return [name for name, _ in self.calls]


def tag(s3, status=FLAGGED, *, video=PLAIN, facts=FACTS, known=()):
    """Tag an object; `known` are the statuses of other contents by their etags."""
    ObjectMarks(s3).tag(video, facts, status, dict(known).get)


def refusal(s3, *arguments, **named):
    """Return the reason for which an object is not tagged."""
    with pytest.raises(NotMarkedError) as raised:
        tag(s3, *arguments, **named)
    assert raised.value.reason == str(raised.value)
    return raised.value.reason


@pytest.mark.parametrize(
    ("video", "version", "named"),
    [
        (Video(BUCKET, "a.mp4", "v1"), None, {"VersionId": "v1"}),
        (PLAIN, "v2", {"VersionId": "v2"}),
        (Video(BUCKET, "a.mp4", "v1"), "v2", {"VersionId": "v2"}),
    ],
)
@pytest.mark.parametrize("status", [FLAGGED, CLEAN])
def test_a_version(video, version, named, status):
    """A version is tagged by itself: no content is looked at, other tags stay, and whatever the tag says it is read back."""
    s3 = S3(tags=OTHERS)

    tag(s3, status, video=video, facts=ObjectFacts("abc", 3, version))

    assert [(name, NAMED | named) for name in (GET, PUT, GET)] == s3.calls
    assert {**OTHERS, TAG_KEY: status.value} == s3.tags


@pytest.mark.parametrize(("status", "read_back"), [(FLAGGED, [GET]), (FAILED, [GET]), (CLEAN, [])])
@pytest.mark.parametrize("version", [None, "null"])
def test_without_versions(status, read_back, version):
    """Without versions the content is looked at before and after; only that it is clean is not worth reading back."""
    s3, named = S3(version=version, tags=OTHERS), {"VersionId": "null"} if version else {}

    tag(s3, status, facts=ObjectFacts("abc", 3, version))

    assert [(name, NAMED | named) for name in (HEAD, GET, PUT, *read_back, HEAD)] == s3.calls
    assert {**OTHERS, TAG_KEY: status.value} == s3.tags


def test_versions_by_now():
    """A content that has a version by now is tagged in that one, which no other content can take the place of."""
    s3 = S3(version="v1")

    tag(s3, CLEAN)

    assert [(HEAD, NAMED), *[(name, NAMED | {"VersionId": "v1"}) for name in (GET, PUT, GET)]] == s3.calls


def test_tagged_already():
    """A tag that is right is not written again."""
    s3 = S3(tags={TAG_KEY: FLAGGED.value})

    tag(s3)

    assert [HEAD, GET, HEAD] == s3.operations


@pytest.mark.parametrize("overwritten", [0, 1, 2])
def test_overwritten(overwritten):
    """A tag that another writer replaces is written again, among that one's tags, three times in all."""
    s3 = S3(tags=OTHERS, overwrites=[{"round": str(number)} for number in range(overwritten)])

    tag(s3)

    assert overwritten + 1 == s3.operations.count(PUT)
    assert {**({"round": str(overwritten - 1)} if overwritten else OTHERS), TAG_KEY: FLAGGED.value} == s3.tags


def test_overwritten_for_ever():
    """Where the third is replaced, too, the tag comes later."""
    s3 = S3(overwrites=[{}, {}, {}])

    with pytest.raises(ThrottledError, match="another writer replaced the tags 3 times"):
        tag(s3)

    assert [HEAD, *[GET, PUT] * 3, GET] == s3.operations


@pytest.mark.parametrize(("count", "is_full"), [(9, False), (10, True)])
def test_full(count, is_full):
    """Ten tags are the most: what has nine of others gets ours, what has ten stays as it is."""
    tags = {str(number): "" for number in range(count)}
    s3 = S3(tags=tags)

    if is_full:
        assert TAGS_FULL == refusal(s3)
    else:
        tag(s3)

    assert (tags if is_full else {**tags, TAG_KEY: FLAGGED.value}) == s3.tags


@pytest.mark.parametrize("tags", [{}, OTHERS, {TAG_KEY: CLEAN.value}])
def test_another_content(tags):
    """Another content, untagged or tagged as its own record says, is left as it is."""
    s3 = S3(["def"], tags=tags)

    assert reasons.CHANGED == refusal(s3, known={"def": CLEAN})

    assert ([HEAD, GET], tags) == (s3.operations, s3.tags)


@pytest.mark.parametrize("status", [CLEAN, FAILED, None])
def test_a_tag_of_another_content(status):
    """A tag that is not that of the content that is there becomes the one that it has by its record, or none; others stay."""
    s3 = S3(["def"], tags={**OTHERS, TAG_KEY: FLAGGED.value})

    assert reasons.CHANGED == refusal(s3, known={"def": status} if status else {})

    assert [HEAD, GET, PUT, HEAD, GET] == s3.operations
    assert {**OTHERS, **({TAG_KEY: status.value} if status else {})} == s3.tags


def test_replaced_while_it_is_tagged():
    """A content that is put between our two looks does not keep the tag."""
    s3 = S3(["abc", "def"])

    assert reasons.CHANGED == refusal(s3)

    assert [HEAD, GET, PUT, GET, HEAD, GET, PUT, HEAD, GET] == s3.operations
    assert {} == s3.tags


def test_replaced_while_it_is_corrected():
    """What is corrected may be replaced as well: the next content's tag is put right by its own record."""
    s3 = S3(["def", "ghi"], tags={TAG_KEY: FAILED.value})

    assert reasons.CHANGED == refusal(s3, known={"def": FLAGGED, "ghi": CLEAN})

    assert {TAG_KEY: CLEAN.value} == s3.tags


def test_replaced_for_ever():
    """Where that happens three times, the tag comes later."""
    s3 = S3(["1", "2", "3", "4"], tags={TAG_KEY: FAILED.value})

    with pytest.raises(ThrottledError, match="another content was put in its place 3 times"):
        tag(s3, known={"1": FLAGGED, "2": CLEAN, "3": FLAGGED, "4": CLEAN})

    assert [HEAD, *[GET, PUT, HEAD] * 3] == s3.operations


def test_unknown():
    """What was never looked at may have become another content: neither tagged nor annotated."""
    s3 = S3()

    assert CONTENT_UNKNOWN == refusal(s3, facts=None)
    with pytest.raises(NotMarkedError, match=CONTENT_UNKNOWN):
        ObjectMarks(s3).annotate(PLAIN, None, "{}")

    assert [] == s3.calls


def test_a_version_that_was_never_looked_at():
    """The content of a version is known by its name."""
    s3 = S3()

    tag(s3, video=Video(BUCKET, "a.mp4", "v1"), facts=None)

    assert {TAG_KEY: FLAGGED.value} == s3.tags


@pytest.mark.parametrize(("version", "named"), [(None, {}), ("v1", {"VersionId": "v1"})])
def test_annotation(version, named):
    """An annotation is written if the object still has its etag, in its version if it has one."""
    s3 = S3()

    ObjectMarks(s3).annotate(PLAIN, ObjectFacts("abc", 3, version), '{"é":1}')

    text = {"AnnotationName": ANNOTATION, "AnnotationPayload": '{"é":1}'.encode(), "ObjectIfMatch": '"abc"'}
    assert [("put_object_annotation", {**NAMED, **named, **text})] == s3.calls


@pytest.mark.parametrize("operation", [HEAD, GET, PUT])
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (client_error("404", 404), "NoSuchKey"),
        (client_error("405", 405), "NoSuchKey"),
        (client_error("403", 403), "AccessDenied"),
        (client_error("400"), "400"),
        (client_error("NoSuchKey", 404), "NoSuchKey"),
        (client_error("NoSuchVersion", 404), "NoSuchVersion"),
        (client_error("AccessDenied", 403), "AccessDenied"),
        (client_error("InvalidTag"), "InvalidTag"),
        (client_error("PreconditionFailed", 412), reasons.CHANGED),
        (client_error("412", 412), reasons.CHANGED),
    ],
)
def test_refused(operation, error, reason):
    """Each call that S3 refuses for good says why: by AWS's code, and by its name where HEAD gives a bare status."""
    s3 = S3()
    s3.errors[operation] = error

    assert reason == refusal(s3)


@pytest.mark.parametrize("operation", [HEAD, GET, PUT])
@pytest.mark.parametrize("error", [client_error("SlowDown", 503), client_error("InternalError", 500), client_error("503", 503)])
def test_what_may_pass(operation, error):
    """What may pass by itself is raised as it came."""
    s3 = S3()
    s3.errors[operation] = error

    with pytest.raises(type(error)) as raised:
        tag(s3)

    assert error is raised.value


def test_no_answer():
    """So is a call without an answer."""
    s3, error = S3(), time_out()
    s3.errors[HEAD] = error

    with pytest.raises(type(error)):
        tag(s3)


@pytest.mark.parametrize("code", ["OperationAborted", "ConditionalRequestConflict"])
def test_conflict(code):
    """Another request that changes the same object at the moment is waited for."""
    s3 = S3()
    s3.errors[PUT] = client_error(code, 409)

    with pytest.raises(ThrottledError, match=code):
        tag(s3)
