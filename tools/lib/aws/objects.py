"""Objects of S3 as the tools name them: keys percent-encoded and decoded, and the codes of what is missing or forbidden."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from urllib.parse import quote, unquote, unquote_plus

# How S3 says that there is no such object or bucket, or that access is denied; HEAD requests have no body, so their code is the
# HTTP status.
NO_SUCH_OBJECT = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NoSuchVersion"})
NO_SUCH_BUCKET = frozenset({"404", "NoSuchBucket"})
FORBIDDEN = frozenset({"403", "AccessDenied"})

# The key of a path as `path_of` and completion reports write it: a `+` is a plus. Raises UnicodeDecodeError unless it is UTF-8.
# (Partials, not functions: a listing decodes a million keys.)
key_of: Callable[[str], str] = partial(unquote, errors="strict")

# The key of a text encoded as forms are, in which `+` is a space: listings with EncodingType=url, inventories, and manifests, as
# the function decodes the key of a task. Raises UnicodeDecodeError unless it is UTF-8.
key_of_form: Callable[[str], str] = partial(unquote_plus, errors="strict")


def path_of(key: str) -> str:
    """Return a key as manifests have it: percent-encoded except for the slash.

    Both kinds of readers, those that take `+` for a space and those that do not, read that form alike.
    """
    return quote(key, safe="/")
