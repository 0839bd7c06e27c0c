"""Buckets whose versions are suspended, which moto treats as if they had never had any.

A put replaces the version null and keeps the others; a delete without a version puts a delete marker with the version null in its
place; any version can be read, looked at and deleted (S3 user guide, AddingObjectstoVersionSuspendedBuckets,
DeletingObjectsfromVersionSuspendedBuckets).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, S3Backend

from tools.emulator.core import moto_hooks
from tools.emulator.services.s3.backend import NULL_VERSION

_moto_put, _moto_delete = S3Backend.put_object, S3Backend.delete_object
_has_versions: ContextVar[bool] = ContextVar("_has_versions", default=False)


@contextmanager
def with_versions() -> Iterator[None]:
    """Let moto see that buckets whose versions are suspended have some."""
    token = _has_versions.set(True)
    try:
        yield
    finally:
        _has_versions.reset(token)


def hooks() -> Iterator[moto_hooks.Hook]:
    """Yield the hooks; they come before those that send events of what was written."""
    yield moto_hooks.Replacement(FakeBucket, "is_versioned", property(_is_versioned))
    yield moto_hooks.Replacement(S3Backend, "put_object", _put)
    yield moto_hooks.Replacement(S3Backend, "delete_object", _delete)


def _is_versioned(bucket: FakeBucket) -> bool:
    return bucket.versioning_status == "Enabled" or (_is_suspended(bucket) and _has_versions.get())


def _is_suspended(bucket: FakeBucket) -> bool:
    return bool(bucket.versioning_status == "Suspended")


def _put(backend: S3Backend, bucket_name: str, key_name: str, *arguments: Any, **named: Any) -> FakeKey:  # noqa: ANN401 - moto's
    bucket = backend.get_bucket(bucket_name)
    if not _is_suspended(bucket):
        return _moto_put(backend, bucket_name, key_name, *arguments, **named)
    # moto puts it as if there were no versions, so that its event names none, and would close the other versions' files.
    versions = bucket.keys.getlist(key_name, [])
    others = _others(versions)
    dict.__setitem__(bucket.keys, key_name, [each for each in versions if each not in others])
    try:
        return _moto_put(backend, bucket_name, key_name, *arguments, **named)
    finally:
        bucket.keys.setlist(key_name, [*others, *bucket.keys.getlist(key_name, [])])


def _delete(
    backend: S3Backend,
    bucket_name: str,
    key_name: str,
    version_id: str | None = None,
    **named: Any,  # noqa: ANN401 - moto's
) -> tuple[bool, dict[str, Any]]:
    bucket = backend.get_bucket(bucket_name)
    with with_versions():
        done, meta = _moto_delete(backend, bucket_name, key_name, version_id, **named)
    if _is_suspended(bucket) and version_id is None and done:
        _make_null(bucket, bucket.keys.getlist(key_name)[-1])
        meta["version-id"] = NULL_VERSION
    return done, meta


def _make_null(bucket: FakeBucket, made: FakeDeleteMarker) -> None:
    """Turn a delete marker into the version null, in place of the former one."""
    made._version_id = NULL_VERSION  # noqa: SLF001 - moto has no other way
    bucket.keys.setlist(made.name, [*_others(bucket.keys.getlist(made.name)), made])


def _others(versions: list[Any]) -> list[Any]:
    return [each for each in versions if str(each.version_id) != NULL_VERSION]
