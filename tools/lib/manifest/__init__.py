"""The manifest of a scan: built from a source, written to disk and uploaded; a side list names what cannot be analysed."""

from tools.lib.manifest.build import BuiltManifest, ManifestRequest, bucket_of, build_manifest
from tools.lib.manifest.rows import manifest_rows, write_videos
from tools.lib.manifest.sources.s3_generated import Generated, refused_options
from tools.lib.manifest.sources.source import LISTING, Kind, Source
from tools.lib.manifest.upload import UploadedManifest, upload_manifest
from tools.lib.manifest.write import write_manifest

__all__ = [
    "LISTING",
    "BuiltManifest",
    "Generated",
    "Kind",
    "ManifestRequest",
    "Source",
    "UploadedManifest",
    "bucket_of",
    "build_manifest",
    "manifest_rows",
    "refused_options",
    "upload_manifest",
    "write_manifest",
    "write_videos",
]
