"""Analysing real videos."""

import io
import random

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.emulator.cards import CARDS
from tools.emulator.samples import CardAt, Clip, encode, tiny_clip
from tools.emulator.services.rekognition.video import UnanalysableError, VideoAnalyser, VideoMetadata


def film(pictures, *, container="mp4", codec="libx264", fps=10, pixel_format="yuv420p", every=1):
    """Encode pictures (bytes of 64 x 48 RGB pixels), `every` frames apart."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as output:
        stream = output.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixel_format
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame(64, 48, "rgb24")
            frame.planes[0].update(pixels)
            frame.pts = number * every
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return target.getvalue()


def flat(*rgb):
    """Return a picture of one colour."""
    return bytes(rgb) * (64 * 48)


def seen(body):
    """Return the (millisecond, label) pairs found in a video."""
    return [(sighting.timestamp_ms, sighting.label) for sighting in VideoAnalyser().analyse(body).sightings]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.label)
def test_every_card_survives_h264(card):
    """Each label is recognised in an encoded video, with its confidence within 2 %."""
    for confidence in (2.0, 50.0, 66.6, 80.0, 99.0):
        found = VideoAnalyser().analyse(tiny_clip(card.label, confidence)).sightings

        assert [(sighting.timestamp_ms, sighting.label) for sighting in found] == [(0, card.label), (500, card.label)]
        assert all(abs(sighting.confidence - confidence) <= 2 for sighting in found)


@settings(max_examples=25, deadline=None)
@given(
    card=st.sampled_from(CARDS),
    start=st.integers(0, 40),
    lasts=st.integers(1, 40),
    fps=st.sampled_from([5, 10, 24, 30]),
)
def test_a_card_is_found_where_it_is(card, start, lasts, fps):
    """A card is seen in all samples of its time, except for at most one at each end, and in no other."""
    start_s, end_s = start / 10, (start + lasts) / 10

    times = [at for at, _ in seen(encode(Clip(8.5, (CardAt(card.label, 90.0, start_s, end_s),), fps=fps)))]

    assert all(start_s * 1_000 <= at + 1 and at < end_s * 1_000 for at in times)
    inside = set(range(0, 8_500, 500)) & set(range(round(start_s * 1_000), round(end_s * 1_000) - 1_000 // fps))
    assert inside <= {at - at % 500 for at in times}


def test_samples_are_half_a_second_apart():
    """At any frame rate the sampled frame is the first at or after each half second, reported with its own milliseconds."""
    body = encode(Clip(3.0, (CardAt("Gambling", 90.0, 0.0, 3.0),), fps=7))

    assert [at for at, _ in seen(body)] == [0, 571, 1_000, 1_571, 2_000, 2_571]


def test_metadata():
    """Codec, length, container, rate and size are the file's own."""
    metadata = VideoAnalyser().analyse(encode(Clip(2.5, width=160, height=120))).metadata

    assert metadata == VideoMetadata("h264", 2_500, "QuickTime / MOV", 10.0, 120, 160, "LIMITED")


def test_a_moving_picture_is_clean():
    """The background of the samples is not taken for a card."""
    assert seen(encode(Clip(6.0))) == []


def test_natural_and_artificial_pictures_are_clean():
    """Noise, a slow fade through all colours, colour bars and single colours are not taken for cards."""
    chance = random.Random(7)
    noise = [chance.randbytes(64 * 48 * 3) for _ in range(10)]
    fade = [flat(255 * step // 40, 255 - 255 * step // 40, abs(128 - 6 * step) % 256) for step in range(40)]
    eight = [(255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)]
    bars = [b"".join(bytes(rgb) * 8 for rgb in eight) * 48] * 10
    single = [flat(*card.rgb) for card in CARDS for _ in range(5)]

    assert seen(film([*noise, *fade, *bars, *single])) == []


def _card_picture(label):
    rgb = next(card.rgb for card in CARDS if card.label == label)
    middle = {(x, y) for x in range(16, 48) for y in range(12, 36)}
    return b"".join(bytes((230,) * 3 if (x, y) in middle else rgb) for y in range(48) for x in range(64))


def test_mov_is_analysed():
    """H.264 in QuickTime's container is analysed as in MP4."""
    assert seen(film([_card_picture("Violence")] * 5, container="mov")) == [(0, "Violence")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"This was meant to be a video.",
        tiny_clip()[:200],
        encode(Clip(1.0, codec="vp9")),
        encode(Clip(1.0, codec="mpeg4")),
        film([flat(1, 2, 3)] * 5, container="matroska"),
        film([flat(1, 2, 3)] * 5, container="mpegts"),
        film([flat(1, 2, 3)] * 5, codec="libx265"),
    ],
    ids=["empty", "text", "torn", "vp9", "mpeg4", "matroska", "mpegts", "hevc"],
)
def test_anything_but_h264_in_mp4_is_unsupported(body):
    """Other codecs, other containers and files without video fail with AWS's message."""
    with pytest.raises(UnanalysableError, match=r"^Unsupported codec/format\.$"):
        VideoAnalyser().analyse(body)


def test_sound_alone_is_unsupported():
    """A MOV with sound only cannot be analysed."""
    target = io.BytesIO()
    with av.open(target, "w", format="mov") as output:
        stream = output.add_stream("pcm_s16le", rate=8_000, layout="mono")
        frame = av.AudioFrame("s16", "mono", 1_024)
        frame.sample_rate, frame.pts = 8_000, 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))

    with pytest.raises(UnanalysableError, match="Unsupported"):
        VideoAnalyser().analyse(target.getvalue())


@pytest.mark.parametrize(("hours", "too_long"), [(5, False), (7, True)])
def test_six_hours_are_the_limit(hours, too_long):
    """A video of more than 6 hours fails; a shorter one does not."""
    body = film([flat(1, 2, 3)] * (hours + 1), fps=1, every=3_600)

    try:
        VideoAnalyser().analyse(body)
        message = ""
    except UnanalysableError as refused:
        message = str(refused)

    assert message == ("The video is longer than 6 hours." if too_long else "")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_broken_files_never_crash_the_decoder(data):
    """A video with any bytes changed is either analysed or unsupported."""
    body = bytearray(tiny_clip("Weapons"))
    for _ in range(data.draw(st.integers(1, 20))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

    try:
        found = VideoAnalyser().analyse(bytes(body)).sightings
    except UnanalysableError:
        found = ()

    assert len(found) <= 2_000
