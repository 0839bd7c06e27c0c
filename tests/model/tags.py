"""Reads tags of analyses, which the product itself never does."""

from handlers.domain.identity import Analysis


def analysis_of(tag):
    """Return the analysis that a tag of ours names."""
    scan_id, video_id, attempt = tag.split("/")
    return Analysis(scan_id, video_id, int(attempt))
