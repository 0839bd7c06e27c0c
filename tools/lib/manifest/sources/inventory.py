"""S3 Inventory as a source: `manifest.json` lists the files; each is checked against its MD5 and read as a stream.

The format is in the S3 user guide, storage-inventory-location and storage-inventory: no header; keys are URL-encoded.
"""

from __future__ import annotations

import csv
import gzip
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from handlers.domain.objects import ARCHIVE_TIER, ARCHIVE_TIERS, DEEP_ARCHIVE_TIER
from tools.lib.aws import key_of_form, md5_of, path_of
from tools.lib.bounded import MAX_DOCUMENT, parse_json, read_whole
from tools.lib.errors import ToolError
from tools.lib.listing import UNKNOWN_SIZE, Batch, Filters, Selection, UnselectedCounts, suffixes_of
from tools.lib.manifest.sources.reading import TooLongError, blocks, fetch, opened, pieces
from tools.lib.text import counted, printable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FORMAT = "CSV"
_BATCH = 1_000
_DAY = 86_400.0
_TRUE = "true"
# The most bytes of a row: the access control list of an object may be among its fields.
_MAX_ROW = 1024 * 1024
_SHOWN = 200
_TIERED = "INTELLIGENT_TIERING"


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of an inventory: its key in the destination bucket, and its MD5 in hex."""

    key: str
    md5: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """The contents of `manifest.json`.

    Attributes:
        name: Its location.
        created_at: Epoch seconds.
        destination: The bucket that has the files.
        columns: The columns of the files.
    """

    name: str
    bucket: str
    created_at: float
    destination: str
    columns: tuple[str, ...]
    files: tuple[DataFile, ...]

    @property
    def versioned(self) -> bool:
        return "VersionId" in self.columns

    @property
    def has_sizes(self) -> bool:
        return "Size" in self.columns

    def warnings(self, now: float) -> list[str]:
        days = (now - self.created_at) / _DAY
        found = [f"The inventory is {days:,.1f} days old: objects written since are missing, and objects deleted since will fail."]
        if "StorageClass" not in self.columns:
            found.append("The inventory has no storage classes: archived objects are not left out, and will fail.")
        elif "IntelligentTieringAccessTier" not in self.columns:
            found.append(
                "The inventory has no access tiers: objects in an archive tier of Intelligent-Tiering are not left out, "
                "and will fail."
            )
        if not self.has_sizes:
            found.append("The inventory has no sizes: empty objects and those that are too large are not left out, and will fail.")
        return found

    def require(self, selection: Selection) -> None:
        """Make sure that the inventory has the columns that the filters need.

        Raises:
            ToolError: A column is missing.
        """
        needed = (
            ("Size", selection.min_size is not None or selection.max_size is not None, "--min-size and --max-size"),
            (
                "LastModifiedDate",
                bool(selection.modified_after or selection.modified_before),
                "--modified-after and --modified-before",
            ),
            ("StorageClass", bool(selection.storage_classes), "--storage-class"),
            ("VersionId", selection.all_versions, "--all-versions"),
        )
        for column, is_needed, options in needed:
            if is_needed and column not in self.columns:
                raise ToolError(
                    f"{printable(self.name)}: this inventory has no column {column}, which {options} would need.",
                    cure="Add that field to the inventory, omit the option, or list the bucket.",
                )

    def batches(self, s3: S3Client, selection: Selection, unselected: UnselectedCounts) -> Iterator[Batch]:
        """Yield the objects that pass the selection's filters, in the order of the inventory's files, and count other suffixes.

        Raises:
            ToolError: A file is gone, is not the one that `manifest.json` lists, or has an invalid row.
        """
        # Tiers that must be restored first count as storage classes, so that they are left out like the others.
        classes = selection.storage_classes + (ARCHIVE_TIERS if _TIERED in selection.storage_classes else ())
        filters = Filters(replace(selection, storage_classes=classes))
        for file in self.files:
            uri = f"s3://{self.destination}/{file.key}"
            with tempfile.TemporaryFile() as content:
                fetch(s3, uri, content)
                if (md5 := md5_of(content)) != file.md5:
                    raise _damaged(f"{uri}: its MD5 is {md5}, manifest.json says {file.md5}")
                rows = self._rows(uri, content, selection)
                while some := list(islice(rows, _BATCH)):
                    batch, others = filters.split(self._batch(some))
                    unselected.add(suffixes_of(others))
                    if batch:
                        yield batch
        unselected.complete = True

    def _rows(self, uri: str, content: BinaryIO, selection: Selection) -> Iterator[Mapping[str, str]]:
        """Yield the rows of objects: no delete markers, and only the latest versions unless all are selected."""
        number = 0
        try:
            with gzip.GzipFile(fileobj=content) as text:
                lines = (line.decode("utf-8") for line in pieces(blocks(text), b"\n", _MAX_ROW))  # type: ignore[arg-type] # it reads
                for number, values in enumerate(csv.reader(lines, strict=True), 1):
                    if len(values) != len(self.columns):
                        raise _damaged(
                            f"{uri}, line {number:,}: {counted(len(values), 'column')}, its fileSchema has {len(self.columns)}"
                        )
                    row = dict(zip(self.columns, values, strict=True))
                    self._check(uri, number, row)
                    row["Key"] = self._key(uri, number, row["Key"])
                    latest = row.get("IsLatest", _TRUE).lower() == _TRUE
                    if (latest or selection.all_versions) and row.get("IsDeleteMarker", "").lower() != _TRUE:
                        yield row
        except (csv.Error, UnicodeDecodeError, EOFError, TooLongError, gzip.BadGzipFile, zlib.error) as error:
            raise _damaged(f"{uri}, after line {number:,}: this is not gzipped CSV in UTF-8 ({error})") from error

    def _key(self, uri: str, number: int, encoded: str) -> str:
        try:
            return key_of_form(encoded)
        except UnicodeDecodeError as error:
            raise _damaged(f"{uri}, line {number:,}: the key {encoded[:_SHOWN]!r} is not UTF-8") from error

    def _check(self, uri: str, number: int, row: Mapping[str, str]) -> None:
        if row["Bucket"] != self.bucket:
            raise _damaged(f"{uri}, line {number:,}: bucket {row['Bucket']!r} in an inventory of {self.bucket}")
        if not row.get("Size", "0").isdigit() and row.get("IsDeleteMarker", "").lower() != _TRUE:
            raise _damaged(f"{uri}, line {number:,}: {row['Size']!r} is not a valid size")

    def _batch(self, rows: Sequence[Mapping[str, str]]) -> Batch:
        return Batch(
            [path_of(row["Key"]) for row in rows],
            [int(row.get("Size", UNKNOWN_SIZE)) for row in rows],
            [row["VersionId"] or "null" for row in rows] if self.versioned else None,
            [_class_of(row) for row in rows],
            [row.get("ETag", "") for row in rows],
            [row.get("LastModifiedDate", "") for row in rows],
        )


def _class_of(row: Mapping[str, str]) -> str:
    """Return the storage class of a row, or the archive tier of Intelligent-Tiering that it is in; "" without that field."""
    name = row["StorageClass"] or "STANDARD" if "StorageClass" in row else ""
    tier = row.get("IntelligentTieringAccessTier", "").upper()
    if name != _TIERED or "ARCHIVE" not in tier or "INSTANT" in tier:
        return name
    return DEEP_ARCHIVE_TIER if "DEEP" in tier else ARCHIVE_TIER


def read(s3: S3Client, location: str, bucket: str | None) -> Inventory:
    """Read an inventory's `manifest.json`.

    Raises:
        ToolError: It is not one, or is that of another bucket or of a format that is not supported.
    """
    with opened(s3, location, MAX_DOCUMENT) as source:
        text = read_whole(source, location, "the manifest.json of an S3 Inventory", MAX_DOCUMENT)
    try:
        values = parse_json(text)
        inventory = _inventory(location, values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ToolError(
            f"{printable(location)}: this is not the manifest.json of an S3 Inventory ({type(error).__name__}: {error}).",
            cure="Name the file <prefix>/<bucket>/<configuration>/<date>/manifest.json.",
        ) from error
    if str(values.get("fileFormat")).upper() != FORMAT:
        raise ToolError(
            f"{printable(location)}: the inventory's files are {values.get('fileFormat')}; only CSV is supported, as by S3 Batch.",
            cure="Configure the inventory as CSV, or list the bucket (omit --inventory).",
        )
    if missing := {"Bucket", "Key"} - set(inventory.columns):
        raise ToolError(f"{printable(location)}: its fileSchema lacks {', '.join(sorted(missing))}.", cure="Is it complete?")
    if bucket not in (None, inventory.bucket):
        raise ToolError(f"{printable(location)} is an inventory of {inventory.bucket}, not of {bucket}.", cure="Omit --bucket.")
    return inventory


def _inventory(location: str, values: Mapping[str, Any]) -> Inventory:
    files = tuple(DataFile(str(file["key"]), str(file["MD5checksum"]).lower()) for file in values["files"])
    return Inventory(
        name=location,
        bucket=str(values["sourceBucket"]),
        created_at=int(values["creationTimestamp"]) / 1000,
        destination=str(values["destinationBucket"]).rpartition(":")[2],
        columns=tuple(column.strip() for column in str(values["fileSchema"]).split(",")),
        files=files,
    )


def _damaged(what: str) -> ToolError:
    return ToolError(f"{printable(what)}.", cure="Take another day's inventory, or list the bucket.")
