"""Headers read by ranged GETs: what they say, and how many GETs and bytes that takes, whatever is in the file."""

import io
import struct

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain import objects
from handlers.domain.mp4 import LONGEST_SECONDS, Header, Unreadable
from handlers.domain.mp4.ranged_reader import MAX_BYTES, MAX_GETS
from tests.tools.estimate.films import FRAGMENTED, film
from tests.tools.estimate.headers import box, by_hand, file_of, fragment, track, trex
from tools.lib.estimate.headers import HeaderReader
from tools.lib.listing import UNKNOWN_SIZE, ListedObject

BUCKET = "amzn-s3-demo-bucket"

# The most that a plain header may cost; docs/benchmarks.md#headers has what it does cost.
PLAIN_GETS, PLAIN_BYTES = 2, 400_000

LONG = 1_800
LAYOUTS = {
    "header behind": {},
    "header behind, long": {"seconds": LONG, "sound": True},
    "faststart": {"flags": "faststart"},
    "faststart, long": {"flags": "faststart", "seconds": LONG, "sound": True},
    "mov": {"container": "mov", "sound": True},
    "sound first": {"sound_first": True},
    "fragmented": {"flags": FRAGMENTED, "sound": True, "padding": 1_000},
    "fragmented, no index": {"flags": f"{FRAGMENTED}+skip_trailer", "sound": True, "padding": 1_000},
    "fragmented, header with samples": {"flags": "frag_keyframe", "sound": True, "padding": 1_000},
    "fragmented, one index": {"flags": f"{FRAGMENTED}+global_sidx", "padding": 1_000},
    "fragmented, many indexes": {"flags": f"dash+{FRAGMENTED}", "padding": 1_000},
    "fragmented, short": {"flags": FRAGMENTED, "seconds": 2},
    "fragmented while it is recorded": {"flags": "hybrid_fragmented", "padding": 1_000},
}


class Stored:
    """A file in memory, read as from S3: GETs are counted, and are answered as S3 answers them."""

    def __init__(self, body):
        self.body = body
        self.gets = []

    def get_object(self, **request):
        """Answer GetObject."""
        first, last = map(int, request["Range"].removeprefix("bytes=").split("-"))
        assert first <= last < len(self.body), "S3 would refuse this range, or cut it"
        self.gets.append(last - first + 1)
        return {"Body": io.BytesIO(self.body[first : last + 1])}


def read(body):
    """Return what the header of a file in memory says, and its GETs."""
    stored = Stored(body)
    return HeaderReader(stored).read(BUCKET, ListedObject("a.mp4", len(body))), stored.gets


def ffmpeg(body):
    """Return seconds and video codec as FFmpeg sees them, which reads the whole header."""
    with av.open(io.BytesIO(body)) as container:
        return container.duration / 1e6, container.streams.video[0].codec_context.name


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout):
    """Of every layout length and codec are those that FFmpeg finds, for two GETs and 400 kB at most."""
    body = film(**LAYOUTS[layout])

    header, gets = read(body)

    seconds, codec = ffmpeg(body)
    assert isinstance(header, Header), header
    assert (pytest.approx(seconds, abs=0.1), codec) == (header.seconds, header.codec)
    assert len(gets) <= PLAIN_GETS
    assert sum(gets) <= PLAIN_BYTES
    assert (len(gets), sum(gets)) == (header.gets, header.bytes)
    assert header.fault is None


def test_length_costs_nothing():
    """A film sixty times as long takes no more bytes, though its header is that much larger."""
    short, long = film(seconds=30, flags="faststart"), film(flags="faststart", seconds=LONG, sound=True)

    assert sum(read(long)[1]) <= sum(read(short)[1])


@pytest.mark.parametrize("codec", ["hevc", "mpeg4", "vp9"])
def test_codecs(codec):
    """Codecs that Rekognition does not take are named, and are the fault."""
    header, _ = read(film(10, codec=codec))

    assert codec == header.codec
    assert "codec" == header.fault.code
    assert codec in header.fault.message


