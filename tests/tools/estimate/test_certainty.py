"""Only a header that speaks against a video for certain leaves it out; whatever is unknown or contradicts itself does not."""

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.domain.mp4 import Header, Unreadable
from tests.tools.estimate.films import FRAGMENTED, film
from tests.tools.estimate.headers import box, entry, esds, file_of, fragment, mehd, sidx, track, trex
from tests.tools.estimate.test_header import ffmpeg, read

# Codecs of the containers that do not take H.264.
FILMS = {"webm": "vp9", "mpeg": "mpeg2", "asf": "mpeg4"}

HOUR = 3_600_000
SEVEN = 7 * HOUR
AVC, HEVC = entry(b"avc1", box(b"avcC", bytes(8))), entry(b"hvc1", box(b"hvcC", bytes(8)))
SOUND = track(box(b"mp4a", bytes(28)), handler=b"soun", track_id=2)

LEFT_OUT = {
    "HEVC": (file_of(track(HEVC)), "codec"),
    "HEVC with sound": (file_of(track(HEVC), SOUND), "codec"),
    "HEVC with metadata and a time code": (
        file_of(track(HEVC), track(box(b"mebx"), handler=b"meta"), track(box(b"tmcd"), handler=b"tmcd")),
        "codec",
    ),
    "two pictures, neither H.264": (file_of(track(HEVC), track(entry(b"vp09"))), "codec"),
    "two descriptions, neither H.264": (file_of(track(HEVC, entry(b"hev1"))), "codec"),
    "MPEG-4 by its type": (file_of(track(entry(b"mp4v", esds(0x20)))), "codec"),
    "a cover alone": (file_of(track(entry(b"jpeg"))), "codec"),
    "HEVC, minf first": (file_of(track(HEVC, order=(b"minf", b"mdhd", b"hdlr"))), "codec"),
    "HEVC of nonsense length": (file_of(track(HEVC, units=0, timescale=0), units=0, timescale=0), "codec"),
    "sound alone": (file_of(SOUND), "no-picture"),
    "seven hours": (file_of(track(AVC, units=SEVEN), units=SEVEN), "too-long"),
    "seven hours by the samples, too": (file_of(track(AVC, units=SEVEN, samples=[(SEVEN // 40, 40)]), units=SEVEN), "too-long"),
    "seven hours, mvhd silent": (file_of(track(AVC, units=SEVEN, samples=[(SEVEN // 40, 40)]), units=0), "too-long"),
    "seven hours of many samples": (
        file_of(track(AVC, units=SEVEN, samples=[(1, 400)] * (SEVEN // 400)), units=SEVEN),
        "too-long",
    ),
    "seven hours, a live stream": (
        file_of(track(AVC, units=0), units=0, extends=[trex(40), mehd(SEVEN)], behind=fragment(SEVEN, 1) + fragment(2 * SEVEN, 1)),
        "too-long",
    ),
    "seven hours by index and fragments": (
        file_of(track(AVC, units=0), units=0, extends=[trex(40)], behind=sidx(SEVEN, 10**6) + fragment(0, 1) + fragment(SEVEN, 1)),
        "too-long",
    ),
}


@pytest.mark.parametrize(("body", "code"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_certain(body, code):
    """What a header says for certain leaves a video out, with the right reason."""
    header, _ = read(body)

    assert code == header.fault.code


LENGTHS = {
    "mvhd of 596 hours": (file_of(track(AVC, units=3_000), units=0x7FFFFFFF), 3),
    "mvhd of 596 hours, by the samples": (file_of(track(AVC, units=0x7FFFFFFF, samples=[(75, 40)]), units=0x7FFFFFFF), 3),
    "mvhd unknown": (file_of(track(AVC, units=3_000), units=0xFFFFFFFF), 3),
    "mvhd of 0": (file_of(track(AVC, units=3_000), units=0), 3),
    "mvhd of 1 ms": (file_of(track(AVC, units=3_000), units=1), 3),
    "mvhd without a time scale": (file_of(track(AVC, units=3_000), timescale=0), 3),
    "no mvhd": (file_of(track(AVC, units=3_000), units=None), 3),
    "mdhd of 596 hours": (file_of(track(AVC, units=0x7FFFFFFF, samples=[(75, 40)]), units=3_000), 3),
    "mdhd unknown": (file_of(track(AVC, units=0xFFFFFFFF), units=3_000), 3),
    "mdhd without a time scale": (file_of(track(AVC, timescale=0), units=3_000), 3),
    "mdhd and mvhd of nonsense": (file_of(track(AVC, units=1, samples=[(75, 40)]), units=0x7FFFFFFF), 3),
    "two films, one short": (file_of(track(AVC, units=SEVEN), track(AVC, units=3_000), units=SEVEN), 3),
    "sound of an hour": (file_of(track(AVC, units=3_000), track(box(b"mp4a"), handler=b"soun", units=HOUR), units=HOUR), 3_600),
    "a live fragment": (
        file_of(track(AVC, units=0), units=0, extends=[trex(40)], behind=fragment(28_800_000, 50)),
        2,
    ),
    "live fragments": (
        file_of(
            track(AVC, units=0),
            units=0,
            extends=[trex(0)],
            behind=fragment(28_800_000, 50, duration=40) + fragment(28_802_000, 50, duration=40),
        ),
        4,
    ),
    "a gap of eight hours, and mehd": (
        file_of(track(AVC, units=0), units=0, extends=[trex(40), mehd(4_000)], behind=fragment(0, 50) + fragment(28_800_000, 50)),
        4,
    ),
    "samples of a duration by trex": (
        file_of(track(AVC, units=0), units=0, extends=[trex(40)], behind=fragment(0, 50) + fragment(2_000, 50)),
        4,
    ),
    "fragments without times": (
        file_of(track(AVC, units=0), units=0, extends=[trex(40), mehd(3_000)], behind=fragment(0, 75, timed=False)),
        3,
    ),
    "an index without a time scale": (
        file_of(track(AVC, units=0), units=0, extends=[trex(40)], behind=sidx(3_000, 10**6, 0) + fragment(0, 75)),
        3,
    ),
}


@pytest.mark.parametrize(("body", "seconds"), LENGTHS.values(), ids=LENGTHS)
def test_length(body, seconds):
    """A length that is nonsense in one place is taken from another."""
    header, _ = read(body)

    assert isinstance(header, Header), header
    assert (pytest.approx(seconds, abs=0.05), None) == (header.seconds, header.fault)


UNKNOWN = {
    "596 hours by mvhd alone": (file_of(track(AVC, units=0), units=0x7FFFFFFF), "no-length"),
    "596 hours by mdhd alone": (file_of(track(AVC, units=0x7FFFFFFF), units=0), "no-length"),
    "596 hours, and no samples": (file_of(track(AVC, units=0x7FFFFFFF, samples=[]), units=0x7FFFFFFF), "no-length"),
    "596 hours in both": (file_of(track(AVC, units=0x7FFFFFFF), units=0x7FFFFFFF), "no-length"),
    "the sign bit in both": (file_of(track(AVC, units=0x80000000), units=0x80000000), "no-length"),
    "596 hours in both, and as one sample": (
        file_of(track(AVC, units=0x7FFFFFFF, samples=[(1, 0x7FFFFFFF)]), units=0x7FFFFFFF),
        "no-length",
    ),
    "a sample that goes back, added up as 671 hours": (
        file_of(track(AVC, units=0x90000000, samples=[(75, 40), (1, 0x8FFFF448)]), units=0x90000000),
        "no-length",
    ),
    "596 hours in all of a fragmented file": (
        file_of(track(AVC, units=0x7FFFFFFF), units=0x7FFFFFFF, extends=[mehd(0x7FFFFFFF)]),
        "no-length",
    ),
    "samples of fragments that go back, and mehd": (
        file_of(track(AVC, units=0), units=0, extends=[trex(0xFFFFFFD8), mehd(SEVEN)], behind=fragment(0, 50)),
        "broken",
    ),
    "samples of fragments that go back, and an index": (
        file_of(track(AVC, units=0), units=0, extends=[trex(0xFFFFFFD8)], behind=sidx(SEVEN, 10**6) + fragment(0, 50)),
        "broken",
    ),
    "no length": (file_of(track(AVC, units=0), units=0), "no-length"),
    "a gap of eight hours": (
        file_of(track(AVC, units=0), units=0, extends=[trex(40)], behind=fragment(0, 50) + fragment(28_800_000, 50)),
        "no-length",
    ),
    "596 hours by mehd alone": (
        file_of(track(AVC, units=0), units=0, extends=[trex(40), mehd(0x7FFFFFFF)], behind=fragment(0, 75, timed=False)),
        "no-length",
    ),
    "unknown letters": (file_of(track(entry(b"wxyz"))), "unknown-codec"),
    "encrypted": (file_of(track(entry(b"encv", box(b"sinf")))), "unknown-codec"),
    "unknown letters behind HEVC": (file_of(track(HEVC, entry(b"wxyz"))), "unknown-codec"),
    "unknown letters in another track": (file_of(track(HEVC), track(entry(b"wxyz"))), "unknown-codec"),
    "MPEG-4 without a type": (file_of(track(entry(b"mp4v"))), "unknown-codec"),
    "no description": (file_of(track()), "unknown-codec"),
    "an unknown handler": (file_of(track(entry(b"wxyz"), handler=b"abcd")), "unknown-codec"),
    "an unknown handler beside sound": (file_of(SOUND, track(box(b"abcd"), handler=b"auxv")), "unknown-codec"),
    "HEVC, and a track without a handler": (file_of(track(HEVC), track(AVC[:8], without=(b"hdlr",))), "unknown-codec"),
    "sound, and a track without a body": (file_of(SOUND, track(without=(b"mdia",))), "unknown-codec"),
    "sound without a description": (file_of(track(handler=b"soun")), "unknown-codec"),
    "pictures in a track of sound": (file_of(track(HEVC, handler=b"soun")), "unknown-codec"),
    "a description that does not fit": (file_of(track(struct.pack(">I4s", 500, b"hvc1"))), "unknown-codec"),
    "more descriptions than there are": (
        file_of(track(HEVC).replace(b"stsd\0\0\0\0\0\0\0\1", b"stsd\0\0\0\0\0\0\0\2")),
        "unknown-codec",
    ),
    "a compressed header": (
        box(b"ftyp", b"isom") + box(b"moov", box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", bytes(9)))),
        "broken",
    ),
    "a compressed header beside another": (file_of(track(HEVC), box(b"cmov", bytes(9))), "broken"),
    "a header of tracks elsewhere": (file_of(box(b"rmra", bytes(30))), "broken"),
}


@pytest.mark.parametrize(("body", "code"), UNKNOWN.values(), ids=UNKNOWN)
def test_uncertain(body, code):
    """What a header does not say, or says in a way that is not known, leaves nothing out, and is not without minutes either."""
    found, _ = read(body)

    assert isinstance(found, Unreadable), found
    assert (code, None, False) == (found.code, found.fault, found.worthless)


@pytest.mark.parametrize(
    "letters",
    [
        b"aivx",
        b"ai15",
        b"AVin",
        b"dva1",
        b"dvav",
        b"H264",
        b"h264",
        b"X264",
        b"AVC1",
        b"avc2",
        b"avc3",
        b"wxyz",
        b"mp4v",
        b"hvc1",
        b"encv",
    ],
)
def test_h264_by_its_configuration(letters):
    """A film with an avcC is H.264, whatever the letters of its sample entry."""
    body = film(4, sound=True).replace(b"avc1", letters)

    header, _ = read(body)

    assert isinstance(header, Header), header
    assert ("h264", None) == (header.codec, header.fault)


@pytest.mark.parametrize("tracks", [(HEVC, AVC), (AVC, HEVC), (entry(b"jpeg"), AVC), (entry(b"wxyz"), AVC), (AVC[:8], AVC)])
def test_h264_in_any_track(tracks):
    """One film that Rekognition can analyse is enough, be it the second track or behind one that cannot be read."""
    header, _ = read(file_of(*map(track, tracks)))

    assert ("h264", None) == (header.codec, header.fault)


@pytest.mark.parametrize("optional", [(0, b""), (0x80, bytes(2)), (0x40, b"\3url"), (0x20, bytes(2)), (0xE0, b"\0\0\3url\0\0")])
@pytest.mark.parametrize(
    ("object_type", "codec"), [(0x20, "mpeg4"), (0x21, "h264"), (0x61, "mpeg2"), (0x23, "hevc"), (0xB1, "vp9")]
)
def test_codec_of_mpeg_4s_own_entry(object_type, codec, optional):
    """The entry mp4v holds whatever its object type says, H.264 as well."""
    flags, fields = optional

    header, _ = read(file_of(track(entry(b"mp4v", esds(object_type, flags=flags, optional=fields)))))

    assert codec == header.codec


@pytest.mark.parametrize("layout", ["", "faststart", FRAGMENTED])
@pytest.mark.parametrize("units", [0, 1, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("name", [b"mvhd", b"mdhd"])
def test_a_real_film_of_nonsense_length(name, units, layout):
    """A real film in whose header one length is nonsense is as long as FFmpeg finds, and is not left out."""
    body = bytearray(film(4, flags=layout, keyframe_every=10))
    at = body.index(name) + 4 + 16
    body[at : at + 4] = struct.pack(">I", units)

    header, _ = read(bytes(body))

    assert isinstance(header, Header), header
    assert (pytest.approx(ffmpeg(film(4))[0], abs=0.1), None) == (header.seconds, header.fault)


def test_a_film_with_many_tracks_is_read_to_the_last():
    """A film whose tables lie between its tracks is certain only once each track was read, within the limits."""
    tracks = [track(HEVC, samples=[(1, 40)] * 50_000), *[track(box(b"mebx"), handler=b"meta", samples=[(1, 40)] * 50_000)] * 6]

    header, _ = read(file_of(*tracks))

    assert "codec" == header.fault.code


@pytest.mark.parametrize("container", ["matroska", "webm", "mpegts", "flv", "mpeg", "asf"])
def test_other_containers(container):
    """A file in a container that Rekognition does not take is left out."""
    found, _ = read(film(4, container=container, codec=FILMS.get(container, "h264")))

    assert ("container", "container") == (found.code, found.fault.code)


def test_avi():
    """AWS's documents disagree about AVI, so it is Rekognition's to judge."""
    found, _ = read(film(4, container="avi"))

    assert ("other-container", None, False) == (found.code, found.fault, found.worthless)


@pytest.mark.parametrize("name", [b"abcd", b"\x44\x00\x04\x00"])
@pytest.mark.parametrize(
    ("size", "content"),
    [(0x1BA, b""), (0x1BA, b"\x00\x00\x01\xbb" * 9), (188 * 6, b"")],
)
def test_a_film_whose_beginning_looks_like_another_container(name, size, content):
    """A film behind a box that looks like another container's beginning is read, as players read it."""
    front = struct.pack(">I4s", size, name) + content + bytes(size - 8 - len(content))

    header, _ = read(front + film(4, flags="faststart"))

    assert ("h264", None) == (header.codec, header.fault)


@pytest.mark.parametrize("part", [0.2, 0.9])
def test_a_file_without_its_header(part):
    """An upload that was interrupted before its header came certainly has none."""
    body = film(60, padding=5_000)

    found, _ = read(body[: int(len(body) * part)])

    assert ("no-header", "no-header") == (found.code, found.fault.code)


def test_a_header_behind_a_box_of_the_wrong_size():
    """Where a header may follow, though the boxes do not lead to it, nothing is certain."""
    body = bytearray(film(4))
    at = body.index(b"mdat") - 4
    body[at : at + 4] = struct.pack(">I", len(body))

    found, _ = read(bytes(body))

    assert ("broken", None) == (found.code, found.fault)


# --- properties ------------------------------------------------------------------------------------------------------------

FOREIGN = [b"hvc1", b"hev1", b"dvh1", b"vp09", b"av01", b"apcn", b"jpeg"]
letters = st.one_of(st.sampled_from([*FOREIGN, b"avc1", b"mp4v", b"encv"]), st.binary(min_size=4, max_size=4))
units = st.one_of(st.sampled_from([0, 1, 3_000, SEVEN, 0x7FFFFFFF, 0xFFFFFFFF]), st.integers(0, 2**32 - 1))
tables = st.none() | st.lists(st.tuples(st.integers(0, 100), st.integers(0, 10_000)), max_size=3)


@st.composite
def one_track(draw):
    """A track and what it is made of."""
    names = draw(st.lists(letters, max_size=2))
    made = {
        "units": draw(units),
        "timescale": draw(st.sampled_from([0, 1, 1_000, 90_000])),
        "handler": draw(st.sampled_from([b"vide", b"soun", b"meta", b"auxv"])),
        "samples": draw(tables),
        "order": tuple(draw(st.permutations([b"mdhd", b"hdlr", b"minf"]))),
        "without": draw(st.sampled_from([(), (), (), (b"hdlr",), (b"mdhd",), (b"minf",), (b"mdia",), (b"tkhd",)])),
    }
    return names, made


def possibly_film(names, made):
    """Tell whether a track may be one of H.264: by a handler of pictures or unknown, and by letters that are no other codec's."""
    missing = {b"hdlr", b"minf", b"mdia"} & set(made["without"])
    other = bool(names) and all(name in FOREIGN for name in names)
    return bool(missing) or not names or made["handler"] == b"auxv" or (made["handler"] == b"vide" and not other)


@given(st.lists(one_track(), min_size=1, max_size=3), units, st.sampled_from([0, 1, 1_000]))
def test_left_out_only_by_certain_evidence(parts, stated, timescale):
    """Whatever tracks and lengths a header has: it leaves a film out only if no track may be one of H.264 of up to six hours."""
    body = file_of(*(track(*map(entry, names), **made) for names, made in parts), units=stated, timescale=timescale)

    found, _ = read(body)

    if found.fault is None:
        return
    if found.fault.code == "too-long":
        lengths = [
            made["units"] / made["timescale"]
            for names, made in parts
            if b"avc1" in names and made["units"] < 2**32 - 1
            if made["timescale"]
        ]
        assert not [length for length in lengths if 0 < length <= 6 * 3_600]
    else:
        assert not [names for names, made in parts if possibly_film(names, made)]


@example(begin=898_815_103_239, samples=[1], by_default=False)
@given(st.integers(0, 2**40), st.lists(st.integers(1, 500), min_size=1, max_size=5), st.booleans())
def test_fragments_are_as_long_as_their_samples(begin, samples, by_default):
    """Fragments that follow each other are as long as their samples are, whenever the first begins."""
    at, parts = begin, []
    for count in samples:
        parts.append(fragment(at, count, duration=None if by_default else 40))
        at += 40 * count
    body = file_of(track(AVC, units=0), units=0, extends=[trex(40 if by_default else 0)], behind=b"".join(parts))

    header, _ = read(body)

    # Of a moment some 35 years from the first one, a float has tenths of a microsecond.
    assert pytest.approx(sum(samples) * 0.04, abs=1e-6) == header.seconds


@given(st.data())
def test_a_damaged_film_is_never_of_another_codec(data):
    """Whatever bytes behind the boxes' names are changed in a real film of H.264: it is not left out for its codec or picture."""
    body = bytearray(film(4, sound=True, flags=data.draw(st.sampled_from(["", "faststart", FRAGMENTED]))))
    start = body.index(b"moov")
    for at in data.draw(st.lists(st.integers(start, min(start + 1_200, len(body) - 1)), max_size=3)):
        body[at] = data.draw(st.integers(0, 255))

    found, _ = read(bytes(body))

    assert found.fault is None or found.fault.code == "too-long", found
