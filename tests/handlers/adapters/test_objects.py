"""Objects as S3 describes them: what is requested, and what each refusal means."""

import io
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from handlers.adapters import ThrottledError
from handlers.adapters.objects import CHECKS, ObjectError, ObjectStore, OutOfTimeError
from handlers.domain.engine import Engine
from handlers.domain.identity import Video
from handlers.domain.objects import ObjectKind
from handlers.domain.record import ObjectFacts
from tests.handlers.doubles import MP4, are_growing_waits, client_error, time_out
from tests.tools.estimate.headers import by_hand, file_of

HEAD = {"ETag": '"abc"', "ContentLength": len(MP4), "LastModified": datetime.fromtimestamp(5, UTC)}


class S3:
    """An object: what HEAD answers, its bytes, and errors that come first."""

    def __init__(self, body=MP4, **head):
        self.head = {**HEAD, "ContentLength": len(body), **head}
        self.body = body
        self.errors = {}
        self.calls = []

    def _called(self, name, request):
        self.calls.append((name, request))
        if self.errors.get(name):
            raise self.errors[name].pop(0)

    def head_object(self, **request):
        """Describe it."""
        self._called("head", request)
        return self.head

    def get_object(self, **request):
        """Return it, whatever range is requested."""
        self._called("get", request)
        return {"Body": io.BytesIO(self.body)}


@pytest.mark.parametrize(
    ("version", "named"), [(None, {"Bucket": "b", "Key": "a"}), ("v1", {"Bucket": "b", "Key": "a", "VersionId": "v1"})]
)
def test_requests(version, named):
    """HEAD and the first kilobyte are of the version, and the bytes must be those that HEAD described."""
    s3 = S3(VersionId="v1")

    look = ObjectStore(s3).look(Video("b", "a", version))

    assert [("head", named), ("get", {**named, "Range": "bytes=0-1023", "IfMatch": '"abc"'})] == s3.calls
    assert (ObjectFacts("abc", len(MP4), "v1", 5.0), None) == (look.facts, look.problem)


def test_without_a_time():
    """A store that does not say when an object was put is taken as it is."""
    s3 = S3()
    del s3.head["LastModified"]

    assert ObjectFacts("abc", len(MP4), None, None) == ObjectStore(s3).look(Video("b", "a")).facts


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ({"ContentLength": 0}, "empty"),
        ({"ContentLength": 11 * 1024**3}, "too-large"),
        ({"StorageClass": "GLACIER"}, "archived"),
        ({"StorageClass": "GLACIER", "Restore": 'ongoing-request="true"'}, "archived"),
        ({"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": "ARCHIVE_ACCESS"}, "archived"),
        ({"StorageClass": "GLACIER", "Restore": 'ongoing-request="false", expiry-date="x"'}, None),
        ({"StorageClass": "GLACIER_IR"}, None),
    ],
)
def test_ineligible(head, code):
    """What HEAD says against an object is found without reading it."""
    s3 = S3(**head)

    look = ObjectStore(s3).look(Video("b", "a"))

    assert code == (look.problem and look.problem.code)
    assert (code is None) == ("get" in [name for name, _ in s3.calls])
    assert look.facts is not None


@pytest.mark.parametrize("code", ["412", "416"])
def test_replaced_while_its_header_is_read(code):
    """A header is that of the object that HEAD described: if it was replaced, it is looked at anew."""
    s3 = S3(by_hand(entry=b"hvc1"))
    store = ObjectStore(s3)
    whole = s3.get_object

    def second_fails(**request):
        if len(s3.calls) == 2:
            s3.errors = {"get": [client_error(code, int(code))]}
        return whole(**request)

    s3.get_object = second_fails

    look = store.look(Video("b", "a"), others=Engine.FRAMES)

    assert ["head", "get", "get", "head", "get", "get"] == [name for name, _ in s3.calls]
    assert ObjectKind.OTHER_VIDEO is look.kind
    assert {'"abc"'} == {request["IfMatch"] for name, request in s3.calls if name == "get"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (by_hand(), ObjectKind.VIDEO),
        (by_hand(entry=b"hvc1") + by_hand()[16:], ObjectKind.VIDEO),
        (by_hand(entry=b"hvc1", handler=b"soun"), ObjectKind.VIDEO),
        (by_hand(entry=b"hvc1")[:200], ObjectKind.VIDEO),
        (by_hand(entry=b"hvc1"), ObjectKind.OTHER_VIDEO),
    ],
    ids=["H.264", "two headers", "sound", "cut off", "HEVC"],
)
def test_only_a_certain_codec_makes_a_video_another(body, kind):
    """What is not certain stays with the video API, by the same rules as in a plan."""
    assert kind is ObjectStore(S3(body)).look(Video("b", "a"), others=Engine.FRAMES).kind


