"""Lambda's Invoke over HTTP: moto's request becomes a call of the service, and its result the response."""

from __future__ import annotations

import json
from concurrent.futures import Future
from typing import Any
from urllib.parse import unquote

from tools.emulator.core import AwsError, InvocationResult
from tools.emulator.services.lambda_ import lineage
from tools.emulator.services.lambda_.backend import FunctionService

Response = tuple[int, dict[str, str], bytes]

_ERROR_TYPES = {
    400: "RecursiveInvocationException",
    404: "ResourceNotFoundException",
    413: "RequestTooLargeException",
    429: "TooManyRequestsException",
    500: "ServiceException",
}


def payload(body: str | bytes | None) -> bytes:
    """Return a request's body as an event; an empty body means an empty event."""
    return (body.encode() if isinstance(body, str) else body) or b"{}"


def invoke(service: FunctionService, response: Any) -> Response:  # noqa: ANN401  # moto's LambdaResponse
    """Answer an Invoke request: 200 with the function's answer, 202 for Event, 204 for DryRun, or Lambda's error.

    A function error is a 200 with the header X-Amz-Function-Error. X-Amz-Log-Type has no effect: logs are files.
    """
    name = unquote(response.path.rsplit("/", 2)[-2])
    kind = response.headers.get("X-Amz-Invocation-Type") or "RequestResponse"
    trace = response.headers.get(lineage.HEADER)
    event = payload(response.body)
    if service.function(name) is None:
        return _error(404, "ResourceNotFoundException", f"Function not found: {name}")
    if kind == "DryRun":
        return _answer(204, b"")
    if kind == "Event":
        try:
            return _answer(202, b"", {"x-amzn-RequestId": str(service.invoke_event(name, event, trace=trace))})
        except AwsError as refused:
            return _error(refused.status, refused.code, refused.message)
    try:
        json.loads(event)
    except ValueError as fault:
        return _error(400, "InvalidRequestContentException", f"Could not parse request body into json: {fault}")
    result: Future[InvocationResult] = Future()
    service.invoke(name, event, result.set_result, trace=trace)
    return _translated(result.result())


def _translated(result: InvocationResult) -> Response:
    if result.status != 200:  # noqa: PLR2004  # HTTP's OK
        return _answer(result.status, result.payload, {"x-amzn-errortype": _ERROR_TYPES[result.status]})
    headers = {"X-Amz-Executed-Version": "$LATEST"}
    if result.function_error is not None:
        headers["X-Amz-Function-Error"] = result.function_error
    return _answer(200, result.payload, headers)


def _answer(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response:
    return status, {"status": str(status), "content-type": "application/json", **(headers or {})}, body


def _error(status: int, kind: str, message: str) -> Response:
    return _answer(status, json.dumps({"Type": "User", "Message": message}).encode(), {"x-amzn-errortype": kind})
