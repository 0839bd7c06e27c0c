"""The upload of the demo waits until it cannot be part of the scan that it is no part of."""

import threading
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from tools.emulator.samples import demo_upload
from tools.rehearsal.upload import UploadMeanwhile


@pytest.fixture(name="world")
def _world():
    """Return a world so fast that events are sent at once; `put` is set by an upload."""
    put = threading.Event()
    s3 = Mock(put_object=lambda **_: put.set())
    return SimpleNamespace(
        settings=SimpleNamespace(event_bridge_switch_seconds=0.0, speed=1e9),
        clock=SimpleNamespace(now=lambda: 0.0),
        client=lambda _: s3,
        put=put,
    )


def test_slow_submission(world):
    """Nothing is uploaded before the scan has its job, and the sample is once it has."""
    asked, submitted = threading.Event(), threading.Event()

    def may_begin():
        asked.set()
        return submitted.is_set()

    UploadMeanwhile(world, demo_upload(), may_begin)

    assert asked.wait(60)
    assert not world.put.is_set()
    submitted.set()
    assert world.put.wait(60)


def test_stopped(world):
    """A rehearsal that ends before its scan has a job uploads nothing, and leaves no thread that waits."""
    asked = threading.Event()
    upload = UploadMeanwhile(world, demo_upload(), lambda: bool(asked.set()))
    asked.wait(60)

    upload.stop()

    upload._timer.join(60)
    assert not upload._timer.is_alive()
    assert not world.put.is_set()
