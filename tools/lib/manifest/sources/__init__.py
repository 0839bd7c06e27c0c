"""Where the rows of a manifest come from: a listing, a manifest or a list of keys of one's own, an inventory; or S3 itself."""

from __future__ import annotations

from tools.lib.manifest.sources.kinds import LISTING, Kind, Source

__all__ = ["LISTING", "Kind", "Source"]
