"""Requests the pages of a bucket's listing through botocore, which signs, sends and retries, but does not parse them.

So Regions, partitions, endpoints, bucket names with dots, proxies and profiles work as in boto3, without what makes boto3 slow: a
dictionary and a time for each object (100 microseconds). `obstore`, also ten times as fast as boto3, was tried and does not work:
`object_store` refuses a whole listing because of one key such as `a//b`, `.` or one with a line feed, and returns `/a` as `a` and
`dir/` as `dir` (obstore 0.12.1).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, HTTPClientError

from handlers.adapters.aws_errors import fault_of
from tools.lib.aws import Clients
from tools.lib.errors import ToolError
from tools.lib.listing import pages
from tools.lib.listing.pages import Marker, Page

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Attempts at one page, about a minute in all; each has the SDK's own retries.
ATTEMPTS = 6
_BASE_SECONDS = 1.0
_CAP_SECONDS = 20.0

_BODY = "ListingBody"

# How a complete page of either operation ends.
_ENDS = {"ListObjectsV2": b"</ListBucketResult>", "ListObjectVersions": b"</ListVersionsResult>"}

Sleep = Callable[[float], None]


class ListingClient:
    """The pages of one bucket, for many threads at once.

    Args:
        connections: How many requests may be in flight at a time.
        versioned: Whether versions are listed instead of objects.
        all_versions: Whether all versions of an object are listed, not only the latest.
        sleep: Waits before a page is requested again.
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
            ToolError: The response is not a page of a listing.
        """
        body = self._request(prefix, after, marker)
        with self._readable():
            return pages.versions_page(body, all_versions=self._all_versions) if self._versioned else pages.objects_page(body)

    def first_beyond(self, prefix: str, after: str) -> str | None:
        body = self._request(prefix, after, None, MaxKeys=1)
        with self._readable():
            return pages.first_key(body)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise ToolError(
                f"The response to a listing of the bucket {self._bucket} cannot be read: {error}.",
                cure="Check that the endpoint is S3's (AWS_ENDPOINT_URL, proxy settings), then run the command again.",
            ) from error

    def _request(self, prefix: str, after: str, marker: Marker | None, **more: int) -> bytes:
        params: dict[str, Any] = {"Bucket": self._bucket, "EncodingType": "url", **more}
        if prefix:
            params["Prefix"] = prefix
        if not more:
            params["OptionalObjectAttributes"] = ["RestoreStatus"]  # a restored copy of an archived object can be read
        params |= _place_of_version(after, marker) if self._versioned else _place_of_object(after, marker)
        operation = self._client.list_object_versions if self._versioned else self._client.list_objects_v2
        response: dict[str, Any] = self._with_retries(lambda: operation(**params))
        body: bytes = response[_BODY]
        return body

    def _with_retries(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - what either operation returns
        for attempt in range(ATTEMPTS):
            try:
                return call()
            except (ClientError, HTTPClientError) as error:
                # S3 answers 503 SlowDown while it repartitions a busy part of the bucket.
                if attempt == ATTEMPTS - 1 or not fault_of(error).transient:
                    raise
            self._sleep(min(_CAP_SECONDS, _BASE_SECONDS * 2**attempt) * random.uniform(0.5, 1))  # noqa: S311 - jitter
        raise AssertionError("the last attempt returns or raises")


def is_versioned(s3: S3Client, bucket: str) -> bool:
    """Tell whether objects of this bucket have versions, which they also have while versioning is suspended."""
    return s3.get_bucket_versioning(Bucket=bucket).get("Status") in {"Enabled", "Suspended"}


def _client(clients: Clients, connections: int) -> S3Client:
    client = clients.lister(connections)
    for operation in _ENDS:
        # With a wildcard for the service, botocore calls this handler before its own `before-parse.s3.*`, which would parse the
        # whole page into a tree to see whether it is an error.
        client.meta.events.register(f"before-parse.*.{operation}", _keep_body)
    return client


def _keep_body(operation_model: Any, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - botocore's own
    """Pass a complete page on unparsed; botocore notices and retries errors (even with status 200) and incomplete pages."""
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
