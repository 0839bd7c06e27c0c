"""What is written on objects: requests as the functions' own client sends them, and its answers."""

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from handlers.adapters import NotMarkedError, ObjectMarks
from handlers.domain import ObjectFacts, Video
from handlers.domain.consequence import ANNOTATION
from handlers.runtime import Clients
from tests.handlers.doubles import BUCKET
from tools.emulator.core import ManualClock
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

# XML holds none of the first three, whatever way they are written (XML 1.0, Char).
KEYS = ["a\x01b.mp4", "\x1f", "\ufffe.mp4", "tab\tand\r\nline.mp4", '<&>"é😀%41+.mp4']


@pytest.fixture(scope="module", name="world")
def _world(tmp_path_factory):
    with World(EmulatorSettings(), directory=tmp_path_factory.mktemp("world"), clock=ManualClock()) as world:
        world.client("s3").create_bucket(Bucket=BUCKET)
        yield world


@pytest.fixture(name="marks")
def _marks(world, monkeypatch):
    """The marks of a function in the world."""
    for name, value in world.environment().items():
        monkeypatch.setenv(name, value)
    # boto3's default session keeps the credentials with which it was first used, those of another world.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return ObjectMarks(Clients().s3)


def put(world, key):
    """Put an object, and return what HEAD says of it."""
    etag = world.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"film")["ETag"].strip('"')
    return ObjectFacts(etag, 4, None)


@pytest.mark.parametrize("key", KEYS)
def test_annotation(world, marks, key):
    """An annotation is written once, whatever characters the key has."""
    marks.annotate(Video(BUCKET, key), put(world, key), "verdict")

    written = world.client("s3").get_object_annotation(Bucket=BUCKET, Key=key, AnnotationName=ANNOTATION)
    assert b"verdict" == written["AnnotationPayload"].read()


def test_another_content(world, marks):
    """An annotation of a content that is not there is refused."""
    put(world, "a.mp4")

    with pytest.raises(NotMarkedError, match="changed"):
        marks.annotate(Video(BUCKET, "a.mp4"), ObjectFacts("another", 4, None), "verdict")


class _Raw:
    """The body of an answer."""

    def __init__(self, body):
        self._body = body

    def stream(self, **_):
        """Yield it."""
        yield self._body


@pytest.mark.parametrize("status", [200, 500])
def test_errors(world, marks, status):
    """An error is not taken for a written annotation, whatever the status that S3 gives it."""
    body = b'<?xml version="1.0"?><Error><Code>InternalError</Code></Error>'
    marks._client.meta.events.register(
        "before-send.s3.PutObjectAnnotation", lambda **_: AWSResponse("", status, {"content-type": "application/xml"}, _Raw(body))
    )

    with pytest.raises(ClientError, match="InternalError"):
        marks.annotate(Video(BUCKET, "a.mp4"), put(world, "a.mp4"), "verdict")
