"""What names an analysis, and how a record fails."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.domain.identity import MAX_ATTEMPT, Analysis, Video, fault_of, shard
from handlers.domain.record import Problem, Record
from handlers.domain.states import State

SCAN = "01K9ZZ6Q3M4T5V6W7X8Y9Z0ABC"
BY_HAND = "0b5e1a52-7c1f-4f43-9d3a-5b0f8f6f2c11"
VIDEO = "ed2b1e3c4d5f60718293a4b5c6d7e8f9"
VIDEO_IDS = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(st.sampled_from([SCAN, BY_HAND]), VIDEO_IDS, st.integers(0, MAX_ATTEMPT))
def test_a_tag_says_which_analysis(scan_id, video_id, attempt):
    """A job's tag says scan, video and attempt, in letters that Rekognition takes (botocore: rekognition JobTag)."""
    tag = Analysis(scan_id, video_id, attempt).tag

    assert [scan_id, video_id, str(attempt)] == tag.split("/")
    assert re.fullmatch(r"[a-zA-Z0-9_.\-:+=/]{1,1024}", tag)


@given(st.lists(VIDEO_IDS, min_size=1, max_size=50), st.integers(1, 64))
def test_shards(video_ids, shards):
    """A video is always found in the shard it was put in, and there is no shard beyond the last."""
    found = [shard(video_id, shards) for video_id in video_ids]

    assert found == [shard(video_id, shards) for video_id in video_ids]
    assert all(0 <= number < shards for number in found)


def test_videos_are_spread_over_the_shards():
    """A thousand videos do not crowd into a few of 16 shards: one partition of the table takes a thousand writes a second."""
    counts = [0] * 16
    for number in range(1_000):
        counts[shard(Video("amzn-s3-demo-bucket", f"{number}.mp4").id, 16)] += 1

    assert min(counts) > 30


def test_failing():
    """A record that fails says why and since when; all else stays."""
    record = Record(Video("amzn-s3-demo-bucket", "a.mp4"), SCAN, State.WAITING, attempt=3, batch_job_id="job", queued_at=1.0)

    failed = record.as_failed(Problem("archived", "Restore it."), at=2.0)

    assert (State.FAILED, Problem("archived", "Restore it."), 2.0) == (failed.state, failed.problem, failed.finished_at)
    assert (record.video, SCAN, 3, "job", 1.0) == (
        failed.video,
        failed.scan_id,
        failed.attempt,
        failed.batch_job_id,
        failed.queued_at,
    )


@pytest.mark.parametrize(
    ("video", "named"),
    [
        (Video("ab", "a.mp4"), "bucket"),
        (Video("amzn-s3-demo-bucket", "\ud83d"), "Unicode"),
        (Video("amzn-s3-demo-bucket", "k" * 1025), "1025 bytes"),
    ],
)
def test_what_is_wrong_is_named(video, named):
    """The sentence in the report names what S3 would not take."""
    assert named in fault_of(video)
