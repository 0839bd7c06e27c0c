"""Where the rows of a manifest come from: a listing, one's own manifest or list of keys, an inventory, or S3 itself."""

from tools.lib.manifest.sources.s3_generated import Generated, refused_options
from tools.lib.manifest.sources.source import LISTING, Kind, Source

__all__ = ["LISTING", "Generated", "Kind", "Source", "refused_options"]
