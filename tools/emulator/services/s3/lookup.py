"""Finds an object or version among moto's."""

from __future__ import annotations

from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey

from tools.emulator.services.s3.backend import NULL_VERSION
from tools.emulator.services.s3.errors import delete_marker, invalid_version, no_such_key, no_such_version


def find(bucket: FakeBucket, key: str, version_id: str | None) -> FakeKey | None:
    """Return an object, its current version if none is named; None if there is none, or it is a delete marker."""
    found = _find(bucket, key, version_id)
    return None if isinstance(found, FakeDeleteMarker) else found


def find_or_raise(bucket: FakeBucket, key: str, version_id: str | None, method: str) -> FakeKey:
    """Return an object or version for a request that works with neither delete markers nor nothing.

    Raises:
        S3Error: NoSuchKey, NoSuchVersion, InvalidArgument or MethodNotAllowed.
    """
    found = _find(bucket, key, version_id)
    if isinstance(found, FakeDeleteMarker):
        raise delete_marker(method, str(found.version_id))
    if found is not None:
        return found
    if version_id is None:
        raise no_such_key(key)
    if bucket.versioning_status is None and version_id != NULL_VERSION:
        raise invalid_version(version_id)
    raise no_such_version(key, version_id)


def _find(bucket: FakeBucket, key: str, version_id: str | None) -> FakeKey | FakeDeleteMarker | None:
    versions = bucket.keys.getlist(key, default=[])
    if version_id is None:
        return versions[-1] if versions else None
    return next((one for one in versions if str(one.version_id) == version_id), None)
