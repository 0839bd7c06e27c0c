"""What a job does while it is Preparing: fetch the manifest or make it, check it, count its rows.

Reasons in AWS's words where those are published [S3:troubleshooting-batch-operations], else in ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools.emulator.core.ports import NoSuchObjectError, ObjectArchivedError, ObjectForbiddenError, Objects, StoredObject
from tools.emulator.services.s3_batch.generator import Generator, generate
from tools.emulator.services.s3_batch.manifest import ManifestError, Row, check, rows
from tools.emulator.services.s3_batch.request import Given, JobRequest

INVALID_CONTENT = "InvalidManifestContent"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a job fails before its first task: `FailureCode` and `FailureReason`."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest found good, or made; `descriptor` is DescribeJob's GeneratedManifestDescriptor."""

    body: bytes
    fields: tuple[str, ...]
    rows: int
    descriptor: dict[str, Any] | None = None

    def read(self) -> Iterator[Row]:
        """Yield its rows."""
        return rows(self.body, self.fields)


def prepare(
    request: JobRequest, objects: Objects, account_id: str, *, job_id: str, now: float, all_versions: bool
) -> Manifest | Refusal:
    """Return a job's manifest, or why the job must fail; one that S3 is to make itself is made (see `generator.generate`)."""
    if request.report_owner not in (None, account_id):
        return Refusal("ReportBucketOwnerMismatch", "The report's bucket does not belong to ExpectedBucketOwner")
    if isinstance(request.manifest, Generator):
        return _generated(request.manifest, objects, account_id, job_id, now, all_versions=all_versions)
    stored = _fetch(request.manifest, objects)
    if isinstance(stored, Refusal):
        return stored
    try:
        return Manifest(stored.body, request.manifest.fields, check(stored.body, request.manifest.fields))
    except ManifestError as error:
        return Refusal(INVALID_CONTENT, str(error))


def _generated(
    asked: Generator, objects: Objects, account_id: str, job_id: str, now: float, *, all_versions: bool
) -> Manifest | Refusal:
    if asked.owner not in (None, account_id):
        return Refusal("SourceBucketOwnerMismatch", "The source bucket does not belong to ExpectedBucketOwner")
    if asked.output is not None and asked.output.owner not in (None, account_id):
        return Refusal("ManifestBucketOwnerMismatch", "The manifest's bucket does not belong to ExpectedManifestBucketOwner")
    try:
        made = generate(asked, objects, job_id=job_id, now=now, all_versions=all_versions)
    except NoSuchObjectError as error:
        return Refusal("ManifestGenerationFailed", f"Manifest generation failed: there is no bucket {error}")
    except ObjectForbiddenError:
        return Refusal("ManifestGenerationFailed", "Manifest generation failed: AccessDenied")
    if made is None:
        return Refusal("ManifestGenerationFailed", "Manifest generation found no keys matching the filter criteria")
    return Manifest(made.body, made.fields, made.rows, made.descriptor)


def _fetch(given: Given, objects: Objects) -> StoredObject | Refusal:
    try:
        stored = objects.read(given.bucket, given.key, given.version)
    except ObjectForbiddenError:
        return Refusal("ManifestForbidden", "Reading the manifest is forbidden: AccessDenied")
    except NoSuchObjectError:
        return Refusal("ManifestNotFound", "Reading the manifest failed: there is no such object")
    except ObjectArchivedError:
        return Refusal("ManifestArchived", "Reading the manifest failed: the object is archived")
    return _vetted(stored, given.etag)


def _vetted(stored: StoredObject, etag: str) -> StoredObject | Refusal:
    if etag.startswith('"'):
        return Refusal(INVALID_CONTENT, "ETag format is invalid: it must be given without quotes")
    if stored.etag != etag:
        return Refusal("ManifestETagMismatch", f"The manifest's ETag is {stored.etag}, the job was given {etag}")
    if (stored.encryption or "").startswith("aws:kms"):
        return Refusal("ManifestEncrypted", "CSV manifests encrypted with SSE-KMS are not supported")
    return stored
