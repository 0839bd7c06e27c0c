"""The raw hits of an analysis, kept as one compressed object of JSON lines in the work bucket. Layout: docs/hits.md.

Rekognition keeps results for 7 days, the table only segments. These are the results themselves, and Athena can read them. The bytes
depend on the video and its hits alone, so storing them twice changes nothing.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from handlers.domain import Engine, Hit, Record, json_text

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_s3 import S3Client

# Where hits live in the work bucket; the function's role may write nowhere else in it.
PREFIX = "hits/"

# Compressed bytes held in memory, some 60,000 hits; larger files go to disk.
SPOOL_BYTES = 1024 * 1024

_COMPRESSION = 6


def hits_key(record: Record) -> str:
    """Return the key of the hits of a record's attempt; a retry writes another object.

    `scan=` is how Athena and Hive name a partition.
    """
    return f"{PREFIX}scan={record.scan_id}/{record.video.id}-{record.attempt:02}.json.gz"


class HitFile:
    """Compresses the hits of one analysis as they come; memory is bounded, however many there are.

    Attributes:
        key: The key under which the hits will be stored.
        count: How many hits were written so far.
    """

    def __init__(self, record: Record, spool: IO[bytes]) -> None:
        self.key = hits_key(record)
        self.count = 0
        self._start = _common(record)
        self._spool = spool
        # Without name and time, the same hits make the same bytes.
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=_COMPRESSION, fileobj=spool, mtime=0)

    def take(self, hits: Iterable[Hit]) -> Iterator[Hit]:
        """Write each hit, then yield it."""
        for hit in hits:
            self._gzip.write(f"{self._start}{_own(hit)}\n".encode("ascii"))
            self.count += 1
            yield hit

    def finished(self) -> IO[bytes]:
        """Return the compressed bytes, positioned at their beginning; no more hits can be written."""
        self._gzip.close()
        self._spool.seek(0)
        return self._spool


class HitStore:
    """The hits in the work bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client: Any = client  # a spooled file is a body, which the stubs do not know
        self._bucket = bucket

    @contextmanager
    def file(self, record: Record) -> Iterator[HitFile]:
        """Open a temporary file for the hits of a record's analysis."""
        with SpooledTemporaryFile(SPOOL_BYTES) as spool:
            file = HitFile(record, spool)
            try:
                yield file
            finally:
                file.finished()  # left open, it would write into the closed spool when it is collected

    def keep(self, file: HitFile) -> None:
        """Store the hits of a file, and replace those of an earlier attempt."""
        self._client.put_object(
            Bucket=self._bucket,
            Key=file.key,
            Body=file.finished(),
            ContentType="application/gzip",
            ServerSideEncryption="AES256",
        )


def _common(record: Record) -> str:
    """Return the beginning of every line: the video and the attempt."""
    version = {} if record.video.version_id is None else {"version_id": record.video.version_id}
    # Of the video engine it is not said: older hits are all of it.
    engine = {} if record.engine is Engine.VIDEO else {"engine": record.engine.value}
    named = {"video_id": record.video.id, "attempt": record.attempt, "bucket": record.video.bucket, "key": record.video.key}
    # ASCII escapes line breaks in a key, so every line is one hit.
    return f"{json_text.compact(named | version | engine)[:-1]},"


def _own(hit: Hit) -> str:
    """Return the end of a line: the hit."""
    return json_text.compact(
        {
            "timestamp_ms": hit.timestamp_ms,
            "label": hit.name,
            "parent": hit.parent,
            "level": hit.level,
            "confidence": hit.confidence,
        }
    )[1:]
