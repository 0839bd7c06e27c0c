"""S3's LastModified: by the clock of the world, and of a multipart upload when it was initiated.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html and mpuoverview.html#distributedmpupload
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.s3.models import FakeDeleteMarker, FakeKey, FakeMultipart, S3Backend

from tools.emulator.core import Clock, moto_hooks
from tools.emulator.core.moto_hooks import After

# The attribute of moto's multipart upload that holds when it was initiated.
_INITIATED = "offline_world_initiated"


def hooks(clock: Clock) -> Iterator[moto_hooks.Hook]:
    """Yield what sets the times of objects, and orders the versions that multipart uploads make."""
    last, lock = datetime.fromtimestamp(0, UTC), threading.Lock()

    def now() -> datetime:
        """Return the time, later than all before by a microsecond at least: moto sorts versions by it, S3 shows no fraction."""
        nonlocal last
        with lock:
            last = max(datetime.fromtimestamp(clock.now(), UTC), last + timedelta(microseconds=1))
            return last.replace(tzinfo=None)

    def made(_: None, key: Any, /, *__: object, **___: object) -> None:  # noqa: ANN401 - moto's
        key.last_modified = now()

    def initiated(_: None, upload: Any, /, *__: object, **___: object) -> None:  # noqa: ANN401 - moto's
        setattr(upload, _INITIATED, now())

    def completed(key: Any, backend: Any, bucket_name: str, *_: object, **__: object) -> None:  # noqa: ANN401 - moto's
        if key is None:
            return
        key.last_modified = getattr(key.multipart, _INITIATED)
        bucket = backend.get_bucket(bucket_name)
        if bucket.is_versioned:
            # The version that was begun last is the current one, even if an earlier one is completed after it.
            versions = sorted(bucket.keys.getlist(key.name), key=lambda version: version.last_modified)
            bucket.keys.setlist(key.name, versions)

    yield After(FakeKey, "__init__", made)
    yield After(FakeDeleteMarker, "__init__", made)
    yield After(FakeMultipart, "__init__", initiated)
    yield After(S3Backend, "complete_multipart_upload", completed)
