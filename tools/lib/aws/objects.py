"""Objects in S3, as all tools see them."""

from __future__ import annotations

# How S3 says that there is no such object; a HEAD request has no body, so there the HTTP status is the code.
NO_SUCH_OBJECT = frozenset({"404", "NoSuchKey", "NoSuchBucket"})
NO_SUCH_BUCKET = frozenset({"404", "NoSuchBucket"})
