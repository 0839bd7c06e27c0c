"""Manifests that S3 makes (`S3JobManifestGenerator`), and our selections as its filters.

Source: botocore, s3control JobManifestGeneratorFilter; S3 user guide, batch-ops-create-job. S3 writes no side list, so what cannot
be analysed is filtered out by size and storage class.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from handlers.domain.objects import ARCHIVE_CLASSES, MAX_BYTES
from tools.lib.errors import ToolError
from tools.lib.listing import DEFAULT_SUFFIXES, Selection

if TYPE_CHECKING:
    from mypy_boto3_s3control.literals import S3StorageClassType
    from mypy_boto3_s3control.type_defs import JobManifestGeneratorFilterTypeDef, KeyNameConstraintTypeDef

# What is selected unless a suffix is given: the generator takes only one.
SUFFIX = ".mp4"

# The storage classes that the generator knows.
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
    """A manifest that S3 makes of a selection, below a prefix of the work bucket."""

    selection: Selection
    prefix: str

    @property
    def filter(self) -> JobManifestGeneratorFilterTypeDef:
        return filter_of(self.selection)


def refused_options() -> frozenset[str]:
    """Return the names of the parameters for which the generator has no filter."""
    return frozenset({"include", "exclude", "sample", "seed", "limit", "all_versions", "skip_unchanged"})


def filter_of(selection: Selection) -> JobManifestGeneratorFilterTypeDef:
    """Return a selection as the generator's filter.

    Raises:
        ToolError: The generator has no such filter.
    """
    classes = selection.storage_classes or tuple(name for name in STORAGE_CLASSES if name not in ARCHIVE_CLASSES)
    if unknown := set(classes) - set(STORAGE_CLASSES):
        raise _refused(f"knows no storage class {', '.join(sorted(unknown))}")
    found: JobManifestGeneratorFilterTypeDef = {
        "ObjectSizeGreaterThanBytes": max((selection.min_size or 0) - 1, 0),
        "ObjectSizeLessThanBytes": min(selection.max_size if selection.max_size is not None else MAX_BYTES, MAX_BYTES) + 1,
        "MatchAnyStorageClass": [name for name in STORAGE_CLASSES if name in classes],
    }
    if names := _names(selection):
        found["KeyNameConstraint"] = names
    if selection.modified_after is not None:
        # S3's times are whole seconds, and `CreatedAfter` is exclusive.
        found["CreatedAfter"] = selection.modified_after - timedelta(seconds=1)
    if selection.modified_before is not None:
        found["CreatedBefore"] = selection.modified_before
    return found


def warnings(selection: Selection) -> list[str]:
    """Return what a person should know about a manifest that S3 makes."""
    found = [
        "The number of objects is not known yet, because S3 lists the bucket when it prepares the job; so there is no estimate.",
        "Objects that are archived, empty or too large are left out without a list; a restored copy counts as archived.",
    ]
    if selection.suffixes == (SUFFIX,):
        others = ", ".join(suffix for suffix in DEFAULT_SUFFIXES if suffix != SUFFIX)
        found.append(f"S3 takes one suffix: keys that end in {others} are not selected; make a scan for each with --suffix.")
    if any(suffix for suffix in selection.suffixes):
        found.append("S3's suffixes are case-sensitive: .MP4 is not .mp4.")
    return found


def _names(selection: Selection) -> KeyNameConstraintTypeDef:
    names: KeyNameConstraintTypeDef = {}
    prefixes, suffixes = [each for each in selection.ranges if each], [each for each in selection.suffixes if each]
    # The types are lists, but the API takes exactly one string.
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
    return ToolError(
        f"S3's own ManifestGenerator {what}.", cure="Omit it, or omit --generate so that this program lists the bucket."
    )
