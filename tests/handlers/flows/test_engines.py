"""Registration chooses what looks at an object: the engine of its scan, frames for images, and for others where asked for."""

import pytest

from handlers.adapters.objects import ObjectStore
from handlers.adapters.queue import LaneQueues
from handlers.domain import reasons
from handlers.domain.engine import Engine
from handlers.domain.languages import LANGUAGES
from handlers.domain.mail import flagged_mail
from handlers.domain.record import Record
from handlers.domain.states import Lane, State
from handlers.flows.register import RegisterFlow
from handlers.flows.registration import Registration
from tests.handlers.doubles import BUCKET, MP4, SCAN, batch_event, waiting
from tests.handlers.flows.test_sample import DiedError
from tests.handlers.flows.test_sample_killed import Deadly, Death
from tests.tools.estimate.headers import box, by_hand

JPEG = b"\xff\xd8\xff\xe0" + bytes(2_000)
MATROSKA = b"\x1a\x45\xdf\xa3" + bytes(2_000)
AVIF = b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1avif" + bytes(2_000)


@pytest.fixture(name="register")
def _register(table, sqs, urls, s3, clock):
    """Return a function that registers an object in a deployment with frames, or without; it returns record, result, lanes."""

    def register(body, *, frames=True, **arguments):
        s3.put_object(Bucket=BUCKET, Key="a.bin", Body=body)
        lanes = urls if frames else {lane: urls[lane] for lane in (Lane.NORMAL, Lane.EXPRESS)}
        registration = Registration(table.records, ObjectStore(s3, images=frames), LaneQueues(sqs, lanes), clock)
        answer = RegisterFlow(registration, table.scans, clock).respond(batch_event("a.bin", **arguments))
        return table.records.record(waiting("a.bin").video.id, SCAN), answer["results"][0]

    return register


@pytest.mark.parametrize("body", [MP4, MATROSKA])
def test_video_engine(register, messages, body):
    """A film of a scan by the video API goes into its lane, in whatever format, unless others are to go by frames."""
    record, _ = register(body)

    assert (Engine.VIDEO, None, Lane.NORMAL) == (record.engine, record.interval_ms, record.lane)
    assert (1, 0) == (len(messages(Lane.NORMAL)), len(messages(Lane.FRAMES)))


def test_frames(register, messages):
    """A film of a scan by frames goes into the lane of frames that is as urgent, with its interval."""
    record, _ = register(MP4, engine="frames", interval_ms="2000", lane="express")

    assert (Engine.FRAMES, 2_000, Lane.FRAMES_EXPRESS) == (record.engine, record.interval_ms, record.lane)
    assert 1 == len(messages(Lane.FRAMES_EXPRESS))


@pytest.mark.parametrize(("body", "engine"), [(MP4, Engine.VIDEO), (MATROSKA, Engine.FRAMES)])
def test_others(register, body, engine):
    """With others by frames, a film in a format that the video API does not take goes by frames."""
    record, _ = register(body, engine="video", interval_ms="5000", others="frames")

    assert engine is record.engine


@pytest.mark.parametrize(
    ("entry", "engine"),
    [
        (b"hvc1", Engine.FRAMES),
        (b"av01", Engine.FRAMES),
        (b"vp09", Engine.FRAMES),
        (b"apch", Engine.FRAMES),
        (b"DX50", Engine.FRAMES),
        (b"avc1", Engine.VIDEO),
        (b"odd1", Engine.VIDEO),
    ],
)
@pytest.mark.parametrize("is_behind", [False, True])
def test_other_codecs(register, entry, engine, is_behind):
    """With others by frames, an MP4 file whose header certainly shows another codec than H.264 goes by frames, wherever that is."""
    body = by_hand(entry=entry)
    if is_behind:
        body = body[:16] + box(b"mdat", bytes(100_000)) + body[16:]

    record, _ = register(body, others="frames")

    assert (engine, State.WAITING) == (record.engine, record.state)
    assert (5_000 if engine is Engine.FRAMES else None) == record.interval_ms


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_killed_while_its_header_is_read(table, sqs, urls, s3, clock, messages, number, moment):
    """A function that dies at a request for the object has done nothing, and the repeated task registers it by its header."""
    s3.put_object(Bucket=BUCKET, Key="a.bin", Body=by_hand(entry=b"hvc1"))
    death = Death()
    registration = Registration(table.records, ObjectStore(Deadly(s3, death), images=True), LaneQueues(sqs, urls), clock)
    flow, event = RegisterFlow(registration, table.scans, clock), batch_event("a.bin", others="frames")
    video_id = waiting("a.bin").video.id

    death.order(number, moment)
    with pytest.raises(DiedError):
        flow.respond(event)
    assert table.records.record(video_id, SCAN) is None
    death.order(0, "never")
    flow.respond(event)

    assert 3 == death.calls
    assert Engine.FRAMES is table.records.record(video_id, SCAN).engine
    assert 1 == len(messages(Lane.FRAMES))


