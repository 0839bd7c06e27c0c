"""`submit_job.py --skip-unchanged` of a watched bucket: verdicts of uploads count, and days of them cost no more requests."""

from datetime import date, timedelta

from handlers.domain.engine import Engine
from handlers.domain.states import ScanStatus, State
from tests.tools.conftest import BUCKET
from tests.tools.uploads import DAY, add_day, add_flagged_upload, add_upload

DAYS = 40


def uploaded(account, *keys):
    """Put objects; return their etags."""
    account.put(*keys)
    return {key: account.s3.head_object(Bucket=BUCKET, Key=key)["ETag"].strip('"') for key in keys}


def keys_of(account):
    """Return the keys of the manifest that a plan has."""
    [manifest] = account.manifests.glob("*.csv")
    return {line.split(",")[1] for line in manifest.read_text("utf-8").splitlines()}


def test_verdicts_of_uploads_count(account):
    """What an upload of any day has a verdict on is left out, of a cancelled day too; others are scanned."""
    etags = uploaded(account, "clean.mp4", "flagged.mp4", "changed.mp4", "failed.mp4", "new.mp4")
    add_day(account, status=ScanStatus.CANCELLED)
    add_day(account, "2025-10-08")
    add_upload(account, "clean.mp4", State.CLEAN, etag=etags["clean.mp4"])
    add_flagged_upload(account, "flagged.mp4", etag=etags["flagged.mp4"], day="2025-10-08")
    add_upload(account, "changed.mp4", State.CLEAN, etag="another")
    add_upload(account, "failed.mp4", State.FAILED, etag=etags["failed.mp4"], code="forbidden")

    result = account.submit("--bucket", BUCKET, "--skip-unchanged", "--dry-run")

    assert 0 == result.exit_code, result.stderr
    assert {"changed.mp4", "failed.mp4", "new.mp4"} == keys_of(account)
    assert "Left out as unchanged since an earlier scan: 2 objects." in result.stdout


def test_uploads_by_frames(account):
    """What an upload was found by frames does not count for a scan by the video API, also where that has others by frames."""
    etags = uploaded(account, "a.mp4", "b.mp4")
    add_day(account)
    add_upload(account, "a.mp4", State.CLEAN, etag=etags["a.mp4"], engine=Engine.FRAMES, interval_ms=5_000)
    add_upload(account, "b.mp4", State.CLEAN, etag=etags["b.mp4"])

    account.deploy("Frames", FramesDeadLettersUrl="https://a", FramesExpressDeadLettersUrl="https://b", ImagesPerSecond="5")

    result = account.submit("--stack", "Frames", "--bucket", BUCKET, "--skip-unchanged", "--others", "frames", "--dry-run")

    assert 0 == result.exit_code, result.stderr
    assert {"a.mp4"} == keys_of(account)


def test_days_do_not_multiply_requests(account):
    """Forty days of uploads cost one read of notes and one of records, and no warning that scans were not searched."""
    etags = uploaded(account, "a.mp4", "b.mp4")
    for number in range(DAYS):
        add_day(account, (date.fromisoformat(DAY) - timedelta(days=number)).isoformat())
    add_upload(account, "a.mp4", State.CLEAN, etag=etags["a.mp4"])
    account.wire.calls.clear()

    result = account.submit("--bucket", BUCKET, "--skip-unchanged", "--dry-run")

    assert 2 == len(account.wire.of("BatchGetItem"))
    assert "Only the newest" not in result.stdout


def test_a_bucket_that_was_never_watched(account):
    """Without the scan of a day there are no notes to read."""
    account.put("a.mp4")
    account.wire.calls.clear()

    account.submit("--bucket", BUCKET, "--skip-unchanged", "--dry-run")

    assert [] == account.wire.of("BatchGetItem")