@pytest.mark.parametrize("codec", ["hevc", "mpeg4", "vp9"])
@pytest.mark.parametrize("layout", ["header behind", "faststart", "fragmented, short"])
def test_other_codecs_have_a_length(codec, layout):
    """A film that only frames can look at has its length, too."""
    body = film(codec=codec, **LAYOUTS[layout])

    header, _ = read(body)

    assert ffmpeg(body)[0] == pytest.approx(header.seconds, abs=0.1)


@pytest.mark.parametrize("more", [box(b"abcd"), box(b"trak")])
def test_many_tracks(more):
    """A header of more than 100 tracks, or of what may be tracks, is given up: each would make reading each fragment slower."""
    film_and = [track(box(b"hvc1", bytes(78)))]

    most, over = (read(file_of(*film_and, *[more] * count))[0] for count in (99, 100))

    assert ("unknown-codec", "beyond-limits") == (most.code, over.code)
    assert "more than 100 tracks" in over.message


@pytest.mark.parametrize("codec", [b"hvc1", b"av01", b"vp09"])
@pytest.mark.parametrize("fragments", [20, 60])
def test_many_fragments_of_another_codec(codec, fragments):
    """A fragmented film in another codec is known by it, for as few GETs as any film, however many fragments it has."""
    parts = (fragment(1_000 * number, 1) + box(b"mdat", bytes(100_000)) for number in range(fragments))
    body = file_of(track(box(codec, bytes(78))), extends=[trex(1_000)], behind=b"".join(parts))

    header, gets = read(body)

    assert isinstance(header, Header), header
    assert ("codec", fragments) == (header.fault.code, header.seconds)
    assert len(gets) <= PLAIN_GETS


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(2_000), "not-a-video"),
        (b"\x89PNG\r\n\x1a\n" + bytes(2_000), "not-a-video"),
        (box(b"ftyp", b"avif" + bytes(12)) + box(b"mdat", bytes(100)), "no-header"),
    ],
    ids=["jpeg", "png", "avif"],
)
def test_images_are_known_as_such(body, code):
    """An image is not a video, and is known to be an image; a text is not."""
    found, _ = read(body)
    text, _ = read(b"Dear reader, " * 200)

    assert (code, True) == (found.code, found.image)
    assert ("not-a-video", False) == (text.code, text.image)


@pytest.mark.parametrize(("brand", "image"), [(b"avis", True), (b"msf1", True), (b"isom", False)])
def test_animated_images_are_known_as_such(brand, image):
    """An animated AVIF or HEIF image has the header of a film; its brand tells that it is an image."""
    header, _ = read(by_hand(entry=b"av01").replace(b"ftypisom", b"ftyp" + brand))

    assert ("av1", image) == (header.codec, header.image)


@pytest.mark.parametrize(
    "front",
    [
        *(
            box(kind, bytes(24))
            for kind in (b"uuid", b"styp", b"udta", b"sidx", b"free", b"skip", b"wide", b"mdat", b"moof", b"abcd")
        ),
        box(b"\xa9\xff\x00\x01", bytes(24)),
        box(b"%PDF", b"-1.7 and letters", b"letters"),
        box(b"uuid", bytes(100_000)),
        box(b"free"),
        struct.pack(">I4sQ", 1, b"what", 16),
        struct.pack(">I4sQ", 1, b"uuid", 64) + bytes(48),
    ],
)
@pytest.mark.parametrize("layout", ["header behind", "faststart"])
def test_a_box_in_front(front, layout):
    """A real film behind an unexpected box is a film to FFmpeg, and to us: its header is read and tells the same."""
    body = front + film(**LAYOUTS[layout])

    header, _ = read(body)

    assert isinstance(header, Header), header
    assert (pytest.approx(ffmpeg(body)[0], abs=0.1), "h264", None) == (header.seconds, header.codec, header.fault)
    assert objects.not_a_video(body[: objects.FIRST_BYTES], len(body)) is None


