"""What a job does while it is Preparing: fetch the manifest, check it, count its rows.

Reasons in AWS's words where those are published [S3:troubleshooting-batch-operations], else in ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.emulator.batch.manifest import ManifestError, Row, check, rows
from tools.emulator.batch.request import JobRequest
from tools.emulator.ports import NoSuchObjectError, ObjectArchivedError, ObjectForbiddenError, Objects, StoredObject

INVALID_CONTENT = "InvalidManifestContent"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a job fails before its first task: `FailureCode` and `FailureReason`."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest found good."""

    body: bytes
    fields: tuple[str, ...]
    rows: int

    def read(self) -> Iterator[Row]:
        """Yield its rows."""
        return rows(self.body, self.fields)


def prepare(request: JobRequest, objects: Objects, account_id: str) -> Manifest | Refusal:
    """Return a job's manifest, or why the job must fail."""
    if request.report_owner not in (None, account_id):
        return Refusal("ReportBucketOwnerMismatch", "The report's bucket does not belong to ExpectedBucketOwner")
    stored = _fetch(request, objects)
    if isinstance(stored, Refusal):
        return stored
    try:
        return Manifest(stored.body, request.fields, check(stored.body, request.fields))
    except ManifestError as error:
        return Refusal(INVALID_CONTENT, str(error))


def _fetch(request: JobRequest, objects: Objects) -> StoredObject | Refusal:
    try:
        stored = objects.read(request.manifest_bucket, request.manifest_key, request.manifest_version)
    except ObjectForbiddenError:
        return Refusal("ManifestForbidden", "Reading the manifest is forbidden: AccessDenied")
    except NoSuchObjectError:
        return Refusal("ManifestNotFound", "Reading the manifest failed: there is no such object")
    except ObjectArchivedError:
        return Refusal("ManifestArchived", "Reading the manifest failed: the object is archived")
    return _vetted(stored, request.manifest_etag)


def _vetted(stored: StoredObject, etag: str) -> StoredObject | Refusal:
    if etag.startswith('"'):
        return Refusal(INVALID_CONTENT, "ETag format is invalid: it must be given without quotes")
    if stored.etag != etag:
        return Refusal("ManifestETagMismatch", f"The manifest's ETag is {stored.etag}, the job was given {etag}")
    if (stored.encryption or "").startswith("aws:kms"):
        return Refusal("ManifestEncrypted", "CSV manifests encrypted with SSE-KMS are not supported")
    return stored
