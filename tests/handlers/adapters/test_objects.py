"""Objects as S3 describes them: what is requested, and what each refusal means."""

import io
from datetime import UTC, datetime

import pytest

from handlers.adapters import ThrottledError
from handlers.adapters.objects import CHECKS, ObjectStore
from handlers.domain.engine import Engine
from handlers.domain.identity import Video
from handlers.domain.objects import ObjectKind
from handlers.domain.record import ObjectFacts
from tests.handlers.doubles import MP4, client_error, time_out
from tests.tools.estimate.headers import by_hand

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
