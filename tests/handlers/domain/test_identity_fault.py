"""Which objects S3 can hold."""

import pytest

from handlers.domain.identity import Video, fault_of


@pytest.mark.parametrize("key", ["a", "k" * 1024, "ü" * 512, "\n", "<script>", " ", "a/../b.mp4"])
def test_possible_keys(key):
    """Anything of 1 to 1,024 bytes is a key."""
    assert fault_of(Video("amzn-s3-demo-bucket", key)) is None


@pytest.mark.parametrize(
    "video",
    [
        Video("amzn-s3-demo-bucket", ""),
        Video("amzn-s3-demo-bucket", "k" * 1025),
        Video("amzn-s3-demo-bucket", "\ud83d"),
        Video("amzn-s3-demo-bucket", "a.mp4", "\ud83d"),
        Video("ab", "a.mp4"),
        Video("amzn/s3", "a.mp4"),
        Video("amzn-s3-demo-bucket\n", "a.mp4"),
        Video("b" * 256, "a.mp4"),
    ],
)
def test_impossible_objects(video):
    """An object that S3 cannot have is refused without a request."""
    assert fault_of(video)