@given(st.lists(st.tuples(st.binary(min_size=4, max_size=4), st.binary(max_size=2_000)), max_size=4))
def test_any_boxes_in_front(front):
    """Whatever boxes come before a film, it is not left out by its first bytes, nor by its header where that is found."""
    body = b"".join(box(kind, content) for kind, content in front) + film(4, flags="faststart")

    found, _ = read(body)

    assert objects.not_a_video(body[: objects.FIRST_BYTES], len(body)) is None
    assert found.code != "not-a-video" if isinstance(found, Unreadable) else "h264" == found.codec


@pytest.mark.parametrize(
    "decoy",
    [box(b"moov"), by_hand(tracks=0), by_hand(handler=b"soun", entry=b"mp4a"), by_hand(entry=b"hvc1"), by_hand(seconds=30_000)],
    ids=["empty", "no track", "sound only", "hevc", "too long"],
)
def test_a_decoy_header_in_front(decoy):
    """A film behind another header is not left out by that one: which of them Rekognition reads is not known."""
    found, _ = read(decoy + film(4, flags="faststart"))

    assert isinstance(found, Unreadable), found
    assert "broken" == found.code


def test_too_long():
    """A video of more than 6 hours is one that Rekognition does not take; one of exactly 6 hours is."""
    longest, longer = (read(by_hand(seconds=LONGEST_SECONDS + more))[0] for more in (0, 1))

    assert (None, "too-long") == (longest.fault, longer.fault.code)


@pytest.mark.parametrize(("units", "shown"), [(21_600_001, "6:00:01"), (25_200_000, "7:00:00"), (360_000_000, "100:00:00")])
def test_too_long_by_a_little(units, shown):
    """The length that is shown is longer than the limit beside it, by however little the video is."""
    body = file_of(track(box(b"avc1", bytes(78)), units=units), units=units)

    fault = read(body)[0].fault

    assert ("too-long", f"The video lasts {shown} hours; Rekognition takes up to 6:00:00.") == (fault.code, fault.message)


def test_no_picture():
    """A file of sound alone has nothing to be looked at."""
    header, _ = read(by_hand(handler=b"soun", entry=b"mp4a"))

    assert "no-picture" == header.fault.code


def test_unknown_codec():
    """An unknown codec is called by its letters, which cannot steer a terminal, and leaves nothing out."""
    found, _ = read(by_hand(entry=b"\x1b[2J"))

    assert ("unknown-codec", None) == (found.code, found.fault)
    assert "[2J" in found.message
    assert "\x1b" not in found.message


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"This was meant to be a video.\n", "not-a-video"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "other-container"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01", "container"),
        (b"\xde\xad\xbe\xef garbage", "unknown-beginning"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00" + film(1), "unknown-beginning"),
        (bytes(1_000), "broken"),
        (box(b"ftyp", b"isom"), "no-header"),
        (box(b"ftyp", b"isom") + struct.pack(">I4s", 0, b"mdat") + bytes(1_000), "no-header"),
        (box(b"ftyp", b"isom") + box(b"abcd") + box(b"mdat", bytes(1_000)), "broken"),
        (box(b"ftyp", b"isom") + struct.pack(">I4s", 0, b"mdat") + bytes(1_000) + by_hand(), "broken"),
        (box(b"ftyp", b"isom") + struct.pack(">I4s", 4, b"free") + bytes(1_000), "broken"),
        (box(b"ftyp", b"isom") + struct.pack(">I4sQ", 1, b"mdat", 1 << 62), "no-header"),
        (box(b"ftyp", b"isom") + box(b"moov", box(b"mvhd", bytes(10))), "broken"),
        (box(b"ftyp", b"isom") + box(b"moov", box(b"cmov", bytes(10))), "broken"),
        (by_hand(seconds=0), "no-length"),
        (box(b"ftyp", b"isom") + box(b"free") * 20_000, "beyond-limits"),
        (box(b"ftyp", b"isom") + box(b"free", bytes(400_000)) * 50, "beyond-limits"),
    ],
)
def test_unreadable(body, code):
    """What has no usable header is said to have none, with the reason, and within the limits."""
    found, gets = read(body)

    assert isinstance(found, Unreadable)
    assert code == found.code
    assert len(gets) <= MAX_GETS
    assert sum(gets) <= MAX_BYTES


