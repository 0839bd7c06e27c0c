"""A watched bucket in the offline world: the real template, functions and programs, from the switch to the verdict."""

import pytest

from handlers.domain import watch
from handlers.domain.identity import Video
from handlers.domain.states import ScanStatus, State
from tests.end_to_end.conftest import BUCKET
from tools.emulator.samples import tiny_clip

KEY = "in/é +%20.MP4"
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def stage(stages):
    """Return a stage that watches its bucket, in a world in which events begin at once."""
    return stages(context={"watch": [{"bucket": BUCKET}]}, event_bridge_switch_seconds=0.0)


def records(stage):
    """Return the records of the scans of days, by key."""
    scans = [scan.id for scan in stage.table.scans.scans() if scan.day is not None]
    return {key: record for scan_id in scans for key, record in stage.records(scan_id).items()}


def open_days(stage):
    """Return the scans of days that are open."""
    return [scan.id for scan in stage.table.scans.scans() if scan.day is not None and scan.status is ScanStatus.OPEN]


def test_from_the_switch_to_the_verdict(stage):
    """Once it is switched on, an upload is analysed and mailed without a command; what was there before is not looked at."""
    stage.put("before.mp4", tiny_clip("Weapons"))
    before = stage.run("control_scan.py", "watch", "status", codes=(3,))

    switched = stage.run("control_scan.py", "watch", "on", BUCKET)
    stage.put("note.txt", b"text")
    stage.put(KEY, tiny_clip("Weapons"))
    stage.until(lambda: records(stage).get(KEY) and records(stage)[KEY].state.final, "the upload has a verdict")

    record = records(stage)[KEY]
    after = stage.run("control_scan.py", "watch", "status", BUCKET)
    (shown,) = after["watches"]
    assert (before["watches"][0]["events"], switched["changed"], shown["events"]) == (False, True, True)
    assert (record.state, record.video.key, record.uploaded_at is not None) == (State.FLAGGED, KEY, True)
    assert set(records(stage)) == {KEY}
    assert (shown["verdicts"], shown["analyses"], after["warnings"]) == (1, 1, [])
    assert 0 < shown["lag_median_seconds"] < 3_600
    stage.until(stage.flagged_mails, "the mail was sent")


def test_paused_uploads_wait(stage):
    """While the watch is paused, an upload is registered and waits; after `resume` it is analysed."""
    stage.run("control_scan.py", "watch", "on", BUCKET)
    stage.run("control_scan.py", "watch", "pause", BUCKET)
    # The sweeper pauses the scans of days that are there; whoever registers an upload writes a new one paused.
    stage.until(lambda: not open_days(stage), "the scans of days are paused", meanwhile=lambda: stage.world.clock.leap(60.0))
    stage.put("waits.mp4", tiny_clip())
    stage.until(lambda: "waits.mp4" in records(stage), "the upload is registered")
    stage.world.clock.leap(120.0)
    held = records(stage)["waits.mp4"].state

    stage.run("control_scan.py", "watch", "resume", BUCKET)
    stage.until(
        lambda: records(stage)["waits.mp4"].state.final,
        "the upload has a verdict",
        meanwhile=lambda: stage.world.clock.leap(60.0),
    )

    assert held is State.WAITING
    assert records(stage)["waits.mp4"].state is State.CLEAN
    video = Video(BUCKET, "waits.mp4")
    assert stage.table.watches.current(BUCKET, video.key).scan_id == watch.scan_id(BUCKET, watch.day_of(stage.world.clock.now()))


def test_switched_off(stage):
    """After `watch off` uploads are not looked at, and nothing is left in the bucket's notifications."""
    stage.run("control_scan.py", "watch", "on", BUCKET)

    switched = stage.run("control_scan.py", "watch", "off", BUCKET, "--yes")
    stage.put("late.mp4", tiny_clip())
    stage.world.clock.leap(120.0)

    configuration = stage.s3.get_bucket_notification_configuration(Bucket=BUCKET)
    assert switched["changed"]
    assert "EventBridgeConfiguration" not in configuration
    assert "late.mp4" not in records(stage)
    assert stage.run("control_scan.py", "watch", "status", codes=(3,))["watches"][0]["since"] is None


def test_off_while_others_get_events(stage):
    """After `watch off --keep-events` the bucket sends its events, and no upload is looked at until the watch is on again."""
    stage.run("control_scan.py", "watch", "on", BUCKET)

    stage.run("control_scan.py", "watch", "off", BUCKET, "--keep-events")
    stage.world.clock.leap(2.0)
    stage.put("ignored.mp4", tiny_clip())
    stage.world.clock.leap(120.0)
    off = stage.run("control_scan.py", "watch", "status", BUCKET, codes=(3,))
    ignored = "ignored.mp4" not in records(stage)
    stage.run("control_scan.py", "watch", "on", BUCKET)
    stage.put("again.mp4", tiny_clip())
    stage.until(lambda: "again.mp4" in records(stage), "the upload is registered")

    assert (off["watches"][0]["events"], ignored) == (True, True)
    assert f"The watch of {BUCKET} has been off since" in off["warnings"][0]
