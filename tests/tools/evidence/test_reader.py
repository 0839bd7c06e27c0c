"""Frames at any time of an object in S3."""

import subprocess
import sys
from fractions import Fraction

import pytest
from botocore.exceptions import ClientError

from handlers.domain import ObjectFacts, Problem, Video, reasons
from tests.handlers.adapters.media.heic import heic
from tests.handlers.adapters.media.made_films import Made, Shown, card_of, film
from tests.handlers.adapters.media.test_media import RED, encoded, halves, near, pixel
from tests.tools.conftest import BUCKET
from tools.lib.evidence import FrameReader, ReplacedError, UndecodableError, UnreadableError, unread
from tools.lib.evidence import reader as of_reader

pytestmark = pytest.mark.slow  # each test starts decoders

CARDS = (Shown(7, 4.0, 6.0), Shown(3, 12.5, 12.7))
# One of each way in which a film is read: by an index, by its fragments, from its start, with and without reliable times.
WAYS = (
    "h264 b-frames mp4",
    "h264 open gop mp4",
    "h264 fragmented",
    "h264 ts",
    "h264 mkv",
    "h264 mkv without cues",
    "h264 b-frames avi",
    "vp9 webm",
    "mpeg2 ps",
    "prores mov",
)


@pytest.fixture
def put(account):
    """Put an object; return a reader of what S3 then says about it, and keywords for it."""

    def put_object(data, key="a.mp4", **how):
        answer = account.s3.put_object(Bucket=BUCKET, Key=key, Body=data)
        facts = ObjectFacts(answer["ETag"].strip('"'), len(data), answer.get("VersionId"))
        return FrameReader(account.clients.s3, Video(BUCKET, key), facts, **how)

    return put_object


def fetched(account):
    """Return how many bytes the ranges of all GETs so far have."""
    ranges = [params["Range"].removeprefix("bytes=").split("-") for params in account.wire.of("GetObject")]
    return sum(int(last) + 1 - int(first) for first, last in ranges)


@pytest.mark.parametrize("kind", WAYS)
def test_any_film(put, kind):
    """A card is seen while it is shown and not before or after, in whatever FFmpeg decodes; back and forth."""
    made = Made(kind, 16.0, CARDS)

    with put(film(made)) as reader:
        seen = [card_of(reader.frame(at)) for at in (0, 3_900, 4_110, 5_900, 6_110, 12_620, 12_900, 15_900, 99_000, 5_000)]

    assert [None, None, 7, 7, None, 3, None, None, None, 7] == seen


def test_one_frame(put):
    """A frame that is shown for a thirtieth of a second is found by the time of its finding, which is cut to milliseconds."""
    made = Made("h264 b-frames mp4", 8.0, (Shown(7, 130 / 30, 131 / 30),), key_s=8.0)

    with put(film(made)) as reader:
        assert [None, 7, None] == [card_of(reader.frame(at)) for at in (4_320, 4_333, 4_367)]


def test_a_slow_film(put):
    """A frame is on screen until the next one, however long that is."""
    frames = [halves(160, 96, "yuv420p") for _ in range(4)]
    data = encoded(frames, "libx264", "mp4", "yuv420p", rate=Fraction(1, 20))

    with put(data) as reader:
        assert len({reader.frame(at) for at in (21_000, 30_000, 39_999)}) == 1


def test_what_is_fetched(account, put):
    """One frame of a film costs a small part of its bytes, each range under the etag that was analysed."""
    data = film(Made("prores mov", 60.0, CARDS))
    assert len(data) > 3_000_000

    with put(data) as reader:
        assert card_of(reader.frame(5_000)) == 7

    gets = account.wire.of("GetObject")
    etag = account.s3.head_object(Bucket=BUCKET, Key="a.mp4")["ETag"]
    assert {etag} == {params["IfMatch"] for params in gets}
    assert fetched(account) < 500_000


