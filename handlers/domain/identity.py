"""Names that never change: which video, which scan, which attempt, and the token and tag that carry them through Rekognition."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted

# What `submit_job` makes: 26 characters of Crockford's base 32.
ULID_PATTERN = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")

# The id of an S3 Batch Operations job; the scan id of a job made by hand in the console.
UUID_PATTERN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# What Rekognition takes as a bucket (botocore: rekognition S3Bucket); old buckets may have capitals and underscores.
BUCKET_PATTERN = re.compile(r"[0-9A-Za-z._-]{3,255}")

# The longest S3 key, in bytes of UTF-8 (Amazon S3 user guide, object keys).
MAX_KEY_BYTES = 1024

# Two digits hold an attempt in the segments' sort key.
MAX_ATTEMPT = 99


@dataclass(frozen=True, slots=True)
class Video:
    """One object as the batch task names it: bucket, decoded key, and version (None where the bucket has none)."""

    bucket: str
    key: str
    version_id: str | None = None

    @property
    def id(self) -> str:
        """Return the video id: the first 32 hex digits of the SHA-256 of the JSON list of bucket, key and version.

        Fixed length and safe everywhere, where a key may be 1,024 bytes of anything.
        """
        return _id(self.bucket, self.key, self.version_id)

    @property
    def digest(self) -> bytes:
        """Return the video id as its 16 bytes, for those who hold a million of them."""
        return digest_of(self.bucket, self.key, self.version_id)

    @property
    def uri(self) -> str:
        """Return the object's s3 URI, without its version."""
        return f"s3://{self.bucket}/{self.key}"


def digest_of(bucket: str, key: str, version_id: str | None) -> bytes:
    """Return the `digest` of a video, for those who need nothing else of it."""
    version = "null" if version_id is None else _quoted(version_id)
    # What json.dumps makes of the list, without building an encoder for each of a million.
    text = f"[{_quoted(bucket)},{_quoted(key)},{version}]"
    return hashlib.sha256(text.encode()).digest()[:16]


@lru_cache(maxsize=256)
def _id(bucket: str, key: str, version_id: str | None) -> str:
    """Return a video id; an invocation asks for that of its one video half a dozen times."""
    return digest_of(bucket, key, version_id).hex()


@dataclass(frozen=True, slots=True)
class Analysis:
    """One attempt at one video in one scan: what a token and a tag stand for."""

    scan_id: str
    video_id: str
    attempt: int

    @property
    def token(self) -> str:
        """Return the `ClientRequestToken`: 64 hex digits, the longest Rekognition takes.

        The same token returns the same job for 7 days, and is not paid again; so the attempt is part of it.
        """
        return hashlib.sha256(f"{self.scan_id}/{self.video_id}/{self.attempt}".encode()).hexdigest()

    @property
    def tag(self) -> str:
        """Return the `JobTag`, which shows people which video a job is of.

        Anyone may start a job under it: nothing is concluded from it.
        """
        return f"{self.scan_id}/{self.video_id}/{self.attempt}"


def is_scan_id(text: str) -> bool:
    """Tell whether this is a scan id: a ULID, or the uuid of a batch job made by hand."""
    return bool(ULID_PATTERN.fullmatch(text) or UUID_PATTERN.fullmatch(text))


def shard(video_id: str, shards: int) -> int:
    """Return the shard of a video among `shards`, the same at every call."""
    return int(video_id[:8], 16) % shards


def fault_of(video: Video) -> str | None:
    """Return why S3 can hold no such object, or None where it can."""
    if not BUCKET_PATTERN.fullmatch(video.bucket):
        return "the bucket has a name that S3 does not allow"
    try:
        length = len(video.key.encode())
        (video.version_id or "").encode()
    except UnicodeEncodeError:
        return "the key or the version is not valid Unicode text"
    if not 1 <= length <= MAX_KEY_BYTES:
        return f"the key has {length} bytes, S3 allows 1 to {MAX_KEY_BYTES}"
    return None
