"""SQS's requests: operations on messages are answered here, those on queues by moto, the rest refused by name."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from moto.sqs import urls
from moto.sqs.models import Message as MotoMessage
from moto.sqs.responses import SQSResponse

from tools.emulator.core import moto_hooks
from tools.emulator.core.ports import ReceivedMessage
from tools.emulator.core.refusal import Answer, AwsError, only, refuse
from tools.emulator.services.sqs.backend import SqsService
from tools.emulator.services.sqs.errors import SqsError, invalid_value
from tools.emulator.services.sqs.queue import MAX_VISIBILITY_SECONDS

Request = Mapping[str, Any]
Response = dict[str, Any]

MAX_BATCH = 10
MAX_DELAY = 900
MAX_WAIT = 20
# what is left to moto, and with which parameters
QUEUE_OPERATIONS: dict[str, tuple[str, ...]] = {
    "CreateQueue": ("QueueName", "Attributes", "tags"),
    "DeleteQueue": ("QueueUrl",),
    "GetQueueUrl": ("QueueName",),
    "ListQueues": ("QueueNamePrefix", "MaxResults", "NextToken"),
    "SetQueueAttributes": ("QueueUrl", "Attributes"),
    "ListDeadLetterSourceQueues": ("QueueUrl",),
    "TagQueue": ("QueueUrl", "Tags"),
    "UntagQueue": ("QueueUrl", "TagKeys"),
    "ListQueueTags": ("QueueUrl",),
}
_SEND = ("MessageBody", "DelaySeconds", "MessageAttributes", "MessageSystemAttributes")
# SQS takes what XML 1.0 can carry: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_FORBIDDEN = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_BATCH_ID = re.compile(r"[\w-]{1,80}")


def hooks(service: SqsService) -> tuple[moto_hooks.Hook, ...]:
    """Return what has moto's SQS answered by a service."""
    return moto_hooks.routes(urls, _response(service).dispatch)


def _response(service: SqsService) -> type[SQSResponse]:
    operations = _Operations(service)

    class InstalledQueuesResponse(SQSResponse):  # type: ignore[misc] # moto is untyped
        @classmethod
        def dispatch(cls, request: Any, full_url: str, headers: Any, **path: Any) -> Answer:  # noqa: ANN401 - moto's
            target = headers.get("X-Amz-Target")
            if not target:
                return _fault(refuse("sqs", "the query protocol"))
            operation = target.rpartition(".")[2]
            body = json.loads(request.get_data(as_text=True) or "{}")
            try:
                method = operations.find(operation)
                if method is not None:
                    return 200, _HEADERS, json.dumps(method(body, headers.get("X-Amzn-Trace-Id")))
                _check_queue_operation(operation, body)
            except AwsError as error:
                return _fault(error)
            through: Callable[..., Answer] = super().dispatch
            return through(request, full_url, headers, **path)

    return InstalledQueuesResponse


_HEADERS = {"Content-Type": "application/x-amz-json-1.0"}


def _fault(error: AwsError) -> Answer:
    headers = {**_HEADERS, "x-amzn-query-error": f"{error.code};Sender"}
    shape = error.shape if isinstance(error, SqsError) else error.code
    return error.status, headers, json.dumps({"__type": f"com.amazonaws.sqs#{shape}", "message": error.message})


def _check_queue_operation(operation: str, request: Request) -> None:
    known = QUEUE_OPERATIONS.get(operation)
    if known is None:
        raise refuse("sqs", f"the operation {operation}")
    only("sqs", operation, request, known)
    if (request.get("Attributes") or {}).get("FifoQueue", "false") != "false":
        raise refuse("sqs", "FIFO queues")