@pytest.mark.parametrize("layout", ["header behind", "faststart", "fragmented"])
@pytest.mark.parametrize("part", [0.001, 0.01, 0.3, 0.9, 0.999])
def test_truncated(layout, part):
    """A file that was cut anywhere is read or refused, within the limits; a faststart one is still read, as by players."""
    whole = film(**LAYOUTS[layout])
    body = whole[: int(len(whole) * part)]

    found, gets = read(body)

    assert isinstance(found, Header) if layout == "faststart" and part >= 0.01 else isinstance(found, Header | Unreadable)
    assert len(gets) <= MAX_GETS
    assert sum(gets) <= MAX_BYTES


@given(st.data())
def test_any_damage(data):
    """Whatever bytes are changed in a file, reading its header ends in an answer, within the limits."""
    body = bytearray(film(4, sound=True, flags=data.draw(st.sampled_from(["", "faststart", FRAGMENTED, f"dash+{FRAGMENTED}"]))))
    changes = st.tuples(st.integers(0, len(body) - 1), st.integers(0, 255))
    for at, value in data.draw(st.lists(changes, max_size=40)):
        body[at] = value

    found, gets = read(bytes(body))

    assert isinstance(found, Header | Unreadable)
    assert len(gets) <= MAX_GETS
    assert sum(gets) <= MAX_BYTES


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"moov", b"trak", b"mvex", b"moof", b"traf", b"trun", b"sidx", b"tfra", b"mfra"]),
            st.binary(max_size=60),
        ),
        max_size=8,
    )
)
def test_any_boxes(parts):
    """So does a file of boxes that hold anything."""
    found, gets = read(box(b"ftyp", b"isom") + b"".join(box(*part) for part in parts))

    assert isinstance(found, Header | Unreadable)
    assert len(gets) <= MAX_GETS


class TestThroughBoto3:
    def test_version(self, account):
        """The version that was listed is read, not a newer one."""
        account.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        body = film(10, flags="faststart")
        first = account.s3.put_object(Bucket=BUCKET, Key="a b+ä.mp4", Body=body)["VersionId"]
        account.s3.put_object(Bucket=BUCKET, Key="a b+ä.mp4", Body=b"other")

        header = HeaderReader(account.clients.s3).read(BUCKET, ListedObject("a b+ä.mp4", len(body), first))

        assert 10.0 == header.seconds
        assert [first] == [call["VersionId"] for call in account.wire.of("GetObject")]

    def test_changed(self, account):
        """An object that is smaller than listed is not read wrongly."""
        account.put("a.mp4", body=b"\x00\x00\x00\x18ftypmp42")

        found = HeaderReader(account.clients.s3).read(BUCKET, ListedObject("a.mp4", 5_000))

        assert "broken" == found.code

    def test_gone(self, account):
        """An object that was deleted meanwhile is said to be gone."""
        assert "gone" == HeaderReader(account.clients.s3).read(BUCKET, ListedObject("a.mp4", 5)).code

    def test_unknown_size(self, account):
        """Of an object of unknown size no more than a byte is asked for: it may be large, and S3 may know why."""
        account.put("a.mp4", body=film())
        reader = HeaderReader(account.clients.s3)

        there, gone = (reader.read(BUCKET, ListedObject(key, UNKNOWN_SIZE)) for key in ("a.mp4", "b.mp4"))

        assert ("no-size", "gone", False) == (there.code, gone.code, there.worthless)
        assert {"bytes=0-0"} == {asked["Range"] for asked in account.wire.of("GetObject")}

    def test_forbidden(self, account, errors):
        """Who may not read objects is told so; nothing is known of the object then."""
        account.put("a.mp4")
        account.wire.answer("GetObject", lambda _: errors.http("AccessDenied", 403))

        found = HeaderReader(account.clients.s3).read(BUCKET, ListedObject("a.mp4", 5))

        assert ("forbidden", False) == (found.code, found.worthless)
