"""Frames, end to end: films of other codecs and an image go through a deployed world; what was looked at is what was paid for."""

import pytest

from handlers.domain.engine import Engine
from handlers.domain.states import State
from tests.end_to_end.conftest import BUCKET, STACK
from tests.once import synthesised
from tools.emulator.samples import CardAt, Clip, Still, encode, encode_still

CLEAN, FLAGGED, IMAGE = "frames/clean.mp4", "frames/weapons.mkv", "frames/weapons.jpg"


@pytest.fixture(scope="module")
def assembly(tmp_path_factory):
    """Return a function to the assembly of a deployment that has the engine of frames."""
    context = {"stack_name": STACK, "alert_email": "reviewer@example.com", "source_buckets": [BUCKET], "frames": True}
    return lambda **changes: synthesised(tmp_path_factory, **(context | changes))


@pytest.fixture(name="stage", scope="module")
def _stage(stages):
    # Slow enough that the table answers within the time in which a turn of the pace can be used.
    stage = stages(speed=4.0)
    stage.put(CLEAN, encode(Clip(12.0, codec="h264")))
    stage.put(FLAGGED, encode(Clip(12.0, (CardAt("Weapons", 97.0, 4.0, 9.0),), codec="hevc", container="matroska")))
    stage.put(IMAGE, encode_still(Still(label="Weapons")))
    return stage


@pytest.fixture(name="scan_id", scope="module")
def _scan_id(stage):
    return stage.scan("frames/", "--frames", "2s", "--suffix", ".mp4", "--suffix", ".mkv", "--suffix", ".jpg")


class TestFrames:
    def test_verdicts(self, stage, scan_id):
        """Each film has the verdict of its frames, in whatever codec and container, and the image that of its one call."""
        records = stage.records(scan_id)

        assert {key: record.state for key, record in records.items()} == {
            CLEAN: State.CLEAN,
            FLAGGED: State.FLAGGED,
            IMAGE: State.FLAGGED,
        }
        assert {Engine.FRAMES} == {record.engine for record in records.values()}
        assert (2_000, 2_000, None) == tuple(records[key].interval_ms for key in (CLEAN, FLAGGED, IMAGE))

    def test_when(self, stage, scan_id):
        """A card is found at its time, give or take an interval."""
        record = stage.records(scan_id)[FLAGGED]

        (segment,) = [one for one in stage.table.records.segments(record.video.id, scan_id, 0) if one.label == "Weapons"]

        assert 2_000 <= segment.start_ms <= 6_000
        assert 7_000 <= segment.end_ms <= 9_000

    def test_paid(self, stage, scan_id):
        """Every image that Rekognition looked at is in a record, and the image in S3 was sent as it is."""
        paid = stage.world.images.ledger.paid
        records = stage.records(scan_id)

        assert len(paid) == sum(record.images for record in records.values()) == stage.table.scans.totals(scan_id).images
        assert [IMAGE] == [call.key for call in paid if call.key]
        assert all(6 <= records[key].images <= 7 for key in (CLEAN, FLAGGED))

    def test_no_job(self, stage, scan_id):
        """No job of the video API was started, and nothing is under way any more."""
        assert [] == stage.jobs(scan_id)
        assert 0 == stage.table.samplings.under_way() == stage.table.records.slots_in_use()

    def test_review(self, stage, scan_id):
        """A review accounts for every object."""
        review = stage.review(scan_id)

        assert {"clean": 1, "flagged": 2} == {name: count for name, count in review["states"].items() if count}


def test_image_in_a_scan_by_video(stage):
    """An image is looked at by one call also where its scan goes by the video engine."""
    stage.put("mixed/film.mp4", encode(Clip(5.0)))
    stage.put("mixed/picture.png", encode_still(Still("png")))

    scan_id = stage.scan("mixed/", "--suffix", ".mp4", "--suffix", ".png")

    records = stage.records(scan_id)
    assert {State.CLEAN} == {record.state for record in records.values()}
    assert (Engine.VIDEO, Engine.FRAMES) == (records["mixed/film.mp4"].engine, records["mixed/picture.png"].engine)
    assert 1 == len(stage.jobs(scan_id))
