"""Objects of S3 as the tools name them: keys percent-encoded and decoded, and the codes of what is missing or forbidden."""

from __future__ import annotations

from urllib.parse import quote, unquote

# How S3 says that there is no such object or bucket, or that access is denied; HEAD requests have no body, so their code is the
# HTTP status.
NO_SUCH_OBJECT = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NoSuchVersion"})
NO_SUCH_BUCKET = frozenset({"404", "NoSuchBucket"})
FORBIDDEN = frozenset({"403", "AccessDenied"})


def key_of(path: str) -> str:
    """Return the key of a path as `path_of` and completion reports write it: a `+` is a plus.

    Raises:
        UnicodeDecodeError: It is not UTF-8.
    """
    return unquote(path, errors="strict") if "%" in path else path  # of a million keys most have nothing to decode


def key_of_form(text: str) -> str:
    """Return the key of a text encoded as forms are, in which `+` is a space.

    Listings with EncodingType=url are, and inventories, and manifests, as the function decodes the key of a task.

    Raises:
        UnicodeDecodeError: It is not UTF-8.
    """
    return key_of(text.replace("+", " "))


def path_of(key: str) -> str:
    """Return a key as manifests have it: percent-encoded except for the slash.

    Both kinds of readers, those that take `+` for a space and those that do not, read that form alike.
    """
    return quote(key, safe="/")