@pytest.mark.parametrize(("body", "arguments"), [(by_hand(entry=b"hvc1"), {}), (JPEG, {"others": "frames"})])
def test_headers_are_read_for_others_only(register, s3, monkeypatch, body, arguments):
    """Without others, and of an image, the first bytes are read and nothing else."""
    ranges = []
    monkeypatch.setattr(s3, "get_object", lambda get=s3.get_object, **request: ranges.append(request["Range"]) or get(**request))

    register(body, **arguments)

    assert ["bytes=0-1023"] == ranges


@pytest.mark.parametrize("body", [JPEG, AVIF, AVIF.replace(b"ftypavif", b"ftypmif2"), AVIF.replace(b"ftypavif", b"ftypjpeg")])
def test_image(register, body):
    """An image goes by frames, whatever the engine of its scan."""
    record, _ = register(body)

    assert (Engine.FRAMES, Lane.FRAMES, State.WAITING) == (record.engine, record.lane, record.state)


@pytest.mark.parametrize(("flags", "state"), [(b"\x02", State.FAILED), (b"\x12", State.FAILED), (b"\x10", State.WAITING)])
def test_animated_webp(register, messages, flags, state):
    """An animated WebP image is refused by name when it is registered: nothing is sent, and nothing is paid for it."""
    record, _ = register(b"RIFF\xff\0\0\0WEBPVP8X\n\0\0\0" + flags + bytes(2_000))

    is_refused = state is State.FAILED
    assert (state, is_refused) == (record.state, record.problem is not None)
    assert int(not is_refused) == len(messages(Lane.FRAMES))
    if is_refused:
        assert reasons.ANIMATED_WEBP == record.problem.code
        assert reasons.ANIMATED_WEBP in reasons.INELIGIBLE


def test_retry_of_what_waits_for_frames(register):
    """Without frames a retry that finds an image waiting for them leaves it so."""
    register(JPEG)

    record, result = register(JPEG, frames=False, retry="1")

    assert (Lane.FRAMES, State.WAITING, 0) == (record.lane, record.state, record.attempt)
    assert "Succeeded" == result["resultCode"]


def test_image_without_frames(register):
    """Without frames an image is skipped, as ever."""
    record, result = register(JPEG, frames=False)

    assert record is None
    assert '"state":"SKIPPED"' in result["resultString"]


@pytest.mark.parametrize("arguments", [{"engine": "frames"}, {"others": "frames"}])
def test_frames_not_deployed(register, arguments):
    """A job that asks for frames where there are none fails its tasks, and says how to get them."""
    record, result = register(MP4, frames=False, **arguments)

    assert record is None
    assert "PermanentFailure" == result["resultCode"]
    assert "set frames in cdk.json" in result["resultString"]


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"engine": "eyes"}, "video and frames exist"),
        ({"engine": "frames", "interval_ms": "999"}, "from 1000 to 60000"),
        ({"engine": "frames", "interval_ms": "60001"}, "from 1000 to 60000"),
        ({"others": "video"}, "by frames only"),
        ({"lane": "frames"}, "normal and express exist"),
    ],
)
def test_refused(register, arguments, rule):
    """Arguments about engines that mean nothing are refused with the rule."""
    record, result = register(MP4, **arguments)

    assert record is None
    assert rule in result["resultString"]


def test_too_large_for_the_video_api_only(s3, clock, monkeypatch):
    """A film that is too large for the video API may go by frames."""
    monkeypatch.setattr("handlers.domain.objects.MAX_BYTES", 100)
    s3.put_object(Bucket=BUCKET, Key="a.bin", Body=MP4)
    store, video = ObjectStore(s3, images=True), waiting("a.bin").video

    assert store.look(video).problem is not None
    assert store.look(video, Engine.FRAMES).problem is None


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"interval_ms": 5_000}, "looked at by frames, every 5 s: shorter scenes may be missed"),
        ({"interval_ms": None}, "looked at as an image"),
        ({"interval_ms": 5_000, "decoded_ms": 751_000}, "damaged: decoded up to 0:12:31, not all of the rest was looked at"),
    ],
)
def test_mail_says_how(fields, line):
    """The mail about a flagged video says how it was looked at, unless that was by the video API."""
    record = Record(waiting("a.bin").video, SCAN, State.FLAGGED, engine=Engine.FRAMES, **fields)

    mails = [
        flagged_mail(record, (), (), SCAN, "VideoModeration", region="eu-west-1", language=each) for each in LANGUAGES.values()
    ]

    assert line in mails[0].body
    assert len(mails) == len({mail.body for mail in mails})
