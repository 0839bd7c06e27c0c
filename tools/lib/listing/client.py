"""Asks a bucket for pages of its listing. botocore signs, sends, retries and refreshes credentials; the XML stays as it is.

So all that botocore knows of Regions, partitions, endpoints, bucket names with dots, proxies and profiles holds here too, and of
what makes it slow (a dictionary and a time per object: 100 microseconds) nothing is left. `obstore`, ten times as fast as boto3
too, was tried and does not work: `object_store` refuses a whole listing for one key like `a//b`, `.` or one with a line feed, and
returns `/a` as `a` and `dir/` as `dir` (obstore 0.12.1).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, HTTPClientError

from handlers.adapters.aws_errors import fault_of
from tools.lib.aws.clients import Clients
from tools.lib.errors import ToolError
from tools.lib.listing import pages
from tools.lib.listing.pages import Marker, Page

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Tries of one page: about a minute of waiting in all, each try with the SDK's own retries.
ATTEMPTS = 6
_BASE_SECONDS = 1.0
_CAP_SECONDS = 20.0

_BODY = "ListingBody"

# How a whole page of either operation ends.
_ENDS = {"ListObjectsV2": b"</ListBucketResult>", "ListObjectVersions": b"</ListVersionsResult>"}

Sleep = Callable[[float], None]


class ListingClient:
    """One bucket's pages, for many threads at once.

    Args:
        connections: How many requests may be in flight at a time.
        versioned: Whether versions are listed instead of objects.
        sleep: Waits before a page is asked for again.
    """

    def __init__(
        self, clients: Clients, bucket: str, *, connections: int, versioned: bool, all_versions: bool = False, sleep: Sleep
    ) -> None:
        self._client = _client(clients, connections)
        self._bucket = bucket
        self._versioned = versioned
        self._all_versions = all_versions
        self._sleep = sleep

    def page(self, prefix: str, after: str, marker: Marker | None) -> Page:
        """Return the page at a marker or, without one, the first with keys beyond `after`.

        Raises:
            ToolError: The answer is not a page of a listing.
        """
        body = self._ask(prefix, after, marker)
        try:
            return pages.versions_page(body, all_versions=self._all_versions) if self._versioned else pages.objects_page(body)
        except ValueError as error:
            raise _no_page(self._bucket, error) from error

    def first_beyond(self, prefix: str, after: str) -> str | None:
        """Return the first key beyond `after`, None where there is none."""
        try:
            return pages.first_key(self._ask(prefix, after, None, MaxKeys=1))
        except ValueError as error:
            raise _no_page(self._bucket, error) from error

    def _ask(self, prefix: str, after: str, marker: Marker | None, **more: int) -> bytes:
        request: dict[str, Any] = {"Bucket": self._bucket, "EncodingType": "url", **more}
        if prefix:
            request["Prefix"] = prefix
        if not more:
            request["OptionalObjectAttributes"] = ["RestoreStatus"]  # a restored copy of an archived object can be read
        request |= _place_of_version(after, marker) if self._versioned else _place_of_object(after, marker)
        operation = self._client.list_object_versions if self._versioned else self._client.list_objects_v2
        answer: dict[str, Any] = self._with_retries(lambda: operation(**request))
        body: bytes = answer[_BODY]
        return body

    def _with_retries(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - what either operation returns
        for attempt in range(ATTEMPTS):
            try:
                return call()
            except (ClientError, HTTPClientError) as error:
                # S3 answers 503 SlowDown while it divides a busy part of the bucket.
                if attempt == ATTEMPTS - 1 or not fault_of(error).transient:
                    raise
            self._sleep(min(_CAP_SECONDS, _BASE_SECONDS * 2**attempt) * random.uniform(0.5, 1))  # noqa: S311 - never two workers in step
        raise AssertionError("the last attempt returns or raises")


def _client(clients: Clients, connections: int) -> S3Client:
    client = clients.lister(connections)
    for operation in _ENDS:
        # With a wildcard for the service botocore asks this handler before its own `before-parse.s3.*`, which would build a tree
        # of the whole page to see whether it is an error.
        client.meta.events.register(f"before-parse.*.{operation}", _keep_body)
    return client


def _keep_body(operation_model: Any, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - botocore's own
    """Hand a whole page over unparsed; an error, also one with status 200, and half a page are botocore's to notice and retry."""
    body: bytes = response_dict["body"]
    if response_dict["status_code"] == HTTPStatus.OK and body.rstrip().endswith(_ENDS[operation_model.name]):
        customized_response_dict[_BODY] = body
        response_dict["body"] = b"<Page/>"


def _place_of_object(after: str, marker: Marker | None) -> dict[str, str]:
    if marker is not None:
        return {"ContinuationToken": marker.token}
    return {"StartAfter": after} if after else {}


def _place_of_version(after: str, marker: Marker | None) -> dict[str, str]:
    if marker is not None:
        return {"KeyMarker": marker.key, **({"VersionIdMarker": marker.version} if marker.version else {})}
    return {"KeyMarker": after} if after else {}


def _no_page(bucket: str, error: ValueError) -> ToolError:
    return ToolError(
        f"The answer to a listing of the bucket {bucket} cannot be read: {error}.",
        cure="Check that the endpoint is S3's (AWS_ENDPOINT_URL, proxy settings), then run the command again.",
    )
