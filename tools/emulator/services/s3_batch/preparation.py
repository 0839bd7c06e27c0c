"""What a job does while it is Preparing: fetch or generate the manifest, check it, count its rows.

Reasons are in AWS's words where they are published [S3:troubleshooting-batch-operations], otherwise in ours.
"""

from __future__ import annotations

from tools.emulator.core import NoSuchObjectError, ObjectArchivedError, ObjectForbiddenError, Objects, StoredObject
from tools.emulator.services.s3_batch.generator import Generator, generate
from tools.emulator.services.s3_batch.manifest import Manifest, ManifestError, check
from tools.emulator.services.s3_batch.request import JobRequest, ManifestLocation

INVALID_CONTENT = "InvalidManifestContent"


class PreparationError(Exception):
    """Why a job fails before its first task: `FailureCode` and `FailureReason`."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def prepare(request: JobRequest, objects: Objects, account_id: str, *, job_id: str, now: float, all_versions: bool) -> Manifest:
    """Return a job's manifest, generating it if that was requested (see `generator.generate`).

    Raises:
        PreparationError: The job must fail.
    """
    if request.report_owner not in (None, account_id):
        raise PreparationError("ReportBucketOwnerMismatch", "The report's bucket does not belong to ExpectedBucketOwner")
    if isinstance(request.manifest, Generator):
        return _generated(request.manifest, objects, account_id, job_id, now, all_versions=all_versions)
    body, fields = _fetched(request.manifest, objects).body, request.manifest.fields
    try:
        return Manifest(body, fields, check(body, fields))
    except ManifestError as error:
        raise PreparationError(INVALID_CONTENT, str(error)) from error


def _generated(asked: Generator, objects: Objects, account_id: str, job_id: str, now: float, *, all_versions: bool) -> Manifest:
    if asked.owner not in (None, account_id):
        raise PreparationError("SourceBucketOwnerMismatch", "The source bucket does not belong to ExpectedBucketOwner")
    if asked.output is not None and asked.output.owner not in (None, account_id):
        what = "The manifest's bucket does not belong to ExpectedManifestBucketOwner"
        raise PreparationError("ManifestBucketOwnerMismatch", what)
    try:
        made = generate(asked, objects, job_id=job_id, now=now, all_versions=all_versions)
    except NoSuchObjectError as error:
        raise _not_generated(f"Manifest generation failed: there is no bucket {error}") from error
    except ObjectForbiddenError as error:
        raise _not_generated("Manifest generation failed: AccessDenied") from error
    if made is None:
        raise _not_generated("Manifest generation found no keys matching the filter criteria")
    return made


def _not_generated(reason: str) -> PreparationError:
    return PreparationError("ManifestGenerationFailed", reason)


def _fetched(given: ManifestLocation, objects: Objects) -> StoredObject:
    try:
        stored = objects.read(given.bucket, given.key, given.version)
    except ObjectForbiddenError as error:
        raise PreparationError("ManifestForbidden", "Reading the manifest is forbidden: AccessDenied") from error
    except NoSuchObjectError as error:
        raise PreparationError("ManifestNotFound", "Reading the manifest failed: there is no such object") from error
    except ObjectArchivedError as error:
        raise PreparationError("ManifestArchived", "Reading the manifest failed: the object is archived") from error
    if given.etag.startswith('"'):
        raise PreparationError(INVALID_CONTENT, "ETag format is invalid: it must be given without quotes")
    if stored.etag != given.etag:
        raise PreparationError("ManifestETagMismatch", f"The manifest's ETag is {stored.etag}, the job was given {given.etag}")
    if (stored.encryption or "").startswith("aws:kms"):
        raise PreparationError("ManifestEncrypted", "CSV manifests encrypted with SSE-KMS are not supported")
    return stored
