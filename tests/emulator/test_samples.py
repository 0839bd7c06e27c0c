"""The sample videos hold what the library says they hold."""

import io
import itertools
import time

import av
import pytest

from tools.emulator.cards import CARDS
from tools.emulator.samples import CardAt, Clip, Sample, Still, demo_formats, demo_library, encode, encode_still, tiny_clip
from tools.emulator.services.rekognition.picture import CardReader
from tools.emulator.services.rekognition.video import UnanalysableError, VideoAnalyser

LIBRARY = demo_library()
CLIPS = [sample for sample in LIBRARY if isinstance(sample.content, Clip)]


@pytest.mark.parametrize(
    "sample", [sample for sample in CLIPS if sample.expected.state != "INELIGIBLE"], ids=lambda sample: sample.key
)
def test_a_sample_shows_its_cards_at_their_seconds(sample: Sample):
    """Every half second of each expected card is seen with its confidence, and nothing else is."""
    found = {sighting.timestamp_ms: sighting for sighting in VideoAnalyser().analyse(sample.body()).sightings}

    expected = {
        at: card
        for card in sample.expected.labels
        for at in range(0, 10_000, 500)
        if card.start_s * 1_000 <= at < card.end_s * 1_000
    }
    assert {at: sighting.label for at, sighting in found.items()} == {at: card.label for at, card in expected.items()}
    assert all(abs(found[at].confidence - card.confidence) < 2 for at, card in expected.items())


def test_a_sample_that_fails_cannot_be_analysed():
    """The video expected to fail in analysis is one that the emulated Rekognition fails, and so is the one left out before."""
    failing = [sample for sample in LIBRARY if sample.expected.reason in {"analysis-failed", "codec"}]

    for sample in failing:
        with pytest.raises(UnanalysableError):
            VideoAnalyser().analyse(sample.body())

    assert [sample.body()[4:8] for sample in failing] == [b"ftyp", b"ftyp"]


def test_the_library_has_every_outcome_and_awkward_keys():
    """Each outcome occurs, keys are different, and each character that breaks pipelines is in some key."""
    keys = [sample.key for sample in LIBRARY]

    assert {sample.expected.state for sample in LIBRARY} == {"CLEAN", "FLAGGED", "FAILED", "INELIGIBLE", "SKIPPED", "NOT_LISTED"}
    assert len(set(keys)) == len(keys) == 15
    assert [character for character in " +%\"',&<>ßè🎬/;=" if not any(character in key for key in keys)] == []
    assert any(key.endswith(".MP4") for key in keys)


def test_flagged_samples_are_far_above_the_policy_and_clean_ones_below():
    """The library's verdicts hold under the shipped policy: 80 %, alcohol 90 %."""
    for sample in LIBRARY:
        counts = [card for card in sample.expected.labels if card.confidence > 82]

        assert bool(counts) == (sample.expected.state == "FLAGGED")
        assert all(card.label != "Alcohol" for card in counts)


@pytest.mark.parametrize("fmt", ["jpeg", "png"])
@pytest.mark.parametrize("card", CARDS[::7], ids=lambda card: card.label)
def test_a_still_shows_its_card(fmt, card):
    """A card is recognised in each format, with its confidence, and encoding it again gives the same bytes."""
    still = Still(fmt, card.label, 90.0, 160, 120)

    body = encode_still(still)

    assert (card.label, pytest.approx(90.0, abs=1)) == (CardReader().look(body).label, CardReader().look(body).confidence)
    assert encode_still(still) == body


@pytest.mark.parametrize(
    ("codec", "container", "mark"),
    [("hevc", "mov", b"ftypqt  "), ("hevc", "matroska", b"matroska"), ("vp9", "webm", b"webm"), ("h264", "mpegts", b"\x47")],
)
def test_clips_in_other_formats(codec, container, mark):
    """A clip is in the codec and container that it asks for, by a mark at its beginning: FFmpeg has one name for similar ones."""
    body = encode(Clip(1.0, codec=codec, container=container))

    with av.open(io.BytesIO(body), "r") as film:
        assert container in film.format.name
        assert codec == film.streams.video[0].codec_context.name
    assert mark in body[:64]


def test_the_other_formats_are_for_frames_only():
    """The video API takes none of these objects; each has an outcome by frames."""
    assert {"NOT_LISTED", "INELIGIBLE"} == {sample.expected.state for sample in demo_formats()}
    assert all(sample.by_frames is not None for sample in demo_formats())
    assert {"mov", "webm", "jpg", "png"} == {sample.key.rpartition(".")[2] for sample in demo_formats()}


@pytest.mark.parametrize("codec", ["h264", "vp9", "mpeg4", "hevc"])
def test_the_same_clip_gives_the_same_bytes(codec):
    """Encoding is deterministic, so uploads can be compared."""
    clip = Clip(1.0, (CardAt("Pills", 90.0, 0.0, 0.5),), codec=codec)

    assert encode(clip) == encode(clip)


def test_the_background_moves():
    """A clip is a video: no two neighbouring frames of the background are the same."""
    with av.open(io.BytesIO(encode(Clip(2.0))), "r") as container:
        frames = [bytes(frame.planes[0]) for frame in container.decode(video=0)]

    assert len(frames) == 20
    assert all(a != b for a, b in itertools.pairwise(frames))


def test_tiny_clips_are_tiny_and_made_once():
    """Below 4 KB with any card, and the second time for nothing: 500 of them upload quickly."""
    sizes = [len(tiny_clip(card.label)) for card in CARDS]

    assert max(*sizes, len(tiny_clip())) < 4_096
    assert tiny_clip("Weapons", 90.0) is tiny_clip("Weapons", 90.0)


def test_a_label_without_a_card_is_an_error():
    """A misspelt label is not silently drawn as something else."""
    with pytest.raises(KeyError):
        encode(Clip(1.0, (CardAt("Weapon", 90.0, 0.0, 1.0),)))


def test_making_the_library_takes_no_time_worth_waiting_for():
    """All samples together are encoded within three seconds even on a busy laptop."""
    before = time.monotonic()

    total = sum(len(sample.body()) for sample in LIBRARY)

    assert time.monotonic() - before < 3
    assert 10_000 < total < 200_000
