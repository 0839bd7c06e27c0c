"""Manifests that S3 generates (`S3JobManifestGenerator`): the request, the filter, and the list that is written.

[bc:s3control S3JobManifestGenerator, JobManifestGeneratorFilter]. AWS does not document where in the bucket it writes the
manifest, and with which columns: here it is an inventory's manifest.json that names its columns, under
`<ManifestPrefix>/job-<id>/`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tools.emulator.core import ListedVersion, Objects, refuse
from tools.emulator.services.s3_batch.errors import SERVICE, bad_request
from tools.emulator.services.s3_batch.manifest import Manifest

FORMAT = "S3InventoryReport_CSV_20211130"
_CONSTRAINTS = ("MatchAnyPrefix", "MatchAnySuffix", "MatchAnySubstring")
_NOT_IMPLEMENTED = ("EligibleForReplication", "ObjectReplicationStatuses", "MatchAnyObjectEncryption")
_BUCKET_ARN = re.compile(r"arn:[^:]+:s3:::([^/:]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which objects are taken. Times in epoch seconds and sizes in bytes are exclusive bounds; "" and () take every object."""

    created_after: float
    created_before: float
    larger_than: float
    smaller_than: float
    prefix: str
    suffix: str
    substring: str
    storage_classes: tuple[str, ...]

    def takes(self, found: ListedVersion) -> bool:
        return (
            self.created_after < found.modified < self.created_before
            and self.larger_than < found.size < self.smaller_than
            and found.key.startswith(self.prefix)
            and found.key.endswith(self.suffix)
            and self.substring in found.key
            and (not self.storage_classes or found.storage_class in self.storage_classes)
        )


@dataclass(frozen=True, slots=True)
class Output:
    """Where a generated manifest is written, and the account that must own that bucket (None: any)."""

    bucket: str
    prefix: str
    owner: str | None


@dataclass(frozen=True, slots=True)
class Generator:
    """A request to generate a manifest: the bucket and its owner (None: any), the filter, and the output (None: not written)."""

    bucket: str
    owner: str | None
    filter: Filter
    output: Output | None


def parse(given: Mapping[str, Any]) -> Generator:
    """Read the `ManifestGenerator` of a request (members as in boto3) that the API model allows.

    Raises:
        BatchError: BadRequestException.
        UnsupportedError: The emulator lacks a filter.
    """
    made = given.get("S3JobManifestGenerator")
    if made is None:
        raise bad_request("ManifestGenerator needs S3JobManifestGenerator")
    output = made.get("ManifestOutputLocation")
    if made["EnableManifestOutput"] and output is None:
        raise bad_request("EnableManifestOutput needs ManifestOutputLocation")
    return Generator(
        bucket=bucket_of(made["SourceBucket"], "SourceBucket"),
        owner=made.get("ExpectedBucketOwner"),
        filter=_filter(made.get("Filter") or {}),
        output=_output(output) if made["EnableManifestOutput"] else None,
    )


def generate(generator: Generator, objects: Objects, *, job_id: str, now: float, all_versions: bool) -> Manifest | None:
    """List the bucket, write the manifest if that was requested, and return it; None if no object was taken.

    Rows have versions if the bucket has; `all_versions` takes those that are not the latest too.

    Raises:
        NoSuchObjectError: The source or the output bucket does not exist.
        ObjectForbiddenError: The source must not be read, or the output not written.
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
        raise refuse(SERVICE, "ManifestEncryption with SSEKMS")
    return Output(bucket_of(given["Bucket"], "Bucket"), given.get("ManifestPrefix") or "", given.get("ExpectedManifestBucketOwner"))


def _filter(given: Mapping[str, Any]) -> Filter:
    for name in _NOT_IMPLEMENTED:
        if given.get(name) is not None:
            raise refuse(SERVICE, f"the manifest filter {name}")
    constraint = given.get("KeyNameConstraint") or {}
    prefix, suffix, substring = (_only_string(constraint, name) for name in _CONSTRAINTS)
    return Filter(
        created_after=_time(given, "CreatedAfter", -math.inf),
        created_before=_time(given, "CreatedBefore", math.inf),
        larger_than=_size(given, "ObjectSizeGreaterThanBytes", -math.inf),
        smaller_than=_size(given, "ObjectSizeLessThanBytes", math.inf),
        prefix=prefix,
        suffix=suffix,
        substring=substring,
        storage_classes=tuple(given.get("MatchAnyStorageClass") or ()),
    )


def _only_string(constraint: Mapping[str, Any], name: str) -> str:
    """Return the string of a key constraint, whose list must have exactly one; "" if it is not given."""
    strings = constraint.get(name)
    if strings is None:
        return ""
    if len(strings) != 1:
        raise bad_request(f"{name} must hold one string")
    return str(strings[0])


def _size(given: Mapping[str, Any], name: str, default: float) -> float:
    value = given.get(name)
    if value is not None and value < 0:
        raise bad_request(f"{name} must be a number of bytes")
    return default if value is None else float(value)


def _time(given: Mapping[str, Any], name: str, default: float) -> float:
    value = given.get(name)
    return default if value is None else float(value.timestamp())


def bucket_of(arn: str, name: str) -> str:
    """Return the bucket that an ARN names, or raise BadRequestException with the parameter's name."""
    matched = _BUCKET_ARN.fullmatch(arn)
    if matched is None:
        raise bad_request(f"{name} is not the ARN of a bucket")
    return matched[1]


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
