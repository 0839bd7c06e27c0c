"""The id of a video."""

import hashlib
import json

from hypothesis import example, given
from hypothesis import strategies as st

from handlers.domain.identity import Video


@given(bucket=st.text(), key=st.text(), version_id=st.none() | st.text())
@example(bucket="b", key='\ud800\u2028\x7f\0\\"', version_id="null")
def test_id(bucket, key, version_id):
    """It is the beginning of the SHA-256 of the JSON list, as 32 hex digits or as 16 bytes: records lie in tables under it."""
    text = json.dumps([bucket, key, version_id], ensure_ascii=True, separators=(",", ":"))

    video = Video(bucket, key, version_id)

    assert hashlib.sha256(text.encode()).hexdigest()[:32] == video.id == video.digest.hex()
