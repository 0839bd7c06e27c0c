"""Identities of videos, scans and analyses, and the token and tag of an analysis in Rekognition. They never change."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted

# The scan ids of `submit_job`: 26 characters of Crockford's base 32.
ULID_PATTERN = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")

# Its alphabet, without I, L, O and U, its length, and how many bytes of it are no time.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID_LENGTH = 26
ULID_ENTROPY = 10

# The id of an S3 Batch Operations job; the scan id of a job made by hand in the console.
UUID_PATTERN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Bucket names that Rekognition accepts (botocore: rekognition S3Bucket); old buckets may have capitals and underscores.
BUCKET_PATTERN = re.compile(r"[0-9A-Za-z._-]{3,255}")

# The longest S3 key, in bytes of UTF-8 (Amazon S3 user guide, object keys).
MAX_KEY_BYTES = 1024

# The sort key of segments has two digits for the attempt.
MAX_ATTEMPT = 99


@dataclass(frozen=True, slots=True)
class Video:
    """One object as a batch task or an upload names it: bucket, decoded key, and version (None without versioning).

    `etag` (without quotes) is set for uploads to a bucket without versions only: there it tells a re-upload from what it replaced.
    """

    bucket: str
    key: str
    version_id: str | None = None
    etag: str | None = None

    @property
    def id(self) -> str:
        """Return the video id: the first 32 hex digits of the SHA-256 of the JSON list of bucket, key, version and perhaps etag."""
        return _id(self.bucket, self.key, self.version_id, self.etag)

    @property
    def digest(self) -> bytes:
        """Return the video id as 16 bytes, for holding millions of them in memory."""
        return digest_of(self.bucket, self.key, self.version_id, self.etag)

    @property
    def newest(self) -> Video:
        """Return whatever is the newest content of this key."""
        return Video(self.bucket, self.key)

    @property
    def in_manifest(self) -> Video:
        """Return this object as a manifest names it, which knows no etag."""
        return self if self.etag is None else replace(self, etag=None)

    @property
    def uri(self) -> str:
        """Return the object's S3 URI, without its version."""
        return f"s3://{self.bucket}/{self.key}"


def digest_of(bucket: str, key: str, version_id: str | None, etag: str | None = None) -> bytes:
    """Return the `digest` of a video without making a `Video`."""
    version = "null" if version_id is None else _quoted(version_id)
    content = "" if etag is None else f",{_quoted(etag)}"
    # The same as json.dumps of the list, without an encoder for each of a million.
    text = f"[{_quoted(bucket)},{_quoted(key)},{version}{content}]"
    return hashlib.sha256(text.encode()).digest()[:16]


@lru_cache(maxsize=256)
def _id(bucket: str, key: str, version_id: str | None, etag: str | None) -> str:
    """Return a video id; cached, because an invocation needs the same one several times."""
    return digest_of(bucket, key, version_id, etag).hex()


@dataclass(frozen=True, slots=True)
class Analysis:
    """One attempt at one video in one scan; it has one token and one tag."""

    scan_id: str
    video_id: str
    attempt: int

    @property
    def token(self) -> str:
        """Return the `ClientRequestToken`: 64 hex digits, the longest that Rekognition accepts.

        For 7 days the same token returns the same job without a further charge, so the attempt is part of it.
        """
        return hashlib.sha256(f"{self.scan_id}/{self.video_id}/{self.attempt}".encode()).hexdigest()

    @property
    def tag(self) -> str:
        """Return the `JobTag`, which shows people the video of a job.

        Anyone in the account may start a job with it, so it proves nothing.
        """
        return f"{self.scan_id}/{self.video_id}/{self.attempt}"


def ulid(milliseconds: int, entropy: bytes) -> str:
    """Return a ULID: 48 bits of milliseconds and 10 bytes, as 26 characters. Form: https://github.com/ulid/spec."""
    number = (milliseconds & (2**48 - 1)) << 8 * ULID_ENTROPY | int.from_bytes(entropy)
    return "".join(_ALPHABET[number >> 5 * position & 31] for position in reversed(range(_ULID_LENGTH)))


def milliseconds(ulid: str) -> int:
    """Return when a ULID was made, in milliseconds since the epoch."""
    number = 0
    for letter in ulid:
        number = number << 5 | _ALPHABET.index(letter)
    return number >> 8 * ULID_ENTROPY


def is_scan_id(text: str) -> bool:
    """Tell whether a text is a scan id: a ULID, or the UUID of a batch job that was created by hand."""
    return bool(ULID_PATTERN.fullmatch(text) or UUID_PATTERN.fullmatch(text))


def shard(video_id: str, shards: int) -> int:
    """Return the shard of a video, a number below `shards`."""
    return int(video_id[:8], 16) % shards


def fault_of(video: Video) -> str | None:
    """Return why S3 cannot have such an object, or None if it can."""
    if not BUCKET_PATTERN.fullmatch(video.bucket):
        return "the bucket has a name that S3 does not allow"
    try:
        length = len(video.key.encode())
        (video.version_id or "").encode()
        (video.etag or "").encode()
    except UnicodeEncodeError:
        return "the key, the version or the etag is not valid Unicode text"
    if not 1 <= length <= MAX_KEY_BYTES:
        return f"the key has {length} bytes, S3 allows 1 to {MAX_KEY_BYTES}"
    return None
