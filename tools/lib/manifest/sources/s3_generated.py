"""Manifests that S3 makes itself (`S3JobManifestGenerator`): which filters it has, and how ours are said in its words.

Source: botocore, s3control JobManifestGeneratorFilter; S3 user guide, batch-ops-create-job. It leaves no side list, so what cannot
be analysed is filtered out by size and storage class.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from handlers.domain.objects import ARCHIVE_CLASSES, MAX_BYTES
from tools.lib.errors import ToolError
from tools.lib.listing import Selection

if TYPE_CHECKING:
    from mypy_boto3_s3control.literals import S3StorageClassType
    from mypy_boto3_s3control.type_defs import JobManifestGeneratorFilterTypeDef, KeyNameConstraintTypeDef

# Those that the generator knows.
STORAGE_CLASSES: tuple[S3StorageClassType, ...] = (
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "GLACIER",
    "INTELLIGENT_TIERING",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
)


@dataclass(frozen=True, slots=True)
class Generated:
    """A manifest that S3 makes: of what, and below which prefix of the work bucket it is written."""

    selection: Selection
    prefix: str

    @property
    def filter(self) -> JobManifestGeneratorFilterTypeDef:
        """Return which objects S3 puts into the manifest."""
        return filter_of(self.selection)


def refused_options() -> frozenset[str]:
    """Return the options, by their parameter's name, for which the generator has no filter."""
    return frozenset({"include", "exclude", "sample", "seed", "limit", "all_versions", "skip_unchanged"})


def filter_of(selection: Selection) -> JobManifestGeneratorFilterTypeDef:
    """Return a selection as the generator's filter.

    Raises:
        ToolError: It chooses by something that the generator has no filter for.
    """
    wanted = selection.storage_classes or tuple(name for name in STORAGE_CLASSES if name not in ARCHIVE_CLASSES)
    if unknown := set(wanted) - set(STORAGE_CLASSES):
        raise _refused(f"knows no storage class {', '.join(sorted(unknown))}")
    told: JobManifestGeneratorFilterTypeDef = {
        "ObjectSizeGreaterThanBytes": max((selection.min_size or 0) - 1, 0),
        "ObjectSizeLessThanBytes": min(selection.max_size if selection.max_size is not None else MAX_BYTES, MAX_BYTES) + 1,
        "MatchAnyStorageClass": [name for name in STORAGE_CLASSES if name in wanted],
    }
    if names := _names(selection):
        told["KeyNameConstraint"] = names
    if selection.modified_after is not None:
        # S3's times are whole seconds, and `CreatedAfter` is exclusive.
        told["CreatedAfter"] = selection.modified_after - timedelta(seconds=1)
    if selection.modified_before is not None:
        told["CreatedBefore"] = selection.modified_before
    return told


def warnings(selection: Selection) -> list[str]:
    """Return what a person should know of a manifest that S3 makes."""
    told = [
        "It is not known yet how many objects there are: S3 lists the bucket when the job is prepared, and there is no estimate.",
        "Archived, empty and over-large objects are left out without a list; a restored copy counts as archived.",
    ]
    if any(suffix for suffix in selection.suffixes):
        told.append("S3 compares the ending of a key with upper and lower case as they are: .MP4 is not .mp4.")
    return told


def _names(selection: Selection) -> KeyNameConstraintTypeDef:
    names: KeyNameConstraintTypeDef = {}
    prefixes, suffixes = [each for each in selection.ranges if each], [each for each in selection.suffixes if each]
    # Lists by their type, of exactly one string by their rule.
    if len(prefixes) > 1:
        raise _refused("takes one --prefix")
    if len(suffixes) > 1:
        raise _refused("takes one --suffix")
    if prefixes:
        names["MatchAnyPrefix"] = prefixes
    if suffixes and "" not in selection.suffixes:
        names["MatchAnySuffix"] = suffixes
    return names


def _refused(what: str) -> ToolError:
    return ToolError(f"S3's own ManifestGenerator {what}.", cure="Omit it, or let this program list the bucket.")