class _Operations:
    """The operations on messages; each takes the request and the sender's trace header."""

    def __init__(self, service: SqsService) -> None:
        self._service = service
        self._methods: dict[str, Callable[[Request, str | None], Response]] = {
            "SendMessage": self._send,
            "SendMessageBatch": self._send_batch,
            "ReceiveMessage": self._receive,
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": self._delete_batch,
            "ChangeMessageVisibility": self._hide,
            "ChangeMessageVisibilityBatch": self._hide_batch,
            "PurgeQueue": self._purge,
            "GetQueueAttributes": self._attributes,
        }

    def find(self, operation: str) -> Callable[[Request, str | None], Response] | None:
        """Return the method for an operation, None where it is not one on messages."""
        return self._methods.get(operation)

    def _queue(self, request: Request) -> Any:  # noqa: ANN401 - moto's queue
        return self._service.queue(str(request["QueueUrl"]).rpartition("/")[2])

    def _send(self, request: Request, trace: str | None) -> Response:
        only("sqs", "SendMessage", request, ("QueueUrl", *_SEND))
        return self._sent(self._queue(request), request, trace)

    def _sent(self, queue: Any, entry: Request, trace: str | None) -> Response:  # noqa: ANN401 - moto's queue
        body, attributes = entry["MessageBody"], entry.get("MessageAttributes") or {}
        _check_body(body, attributes, queue.maximum_message_size)
        delay = _within("DelaySeconds", entry.get("DelaySeconds"), MAX_DELAY)
        given = (entry.get("MessageSystemAttributes") or {}).get("AWSTraceHeader", {}).get("StringValue")
        message = self._service.put(queue, body, attributes, delay=delay, trace=given or trace)
        return {"MessageId": message.id, "MD5OfMessageBody": message.md5, **_attributes_md5(attributes)}

    def _send_batch(self, request: Request, trace: str | None) -> Response:
        queue = self._queue(request)
        entries = _entries("SendMessageBatch", request, _SEND)
        if (
            sum(_bytes(entry["MessageBody"], entry.get("MessageAttributes") or {}) for entry in entries)
            > queue.maximum_message_size
        ):
            raise SqsError("BatchRequestTooLong", f"Batch requests cannot be longer than {queue.maximum_message_size} bytes.")
        return _each(entries, lambda entry: self._sent(queue, entry, trace))

    def _receive(self, request: Request, _: str | None) -> Response:
        known = (
            "AttributeNames",
            "MessageSystemAttributeNames",
            "MessageAttributeNames",
            "MaxNumberOfMessages",
            "VisibilityTimeout",
            "WaitTimeSeconds",
        )
        only("sqs", "ReceiveMessage", request, ("QueueUrl", *known))
        queue = self._queue(request)
        count = request.get("MaxNumberOfMessages", 1)
        if not 1 <= count <= MAX_BATCH:
            raise invalid_value("MaxNumberOfMessages", count, "Must be between 1 and 10, if provided.")
        wait = _within("WaitTimeSeconds", request.get("WaitTimeSeconds"), MAX_WAIT)
        visibility = _within("VisibilityTimeout", request.get("VisibilityTimeout"), MAX_VISIBILITY_SECONDS)
        receipts = self._service.take(
            queue, count, visibility=visibility, wait=float(queue.receive_message_wait_time_seconds) if wait is None else wait
        )
        system = {*request.get("AttributeNames", ()), *request.get("MessageSystemAttributeNames", ())}
        found = [_shown(receipt, system, request.get("MessageAttributeNames", ())) for receipt in receipts]
        return {"Messages": found} if found else {}

    def _delete(self, request: Request, _: str | None) -> Response:
        only("sqs", "DeleteMessage", request, ("QueueUrl", "ReceiptHandle"))
        self._service.messages(self._queue(request)).delete(request["ReceiptHandle"])
        return {}

    def _delete_batch(self, request: Request, _: str | None) -> Response:
        messages = self._service.messages(self._queue(request))

        def delete(entry: Request) -> Response:
            messages.delete(entry["ReceiptHandle"])
            return {}

        return _each(_entries("DeleteMessageBatch", request, ("ReceiptHandle",)), delete)

    def _hide(self, request: Request, _: str | None) -> Response:
        only("sqs", "ChangeMessageVisibility", request, ("QueueUrl", "ReceiptHandle", "VisibilityTimeout"))
        return self._hidden(self._queue(request), request)

    def _hidden(self, queue: Any, entry: Request) -> Response:  # noqa: ANN401 - moto's queue
        seconds = _within("VisibilityTimeout", entry.get("VisibilityTimeout"), MAX_VISIBILITY_SECONDS)
        self._service.hide(queue, entry["ReceiptHandle"], seconds or 0.0)
        return {}

    def _hide_batch(self, request: Request, _: str | None) -> Response:
        queue = self._queue(request)
        entries = _entries("ChangeMessageVisibilityBatch", request, ("ReceiptHandle", "VisibilityTimeout"))
        return _each(entries, lambda entry: self._hidden(queue, entry))

    def _purge(self, request: Request, _: str | None) -> Response:
        only("sqs", "PurgeQueue", request, ("QueueUrl",))
        self._service.messages(self._queue(request)).purge()
        return {}

    def _attributes(self, request: Request, _: str | None) -> Response:
        only("sqs", "GetQueueAttributes", request, ("QueueUrl", "AttributeNames"))
        queue = self._queue(request)
        names = request.get("AttributeNames", ())
        depth = self._service.depth(queue.queue_arn)
        known = {
            **{name: str(value) for name, value in queue.attributes.items() if value is not None},
            "ApproximateNumberOfMessages": str(depth.visible),
            "ApproximateNumberOfMessagesNotVisible": str(depth.in_flight),
            "ApproximateNumberOfMessagesDelayed": str(depth.delayed),
        }
        found = {name: value for name, value in known.items() if "All" in names or name in names}
        return {"Attributes": found} if found else {}


