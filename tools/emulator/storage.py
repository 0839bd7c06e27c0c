"""S3 as other services of the offline world see it: moto's objects."""

from __future__ import annotations

from moto.s3.exceptions import MissingBucket, MissingVersion
from moto.s3.models import FakeDeleteMarker, FakeKey, s3_backends

from tools.emulator.ports import NoSuchObjectError, ObjectArchivedError, ObjectForbiddenError, StoredObject
from tools.emulator.settings import EmulatorSettings

ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
RESTORED = 'ongoing-request="false"'  # how GetObject, too, tells a restored object
NULL_VERSION = "null"  # the version of an object stored before its bucket kept any


class Storage:
    """Implements `ports.Objects` over moto's S3.

    Attributes:
        forbidden: Buckets that other services may not read or write; tests and rehearsals add to it.
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        self.forbidden: set[str] = set()
        self._account = settings.account_id

    def read(self, bucket: str, key: str, version_id: str | None = None) -> StoredObject:
        """Return an object's content.

        Raises:
            NoSuchObjectError: No such bucket, key or version, or it is a delete marker.
            ObjectArchivedError: It is in an archive class and not restored.
            ObjectForbiddenError: The bucket is forbidden.
        """
        self._check_allowed(bucket)
        found = self._find(bucket, key, version_id)
        if found.storage_class in ARCHIVED and RESTORED not in found.response_dict.get("x-amz-restore", ""):
            raise ObjectArchivedError(f"s3://{bucket}/{key} is in {found.storage_class}")
        body = found.value
        version = None if found.version_id in (None, NULL_VERSION) else str(found.version_id)
        return StoredObject(body, str(found.etag).strip('"'), len(body), version, found.encryption)

    def write(self, bucket: str, key: str, body: bytes) -> None:
        """Store an object with SSE-S3.

        Raises:
            NoSuchObjectError: There is no such bucket.
            ObjectForbiddenError: The bucket is forbidden.
        """
        self._check_allowed(bucket)
        try:
            s3_backends[self._account]["aws"].put_object(bucket, key, body, encryption="AES256")
        except MissingBucket as error:
            raise NoSuchObjectError(bucket) from error

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
