"""Links into the AWS console, which each partition has at an address of its own."""

from __future__ import annotations

from urllib.parse import quote

from handlers.domain.identity import Video

# By what the Regions' names begin with (AWS general reference, AWS Management Console endpoints).
_SITES = {
    "cn-": "https://console.amazonaws.cn",
    "us-gov-": "https://console.amazonaws-us-gov.com",
    "eusc-": "https://console.amazonaws-eusc.eu",
}
_COMMERCIAL = "https://console.aws.amazon.com"


def console_site(region: str) -> str:
    """Return where the console of a Region's partition is; the commercial one for a Region that is not known."""
    return next((site for prefix, site in _SITES.items() if region.startswith(prefix)), _COMMERCIAL)


def object_link(video: Video, region: str) -> str:
    """Return the link to an object's page."""
    parameters = {"region": region, "prefix": video.key, "versionId": video.version_id}
    query = "&".join(f"{name}={_quoted(value)}" for name, value in parameters.items() if value is not None)
    return f"{console_site(region)}/s3/object/{_quoted(video.bucket)}?{query}"


def _quoted(text: str) -> str:
    return quote(text, safe="/", errors="backslashreplace")
