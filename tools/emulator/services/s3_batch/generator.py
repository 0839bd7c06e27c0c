"""Manifests that S3 makes itself (`S3JobManifestGenerator`): the request, the filter, the list and where it is written.

[bc:s3control S3JobManifestGenerator, JobManifestGeneratorFilter]. Where in its bucket AWS writes the manifest, and with which
columns, is not documented: here an inventory's manifest.json that names its columns, under `<ManifestPrefix>/job-<id>/`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tools.emulator.core import ListedVersion, Objects
from tools.emulator.services.s3_batch.errors import bad_request, not_implemented
from tools.emulator.services.s3_batch.manifest import Manifest

FORMAT = "S3InventoryReport_CSV_20211130"
_CONSTRAINTS = ("MatchAnyPrefix", "MatchAnySuffix", "MatchAnySubstring")
_UNKNOWN_HERE = ("EligibleForReplication", "ObjectReplicationStatuses", "MatchAnyObjectEncryption")
_BUCKET_ARN = re.compile(r"arn:[^:]+:s3:::([^/:]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which objects are taken: every condition that is not None must hold. Epoch seconds and bytes, all exclusive."""

    created_after: float | None
    created_before: float | None
    larger_than: int | None
    smaller_than: int | None
    prefix: str | None
    suffix: str | None
    substring: str | None
    storage_classes: tuple[str, ...]

    def takes(self, found: ListedVersion) -> bool:
        """Return whether an object is included."""
        return (
            (self.created_after is None or found.modified > self.created_after)
            and (self.created_before is None or found.modified < self.created_before)
            and (self.larger_than is None or found.size > self.larger_than)
            and (self.smaller_than is None or found.size < self.smaller_than)
            and (self.prefix is None or found.key.startswith(self.prefix))
            and (self.suffix is None or found.key.endswith(self.suffix))
            and (self.substring is None or self.substring in found.key)
            and (not self.storage_classes or found.storage_class in self.storage_classes)
        )


@dataclass(frozen=True, slots=True)
class Output:
    """Where a generated manifest is written, and who should own that bucket (None: any account)."""

    bucket: str
    prefix: str
    owner: str | None


@dataclass(frozen=True, slots=True)
class Generator:
    """A request to make the manifest: from which bucket (and whose), by which filter, and where it is written (None: nowhere)."""

    bucket: str
    owner: str | None
    filter: Filter
    output: Output | None


def parse(given: Mapping[str, Any]) -> Generator:
    """Return the `ManifestGenerator` of a request (members as in boto3), which the API model allows.

    Raises:
        BatchError: BadRequestException, or NotImplemented for filters that only the real service knows.
    """
    made = given.get("S3JobManifestGenerator")
    if made is None:
        raise bad_request("ManifestGenerator needs S3JobManifestGenerator")
    output = made.get("ManifestOutputLocation")
    if made["EnableManifestOutput"] and output is None:
        raise bad_request("EnableManifestOutput needs ManifestOutputLocation")
    return Generator(
        bucket=_bucket(made, "SourceBucket"),
        owner=made.get("ExpectedBucketOwner"),
        filter=_filter(made.get("Filter") or {}),
        output=_output(output) if made["EnableManifestOutput"] else None,
    )


def generate(generator: Generator, objects: Objects, *, job_id: str, now: float, all_versions: bool) -> Manifest | None:
    """List the bucket, write the manifest where that was asked for, and return it; None where no object was taken.

    `all_versions` takes those that are not the latest too, of a bucket that keeps versions; rows have a version then in any case.

    Raises:
        NoSuchObjectError: There is no such bucket to read or to write.
        ObjectForbiddenError: It may not be read or written.
    """
    taken = [found for found in objects.list(generator.bucket) if (found.latest or all_versions) and generator.filter.takes(found)]
    if not taken:
        return None
    versioned = any(found.version_id is not None for found in taken)
    body = "".join(_rows(generator.bucket, taken, versioned=versioned)).encode()
    fields = ("Bucket", "Key", "VersionId") if versioned else ("Bucket", "Key")
    descriptor = None
    if generator.output is not None:
        descriptor = _write(generator.output, body, objects, source=generator.bucket, fields=fields, job_id=job_id, now=now)
    return Manifest(body, fields, len(taken), descriptor)