def _entries(operation: str, request: Request, known: tuple[str, ...]) -> list[Request]:
    """Check a batch's entries.

    Raises:
        SqsError: There are none, more than ten, or two with the same id.
    """
    only("sqs", operation, request, ("QueueUrl", "Entries"))
    entries: list[Request] = request.get("Entries") or []
    if not entries:
        raise SqsError("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > MAX_BATCH:
        raise SqsError(
            "TooManyEntriesInBatchRequest", f"Maximum number of entries per request are 10. You have sent {len(entries)}."
        )
    ids = [entry["Id"] for entry in entries]
    if not all(_BATCH_ID.fullmatch(one) for one in ids):
        raise SqsError("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores.")
    if len(set(ids)) != len(ids):
        raise SqsError("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
    for entry in entries:
        only("sqs", f"an entry of {operation}", entry, ("Id", *known))
    return entries


def _each(entries: list[Request], action: Callable[[Request], Response]) -> Response:
    done: list[Response] = []
    failed: list[Response] = []
    for entry in entries:
        try:
            done.append({"Id": entry["Id"], **action(entry)})
        except SqsError as error:
            failed.append({"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": error.message})
    return {"Successful": done, "Failed": failed}


def _within(name: str, value: float | None, highest: int) -> float | None:
    if value is not None and not 0 <= value <= highest:
        raise invalid_value(name, value, f"Must be between 0 and {highest}, if provided.")
    return value


def _check_body(body: str, attributes: Mapping[str, Any], most: int) -> None:
    if not body:
        raise SqsError("MissingParameter", "The request must contain the parameter MessageBody.", "MissingParameter")
    if _FORBIDDEN.search(body):
        raise SqsError(
            "InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to ..."
        )
    if _bytes(body, attributes) > most:
        raise invalid_value("MessageBody", "...", f"Message must be shorter than {most} bytes.")


def _bytes(body: str, attributes: Mapping[str, Any]) -> int:
    contents = (
        name + value["DataType"] + value.get("StringValue", value.get("BinaryValue", "")) for name, value in attributes.items()
    )
    return len(body.encode()) + sum(len(content.encode()) for content in contents)


def _attributes_md5(attributes: Mapping[str, Any]) -> dict[str, str]:
    if not attributes:
        return {}
    message = MotoMessage("", "")
    message.message_attributes = {name: _decoded(value) for name, value in attributes.items()}
    return {"MD5OfMessageAttributes": message.attribute_md5}


def _decoded(value: Mapping[str, Any]) -> dict[str, Any]:
    return {**value, "BinaryValue": base64.b64decode(value["BinaryValue"])} if "BinaryValue" in value else dict(value)


def _shown(receipt: ReceivedMessage, system: set[str], wanted: list[str]) -> Response:
    shown: Response = {
        "MessageId": receipt.message_id,
        "ReceiptHandle": receipt.receipt_handle,
        "MD5OfBody": receipt.md5_of_body,
        "Body": receipt.body,
    }
    own = {name: value for name, value in receipt.attributes.items() if "All" in system or name in system}
    attributes = {name: value for name, value in receipt.message_attributes.items() if _asked(name, wanted)}
    if own:
        shown["Attributes"] = own
    if attributes:
        shown |= {"MessageAttributes": attributes, **_attributes_md5(attributes)}
    return shown


def _asked(name: str, wanted: list[str]) -> bool:
    return any(one in ("All", name) or (one.endswith(".*") and name.startswith(one[:-2])) for one in wanted)
