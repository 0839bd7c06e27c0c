"""S3 as other services see it: moto's objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC

from moto.s3.exceptions import MissingBucket, MissingVersion
from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey, s3_backends

from tools.emulator.core import ListedVersion, NoSuchObjectError, ObjectArchivedError, ObjectForbiddenError, StoredObject
from tools.emulator.services.s3.authorization import readable_for_services
from tools.emulator.settings import EmulatorSettings

ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
RESTORED = 'ongoing-request="false"'  # in x-amz-restore, as GetObject has it too
NULL_VERSION = "null"  # of an object that is older than its bucket's versioning


class Storage:
    """Implements the port `Objects` over moto's S3.

    Attributes:
        forbidden: Buckets that other services may not read or write; tests add to it.
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        self.forbidden: set[str] = set()
        self._account = settings.account_id

    def list(self, bucket: str) -> Iterator[ListedVersion]:
        self._check_allowed(bucket)
        try:
            stored = s3_backends[self._account]["aws"].get_bucket(bucket)
        except MissingBucket as error:
            raise NoSuchObjectError(bucket) from error
        versioned = stored.versioning_status is not None
        for name in sorted(stored.keys, key=lambda key: key.encode()):  # S3 lists by the bytes of UTF-8
            newest_first = list(reversed(stored.keys.getlist(name)))
            for number, found in enumerate(newest_first):
                if not isinstance(found, FakeDeleteMarker):
                    version = str(found.version_id or NULL_VERSION) if versioned else None
                    modified = found.last_modified.replace(tzinfo=UTC).timestamp()
                    yield ListedVersion(name, version, number == 0, found.size, modified, found.storage_class)

    def read(self, bucket: str, key: str, version_id: str | None = None) -> StoredObject:
        self._check_allowed(bucket)
        found = self._find(bucket, key, version_id)
        if not readable_for_services(s3_backends[self._account]["aws"].get_bucket(bucket), found, version_id):
            raise ObjectForbiddenError(f"s3://{bucket}/{key}: a policy of the bucket denies it")
        if found.storage_class in ARCHIVED and RESTORED not in found.response_dict.get("x-amz-restore", ""):
            raise ObjectArchivedError(f"s3://{bucket}/{key} is in {found.storage_class}")
        body = found.value
        version = None if found.version_id in (None, NULL_VERSION) else str(found.version_id)
        return StoredObject(body, str(found.etag).strip('"'), len(body), version, found.encryption)

    def write(self, bucket: str, key: str, body: bytes) -> None:
        self._check_allowed(bucket)
        try:
            s3_backends[self._account]["aws"].put_object(bucket, key, body, encryption="AES256")
        except MissingBucket as error:
            raise NoSuchObjectError(bucket) from error

    def buckets(self) -> dict[str, FakeBucket]:
        """Return moto's buckets by name."""
        return dict(s3_backends[self._account]["aws"].buckets)

    def restore(self, buckets: Mapping[str, FakeBucket]) -> None:
        """Put the buckets of an earlier world in place of those of the same names."""
        moto = s3_backends[self._account]["aws"]
        for name, bucket in buckets.items():
            if name not in moto.buckets:
                moto.create_bucket(name, bucket.region_name)
            moto.buckets[name] = bucket

    def _check_allowed(self, bucket: str) -> None:
        if bucket in self.forbidden:
            raise ObjectForbiddenError(bucket)

    def _find(self, bucket: str, key: str, version_id: str | None) -> FakeKey:
        try:
            found = s3_backends[self._account]["aws"].get_object(bucket, key, version_id=version_id)
        except (MissingBucket, MissingVersion) as error:
            raise NoSuchObjectError(f"s3://{bucket}/{key}") from error
        if found is None or isinstance(found, FakeDeleteMarker):
            raise NoSuchObjectError(f"s3://{bucket}/{key}")
        return found