def test_not_a_video():
    """An object whose first bytes are certainly something else is not a video."""
    look = ObjectStore(S3(b"\xff\xd8\xff\xe0" + bytes(2_000))).look(Video("b", "a"))

    assert "not-a-video" == look.problem.code
    assert "by its first bytes" in look.problem.message


@pytest.mark.parametrize("call", ["head", "get"])
@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("404", 404, "missing"),
        ("NoSuchKey", 404, "missing"),
        ("NoSuchVersion", 404, "missing"),
        ("405", 405, "missing"),
        ("403", 403, "forbidden"),
        ("AccessDenied", 403, "forbidden"),
        ("InvalidObjectState", 403, "archived"),
        ("400", 400, "unreadable"),
        ("InvalidArgument", 400, "InvalidArgument"),
    ],
)
def test_refusals(call, code, status, reason):
    """A refusal that is about the object is its problem, with AWS's words where they say more; nothing is known of it then."""
    s3 = S3()
    s3.errors = {call: [client_error(code, status)]}

    look = ObjectStore(s3).look(Video("b", "a"))

    assert (None, reason) == (look.facts, look.problem.code)
    if reason in {"missing", "forbidden", "InvalidArgument"}:
        assert f"said {code}" in look.problem.message


@pytest.mark.parametrize(
    "error", [client_error("SlowDown", 503), client_error("InternalError", 500), client_error("Odd"), time_out()]
)
def test_raised(error):
    """What passes, or is not known, is no problem of the object: it is raised."""
    s3 = S3()
    s3.errors = {"head": [error]}

    with pytest.raises(type(error)):
        ObjectStore(s3).look(Video("b", "a"))


@pytest.mark.parametrize(("times", "looks"), [(1, 2), (2, 3), (3, None)])
@pytest.mark.parametrize("code", ["412", "416"])
def test_replaced_meanwhile(times, looks, code):
    """An object that is replaced between the two requests is looked at anew, three times in all."""
    s3 = S3()
    s3.errors = {"get": [client_error(code, int(code))] * times}
    store = ObjectStore(s3)

    if looks is None:
        with pytest.raises(ThrottledError, match="3 times"):
            store.look(Video("b", "a"))
    else:
        assert store.look(Video("b", "a")).problem is None

    assert (looks or CHECKS) == [name for name, _ in s3.calls].count("head")


# --- how long a video is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (by_hand(seconds=90), 90_000),
        (by_hand(seconds=90, entry=b"hvc1"), 90_000),
        (by_hand(seconds=7 * 3_600), 21_600_000),
        (file_of(), None),
        (MP4, None),
        (b"GIF89a" + bytes(2_000), None),
    ],
)
def test_length(body, expected):
    """A film is as long as its header says in any codec, six hours at most; what has no film has no length."""
    s3 = S3(body)

    assert expected == ObjectStore(s3).length_ms(Video("b", "a", "v1"), ObjectFacts("abc", len(body), "v1"))

    assert {("b", "a", "v1", '"abc"')} == {
        (asked["Bucket"], asked["Key"], asked["VersionId"], asked["IfMatch"]) for _, asked in s3.calls
    }


@pytest.mark.parametrize(("error", "passes"), [(client_error("SlowDown", 503), True), (client_error("412", 412), False)])
def test_length_that_cannot_be_read(error, passes):
    """An error that passes is raised; after any other the length is not known."""
    s3 = S3()
    s3.errors = {"get": [error]}
    store = ObjectStore(s3)

    if passes:
        with pytest.raises(ClientError):
            store.length_ms(Video("b", "a"), ObjectFacts("abc", 3, None))
    else:
        assert store.length_ms(Video("b", "a"), ObjectFacts("abc", 3, None)) is None