def _rows(bucket: str, taken: Iterable[ListedVersion], *, versioned: bool) -> Iterator[str]:
    for found in taken:
        version = f",{found.version_id or 'null'}" if versioned else ""
        yield f"{bucket},{quote(found.key, safe='/')}{version}\n"


def _write(
    output: Output, body: bytes, objects: Objects, *, source: str, fields: tuple[str, ...], job_id: str, now: float
) -> dict[str, Any]:
    folder = f"{output.prefix}/job-{job_id}" if output.prefix else f"job-{job_id}"
    packed = gzip.compress(body, mtime=0)
    data_key, manifest_key = f"{folder}/data/{_md5(packed)}.csv.gz", f"{folder}/manifest.json"
    listing = {
        "sourceBucket": source,
        "destinationBucket": f"arn:aws:s3:::{output.bucket}",
        "version": "2021-11-30",
        "creationTimestamp": str(int(now * 1000)),
        "fileFormat": "CSV",
        "fileSchema": ", ".join(fields),
        "files": [{"key": data_key, "size": len(packed), "MD5checksum": _md5(packed)}],
    }
    manifest = json.dumps(listing).encode()
    objects.write(output.bucket, data_key, packed)
    objects.write(output.bucket, manifest_key, manifest)
    location = {"ObjectArn": f"arn:aws:s3:::{output.bucket}/{manifest_key}", "ETag": _md5(manifest)}
    return {"Format": FORMAT, "Location": location}


def _output(given: Mapping[str, Any]) -> Output:
    if (given.get("ManifestEncryption") or {}).get("SSEKMS") is not None:
        raise not_implemented("ManifestEncryption with SSEKMS")
    return Output(_bucket(given, "Bucket"), given.get("ManifestPrefix") or "", given.get("ExpectedManifestBucketOwner"))


def _filter(given: Mapping[str, Any]) -> Filter:
    for name in _UNKNOWN_HERE:
        if given.get(name) is not None:
            raise not_implemented(f"the manifest filter {name}")
    for name in ("ObjectSizeGreaterThanBytes", "ObjectSizeLessThanBytes"):
        if (given.get(name) or 0) < 0:
            raise bad_request(f"{name} must be a number of bytes")
    constraint = given.get("KeyNameConstraint") or {}
    prefix, suffix, substring = (_only(constraint, name) for name in _CONSTRAINTS)
    return Filter(
        created_after=_time(given, "CreatedAfter"),
        created_before=_time(given, "CreatedBefore"),
        larger_than=given.get("ObjectSizeGreaterThanBytes"),
        smaller_than=given.get("ObjectSizeLessThanBytes"),
        prefix=prefix,
        suffix=suffix,
        substring=substring,
        storage_classes=tuple(given.get("MatchAnyStorageClass") or ()),
    )


def _only(constraint: Mapping[str, Any], name: str) -> str | None:
    """Return the one string of a key constraint: each takes a list of exactly one."""
    strings = constraint.get(name)
    if strings is None:
        return None
    if len(strings) != 1:
        raise bad_request(f"{name} must hold one string")
    return str(strings[0])


def _time(given: Mapping[str, Any], name: str) -> float | None:
    value = given.get(name)
    return None if value is None else float(value.timestamp())


def _bucket(given: Mapping[str, Any], name: str) -> str:
    matched = _BUCKET_ARN.fullmatch(given[name])
    if matched is None:
        raise bad_request(f"{name} is not the ARN of a bucket")
    return matched[1]


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
