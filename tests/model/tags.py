"""What a tag of the product's says; the product itself concludes nothing from tags."""

from handlers.domain.identity import Analysis


def analysis_of(tag):
    """Return the analysis that a tag of ours names."""
    scan_id, video_id, attempt = tag.split("/")
    return Analysis(scan_id, video_id, int(attempt))
