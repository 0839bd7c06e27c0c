"""A listing request signed and sent by botocore's own signer and connections, without what it does around them for any operation.

Rules for the endpoint, hooks, a parser and the bookkeeping of retries are a seventh of what a listing costs the processor. How
requests of a bucket must look (address, Region, headers, kind of signature) is learned from one that botocore made and S3 took.
What is not a whole page is not handled here: the caller asks again by the long way, which knows of retries, redirects and errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError
from botocore.hooks import first_non_none_response
from botocore.utils import percent_encode_sequence

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# How a whole page of either operation ends.
ENDS = {"ListObjectsV2": b"</ListBucketResult>", "ListObjectVersions": b"</ListVersionsResult>"}

_KEY = f"{__name__}.request"

# After this many unusable answers only the long way is used.
_REFUSALS = 3


def is_page(operation: str, status: int, body: bytes) -> bool:
    """Tell whether an answer is a whole page: no error, which S3 sends with status 200 too, and not half of one."""
    return status == HTTPStatus.OK and body.rstrip().endswith(ENDS[operation])


@dataclass(frozen=True, slots=True)
class _Learned:
    """What requests of the bucket have in common: what botocore makes a request of, but for the parameters of the operation."""

    model: Any
    params: dict[str, Any]
    address: str

    def with_parameters(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return what botocore makes a request of, for parameters of the operation."""
        headers, query = dict(self.params["headers"]), dict[str, str]()
        for name, value in request.items():
            place = self.model.input_shape.members[name].serialization
            if place["location"] == "querystring":
                query[place["name"]] = str(value)
            elif place["location"] == "header":
                headers[place["name"]] = ",".join(value)
        url = f"{self.address}&{percent_encode_sequence(query)}"
        return {**self.params, "url": url, "headers": headers, "context": dict(self.params["context"])}


class ShortWay:
    """One client's short way for one of the listing operations; for many threads at once."""

    def __init__(self, client: S3Client, operation: str) -> None:
        self._events = client.meta.events
        self._operation = operation
        # botocore has no other name for what signs and sends; without it there is no short way, and nothing else changes.
        self._endpoint: Any = getattr(client, "_endpoint", None)
        self._learned: _Learned | None = None
        self._refusals = 0
        self._events.register(f"before-call.s3.{operation}", self._before)
        self._events.register(f"after-call.s3.{operation}", self._after)

    def ask(self, request: Mapping[str, Any]) -> bytes | None:
        """Return the page for the parameters of the operation, None where it has to be asked for by the long way."""
        learned = self._learned
        if learned is None or self._endpoint is None:
            return None
        try:
            signed = self._endpoint.create_request(learned.with_parameters(request), learned.model)
            # Whoever answers in S3's place, as moto does, is asked first, as botocore does.
            answers = self._events.emit(f"before-send.s3.{self._operation}", request=signed)
            answer = first_non_none_response(answers) or self._endpoint.http_session.send(signed)
            body: bytes = answer.content
        except BotoCoreError:
            return None
        if is_page(self._operation, answer.status_code, body):
            return body
        if answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._learned = None
            self._refusals += 1
        return None

    def _before(self, model: Any, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - botocore's own
        context[_KEY] = model, params

    def _after(self, http_response: Any, context: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - botocore's own
        known = context.pop(_KEY, None)
        if known is not None and http_response.status_code == HTTPStatus.OK and self._refusals < _REFUSALS:
            self._learned = _learned(*known)


def _learned(model: Any, params: dict[str, Any]) -> _Learned:  # noqa: ANN401 - botocore's own
    """Return what a request that S3 took says of others; by now a redirect to another Region has changed it too."""
    places = [member.serialization for member in model.input_shape.members.values()]
    own = {place["name"].lower() for place in places if place.get("location") == "header"}
    headers = {name: value for name, value in params["headers"].items() if name.lower() not in own}
    context = {name: value for name, value in params["context"].items() if name != "retries"}  # of that one request
    address = params["url"].partition("?")[0] + "?" + model.http["requestUri"].partition("?")[2]
    return _Learned(model, {**params, "headers": headers, "context": context}, address)