# --- reading by ranges --------------------------------------------------------------------------------------------------


@pytest.fixture(name="ranges")
def _ranges(clock):
    """Return a function that opens an object of 100 bytes for ten seconds."""

    def ranges(s3, video=None, version=None):
        facts = ObjectFacts("abc", 100, version)
        return ObjectStore(s3).ranges(video or Video("b", "a"), facts, clock, until=clock.now() + 10)

    return ranges


@pytest.mark.parametrize(
    ("offset", "length", "asked"),
    [
        (0, 8, "bytes=0-7"),
        (99, 1, "bytes=99-99"),
        (90, 10, "bytes=90-99"),
        (90, 11, "bytes=90-99"),
        (100, 1, None),
        (5, 0, None),
        (101, 5, None),
    ],
)
def test_range(ranges, offset, length, asked):
    """A range ends where the object does, and an empty one is not requested."""
    s3 = S3(b"x")

    assert (b"x" if asked else b"") == ranges(s3).read(offset, length)
    assert ([asked] if asked else []) == [request["Range"] for _, request in s3.calls]


@pytest.mark.parametrize(
    ("video", "facts", "named"), [(None, None, {}), ("v1", None, {"VersionId": "v1"}), ("v1", "v2", {"VersionId": "v2"})]
)
def test_range_of_a_version(ranges, video, facts, named):
    """What is read is the version that was looked at, and only as it was then."""
    s3 = S3()

    found = ranges(s3, Video("b", "a", video), facts)
    found.read(0, 1)

    assert 100 == found.size
    assert [("get", {"Bucket": "b", "Key": "a", **named, "Range": "bytes=0-0", "IfMatch": '"abc"'})] == s3.calls


@pytest.mark.parametrize(("seconds", "is_read"), [(10.0, True), (10.001, False)])
def test_range_in_time(ranges, clock, seconds, is_read):
    """Reading begins up to the last moment, and then no more."""
    found = ranges(S3(b"x"))
    clock.time += seconds

    if is_read:
        assert b"x" == found.read(0, 1)
    else:
        with pytest.raises(OutOfTimeError):
            found.read(0, 1)


@pytest.mark.parametrize("error", [client_error("SlowDown", 503), client_error("ThrottlingException"), time_out()])
@pytest.mark.parametrize(("failures", "is_read"), [(2, True), (3, False)])
def test_range_that_fails_for_a_while(ranges, clock, error, failures, is_read):
    """What passes by itself is waited for, three reads in all, and then raised as it is."""
    s3 = S3(b"x")
    s3.errors = {"get": [error] * failures}

    if is_read:
        assert b"x" == ranges(s3).read(0, 1)
    else:
        with pytest.raises(type(error)):
            ranges(s3).read(0, 1)

    assert 3 == len(s3.calls)
    assert are_growing_waits(clock.slept, base=0.4, cap=2.0)
    assert 2 == len(clock.slept)


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("NoSuchKey", 404, "missing"),
        ("AccessDenied", 403, "forbidden"),
        ("412", 412, "changed"),
        ("416", 416, "changed"),
        ("InvalidObjectState", 403, "archived"),
    ],
)
def test_range_that_is_refused(ranges, clock, code, status, reason):
    """What does not pass is the object's problem, at once."""
    s3 = S3()
    s3.errors = {"get": [client_error(code, status)]}

    with pytest.raises(ObjectError) as refused:
        ranges(s3).read(0, 1)

    assert (reason, []) == (refused.value.problem.code, clock.slept)


@pytest.mark.parametrize("error", [client_error("NeverHeardOf"), NoCredentialsError()])
def test_range_and_a_fault_of_ours(ranges, clock, error):
    """Any other error is raised, at once."""
    s3 = S3()
    s3.errors = {"get": [error]}

    with pytest.raises(type(error)):
        ranges(s3).read(0, 1)

    assert (1, []) == (len(s3.calls), clock.slept)