def test_without_an_index(account, put):
    """A film that would have to be read too far for one frame is refused with the number, and what comes before is shown."""
    data = film(Made("h264 ts", 120.0, CARDS))

    with put(data, most_read=len(data) // 2) as reader:
        assert card_of(reader.frame(5_000)) == 7
        with pytest.raises(UndecodableError, match=r"shows no frame here: more than .* film without an index"):
            reader.frame(119_000)
        assert card_of(reader.frame(5_000)) == 7


def test_width(put):
    """A frame is as wide as asked for and never wider than it is; rotation and the pixels' shape are applied."""
    turned = encoded([halves(640, 360, "yuv420p")] * 3, "libx264", "mp4", "yuv420p", 90)
    oblong = encoded([halves(180, 144, "yuv420p")] * 3, "libx264", "mp4", "yuv420p", aspect=Fraction(64, 45))

    with put(turned) as reader:
        colour, size = pixel(reader.frame(1_000), 0.5, 0.8)
        assert (320, 569) == size
        assert near(RED, colour)
        assert (120, 213) == pixel(reader.frame(1_000, width=120), 0, 0)[1]
    with put(oblong) as reader:
        assert (256, 144) == pixel(reader.frame(0), 0, 0)[1]


@pytest.mark.parametrize(
    ("codec", "container", "pixels"),
    [("mjpeg", "image2pipe", "yuvj420p"), ("png", "image2pipe", "rgb24"), ("libwebp", "webp", "yuv420p"), ("gif", "gif", "rgb8")],
)
def test_images(put, codec, container, pixels):
    """An image shows its frame at any time."""
    data = encoded([halves(640, 360, pixels)], codec, container, pixels)

    with put(data, key="a.img") as reader:
        for at in (0, 5_000):
            colour, size = pixel(reader.frame(at), 0.2, 0.5)
            assert ((320, 180), True) == (size, near(RED, colour))


def test_replaced(account, put):
    """Where another object is in its place, or none, that is said with its name, and no byte of the other one is decoded."""
    reader = put(film(Made("h264 mp4", 8.0, CARDS)), key="a\n<b>.mp4")
    account.put("a\n<b>.mp4", body=film(Made("h264 mp4", 9.0, CARDS)))

    with reader, pytest.raises(ReplacedError, match=r"a\\n<b>.mp4 was replaced by another") as replaced:
        reader.frame(0)
    account.s3.delete_object(Bucket=BUCKET, Key="a\n<b>.mp4")
    with reader, pytest.raises(ReplacedError, match="is gone") as gone:
        reader.frame(0)

    assert all((replaced.value.cure, gone.value.cure))


@pytest.mark.parametrize(("etag", "cure"), [(None, "Scan it again"), ("e1", "Look at the upload")])
def test_what_to_do_about_a_replaced_one(etag, cure):
    """Another content of a listed object is scanned again; that of an upload has a verdict of its own."""
    assert unread(Video(BUCKET, "a.mp4", None, etag), Problem(reasons.CHANGED, "it changed")).cure.startswith(cure)


def test_replaced_meanwhile(account, put):
    """A film that is replaced between two frames is noticed at the next bytes."""
    data = film(Made("prores mov", 60.0, CARDS))
    with put(data) as reader:
        reader.frame(0)
        account.put("a.mp4", body=b"x" * len(data))
        with pytest.raises(ReplacedError):
            reader.frame(55_000)


def test_a_former_version(account, put):
    """In a bucket with versions the one that was analysed is shown, whatever came after it."""
    account.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    reader = put(film(Made("h264 mp4", 8.0, CARDS)))
    account.put("a.mp4", body=b"another")

    with reader:
        assert card_of(reader.frame(5_000)) == 7


@pytest.mark.parametrize(("code", "status"), [("AccessDenied", 403), ("InvalidObjectState", 403)])
def test_unreadable(account, put, errors, code, status):
    """What S3 refuses is said with a cure."""
    reader = put(film(Made("h264 mp4", 8.0)))
    account.wire.answer("GetObject", lambda _: errors.http(code, status))

    with reader, pytest.raises(UnreadableError, match="cannot be read") as caught:
        reader.frame(0)
    assert caught.value.cure


def test_overloaded(account, put, errors):
    """An error of S3 that passes is raised unchanged, and the next frame is tried anew."""
    with put(film(Made("h264 mp4", 8.0, CARDS))) as reader:
        account.wire.answer("GetObject", lambda _: errors.http("SlowDown", 503))
        with pytest.raises(ClientError):
            reader.frame(0)
        account.wire.answer("GetObject", lambda _: None)
        assert card_of(reader.frame(5_000)) == 7


@pytest.mark.parametrize("data", [b"text", b"\x00\x00\x00\x18ftypmp42" + bytes(5_000), b"\xff\xd8\xff\xe0" + bytes(100)])
def test_undecodable(put, data):
    """What FFmpeg cannot decode is named, with FFmpeg's words and what to do."""
    with put(data) as reader, pytest.raises(UndecodableError, match=r"s3://.*a\.mp4 shows no frame here: ") as caught:
        reader.frame(0)
    assert "VLC" in caught.value.cure


def test_too_many_pixels(put):
    """An image whose size alone would fill the memory is refused."""
    size = (2**24).to_bytes(4, "big")
    data = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + size + size + b"\x08\x00\x00\x00\x00" + bytes(4)

    with put(data) as reader, pytest.raises(UndecodableError):
        reader.frame(0)


def test_a_heic_of_tiles(put):
    """An image whose tiles are not joined is refused rather than shown in part."""
    with put(heic(columns=2)) as reader, pytest.raises(UndecodableError, match="tiles"):
        reader.frame(0)


def test_it_crashes(put, monkeypatch):
    """A decoder that crashes at a film does no harm: the next frame has another one."""
    command = of_reader._COMMAND
    with put(film(Made("h264 mp4", 8.0, CARDS))) as reader:
        monkeypatch.setattr(
            of_reader, "_COMMAND", (sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
        )
        with pytest.raises(UndecodableError, match="SIGSEGV"):
            reader.frame(0)
        monkeypatch.setattr(of_reader, "_COMMAND", command)
        assert card_of(reader.frame(5_000)) == 7


def test_no_process_is_left(put):
    """After the block no decoder runs."""
    with put(film(Made("h264 mp4", 8.0, CARDS))) as reader:
        reader.frame(0)
        process = reader._decoder._process
        assert process.poll() is None

    assert process.poll() is not None


def test_without_pyav(put, monkeypatch):
    """Where PyAV is missing, that is said with its cure; the tools alone do not import it."""
    monkeypatch.setattr(of_reader, "find_spec", lambda _: None)
    with put(film(Made("h264 mp4", 8.0))) as reader, pytest.raises(UndecodableError, match="PyAV") as caught:
        reader.frame(0)
    assert "make setup" in caught.value.cure

    done = subprocess.run(
        [sys.executable, "-c", "import sys, tools.lib.evidence; print('av' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
