"""The upload of the demo: its mail is waited for while the offline world gets on."""

from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from tools.emulator.samples import demo_upload
from tools.lib.errors import ToolError
from tools.rehearsal import waiting
from tools.rehearsal.upload import UploadMeanwhile
from tools.rehearsal.waiting import MOST_INVOCATIONS

DAY = 1_784_937_600.0


@pytest.fixture(name="world")
def _world(tmp_path):
    """Return a world so fast that the upload comes at once, in which nothing happens yet."""
    world = SimpleNamespace(
        settings=SimpleNamespace(event_bridge_switch_seconds=0.0, speed=1e9),
        clock=SimpleNamespace(now=lambda: DAY),
        client=Mock(),
        outbox=tmp_path,
        directory=tmp_path,
        functions=SimpleNamespace(ledger=SimpleNamespace(entries=lambda: world.invocations)),
        invocations=[],
    )
    return world


@pytest.fixture(name="slow_machine")
def _slow_machine(world, monkeypatch):
    """Return a function that says whether an invocation ends between two looks, minutes apart, and after how many a mail comes."""
    now = SimpleNamespace(seconds=0.0, looks=0)

    def let(*, ends, mail_after=None):
        def sleep(_seconds):
            now.seconds += waiting.STILL_SECONDS * 0.9
            now.looks += 1
            world.invocations.append(SimpleNamespace(ended=DAY if ends else None))
            if now.looks == mail_after:
                (world.outbox / "1.eml").write_text(f"Subject: {demo_upload().key.rpartition('/')[2]}\n\n")

        monkeypatch.setattr(waiting, "time", SimpleNamespace(monotonic=lambda: now.seconds, sleep=sleep))

    return let


def test_slow_machine(world, slow_machine):
    """However long it takes, the mail is waited for while functions end."""
    slow_machine(ends=True, mail_after=MOST_INVOCATIONS // 2)

    scan_id = UploadMeanwhile(world, demo_upload()).scan_id()

    assert 26 == len(scan_id)


@pytest.mark.parametrize("ends", [True, False], ids=["much happens", "nothing happens"])
def test_no_mail(world, slow_machine, ends):
    """The wait ends where the world has done more than a mail takes, and where it does nothing any more."""
    slow_machine(ends=ends)

    with pytest.raises(ToolError, match="no mail came"):
        UploadMeanwhile(world, demo_upload()).scan_id()
